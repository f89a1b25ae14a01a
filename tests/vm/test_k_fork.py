"""New VMs come from a warm template: each with an identity of its own, and nothing of one in another."""

import concurrent.futures
import contextlib
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import time

import pytest
from conftest import SMALL, Vm, surroundings

IN_A_ROW = 100
AT_ONCE = 10
DAY = 24 * 60 * 60
DRIVER = os.environ.get("ENGINE_DRIVER") or os.path.join(os.environ["MACHINE_TEST_BUILD"], "dev/tests/engine/engine-driver")


def layers(program):
    return {layer["key"]: layer for layer in program.json("layers")}


def folder_of(program, key):
    return os.path.join(program.environment["XDG_DATA_HOME"], "machine/layers", key)


def template_of(vm):
    """The template that a VM stands on: its key."""
    key, = [layer["key"] for layer in vm.program.json("layers") if vm.name in layer["vms"]]
    assert layers(vm.program)[key]["kind"] == "template"
    return key


def digest(path):
    """Of a sparse file as large as a guest's memory: every block with something in it, with its place. Where the file system
    has holes doesn't count: what was only just written can lie in one and later not."""
    hashed = hashlib.sha256()
    size = 1 << 16
    with open(path, "rb") as file:
        at, end = 0, os.fstat(file.fileno()).st_size
        while at < end:
            try:
                data = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            until = os.lseek(file.fileno(), data, os.SEEK_HOLE)
            for at in range(data // size * size, until, size):
                block = os.pread(file.fileno(), size, at)
                if block.strip(b"\0"):
                    hashed.update(b"%d " % at + block)
            at += size
        hashed.update(b"%d" % end)
    return hashed.hexdigest()


@contextlib.contextmanager
def twins(data, count=2, more=""):
    """That many VMs of one size, made one after the other."""
    with surroundings(data=data) as program:
        names = [f"twin-{number}" for number in range(count)]
        program.projects("".join(f"[{name}]\n{SMALL}{more}" for name in names))
        vms = [Vm(program, name) for name in names]
        for vm in vms:
            vm.first_up = program.json("up", vm.name, timeout=600)
        yield vms


@pytest.fixture(scope="module")
def pair(data):
    with twins(data) as vms:
        yield vms


def test_a_new_vm_is_a_fork(pair):
    assert [vm.first_up["how"] for vm in pair] == ["forked", "forked"]
    assert template_of(pair[0]) == template_of(pair[1])


def test_a_fork_boots_by_itself_the_next_time(pair):
    one = pair[0]
    one.sh("echo kept >~/kept; sync")
    one.machine("down")
    assert one.program.json("up", one.name)["how"] == "started"
    assert one.sh("cat ~/kept; hostname").split() == ["kept", one.name]


def test_two_forks_have_nothing_that_tells_who_they_are_in_common(pair):
    script = ("hostname; cat /etc/machine-id; sudo ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key; cat /etc/ssh/authorized_keys/*;"
              "head -c 32 /dev/urandom | base64; cat /proc/sys/kernel/random/uuid;"
              "sudo systemd-run --quiet --pipe --wait sh -c 'echo $INVOCATION_ID'")
    mine, theirs = (vm.sh(script).split("\n") for vm in pair)
    assert len(mine) == len(theirs) == 8
    assert set(mine) & set(theirs) == {""}


def test_forks_draw_other_random_numbers_from_their_first_moment(data):
    """Before anything had the time to bring in some of its own: the first of each are drawn by the first command."""
    seen = []
    with twins(data, count=3) as vms:
        for vm in vms:
            seen.append(vm.sh("head -c 16 /dev/urandom | base64; cat /proc/sys/kernel/random/uuid"))
        said = [vm.sh("sudo dmesg | grep -c 'reseeded due to virtual machine fork'", status=None) for vm in vms]
    assert len(set(seen)) == 3
    # A second source on x86: the kernel was told by its generation id.
    assert os.uname().machine != "x86_64" or [int(count) > 0 for count in said] == [True] * 3


def test_the_key_of_one_fork_opens_no_other(pair):
    one, other = pair
    config = os.path.join(other.folder(), "ssh_config")
    with open(config) as file:
        text = file.read()
    swapped = text.replace(os.path.join(other.folder(), "id_ed25519"), os.path.join(one.folder(), "id_ed25519"))
    assert swapped != text
    lines = [line for line in swapped.splitlines() if not line.strip().startswith("Control")]
    path = one.program.write("swapped_config", "\n".join(lines) + "\n")
    result = one.program.run("/usr/bin/ssh", "-F", path, f"machine-{other.name}", "true", status=255)
    assert "Permission denied" in result.err


def test_no_key_of_the_template_is_in_a_fork(pair):
    one, _ = pair
    assert one.sh("sudo cat /etc/ssh/authorized_keys/* | wc -l") == "1\n"
    assert one.sh("sudo ls /etc/ssh | grep ssh_host").split() == ["ssh_host_ed25519_key"]
    assert one.sh("sudo test -f /etc/ssh/ssh_host_ed25519_key && echo file") == "file\n"


def test_the_journal_is_the_forks_own(data):
    """The template's is gone some seconds after the start."""
    with twins(data, count=1) as (vm,):
        end = time.monotonic() + 60
        while vm.sh("ls /var/log/journal") != vm.sh("cat /etc/machine-id"):
            assert time.monotonic() < end, vm.sh("ls /var/log/journal; cat /etc/machine-id")
            time.sleep(1)
        assert int(vm.sh("journalctl --quiet --no-pager | wc -l")) > 0


def test_the_file_system_grows_to_the_disk_that_was_asked_for(data):
    with twins(data, count=1) as (vm,):
        assert int(vm.sh("cat /sys/block/vda/size")) * 512 == 6 << 30
        end = time.monotonic() + 60
        while int(vm.sh("df --output=size -B1 / | tail -n 1")) < 5 << 30:
            assert time.monotonic() < end, vm.sh("df /")
            time.sleep(1)


def test_a_fork_that_is_restarted_from_within_stays_who_it_is(data):
    """Its QEMU has the kernel, its command line and the identity for a boot, though it never booted."""
    with twins(data, count=1) as (vm,):
        who = "hostname; cat /etc/machine-id /etc/ssh/authorized_keys/*"
        boot = "cat /proc/sys/kernel/random/boot_id"
        before, booted = vm.sh(who), vm.sh(boot)
        vm.run("sudo", "systemctl", "reboot", status=None)
        end = time.monotonic() + 180
        while True:
            result = vm.run("sh", "-c", boot, status=None)
            if result.status == 0 and result.out != booted:
                break
            assert time.monotonic() < end, result
            time.sleep(1)
        assert vm.sh(who) == before


def moved_clock(program, date):
    """A QEMU whose templates believe that it is `date`: their guest's clock is set by the computer's at their boot alone."""
    path = program.write("fake/qemu-system-x86_64", "#!/bin/sh\ncase \" $* \" in\n"
                         f"*,share=on,mem-path=*) exec /usr/bin/qemu-system-x86_64 \"$@\" -rtc base={date} ;;\n"
                         "esac\nexec /usr/bin/qemu-system-x86_64 \"$@\"\n")
    os.chmod(path, 0o755)
    program.hand_over()
    return {"PATH": f"{os.path.dirname(path)}:{program.environment['PATH']}"}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the stand-in for QEMU is written for x86-64")
def test_the_clock_is_right_after_a_fork_of_a_template_that_is_days_old(own):
    """Only the guest's clock was moved; the host's and QEMU's are real."""
    own.projects(f"[old]\n{SMALL}")
    env = moved_clock(own, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 5 * DAY)))
    assert own.json("up", "old", env=env, timeout=600)["how"] == "forked"
    vm = Vm(own, "old")
    before = time.time()
    inside = float(vm.sh("date +%s.%N"))
    after = time.time()
    assert before - 0.1 < inside < after + 0.1
    age = time.time() - float(vm.sh("stat -c %Y /run/lock"))
    assert 5 * DAY - 600 < age < 5 * DAY + 600, f"the template's clock was not moved: {age:.0f} s"


