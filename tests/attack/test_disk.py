"""A guest that has taken over its QEMU can write its disk's own header. Nothing on this computer opens what the header names. Each test
writes a header onto the disk of a stopped VM, as such a QEMU could, and gives every command that meets the disk a chance to follow it."""

import os
import shutil
import socket
import struct
import subprocess

import pytest
from guests import SMALL, surroundings
from program import wait_until

SECRET = b"precious"


@pytest.fixture(scope="module")
def stopped(program, box):
    """The VM `box`, which has run: (VM, its disk, a copy of it)."""
    box.machine("down")
    disk = os.path.join(box.folder(), "disk.qcow2")
    copy = os.path.join(program.root, "copy.qcow2")
    shutil.copyfile(disk, copy)
    return box, disk, copy


@pytest.fixture
def disk(stopped):
    box, path, copy = stopped
    yield path
    with open(copy, "rb") as whole, open(path, "r+b") as file:
        file.truncate(0)
        shutil.copyfileobj(whole, file)


@pytest.fixture
def victim(program):
    path = os.path.join(program.root, "victim")
    with open(path, "wb") as file:
        file.write(SECRET)
    return path


@pytest.fixture
def listener(program):
    path = os.path.join(program.root, "listener")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        server.setblocking(False)
        yield path, server
    os.unlink(path)


def put(disk, at, data):
    with open(disk, "r+b") as file:
        file.seek(at)
        file.write(data)


def stand_on(disk, name):
    """Writes a backing file into the header, and a size that makes the disk one to enlarge."""
    put(disk, 0x8000, name.encode())
    put(disk, 8, struct.pack(">QI", 0x8000, len(name)))
    put(disk, 24, struct.pack(">Q", 1 << 30))


def try_all(box, says, check_untouched=lambda: None):
    """`up` refuses, and says why and what to do; the other commands work as usual. After each, what the disk names is untouched."""
    result = box.up(status=None)
    check_untouched()
    assert result.status != 0
    assert "disk.qcow2' is not as it was made, so it is not opened" in result.err
    assert says in result.err
    assert f"mv -- '{box.folder()}'" in result.err and "then: machine up box" in result.err
    program = box.program
    assert box.state() == "stopped"
    for command in (["list"], ["status", "box"], ["layers"], ["prune", "--dry-run"]):
        program.run(*command)
        check_untouched()
    assert box.machine("destroy", "--yes", status=None).status != 0
    check_untouched()
    assert box.state() == "stopped"


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def test_a_file_that_the_disk_names_for_its_data_is_not_touched(stopped, disk, victim):
    box, _, _ = stopped
    made = disk + ".made"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-o", f"data_file={victim}", made, "1G"], check=True)
    with open(made, "rb") as header, open(disk, "r+b") as file:
        file.truncate(0)
        shutil.copyfileobj(header, file)
    os.unlink(made)
    with open(victim, "wb") as file:
        file.write(SECRET)
    before = os.stat(victim).st_mtime_ns

    def check():
        assert contents(victim) == SECRET
        assert os.stat(victim).st_mtime_ns == before

    try_all(box, "its data is in another file", check)


def test_another_file_below_the_disk_is_not_opened(stopped, disk, victim):
    box, _, _ = stopped
    os.utime(victim, (1, 1))
    stand_on(disk, victim)

    def check():
        # A read would have set it to the present time.
        assert os.stat(victim).st_atime == 1

    try_all(box, f"it stands on '{victim}' instead of", check)


@pytest.mark.parametrize("name", ["nbd+unix:///?socket={}", "nbd:unix:{}",
                                  'json:{{"driver":"nbd","server":{{"type":"unix","path":"{}"}}}}'])
def test_no_socket_that_it_names_below_itself_is_connected_to(stopped, disk, listener, name):
    box, _, _ = stopped
    path, server = listener
    stand_on(disk, name.format(path))

    def check():
        with pytest.raises(BlockingIOError):
            server.accept()

    try_all(box, "it stands on '", check)


@pytest.mark.parametrize("size", [512, 1 << 30])
def test_a_disk_that_became_smaller_is_not_enlarged(stopped, disk, size):
    box, _, _ = stopped
    put(disk, 24, struct.pack(">Q", size))
    try_all(box, f"its size is {size} bytes, which is less than it was made with")


def test_a_disk_that_became_larger_is_not_used(stopped, disk):
    box, _, _ = stopped
    subprocess.run(["qemu-img", "resize", "-q", disk, "900G"], check=True)
    try_all(box, "which is more than it was made with")


def test_a_layer_that_names_a_file_is_not_opened_either(own_data, victim):
    """A layer that a throwaway VM's QEMU has written. The test changes a copy, because all tests share the real layers."""
    layers = os.path.join(own_data, "machine/layers")
    for key in os.listdir(layers):
        path = os.path.join(layers, key, "disk.qcow2")
        if os.path.exists(os.path.join(layers, key, "vmlinuz")):
            shutil.copyfile(path, path + ".copy")
            os.rename(path + ".copy", path)
            put(path, 0x8000, victim.encode())
            put(path, 8, struct.pack(">QI", 0x8000, len(victim)))
    os.utime(victim, (1, 1))
    with surroundings(data=own_data) as other:
        other.projects(f"[other]\ncold = true\n{SMALL}")
        result = other.run("up", "other", status=None)
        assert result.status != 0
        assert f"it stands on '{victim}' instead of nothing" in result.err
    assert os.stat(victim).st_atime == 1
    shutil.rmtree(own_data)


def test_such_a_vm_is_made_anew(stopped, disk, victim):
    """The last test with this disk: afterwards the VM has a new one."""
    box, _, _ = stopped
    stand_on(disk, victim)
    box.machine("rebuild", "--yes", "--discard-work", timeout=600)
    assert box.run("true").status == 0
    box.machine("down")


def test_a_disk_that_is_to_have_more_gets_it_at_the_next_start(program, stopped):
    box, disk, _ = stopped
    program.projects(f"[box]\n{SMALL.replace('6GiB', '9GiB')}")
    box.up()
    assert int(box.sh("sudo blockdev --getsize64 /dev/vda")) == 9 << 30
    assert int(box.sh("df --output=size -B1 / | tail -n 1")) > 8 << 30
    # The start after that finds it as large as it was made, and goes on to QEMU.
    box.machine("down")
    again = program.start("up", "box", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(box.qemu, 60, "it is started again")
    again.kill()
    again.wait()
