"""Commands and helpers are killed at random moments. The same command, run again, comes to the same end as if nothing had been killed,
and nothing of the killed one is left on either side.

A seed decides on the moments. It is printed, so a failure shows it; KILL_SEED repeats it.
"""

import collections
import os
import random
import shutil
import signal
import subprocess
import time

import lab as lab_module
import pytest
from agent import make_key, ssh_agent
from choice import LONG
from conftest import SMALL, Vm, program_of, surroundings
from program import command_line, text, wait_until

SEED = int(os.environ.get("KILL_SEED") or time.time())
KILLS = 200 if LONG else 20

# What stays when a command has ended: the VM, and ssh's connection to it. Its process calls itself "[mux]", or has -N if `up` opened
# it in advance.
STAYS = ("qemu-system-", "bwrap", "machine-net", "machine-log")
TEMPORARY = (".machine-tmp-", ".machine-cp.", ".partial", ".tmp", "tmp.", "git.", "keys-", ".new.")
TEMPORARY_ENDS = (".new", ".tmp", ".part", "~", ".lock.tmp")


def strays(program):
    """Our processes that should have ended with their command."""
    lines = {pid: command_line(pid) for pid in program.processes()}
    return [(pid, text(line)) for pid, line in lines.items()
            if not program_of(pid).startswith(STAYS) and b"[mux]" not in line and b" -N " not in line and program_of(pid)]


def temporary_files(program):
    """Files here whose names say that they are temporary."""
    found = []
    for top in (program.state, program.config, program.ssh, program.home, program.runtime, program.environment["XDG_CACHE_HOME"]):
        for folder, folders, files in os.walk(top):
            found += [os.path.join(folder, name) for name in folders + files
                      if name.startswith(TEMPORARY) or name.endswith(TEMPORARY_ENDS)]
    return found


def temporary_in_guest(vm):
    """The same in the guest, and the processes of sessions that are over. The session that asks doesn't count."""
    return vm.sh(
        "find ~ /tmp /var/tmp /run/secrets -xdev \\( -name '.partial.*' -o -name '.machine-cp.*' -o -name '*.new' -o -name '.new' "
        "-o -name 'tmp.*' -o -name 'machine-recipe.*' \\) 2>/dev/null; "
        "grep -lzs -e '[m]arked-' /proc/[0-9]*/cmdline; true").split()


def wait_for_quiet(program):
    wait_until(lambda: not strays(program), 30, f"no process is left: {strays(program)}")


def killed(program, args, seconds, **how):
    """Starts a command and kills it after so many seconds. Returns whether it was still running."""
    child = program.start(*args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    time.sleep(seconds)
    was_running = child.poll() is None
    child.kill()
    child.wait()
    return was_running


@pytest.fixture(scope="module")
def chance():
    print(f"KILL_SEED={SEED}")
    return random.Random(SEED)


# --- a VM that all of this is done to

PROJECT = f"""[box]
{SMALL}
[box.secrets]
ONE = "env:ONE"
TWO = "command:cat {{root}}/two"
"""


@pytest.fixture(scope="module")
def program(data):
    with surroundings(data=data) as program:
        program.environment["ONE"] = "1" * 1000
        program.write("two", "2" * 30000)
        program.projects(PROJECT.replace("{root}", program.root))
        for number in range(40):
            program.write(f"home/tree/{number % 4}/file{number}", f"{number}\n" * 5000)
        yield program


@pytest.fixture(scope="module")
def box(program):
    vm = Vm(program, "box")
    vm.up()
    return vm


# --- a killed `run`

def in_guest(vm, mark):
    """The guest's processes with this among their arguments. The pattern doesn't match the arguments of the search."""
    return vm.sh(f"grep -lzs -e '[{mark[0]}]{mark[1:]}' /proc/[0-9]*/cmdline || true").split()


def start_marked(vm, script):
    """Starts `run` with a script that prints "ready" when all is there."""
    child = vm.program.start("run", vm.name, "--", "sh", "-c", script)
    assert child.stdout.readline() == b"ready\n"
    return child


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP], ids=["KILL", "TERM", "HUP"])
def test_the_command_of_an_ended_run_ends(program, box, tally, number):
    child = start_marked(box, "echo ready; sleep 6001; : marked-plain")
    child.send_signal(number)
    child.communicate()
    wait_until(lambda: not in_guest(box, "marked-plain"), 20, "the guest's command has ended")
    wait_for_quiet(program)
    tally("`run` killed: its command ends")