def in_order(template, program):
    """What must hold of a template whatever was made from it."""
    folder = folder_of(program, template)
    return {name: digest(os.path.join(folder, name)) for name in sorted(os.listdir(folder))}


def test_a_template_never_changes_and_its_files_say_so(pair):
    template = template_of(pair[0])
    program = pair[0].program
    before = in_order(template, program)
    assert set(before) == {"disk.qcow2", "manifest.json", "memory", "state"}
    with twins(program.environment["XDG_DATA_HOME"]) as vms:
        for vm in vms:
            assert template_of(vm) == template
            vm.sh("dd if=/dev/urandom of=noise bs=1M count=50 status=none; sync; rm noise")
    assert in_order(template, program) == before
    modes = {name: stat.S_IMODE(os.stat(os.path.join(folder_of(program, template), name)).st_mode) for name in before}
    with open(os.path.join(folder_of(program, template), "manifest.json")) as file:
        version = json.load(file)["qemu"].split("version ")[1]
    # A QEMU before 8.2 can't map a memory file that it may only read.
    read_only = tuple(int(part) for part in version.split(".")[:2]) >= (8, 2)
    assert modes["memory"] == (0o400 if read_only else 0o600)
    assert all(modes[name] & 0o222 == 0 for name in before if name != "memory")


