"""machine-shim with the real machine-net, and in QEMU's place a program that records how it was started."""

import json
import os
import pathlib
import signal
import socket
import subprocess

import pytest
import vms
from program import free_port

HERE = os.path.dirname(os.path.abspath(__file__))
LIBEXEC = os.environ.get("MACHINE_LIBEXEC_DIR", "")
SHIM = os.path.join(LIBEXEC, "machine-shim")
QEMU = """#!/usr/bin/python3
import json, os, sys
descriptors = sorted(int(name) for name in os.listdir("/proc/self/fd"))
descriptors = [fd for fd in descriptors if os.path.exists(f"/proc/self/fd/{fd}")]
with open(os.environ["SEEN"] + ".new", "w") as file:
    json.dump({"arguments": sys.argv[1:], "environment": dict(os.environ), "pid": os.getpid(),
               "descriptors": descriptors}, file)
os.rename(os.environ["SEEN"] + ".new", os.environ["SEEN"])
if "help" not in sys.argv:
    sys.stdin.read()
"""


@pytest.fixture
def shim(tmp_path):
    if not os.access(SHIM, os.X_OK):
        pytest.skip("MACHINE_LIBEXEC_DIR has no machine-shim")
    (tmp_path / "qemu").write_text(QEMU)
    (tmp_path / "qemu").chmod(0o755)
    started = []

    def start(*arguments, **environment):
        values = {**os.environ, "MACHINE_SHIM_QEMU": f"{tmp_path}/qemu", "MACHINE_SHIM_LOG": f"{tmp_path}/net.log",
                  "MACHINE_SHIM_HOSTNAME": "blog", "MACHINE_SHIM_LAN": "0", "SEEN": f"{tmp_path}/seen", **environment}
        child = subprocess.Popen([SHIM, *arguments], env={key: value for key, value in values.items() if value is not None},
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(child)
        return child

    start.folder = tmp_path
    yield start
    for child in started:
        child.kill()
        child.communicate()


def network(port):
    return ["-netdev", f"user,id=net0,net=192.168.5.0/24,dhcpstart=192.168.5.15,hostfwd=tcp:127.0.0.1:{port}-:22"]


def seen(shim):
    path = shim.folder / "seen"
    vms.await_that(path.exists, "QEMU was started")
    return json.loads(path.read_text())


def is_served(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def networks_of(log):
    """The pids of the machine-net that writes this log."""
    found = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in found.splitlines() if "machine-net" in line and f"--log={log}" in line]


def test_a_question_of_limas_reaches_qemu_as_it_is_and_starts_no_network(shim):
    child = shim("-M", "none", "-netdev", "help", MACHINE_SHIM_LOG=None)
    assert child.wait(10) == 0
    assert seen(shim)["arguments"] == ["-M", "none", "-netdev", "help"]


def test_a_run_is_qemu_itself_with_a_stream_in_place_of_its_own_network(shim):
    port = free_port()
    child = shim("-m", "1", *network(port))
    found = seen(shim)
    assert found["pid"] == child.pid
    stream = found["arguments"][3]
    assert stream.startswith("stream,id=net0,server=off,addr.type=fd,addr.str=")
    assert found["arguments"][:3] == ["-m", "1", "-netdev"] and found["arguments"][4] == "-sandbox"
    assert found["descriptors"] == [0, 1, 2, int(stream.rpartition("=")[2])]
    assert not [key for key in found["environment"] if key.startswith("MACHINE_SHIM")]


def test_limas_port_is_served_as_long_as_qemu_lives_and_no_longer(shim):
    port = free_port()
    log = shim.folder / "net.log"
    child = shim(*network(port))
    seen(shim)
    assert is_served(port)
    assert networks_of(log)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    vms.await_that(lambda: not networks_of(log), "machine-net has ended with QEMU")
    assert not is_served(port)


def test_what_the_guest_says_is_written_by_machine_log_until_qemu_ends(shim):
    log = shim.folder / "serial.log"
    log.write_text("of the run before\n")
    child = shim(*network(free_port()), "-chardev", f"socket,id=char-serial,path={shim.folder}/s,logfile={log}")
    found = seen(shim)
    console = found["arguments"][3].rpartition("=")[2]
    assert found["arguments"][3] == f"socket,id=char-serial,path={shim.folder}/s,logfile={console}"
    assert int(console.removeprefix("/dev/fd/")) in found["descriptors"] and len(found["descriptors"]) == 5
    with open(f"/proc/{child.pid}/fd/{console.removeprefix('/dev/fd/')}", "w") as file:
        file.write("booting\n")
    vms.await_that(lambda: log.read_text() == "booting\n", "it is in the log")


def test_a_log_that_can_not_be_written_is_said(shim):
    child = shim(*network(free_port()), "-chardev", "socket,id=char-serial,path=s,logfile=/nowhere/serial.log")
    _, said = child.communicate(timeout=20)
    assert child.returncode == 1 and "cannot open '/nowhere/serial.log'" in said


@pytest.mark.parametrize("lan", ["0", "1"])
def test_the_network_is_as_open_as_it_was_said_to_be(shim, lan):
    port = free_port()
    shim(*network(port), MACHINE_SHIM_LAN=lan)
    seen(shim)
    arguments = open(f"/proc/{networks_of(shim.folder / 'net.log')[0]}/cmdline").read().split("\0")
    assert "--network=192.168.5.0" in arguments and "--hostname=blog" in arguments
    assert f"--forward={port}:22" in arguments
    assert ("--lan" in arguments) == (lan == "1")


@pytest.mark.parametrize("arguments, environment, message", [
    (["-netdev", "user,id=net0"], {}, "this Lima gives QEMU a network that isn't known"),
    (["-m", "1"], {}, "no network that could be replaced"),
    (network(1) + ["-nic", "user"], {}, "would give the guest another network"),
    (network(1), {"MACHINE_SHIM_LOG": None}, "MACHINE_SHIM_LOG is not set"),
    (network(1), {"MACHINE_SHIM_QEMU": ""}, "MACHINE_SHIM_QEMU is not set"),
    (network(1), {"MACHINE_LIBEXEC_DIR": "/nowhere"}, "'machine-net' is missing"),
])
def test_what_can_not_be_made_safe_is_not_started(shim, arguments, environment, message):
    child = shim(*arguments, **environment)
    _, said = child.communicate(timeout=20)
    assert child.returncode == 1 and message in said
    assert not (shim.folder / "seen").exists()


def test_a_port_that_somebody_took_meanwhile_is_said(shim):
    with socket.create_server(("127.0.0.1", 0)) as server:
        child = shim(*network(server.getsockname()[1]))
        _, said = child.communicate(timeout=20)
    assert child.returncode == 1 and "already in use" in said


def test_a_qemu_that_is_not_there_leaves_no_network_behind(shim):
    log = shim.folder / "net.log"
    child = shim(*network(free_port()), MACHINE_SHIM_QEMU="/nowhere/qemu")
    _, said = child.communicate(timeout=20)
    assert child.returncode == 1 and "cannot run '/nowhere/qemu'" in said
    vms.await_that(lambda: not networks_of(log), "machine-net has ended")


@pytest.fixture
def made():
    """A VM of the fake limactl's."""
    made = vms.make("lima-fake")
    try:
        made.call("create")
        yield made
    finally:
        made.end()


def test_what_a_guest_says_has_a_limit_and_is_where_lima_has_it(made):
    log = pathlib.Path(f"{made.root}/state/machine/lima/{made.name}/serial.log")
    made.call("start", FAKE_LIMA="chatty")
    vms.await_that(lambda: log.stat().st_size > 1 << 20 and "are left out here" in log.read_text(), "the log is full")
    assert log.stat().st_size <= 4 << 20 and log.read_text().startswith("booting\n")
    logs = [pid for pid, words in made.processes().items() if "/machine-log " in words]
    assert len(logs) == 1
    made.call("stop")
    vms.await_that(lambda: not set(logs) & set(made.processes()), "machine-log ends with the guest")


def test_a_network_that_has_ended_is_found(made):
    """Nobody but Lima can start it again, with the guest."""
    made.call("start")
    assert json.loads(made.call("lost").stdout) == {"now": None, "later": None}
    (pid,) = [pid for pid, words in made.processes().items() if "/machine-net " in words]
    os.kill(pid, signal.SIGKILL)
    vms.await_that(lambda: pid not in made.processes(), "machine-net has ended")
    assert json.loads(made.call("lost").stdout) == {"now": None, "later": "its network"}
    made.call("stop")
    made.call("start")
    assert json.loads(made.call("lost").stdout) == {"now": None, "later": None}