def test_what_asked_to_go_on_goes_on(program, box, tally):
    child = start_marked(box, "nohup sh -c 'sleep 6002; : marked-nohup' >/dev/null 2>&1 & "
                              "setsid sh -c 'sleep 6002; : marked-setsid' >/dev/null 2>&1 </dev/null & "
                              "sh -c 'trap \"\" HUP; sleep 6002; : marked-trap' >/dev/null 2>&1 & echo ready; sleep 6002; : marked-last")
    child.kill()
    child.communicate()
    # The shell that all were started from has this mark too, and ends.
    wait_until(lambda: not in_guest(box, "marked-last"), 20, "the command has ended")
    for mark in ("marked-nohup", "marked-setsid", "marked-trap"):
        assert in_guest(box, mark), mark
    box.sh("pkill -f 'marked-(nohup|setsid|tra[p])'; pkill -f 'sleep 600[2]'; true")
    wait_for_quiet(program)
    tally("`run` killed: what ignores SIGHUP goes on")


def test_a_run_at_a_terminal_ends_its_command(program, box, tally):
    """script(1) gives it a terminal."""
    child = program.start("/usr/bin/script", "-qec", f"{program.machine} run box -- sh -c 'echo ready; sleep 6003; : marked-tty'", "/dev/null",
                          start_new_session=True)
    wait_until(lambda: in_guest(box, "marked-tty"), 30, "the command runs")
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
    wait_until(lambda: not in_guest(box, "marked-tty"), 20, "the guest's command has ended")
    wait_for_quiet(program)
    tally("`run` killed: its command ends")


# --- every command, at random moments

# row: in the table; argv; before: makes it a command that has something to do; check: how it must be after the command's second run
Act = collections.namedtuple("Act", "row argv before check again", defaults=[0])


def nothing(vm):
    pass


def clear_copied(vm):
    """A killed copy that the guest is taking back at the same time can be in the way."""
    wait_until(lambda: vm.run("rm", "-rf", "copied", status=None).status == 0, 20, "the copy is removed")


def check_copied(vm):
    """A guest that is slow to begin the killed copy may begin it now. It takes it back when it finds that nobody waits for it."""
    wait_until(lambda: vm.sh("cd ~/copied && find . -type f | wc -l; sort -u 3/file39; cat ./*/file* | wc -l").split() == ["40", "39", "200000"],
               20, "the copy is there, once")


def check_whole_or_absent(vm):
    """After the kill alone: a copy is there as a whole or not at all."""
    wait_until(lambda: vm.sh("cd ~/copied 2>/dev/null && find . -type f | wc -l || echo 0").strip() in ("0", "40"), 20,
               "the copy is whole or gone")


def clear_brought(vm):
    shutil.rmtree(f"{vm.program.home}/brought", ignore_errors=True)


def check_brought(vm):
    assert sum(len(files) for _, _, files in os.walk(f"{vm.program.home}/brought")) == 40


def check_secrets(vm):
    assert vm.sh("wc -c </run/secrets/ONE; wc -c </run/secrets/TWO; ls -A /run/secrets").split() == \
        ["1000", "30000", ".env", ".mark", "ONE", "TWO"]


def check_tracing(vm):
    wait_until(lambda: vm.sh("sudo ls /sys/kernel/tracing/instances") == "", 20, "the kernel's tracing is as it was")


def check_running(vm):
    assert vm.state() == "running"