def test_memory_is_shared_until_it_is_written_to(pair):
    """What a fork has for itself is a part of what the guest may use."""
    one = pair[1]
    assert 0 < one.entry()["memory_used_bytes"] < 700 << 20
    assert one.entry()["disk_used_bytes"] < 64 << 20


class Driver:
    """The engine's own functions, without a session: what takes time here is the engine."""

    def __init__(self, program):
        self.program = program
        share = os.path.join(os.path.dirname(os.path.dirname(program.machine)), "share/machine")
        libexec = os.path.join(os.path.dirname(os.path.dirname(program.machine)), "libexec/machine")
        self.environment = {"MACHINE_DATA_DIR": share, "MACHINE_LIBEXEC_DIR": libexec}

    def call(self, command, name, status=0, env=None, **how):
        return self.program.run(DRIVER, "--cpus", "1", "--memory", "1GiB", command, name, status=status,
                                env={**self.environment, **(env or {})}, **how)


@pytest.fixture
def driver(own):
    return Driver(own)


def left_behind(program):
    """Everything but folders, the locks of VMs that are gone and what is kept to save time."""
    found = []
    for top in (program.state, program.runtime):
        for folder, _, files in os.walk(top):
            found += [os.path.join(folder, name) for name in files if not name.endswith(".lock")]
        found += [os.path.join(top, name) for name in os.listdir(top) if name != "machine"]
    vms = os.path.join(program.state, "machine/vms")
    return found + [name for name in os.listdir(vms) if os.path.isdir(os.path.join(vms, name))]


def test_a_hundred_forks_in_a_row_leave_nothing(driver):
    program = driver.program
    said = driver.call("create", "first", timeout=600)
    driver.call("start", "first")
    driver.call("kill", "first")
    driver.call("remove", "first")
    template, = [key for key, layer in layers(program).items() if layer["kind"] == "template" and layer["current"]
                 and layer["about"].startswith("1 cpu, 1.0 GiB") and layer["memory_bytes"]]
    before = in_order(template, program)
    for number in range(IN_A_ROW):
        for command in ("create", "start", "kill", "remove"):
            said = driver.call(command, f"n-{number}")
            assert "warning" not in said.err, said.err
    program.assert_no_processes()
    assert left_behind(program) == []
    assert in_order(template, program) == before


def test_ten_forks_at_once(data):
    with surroundings(data=data) as program:
        names = [f"n-{number}" for number in range(AT_ONCE)]
        program.projects("".join(f"[{name}]\n{SMALL}" for name in names))
        template = None
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            hows = list(pool.map(lambda name: program.json("up", name, timeout=900)["how"], names))
        assert hows == ["forked"] * AT_ONCE
        vms = [Vm(program, name) for name in names]
        template = template_of(vms[0])
        before = in_order(template, program)
        ids = {vm.sh("cat /etc/machine-id") for vm in vms}
        assert len(ids) == AT_ONCE
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda vm: vm.machine("destroy", "--yes", "--discard-work"), vms))
        program.assert_no_processes()
        assert left_behind(program) == []
        assert in_order(template, program) == before


def test_cold_means_a_boot_of_its_own(own):
    own.projects(f"[by-key]\n{SMALL}cold = true\n[by-option]\n{SMALL}")
    assert own.json("up", "by-key")["how"] == "created"
    assert own.json("up", "--cold", "by-option")["how"] == "created"
    kinds = {vm: layer["kind"] for layer in own.json("layers") for vm in layer["vms"]}
    assert kinds == {"by-key": "base", "by-option": "base"}
    boots = {Vm(own, name).sh("cat /proc/sys/kernel/random/boot_id") for name in ("by-key", "by-option")}
    assert len(boots) == 2


