"""A guest writes as much as it can wherever this computer keeps what it says. Nothing grows beyond its limit, and the parts that a
person needs are still there."""

import os
import signal
import subprocess
import time

import pytest
from program import MACHINE, wait_until

MIB = 1 << 20
CONSOLE_MOST = 4 * MIB
STEP_LOG_MOST = 1000000
LIBEXEC = os.path.join(os.path.dirname(MACHINE), "../libexec/machine")
CONSOLE = "ttyAMA0" if os.uname().machine == "aarch64" else "ttyS0"


@pytest.fixture
def recipe(program):
    yield lambda text: program.write("config/machine/provision.toml", text)
    program.write("config/machine/provision.toml", "")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def peak_kib(program, *args):
    """Runs a command. Returns its exit status and the most memory that it, or a process it started, had at once."""
    child = program.start(*args, stdout=None, stderr=None)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage.ru_maxrss


def test_a_log_of_qemus_has_a_limit_at_any_speed(tmp_path):
    """machine-log by itself gets more than any guest can write: some hundred megabytes in a few seconds."""
    path = tmp_path / "console.log"
    head, most = MIB, CONSOLE_MOST
    reader, writer = os.pipe()
    with open(path, "w+b") as file:
        child = subprocess.Popen([f"{LIBEXEC}/machine-log", f"{reader}:{file.fileno()}:{head}:{most}"], pass_fds=(reader, file.fileno()))
        os.close(reader)
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(b"the first line\n")
            end = time.monotonic() + 3
            while time.monotonic() < end:
                pipe.write(b"THE FLOOD\n" * 6400)
                assert os.path.getsize(path) <= most
            pipe.write(b"the last line\n")
        assert child.wait(30) == 0
    text = read(path)
    assert len(text) <= most
    assert text.startswith(b"the first line\nTHE FLOOD\n")
    assert text.endswith(b"THE FLOOD\nthe last line\n")
    assert text.count(b"bytes are left out here") == 1
    assert len(text) >= head + (most - head) // 2


def test_a_guests_console_goes_through_it_and_no_file_is_qemus(box):
    path = os.path.join(box.folder(), "logs/console.log")
    box.sh(f"(echo the first line; yes THE FLOOD | head -c 30000; echo the last line) | sudo tee /dev/{CONSOLE} >/dev/null", timeout=300)
    wait_until(lambda: b"the last line" in read(path), 60, "the console's last line is in its log")
    text = read(path).replace(b"\r", b"")
    assert text.index(b"the first line\nTHE FLOOD\n") < text.index(b"THE FLOOD\nthe last line\n")
    (qemu,) = box.qemu()
    names = [os.readlink(f"/proc/{qemu}/fd/{fd}") for fd in os.listdir(f"/proc/{qemu}/fd")]
    assert [name for name in names if "/logs/" in name] == []


def test_a_machine_whose_log_is_killed_goes_on(box):
    """Only the guest's console is lost."""
    path = os.path.join(box.folder(), "logs/console.log")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "machine-log" and path in [os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")]:
                os.kill(int(pid), signal.SIGKILL)
                break
        except OSError:
            pass
    else:
        raise AssertionError("no machine-log has the VM's console")
    assert box.sh(f"yes | head -c 20000 | sudo tee /dev/{CONSOLE} >/dev/null; echo here", timeout=300) == "here\n"
    box.machine("down")
    box.up()
    assert os.path.getsize(path) < CONSOLE_MOST


def test_a_failed_steps_log_has_a_limit_whatever_the_guest_sends(program, box, recipe):
    box.sh("sudo mv /usr/bin/tail /usr/bin/tail.real && printf '#!/bin/sh\\nyes it goes on | head -c 5000000\\n' | "
           "sudo tee /usr/bin/tail >/dev/null && sudo chmod 755 /usr/bin/tail")
    try:
        recipe("[[shell]]\nname = 'bad'\ncmd = 'exit 3'\n")
        assert "'shell-bad'" in box.machine("up", status=6).err
        assert os.path.getsize(os.path.join(box.folder(), "logs/recipe-base-shell-bad.log")) <= STEP_LOG_MOST
    finally:
        box.sh("sudo mv /usr/bin/tail.real /usr/bin/tail")


def test_what_a_recipe_prints_costs_this_computer_no_memory(program, box, recipe):
    """80 MB of lines come in place of the runner's output. That is more than was once kept."""
    box.run("sh", "-c", "sudo mv /usr/bin/setsid /usr/bin/setsid.real && sudo tee /usr/bin/setsid >/dev/null && sudo chmod 755 /usr/bin/setsid",
            input="#!/bin/sh\nmkdir -p /var/lib/machine/steps/base\nprintf 'begin\\tshell-x\\n'\n"
                  "yes \"$(printf 'line\\tshell-x\\t%01000d' 0)\" | head -c 80000000\nprintf '\\nend\\tshell-x\\tdone\\nwhole\\n'\n")
    try:
        recipe("[[shell]]\nname = 'x'\ncmd = 'true'\n")
        status, kib = peak_kib(program, "up", "box", "--quiet")
        assert status == 0
        assert kib < 48 * 1024
    finally:
        box.sh("sudo mv /usr/bin/setsid.real /usr/bin/setsid")