CHEAP = [
    Act("`run`", ["run", "box", "--", "sh", "-c", "sleep 0.3; : marked-run"], nothing, nothing),
    Act("`cp` into a VM", ["cp", "-r", "tree", "box:copied"], clear_copied, check_copied),
    Act("`cp` out of a VM", ["cp", "-r", "box:given", "brought"], clear_brought, check_brought, again=None),
    Act("`secrets`", ["secrets", "box"], nothing, check_secrets),
    Act("`up` of a running VM", ["up", "box"], nothing, check_running),
    Act("a command that asks", ["status", "box"], nothing, nothing),
    Act("a command that asks", ["list"], nothing, nothing),
    Act("a command that asks", ["doctor"], nothing, nothing, again=None),
    Act("a command that asks", ["egress", "box"], nothing, nothing),
    Act("a command that asks", ["plan", "box"], nothing, nothing),
]
LONGER = [
    Act("`egress --learn --follow`", ["egress", "box", "--learn", "--follow"], nothing, check_tracing),
    Act("`audit`", ["audit", "box"], nothing, check_secrets, again=None),
]


class Killer:
    """Kills commands on one VM and looks whether the next ones come to the same end."""

    def __init__(self, vm, chance, tally):
        self.vm, self.chance, self.tally = vm, chance, tally
        self.lasts = {}

    def duration(self, act):
        """How long the command takes when it isn't killed."""
        key = tuple(act.argv)
        if key not in self.lasts:
            if "--follow" in act.argv:
                self.lasts[key] = 3
            else:
                act.before(self.vm)
                self.lasts[key] = self.vm.program.run(*act.argv, status=None, cwd=self.vm.cwd, timeout=600).seconds
        return self.lasts[key]

    def kill(self, act):
        """Returns whether the command was still running."""
        program, moment = self.vm.program, self.chance.uniform(0, self.duration(act))
        act.before(self.vm)
        if not killed(program, act.argv, moment, cwd=self.vm.cwd):
            return False
        said = f"KILL_SEED={SEED}: {' '.join(act.argv)}, killed after {moment:.3f} s"
        print(said)
        # A whole copy would make the next one go into it.
        if act.before is clear_copied:
            check_whole_or_absent(self.vm)
            clear_copied(self.vm)
        if act.before is clear_brought and os.path.exists(f"{program.home}/brought"):
            check_brought(self.vm)
            clear_brought(self.vm)
        if "--follow" not in act.argv:
            program.run(*act.argv, status=act.again, cwd=self.vm.cwd, timeout=600)
        act.check(self.vm)
        wait_for_quiet(program)
        self.tally(f"{act.row} killed")
        return True

    def kill_many(self, acts, number):
        for _ in range(3 * number):
            number -= self.kill(self.chance.choice(acts))
            if number == 0:
                return
        pytest.fail(f"{number} commands were not killed in time")


def check_clean(vm):
    assert temporary_files(vm.program) == []
    wait_until(lambda: temporary_in_guest(vm) == [], 20, f"nothing is left in the guest: {temporary_in_guest(vm)}")