# --- what can be wrong with a template

def restamp(folder):
    """Records the files of a template as they are now."""
    path = os.path.join(folder, "manifest.json")
    with open(path) as file:
        manifest = json.load(file)
    for name in ("memory", "state"):
        if name in manifest:
            found = os.stat(os.path.join(folder, name))
            manifest[name] = {"bytes": found.st_size, "changed_s": found.st_ctime_ns // 10**9, "changed_ns": found.st_ctime_ns % 10**9}
    os.unlink(path)
    with open(path, "w") as file:
        json.dump(manifest, file)


def copied_layers(program, other, only=None):
    """A data folder of the test's own with the layers that there are. The large disks are links, so that it takes little room."""
    own = os.path.join(program.environment["XDG_DATA_HOME"], "machine/layers")
    os.makedirs(own, mode=0o700, exist_ok=True)
    for key, layer in layers(other).items():
        if layer["current"] and (only is None or only(layer)):
            source, to = folder_of(other, key), os.path.join(own, key)
            os.mkdir(to, 0o700)
            for name in os.listdir(source):
                if name.startswith("disk"):
                    os.link(os.path.join(source, name), os.path.join(to, name))
                else:
                    subprocess.run(["cp", "--sparse=always", "--preserve=mode", os.path.join(source, name), to], check=True)
            restamp(to)
    return program


@pytest.fixture
def alone(pair):
    """Surroundings with a data folder of their own, which has the current layers."""
    with surroundings() as program:
        yield copied_layers(program, pair[0].program)


def spoil(path, change):
    mode = os.stat(path).st_mode
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        change(file)
    os.chmod(path, stat.S_IMODE(mode))


def templates(program):
    return {key: layer for key, layer in layers(program).items() if layer["kind"] == "template"}


def test_a_damaged_memory_file_is_noticed_and_another_template_is_made(alone):
    key, = [key for key, layer in templates(alone).items() if layer["about"].startswith("1 cpu, 1.0 GiB")]
    spoil(os.path.join(folder_of(alone, key), "memory"), lambda file: (file.seek(512 << 20), file.write(b"x" * 4096)))
    alone.projects(f"[blog]\n{SMALL}")
    assert alone.json("up", "blog", timeout=600)["how"] == "forked"
    assert template_of(Vm(alone, "blog")) != key


def test_damage_that_shows_only_in_the_restore_ends_in_a_cold_vm_and_without_the_template(alone):
    key, = [key for key, layer in templates(alone).items() if layer["about"].startswith("1 cpu, 1.0 GiB")]
    path = os.path.join(folder_of(alone, key), "state")
    spoil(path, lambda file: (file.seek(1000), file.write(b"\0" * 100000)))
    restamp(folder_of(alone, key))
    alone.projects(f"[blog]\n{SMALL}")
    result = alone.run("up", "blog", timeout=600)
    assert result.err.count("boots cold") == 1 and "which is removed" in result.err
    assert templates(alone)[key]["memory_bytes"] == 0
    assert Vm(alone, "blog").sh("hostname") == "blog\n"
    # The next one is made from another template, and the cold one's disk goes on standing on this.
    Vm(alone, "blog").machine("down")
    alone.run("prune", "--yes")
    Vm(alone, "blog").up()


def test_a_template_that_goes_between_making_and_starting_ends_in_a_cold_vm(alone):
    driver = Driver(alone)
    driver.call("create", "blog")
    key, = [key for key, layer in templates(alone).items() if "blog" in layer["vms"]]
    os.unlink(os.path.join(folder_of(alone, key), "memory"))
    said = driver.call("start", "blog").err
    assert said.count("boots cold") == 1
    assert json.loads(driver.call("inspect", "blog").out)["state"] == "running"


def test_prune_takes_only_what_no_vm_needs(alone):
    alone.projects(f"[blog]\n{SMALL}")
    vm = Vm(alone, "blog")
    assert alone.json("up", "blog")["how"] == "forked"
    used = template_of(vm)
    alone.run("prune", "--all", status=2)  # there is nobody to ask
    offered = json.loads(alone.run("prune", "--all", "--dry-run", "--json").out.splitlines()[0])
    assert [step["memory_only"] for step in offered if step["key"] == used] == [True]
    alone.run("prune", "--all", "--yes")
    left = layers(alone)
    assert set(left) == {used, left[used]["parent"]}
    assert left[used]["memory_bytes"] == 0
    # Its disk was not touched, nor was the running guest's memory.
    assert vm.sh("hostname") == "blog\n"
    vm.machine("down")
    vm.up()
    vm.machine("destroy", "--yes")
    alone.run("prune", "--all", "--yes")
    assert layers(alone) == {}
    assert os.listdir(os.path.join(alone.environment["XDG_DATA_HOME"], "machine/layers")) == []


def test_a_record_that_cant_be_read_stops_prune(alone):
    alone.write("state/machine/vms/odd/vm.json", "{")
    before = set(layers_by_name(alone))
    result = alone.run("prune", "--all", "--yes", status=1)
    assert "odd" in result.err
    assert set(layers_by_name(alone)) == before


def layers_by_name(program):
    folder = os.path.join(program.environment["XDG_DATA_HOME"], "machine/layers")
    return [name for name in os.listdir(folder) if not name.endswith(".lock")]


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system is mounted, which takes root")
def test_where_there_is_no_room_for_a_template_a_vm_boots_cold(pair):
    """The layers' folder on a file system that has room for the base image and little else."""
    with surroundings() as program:
        top = os.path.join(program.environment["XDG_DATA_HOME"], "machine")
        os.makedirs(top)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700M", "tmpfs", top], check=True)
        try:
            os.mkdir(os.path.join(top, "layers"), 0o700)
            base, = [key for key, layer in layers(pair[0].program).items() if layer["kind"] == "base" and layer["current"]]
            shutil.copytree(folder_of(pair[0].program, base), os.path.join(top, "layers", base))
            program.projects(f"[blog]\n{SMALL}")
            result = program.run("up", "blog", timeout=600)
            assert "boots cold" in result.err and "a warm template takes up to 1152 MiB" in result.err
            assert Vm(program, "blog").sh("hostname") == "blog\n"
            assert layers_by_name(program) == [base]
            program.run("destroy", "--yes", "blog")
        finally:
            subprocess.run(["umount", "--lazy", top], check=True)


def test_more_memory_than_the_computer_has_is_refused_by_name(own):
    own.projects('[blog]\nmemory = "4TiB"\n')
    result = own.run("up", "blog", status=5)
    assert "4.0 TiB" in result.err and "memory" in result.err
    assert own.json("list")[0]["state"] in ("absent", "stopped")
    own.assert_no_processes()


def test_too_little_memory_is_said_by_qemu(pair, own):
    """By a limit on the address space of what `machine` starts."""
    own.projects(f"[blog]\n{SMALL}")
    child = own.start("/usr/bin/prlimit", "--as=1200000000", own.machine, "up", "blog")
    result = own.finish(child, timeout=600)
    assert result.status == 5
    assert "emory" in result.err
    own.assert_no_processes()
    own.run("up", "blog")


@pytest.fixture(scope="module")
def newer_qemu(tmp_path_factory):
    """Debian 13's QEMU with its libraries and firmware, from Debian's packages, to be run on whatever this is."""
    root = str(tmp_path_factory.mktemp("trixie"))
    program = {"x86_64": "qemu-system-x86_64", "aarch64": "qemu-system-aarch64"}[os.uname().machine]
    package = {"x86_64": "qemu-system-x86", "aarch64": "qemu-system-arm"}[os.uname().machine]
    mode = "root" if os.geteuid() == 0 else "unshare"
    tar = os.path.join(root, "root.tar")
    subprocess.run(["mmdebstrap", f"--mode={mode}", "--variant=extract", f"--include={package},libc6", "trixie", tar],
                   check=True, capture_output=True)
    prefix = os.path.join(root, "qemu")
    os.mkdir(prefix)
    subprocess.run(["tar", "-xf", tar, "-C", prefix, "--exclude=./dev/*"], check=True, capture_output=True)
    os.unlink(tar)
    library = f"{prefix}/usr/lib/{os.uname().machine}-linux-gnu"
    loader, = [os.path.join(library, name) for name in os.listdir(library) if name.startswith("ld-linux")]
    os.makedirs(f"{prefix}/bin", exist_ok=True)
    path = os.path.join(prefix, "bin", program)
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "w") as file:
        file.write(f"#!/bin/sh\nexec {loader} --library-path {library} {prefix}/usr/bin/{program} -L {prefix}/usr/share/qemu "
                   f"-L {prefix}/usr/share/seabios -L {prefix}/usr/lib/ipxe/qemu \"$@\"\n")
    os.chmod(path, 0o755)
    for folder in (root, prefix, os.path.dirname(root)):
        os.chmod(folder, 0o755)
    return os.path.dirname(path)


