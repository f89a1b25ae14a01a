"""The host's disk is full. The state folder of these programs is a small file system of its own; how much room it has is the test's
choice. A guest that can't write is paused: everything says so, nothing of it is lost, and it goes on when there is room."""

import contextlib
import errno
import hashlib
import os
import signal
import subprocess
import threading
import time

import pytest
from choice import long_unless
from guests import SMALL, Vm, surroundings
from program import said, wait_until

MIB = 1 << 20


def mount(folder, megabytes):
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}M,mode=700", "machine-test", folder], check=True, capture_output=True)


def unmount(folder):
    subprocess.run(["umount", "--lazy", folder], check=False, capture_output=True)


@pytest.fixture(scope="module")
def may_mount(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("mounted"))
    try:
        mount(folder, 1)
    except (subprocess.CalledProcessError, FileNotFoundError) as failure:
        pytest.skip(f"file systems can't be mounted here: {failure}")
    unmount(folder)


class Room:
    """How much room a file system has left: a file takes the rest."""

    def __init__(self, folder):
        self.folder = folder
        self.ballast = os.path.join(folder, "ballast")

    def leave(self, size):
        while not self.left(size):
            pass

    def left(self, size):
        """False when a VM has written between the look and the taking."""
        self.free()
        status = os.statvfs(self.folder)
        takes = status.f_bavail * status.f_frsize - size
        with open(self.ballast, "wb") as file:
            try:
                if takes > 0:
                    os.posix_fallocate(file.fileno(), 0, takes)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                return False
        return True

    def free(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.ballast)


@contextlib.contextmanager
def cramped(data, megabytes=400):
    """Surroundings with a state folder of a few megabytes and a project `box`."""
    with surroundings(data=data) as program:
        program.projects(f"[box]\n{SMALL}")
        mount(program.state, megabytes)
        program.room = Room(program.state)
        try:
            yield program
        finally:
            for pid in program.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            unmount(program.state)


@pytest.fixture(scope="module")
def full(data, may_mount):
    with cramped(data) as program:
        box = Vm(program, "box")
        box.up()
        yield box


def write_from_here(vm, data, name):
    """Starts a `run` that writes `data` to a file of the guest and says its hash."""
    child = vm.program.start("run", vm.name, "--", "sh", "-c", f"cat >~/{name} && sync && sha256sum ~/{name}", stdin=subprocess.PIPE)

    def feed():
        with contextlib.suppress(BrokenPipeError), child.stdin:
            child.stdin.write(data)
    child.feeder = threading.Thread(target=feed, daemon=True)
    child.feeder.start()
    return child


def hash_said(child, vm):
    child.feeder.join()
    child.stdin = None
    result = vm.program.finish(child)
    assert result.status == 0, said(result)
    return result.out.split()[0]


def is_paused(vm):
    return vm.state() == "paused"