def test_commands_killed_at_any_moment_come_to_the_same_end(program, box, chance, tally):
    box.sh("rm -rf given")
    program.run("cp", "-r", "tree", "box:given")
    killer = Killer(box, chance, tally)
    killer.kill_many(CHEAP + (LONGER if LONG else []), KILLS * 7 // 10 if LONG else KILLS)
    # The next command of each kind removes what a killed one left.
    for act in CHEAP:
        act.before(box)
        program.run(*act.argv, status=act.again)
    check_clean(box)


def test_two_at_once_wait_for_each_other(program, box, tally):
    """The second one of each finds the first one at work."""
    def check_one(vm):
        assert vm.sh("wc -l <one; sort -u one").split() == ["5000", "39"]

    for argv, check in ((["secrets", "box"], check_secrets), (["cp", "tree/3/file39", "box:one"], check_one)):
        children = [program.start(*argv) for _ in range(4)]
        for child in children:
            assert program.finish(child, timeout=60).status == 0
        check(box)
        tally("the same command four times at once")
    check_clean(box)


def test_a_file_that_is_there_stays_until_the_copy_is_whole(program, box, tally):
    box.sh("echo mine >kept; chmod 640 kept")
    with open(f"{program.home}/large", "wb") as file:
        for _ in range(64):
            file.write(os.urandom(1 << 20))
    for moment in (0.5, 1, 2):
        if killed(program, ["cp", "large", "box:kept"], moment):
            wait_until(lambda: box.sh("ls -A | grep machine-cp || true") == "", 20, "the half copy is gone")
            assert box.sh("stat -c '%a %s' kept").split() in (["640", "5"], ["640", str(64 << 20)])
            tally("`cp` over a file killed")
    program.run("cp", "large", "box:kept")
    assert box.sh("stat -c '%a %s' kept").split() == ["640", str(64 << 20)]
    box.sh("rm kept")


# --- VMs that are made and removed

SETTINGS = """repos = [".", "{url}"]
setup = ["sleep 1; echo done >>../setup"]
cpus = 1
memory = "1GiB"
disk = "6GiB"
shell = "bash"
"""


@pytest.fixture(scope="module")
def notes(data, lab):
    """A checkout whose VM also has a clone and a set-up. It is not made yet."""
    with surroundings(data=data) as program:
        lab.repo("killed", {f"file{number}": f"{number}\n" * 20000 for number in range(60)})
        folder = program.folder("home", "notes")
        program.git("init", "--quiet", cwd=folder)
        program.write("home/notes/.machine.toml", SETTINGS.replace("{url}", f"git://{lab_module.PUBLIC}/killed.git"))
        for number in range(60):
            program.write(f"home/notes/text{number}", f"{number}\n" * 20000)
        program.git("add", "--all", cwd=folder)
        program.git("commit", "--quiet", "--message=one", cwd=folder)
        program.run("trust", "--yes", cwd=folder)
        yield Vm(program, "notes", cwd=folder)


def made(vm):
    vm.up()


def gone(vm):
    vm.machine("destroy", "--yes", "--discard-work", status=None)


def check_made(vm):
    assert vm.sh("cd ~/code && ls -A && git -C notes status --porcelain && git -C killed status --porcelain && "
                 "git -C notes log --format=%s && git -C killed log --format=%s && sort -u setup").split() == \
        ["killed", "notes", "setup", "one", "first", "done"]
    assert len(vm.qemu()) == 1


def check_gone(vm):
    assert not os.path.exists(vm.folder())
    vm.program.assert_no_processes()


def check_stopped(vm):
    assert vm.state() == "stopped" and vm.qemu() == []


HEAVY = [
    Act("`up` of a new VM", ["up"], gone, check_made),
    Act("`up` of a new VM", ["up"], gone, check_made),
    Act("`destroy`", ["destroy", "--yes", "--discard-work"], made, check_gone, again=None),
    Act("`rebuild`", ["rebuild", "--yes", "--discard-work"], made, check_made),
    Act("`down`", ["down"], made, check_stopped),
    Act("`bake`", ["bake"], nothing, nothing),
    Act("`prune`", ["prune", "--yes"], nothing, nothing),
]


@pytest.mark.long
def test_vms_killed_on_their_way_come_to_the_same_end(notes, chance, tally):
    Killer(notes, chance, tally).kill_many(HEAVY, KILLS * 3 // 10)
    notes.up()
    check_made(notes)
    check_clean(notes)


# Takes the place of the guest's git. A clone never ends.
STANDING_GIT = """#!/bin/sh
case " $* " in
*" clone "*) sleep 6004 ;;
esac
exec /usr/bin/git "$@"
"""


@pytest.mark.long
def test_a_clone_that_is_killed_ends_in_the_guest_and_is_made_again(notes, tally):
    notes.up()
    notes.sh("rm -rf ~/code/killed; sudo touch /usr/local/bin/git; sudo chmod 755 /usr/local/bin/git")
    notes.run("sudo", "tee", "/usr/local/bin/git", input=STANDING_GIT)
    try:
        child = notes.program.start("up", cwd=notes.cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: notes.sh("pgrep -f 'sleep 600[4]' || true"), 60, "the clone has begun")
        child.kill()
        child.wait()
        wait_until(lambda: not notes.sh("pgrep -f 'sleep 600[4]' || true"), 20, "it has ended")
    finally:
        notes.sh("sudo rm -f /usr/local/bin/git")
    assert notes.sh("ls -A ~/code").split()[0].startswith(".partial.")
    notes.up()
    check_made(notes)
    wait_for_quiet(notes.program)
    check_clean(notes)
    tally("`up` killed while it clones")


# --- helpers

def log_of(vm):
    """The machine-log that has the VM's console open. Nothing else of it tells whose it is."""
    path = os.path.join(vm.folder(), "logs/console.log")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if program_of(pid) == "machine-log" and path in [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]:
                return int(pid)
        except OSError:
            pass
    raise AssertionError("no machine-log has the VM's console")


def test_a_worker_of_machine_net_is_replaced(program, box, tally):
    worker = program.processes("machine-net", "/vms/box/")[-1]
    os.kill(worker, signal.SIGKILL)
    program.workers_killed += 1
    box.sh("true")
    tally("the worker of `machine-net` killed")


def test_without_machine_log_the_vm_goes_on(program, box, tally):
    os.kill(log_of(box), signal.SIGKILL)
    box.sh("echo to the console | sudo tee /dev/console >/dev/null; true")
    check_running(box)
    tally("`machine-log` killed")


def test_a_killed_connection_ends_the_commands_on_it(program, box, tally):
    """Both ends of a command learn of it, and the next command opens another connection."""
    child = start_marked(box, "echo ready; sleep 6005; : marked-master")
    master, = [pid for pid in program.processes() if b"[mux]" in command_line(pid)]
    os.kill(master, signal.SIGKILL)
    assert program.finish(child, timeout=60).status == 255
    wait_until(lambda: not in_guest(box, "marked-master"), 20, "the guest's command has ended")
    wait_for_quiet(program)
    tally("ssh's connection killed")


def test_a_killed_ssh_ends_its_command(program, box, tally):
    child = start_marked(box, "echo ready; sleep 6009; : marked-ssh")
    ssh, = [pid for pid in program.processes() if program_of(pid) == "ssh" and b"marked-ssh" in command_line(pid)]
    os.kill(ssh, signal.SIGKILL)
    assert program.finish(child, timeout=60).status == 128 + signal.SIGKILL
    wait_until(lambda: not in_guest(box, "marked-ssh"), 20, "the guest's command has ended")
    wait_for_quiet(program)
    tally("a session's ssh killed")


@pytest.mark.long
def test_a_killed_machine_keys_ends_its_session(data, tmp_path, tally):
    """It is a session's own. The agent can't be used any more, and no socket is left."""
    with surroundings(data=data) as program, ssh_agent(str(tmp_path / "agent"), make_key(str(tmp_path / "key"), "key")) as agent:
        program.environment["SSH_AUTH_SOCK"] = agent
        program.projects(f"[lent]\n{SMALL}forward_agent = true\n")
        vm = Vm(program, "lent")
        vm.up()
        for inner in (False, True):
            child = start_marked(vm, "echo ready; sleep 6006; : marked-keys")
            keys = [pid for pid in program.processes("machine-keys") if (b"--inner" in command_line(pid)) == inner]
            os.kill(keys[0], signal.SIGKILL)
            if inner:
                child.kill()
            program.finish(child, timeout=60)
            wait_until(lambda: not in_guest(vm, "marked-keys"), 20, "the guest's command has ended")
            wait_for_quiet(program)
            tally("`machine-keys` killed")
        assert "key" in vm.run("ssh-add", "-l").out
        assert [path for path in temporary_files(program) if "keys-" in path] == []


@pytest.mark.long
def test_a_killed_qemu_is_started_again(program, box, tally):
    box.sh("echo kept >kept; sync")
    os.kill(box.qemu()[0], signal.SIGKILL)
    assert box.sh("cat kept; rm kept") == "kept\n"
    wait_for_quiet(program)
    tally("QEMU killed")


@pytest.mark.parametrize("seconds", [pytest.param(3, id="seconds"), pytest.param(120, id="minutes", marks=pytest.mark.long)])
def test_a_frozen_qemu_goes_on_where_it_was(program, box, tally, seconds):
    child = start_marked(box, "echo ready; sleep 1; echo over")
    frozen = box.qemu()[0]
    os.kill(frozen, signal.SIGSTOP)
    try:
        time.sleep(seconds)
        assert child.poll() is None
    finally:
        os.kill(frozen, signal.SIGCONT)
    result = program.finish(child, timeout=60)
    assert (result.status, result.out) == (0, "over\n")
    check_running(box)
    tally("QEMU frozen for a while")