def test_the_whole_of_it_with_debian_13s_qemu(own, newer_qemu):
    env = {"PATH": f"{newer_qemu}:{own.environment['PATH']}"}
    own.environment.update(env)
    assert "QEMU 10." in own.run("doctor", status=None).out
    own.projects(f"[one]\n{SMALL}[two]\n{SMALL}")
    one, two = Vm(own, "one"), Vm(own, "two")
    assert own.json("up", "one", timeout=600)["how"] == "forked"
    assert own.json("up", "two")["how"] == "forked"
    template = template_of(one)
    before = in_order(template, own)
    memory = os.path.join(folder_of(own, template), "memory")
    assert stat.S_IMODE(os.stat(memory).st_mode) == 0o400
    assert one.sh("hostname; cat /etc/machine-id").split() != two.sh("hostname; cat /etc/machine-id").split()
    one.sh("echo kept >~/kept; sync")
    one.machine("down")
    assert own.json("up", "one")["how"] == "started"
    assert one.sh("cat ~/kept") == "kept\n"
    assert in_order(template, own) == before


def test_a_template_of_another_qemu_is_kept_and_the_vm_boots_cold(alone, newer_qemu):
    driver = Driver(alone)
    driver.call("create", "blog")
    key, = [key for key, layer in templates(alone).items() if "blog" in layer["vms"]]
    memory = templates(alone)[key]["memory_bytes"]
    said = driver.call("start", "blog", env={"PATH": f"{newer_qemu}:{alone.environment['PATH']}"}).err
    assert said.count("boots cold") == 1 and "another QEMU" in said
    # It is kept; the file system may have taken a little more for it since, of its own.
    assert templates(alone)[key]["memory_bytes"] >= memory > 0