def test_a_guest_that_cannot_write_is_paused_and_everything_says_so(full, tally):
    program, row = full.program, "disk full while the guest writes"
    why = f"paused: the host's disk is full ({full.folder()})"
    data = os.urandom(64 * MIB)
    full.sh("sync")
    program.room.leave(24 * MIB)
    # Without pipes: the connection that all sessions share has their ends, too, until the guest lets go of them.
    other = program.start("run", "box", "--", "sleep", "1000", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    writer = write_from_here(full, data, "data")
    wait_until(lambda: is_paused(full), 60, "the guest is paused")

    assert full.entry()["reason"] == why.partition(": ")[2]
    assert why in program.run("list").err
    assert why in program.run("status", "box").out
    check, = [check for check in program.checks() if check["name"] == "VM box"]
    assert (check["status"], check["detail"]) == ("failed", why) and "make room" in check["hint"]
    for command in (["run", "box", "--", "true"], ["up", "box"], ["ssh", "box", "--", "true"], ["down", "box"]):
        result = program.run(*command, status=5, timeout=60)
        assert why in result.err, said(result)
    assert is_paused(full)
    tally(row)

    # The second signal ends what waits for the guest, whatever the guest does.
    other.send_signal(signal.SIGINT)
    time.sleep(1)
    assert other.poll() is None
    other.send_signal(signal.SIGINT)
    tally("a second signal while the guest is paused", other.wait(timeout=100) == -signal.SIGINT)

    # A command that waits lets it go on, and has said why it waits.
    program.room.free()
    assert hash_said(writer, full) == hashlib.sha256(data).hexdigest()
    assert full.state() == "running"
    full.run("true")
    tally(row)


@pytest.mark.parametrize("command", long_unless(["run"], ["run", "up"]))
def test_the_next_command_lets_it_go_on(full, tally, command):
    program = full.program
    full.sh("rm -f ~/data; sync; sudo fstrim /")
    program.room.leave(16 * MIB)
    full.sh("setsid sh -c 'head -c 48M /dev/urandom | tee ~/data | sha256sum >~/sum; sync' >/dev/null 2>&1 </dev/null &")
    wait_until(lambda: is_paused(full), 60, "the guest is paused")
    program.room.free()
    assert is_paused(full)
    if command == "up":
        full.up()
    full.run("sh", "-c", "while ! [ -s ~/sum ]; do sleep 0.1; done; sync")
    assert full.state() == "running"
    assert full.sh("sha256sum <~/data") == full.sh("cat ~/sum")
    full.sh("rm ~/sum")
    tally("disk full while the guest writes")


def test_a_copy_into_a_full_vm_fails_and_works_later(full, tally):
    program, source = full.program, os.path.join(full.program.home, "source")
    data = os.urandom(48 * MIB)
    with open(source, "wb") as file:
        file.write(data)
    # So that the guest doesn't keep all of it in its memory.
    full.sh("rm -f ~/data; sync; sudo fstrim /; sudo sysctl -q vm.dirty_bytes=4194304 vm.dirty_background_bytes=1048576")
    program.room.leave(16 * MIB)
    result = program.run("cp", source, "box:copied", status=5)
    assert "the host's disk is full" in result.err, said(result)
    program.room.free()
    program.run("cp", source, "box:copied")
    assert full.sh("sync; sha256sum <~/copied").split()[0] == hashlib.sha256(data).hexdigest()
    full.sh("rm ~/copied")
    tally("disk full during cp")


@pytest.mark.parametrize("room", long_unless([4 * MIB], [0, 4 * MIB]))
def test_a_copy_out_to_a_full_disk_leaves_what_was_there(full, tally, room):
    folder = full.program.folder("target")
    full.sh("head -c 8M /dev/urandom >~/more")
    mount(folder, 6)
    try:
        target = os.path.join(folder, "more")
        with open(target, "w") as file:
            file.write("as it was\n")
        Room(folder).leave(room)
        before = sorted(os.listdir(folder))
        result = full.program.run("cp", "box:more", target, status=1)
        assert "No space left" in result.err, said(result)
        with open(target) as file:
            assert file.read() == "as it was\n"
        assert sorted(os.listdir(folder)) == before
    finally:
        unmount(folder)
    tally("disk full during cp")


def test_a_stop_on_a_full_disk_loses_nothing(full, tally):
    """A guest whose last writes don't fit can't shut down: `down` says so. When there is room, it works."""
    program = full.program
    full.sh("rm -f ~/data ~/more; sync; sudo fstrim /; sudo sysctl -q vm.dirty_ratio=60 vm.dirty_background_ratio=50 vm.dirty_expire_centisecs=360000 vm.dirty_writeback_centisecs=360000")
    program.room.leave(4 * MIB)
    hashed = full.sh("head -c 32M /dev/urandom | tee ~/last | sha256sum")
    result = full.machine("down", status=None)
    held = result.status == 5 and "the host's disk is full" in result.err
    assert held, said(result)
    program.room.free()
    full.machine("down")
    assert full.state() == "stopped"
    full.up()
    tally("disk full during down", full.sh("sha256sum <~/last") == hashed)


def test_a_vm_on_a_full_disk_can_be_removed(full, tally):
    program = full.program
    full.sh("setsid sh -c 'sleep 1; head -c 64M /dev/urandom >~/data; sync' >/dev/null 2>&1 </dev/null &")
    program.room.leave(0)
    wait_until(lambda: is_paused(full), 60, "the guest is paused")
    program.room.leave(0)
    full.machine("destroy", "--yes", "--discard-work")
    assert not os.path.exists(full.folder())
    assert "machine-box" not in program.read("ssh/config.d/machine")
    program.assert_no_processes()
    tally("disk full during destroy")


def rooms(count, least, most):
    """As many sizes as that, from none to the most, each larger than the one before by the same factor."""
    return [0] + [int(least * (most / least) ** (i / (count - 1))) for i in range(count)]


@pytest.mark.parametrize("sizes", [pytest.param([0, 300 << 10], id="some"),
                                   pytest.param(rooms(20, 4096, 64 * MIB), id="all", marks=pytest.mark.long)])
def test_an_up_that_runs_out_of_room_says_so_and_the_next_one_goes_on(data, may_mount, tally, sizes):
    """The smaller the room, the earlier the step that fails: the folders, the record, the keys, the disk, the guest's first writes."""
    with cramped(data) as program:
        box = Vm(program, "box")
        for size in sizes:
            program.room.leave(size)
            result = box.up(status=None)
            program.room.free()
            held = result.status == 0 or "No space left" in result.err or "the host's disk is full" in result.err
            assert held, said(result)
            box.up()
            box.run("true")
            left = [name for top, _, names in os.walk(program.state) for name in names if ".tmp" in name]
            assert left == []
            # And it goes on a disk that is as full.
            program.room.leave(0)
            box.machine("destroy", "--yes", "--discard-work")
            program.room.free()
            assert program.read_state() in ([], ["box.lock"])
            tally("disk full during up")
            tally("disk full during destroy")


@pytest.mark.long
@pytest.mark.parametrize("command", [["park", "box"], ["snapshot", "box"], ["restore", "box", "first"], ["fork", "box", "copy"]],
                         ids=lambda command: command[0])
def test_a_moment_that_has_no_room_is_said_and_the_guest_goes_on(data, may_mount, tally, command):
    """The smaller the room, the earlier the step that fails: the memory, the disk of the copy, its record, the keys."""
    with cramped(data) as program:
        box = Vm(program, "box")
        box.up()
        box.sh("echo shm >/dev/shm/kept")
        program.run("snapshot", "box", "first")
        for size in rooms(12, 4096, 128 * MIB):
            program.room.leave(size)
            result = program.run(*command, status=None)
            program.room.free()
            said_so = "No space left" in result.err or "the host's disk is full" in result.err
            tally(f"disk full during {command[0]}", (result.status == 0 or said_so) and box.sh("cat /dev/shm/kept") == "shm\n")
            if command[0] == "fork":
                program.run("destroy", "copy", "--yes", "--discard-work", status=None)
            assert {entry["name"] for entry in program.json("list")} == {"box"}
        assert result.status == 0, said(result)


def test_our_own_files_stay_as_they_were(may_mount, tally):
    """No VM: what the program itself writes, on a disk without room."""
    with surroundings() as program:
        config = os.path.join(program.config, "machine")
        mount(config, 1)
        try:
            program.projects("[box]\ncpus = 1\n")
            Room(config).leave(0)
            result = program.run("init", "--force", status=1)
            assert "No space left" in result.err, said(result)
            assert program.read("config/machine/projects.toml") == "[box]\ncpus = 1\n"
            assert sorted(os.listdir(config)) == ["ballast", "projects.toml"]
        finally:
            unmount(config)
    tally("disk full while we write")


def test_doctor_looks_where_the_disks_are(may_mount, tally):
    with surroundings() as program:
        mount(program.state, 8)
        try:
            checks = {check["name"]: check for check in program.checks()}
            check = checks["room for VMs"]
            assert check["status"] == "failed" and f"free in '{program.state}'" in check["detail"] and "XDG_STATE_HOME" in check["hint"]
            for name in ("room for layers", "room for downloads", "room for sockets"):
                assert " free in '" in checks[name]["detail"]
        finally:
            unmount(program.state)
    tally("disk full while we look")


def test_a_qemu_that_was_stopped_does_not_answer(base, tally):
    """Nothing waits for it in vain, and the way out is said."""
    with surroundings(data=base.environment["XDG_DATA_HOME"]) as program:
        program.projects(f"[box]\n{SMALL}")
        box = Vm(program, "box")
        box.up()
        pid, = box.qemu()
        os.kill(pid, signal.SIGSTOP)
        try:
            entry = box.entry()
            assert entry["state"] == "unresponsive" and "does not answer" in entry["reason"]
            for command in (["run", "box", "--", "true"], ["up", "box"], ["down", "box"]):
                result = program.run(*command, status=5, timeout=60)
                assert "does not answer" in result.err and f"kill -CONT {pid}" in result.err, said(result)
        finally:
            os.kill(pid, signal.SIGCONT)
        box.run("true")
        assert box.state() == "running"
    tally("SIGSTOP of QEMU")


@pytest.mark.long
def test_a_boot_that_is_slow_and_moves_is_waited_for(base, tally):
    """Its process is stopped for longer than a boot may do nothing."""
    with surroundings(data=base.environment["XDG_DATA_HOME"]) as program:
        program.projects(f"[box]\n{SMALL}")
        box = Vm(program, "box")
        child = program.start("up", "box", "--cold")
        wait_until(box.qemu, 60, "QEMU runs")
        time.sleep(3)
        pid, = box.qemu()
        os.kill(pid, signal.SIGSTOP)
        time.sleep(200)
        os.kill(pid, signal.SIGCONT)
        result = program.finish(child)
        tally("SIGSTOP of QEMU during a boot", result.status == 0)
        box.run("true")
