"""One VM at work for a long time: commands, copies, pushes, fetches and downloads, with rules and with secrets. Nothing fails, and the
memory of our processes doesn't grow. SOAK_SECONDS says how long it takes.

Memory is PSS: what a process has for itself, and its share of what it shares with others. It is measured after each round. The first
third of the rounds is the warm-up. A process's memory is flat when its median in the last third is at most a tenth or 2 MiB above its
median in the third before. QEMU is left out of that, because its memory is the guest's, which fills up with what the guest has read.
It may not have more than the guest's memory and 512 MiB.
"""

import collections
import hashlib
import os
import statistics
import time

import lab as lab_module
import pytest
from conftest import SMALL, Vm, program_of, surroundings

SECONDS = int(os.environ.get("SOAK_SECONDS") or 300)
ROUNDS_LEAST = 9
GROWTH, SLACK_KIB = 1.1, 2048
QEMU_MOST_KIB = (1024 + 512) << 10  # SMALL has 1 GiB
HELPERS = ("machine-net", "machine-log", "ssh", "qemu-system-")


@pytest.fixture(scope="module")
def vm(data, lab):
    with surroundings(data=data) as program:
        lab.repo("soak")
        with open(os.path.join(lab.folder, "web/large"), "wb") as file:
            file.write(os.urandom(4 << 20))
        program.environment["GIT_SSH_COMMAND"] = f"/usr/bin/ssh -F {program.ssh}/config.d/machine"
        program.environment["TOKEN"] = "t" * 4000
        program.projects(f"[soak]\nrepos = [\"git://{lab_module.PUBLIC}/soak.git\"]\n{SMALL}egress = \"allow\"\n"
                         f"allow = [\"@git\", \"{lab_module.PUBLIC}/32:8000\"]\n[soak.secrets]\nTOKEN = \"env:TOKEN\"\n")
        vm = Vm(program, "soak")
        vm.up()
        yield vm


@pytest.fixture(scope="module")
def clone(vm):
    """A clone of the guest's repo on this computer."""
    vm.program.git("clone", "--quiet", "machine-soak:code/soak", "clone", cwd=vm.program.home)
    return os.path.join(vm.program.home, "clone")


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Work:
    """What is done in each round. Each step asserts its own result."""

    def __init__(self, vm, clone, lab):
        self.vm, self.program, self.clone, self.lab = vm, vm.program, clone, lab
        self.round = 0

    def run(self):
        text = f"round {self.round}\n"
        assert self.vm.run("cat", input=text).out == text
        assert self.vm.run("sh", "-c", "exit 7", status=7).out == ""
        assert len(self.vm.sh("head -c 3000000 /dev/zero | tr '\\0' x")) == 3000000

    def copy(self):
        data = os.urandom(2 << 20)
        with open(f"{self.program.home}/sent", "wb") as file:
            file.write(data)
        self.program.run("cp", "sent", "soak:kept")
        self.program.run("cp", "soak:kept", "back")
        with open(f"{self.program.home}/back", "rb") as file:
            assert digest(file.read()) == digest(data)

    def push(self):
        self.program.write("home/clone/text", f"{self.round}\n")
        self.program.git("add", "--all", cwd=self.clone)
        self.program.git("commit", "--quiet", f"--message={self.round}", cwd=self.clone)
        self.program.git("push", "--quiet", "--force", "origin", "HEAD:refs/heads/sent", cwd=self.clone)
        assert self.vm.sh("git -C ~/code/soak show sent:text") == f"{self.round}\n"

    def fetch(self):
        self.vm.sh(f"cd ~/code/soak && echo {self.round} >there && git add there && "
                   f"git -c user.name=G -c user.email=g@example.org commit -q -m {self.round}")
        self.program.git("fetch", "--quiet", "origin", cwd=self.clone)
        assert self.program.git("show", "origin/main:there", cwd=self.clone).out == f"{self.round}\n"

    def download(self):
        with open(os.path.join(self.lab.folder, "web/large"), "rb") as file:
            expected = digest(file.read())
        url = f"http://{lab_module.PUBLIC}:8000/large"
        assert self.vm.sh(f"for i in 1 2 3; do curl -sf --noproxy '*' {url} | sha256sum; done").split() == [expected, "-"] * 3
        # Nothing else is reached.
        assert self.vm.run("curl", "-s", "--noproxy", "*", "--max-time", "20", f"http://{lab_module.PRIVATE}:8000/", status=None).status != 0

    def secrets(self):
        self.program.environment["TOKEN"] = f"{self.round:04}" * 1000
        self.vm.machine("secrets")
        assert self.vm.sh("cat /run/secrets/TOKEN") == f"{self.round:04}" * 1000

    def ask(self):
        for args in (["list"], ["status", "soak"], ["egress", "soak"], ["up", "soak"]):
            self.program.run(*args)

    def all(self):
        for step in (self.run, self.copy, self.push, self.fetch, self.download, self.secrets, self.ask):
            step()
            yield step.__name__
        self.round += 1


def pss_kib(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return None


def processes(vm):
    """Our processes that live as long as the VM: {(program, pid)}. machine-log says in no word whose it is; so it is found by the
    console that it has open."""
    found = {(program_of(pid), pid) for pid in vm.program.processes()}
    console = os.path.join(vm.folder(), "logs/console.log")
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            if program_of(pid) == "machine-log" and console in [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]:
                found.add(("machine-log", pid))
        except OSError:
            pass
    return {(name, pid) for name, pid in found if name.startswith(HELPERS)}


def growths(samples):
    """What is not flat, in words."""
    found = []
    for (name, pid), values in samples.items():
        third = len(values) // 3
        middle, last = statistics.median(values[third:2 * third]), statistics.median(values[2 * third:])
        print(f"{name} {pid}: {values[0]} KiB first, {middle:.0f} KiB in the middle, {last:.0f} KiB at the end")
        if name.startswith("qemu-system-"):
            if max(values) > QEMU_MOST_KIB:
                found.append(f"{name}: {max(values)} KiB")
        elif last > max(middle * GROWTH, middle + SLACK_KIB):
            found.append(f"{name}: from {middle:.0f} to {last:.0f} KiB")
    return found


def test_what_grows_is_noticed():
    flat, leak = [1000] * 30, [1000 + 300 * number for number in range(30)]
    assert growths({("machine-net", 1): flat}) == []
    assert growths({("machine-net", 1): leak}) == ["machine-net: from 5350 to 8350 KiB"]


@pytest.mark.long
def test_a_vm_at_work_for_long(vm, clone, lab, tally):
    work, samples = Work(vm, clone, lab), collections.defaultdict(list)
    end = time.monotonic() + SECONDS
    vm.sh("true")
    while time.monotonic() < end or work.round < ROUNDS_LEAST:
        for step in work.all():
            tally(f"at work for long: {step}")
        for process in processes(vm):
            samples[process].append(pss_kib(process[1]))
    whole = {process: values for process, values in samples.items() if len(values) == work.round and None not in values}
    assert {name.split("-system-")[0] for name, _ in whole} == {"machine-net", "machine-log", "ssh", "qemu"}, samples.keys()
    assert growths(whole) == []
    print(f"{work.round} rounds in {SECONDS} s")
    tally("at work for long: memory stays flat")