# --- killed on the way

FORK_MOMENTS = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9]
BUILD_MOMENTS = [0.3, 1, 2, 4, 7, 10, 13, 16, 20, 24]


def half_made(program):
    """What a build began and left. What a living process fills isn't that: other tests fill layers in this folder."""
    unfinished = [name for name in layers_by_name(program) if len(name) != 64]
    return [name for name in unfinished if not os.path.exists(f"/proc/{name.rpartition('-')[2]}")]


def test_template_builds_killed_at_ten_moments_leave_nothing_that_counts(pair):
    """In one data folder, one after the other, so that each finds what the one before it left."""
    with surroundings() as program:
        copied_layers(program, pair[0].program, only=lambda layer: layer["kind"] == "base")
        program.projects(f"[blog]\n{SMALL}")
        ended = []
        for moment in BUILD_MOMENTS:
            child = program.start("bake", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(moment)
            ended.append(child.poll())
            child.send_signal(signal.SIGKILL)
            child.wait()
            # What it had started goes with it, and what is there is whole.
            end = time.monotonic() + 10
            while program.processes():
                assert time.monotonic() < end, program.processes("")
                time.sleep(0.1)
            assert all(layer["kind"] in ("base", "unfinished") or layer["current"] for layer in layers(program).values())
            if ended[-1] is not None:
                break
        assert ended[:5] == [None] * 5, "the template was there before it could be killed five times"
        assert program.json("up", "blog", timeout=600)["how"] == "forked"
        assert half_made(program) == []
        assert Vm(program, "blog").sh("hostname") == "blog\n"


@pytest.mark.parametrize("moment", FORK_MOMENTS)
def test_a_fork_killed_at_any_moment_is_finished_by_the_next_up(pair, data, moment):
    with surroundings(data=data) as program:
        program.projects(f"[blog]\n{SMALL}")
        vm = Vm(program, "blog")
        child = program.start("up", "blog", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        child.send_signal(signal.SIGKILL)
        child.wait()
        vm.up()
        assert vm.sh("hostname") == "blog\n"
        assert len(vm.qemu()) == 1
        vm.machine("destroy", "--yes")
        program.assert_no_processes()
        assert left_behind(program) == []
        assert half_made(program) == []
