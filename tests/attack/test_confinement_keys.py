"""What machine-keys can try once its guest has taken it over. The tries run under the helper's own confinement code."""

import collections
import json
import os
import re
import signal
import socket
import subprocess

import pytest
from agent import make_key, ssh_agent
from kernel import without_landlock
from program import BUILD, MACHINE, Program, wait_until

TRIES = os.path.join(BUILD, "dev/tests/attack/tries-keys")
KEYS = os.path.join(os.path.dirname(MACHINE), "../libexec/machine/machine-keys")
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "tries.c")) as source:
    NAMES = re.findall(r'^        \{ "([a-z-]+)", [a-z_]+ \},$', source.read(), re.MULTILINE)

# Without confinement these need root, or a kernel that allows them, so they may fail there.
DEPENDS = {"change-root", "mount-folder", "load-program", "watch-performance", "own-user-namespace", "handle-faults", "set-up-ring", "read-kernel-log",
           "write-memory", "read-memory", "trace", "other-personality"}

Ground = collections.namedtuple("Ground", "folder victim port")


@pytest.fixture
def ground():
    """Targets for the tries: files, listeners, and a process of ours."""
    program = Program()
    folder = program.folder("t")
    program.folder("t", "inner")
    program.write("t/file", "precious\n")
    victim = subprocess.Popen(["sleep", "600"])
    with socket.socket(socket.AF_UNIX) as path, socket.socket(socket.AF_UNIX) as abstract, socket.create_server(("127.0.0.1", 0)) as tcp:
        path.bind(f"{folder}/socket")
        path.listen()
        abstract.bind(f"\0{folder}/socket")
        abstract.listen()
        yield Ground(folder, victim, tcp.getsockname()[1])
    # As root without confinement, this mount may have succeeded.
    subprocess.run(["umount", f"{folder}/inner"], capture_output=True)
    victim.kill()
    victim.wait()
    program.clean_up()


def attempt(ground, how, name, **more):
    """Returns "done", "killed", or the number of an error."""
    result = subprocess.run([TRIES, how, name, ground.folder, str(ground.victim.pid), str(ground.port)], capture_output=True, text=True, timeout=60, **more)
    if result.returncode == -signal.SIGSYS:
        return "killed"
    assert result.returncode == 0, result
    return result.stdout.strip()


def test_there_is_much_to_try():
    assert len(NAMES) > 50 and len(set(NAMES)) == len(NAMES)


def test_what_is_tried_can_be_done_by_a_program_that_is_not_confined(ground):
    """Otherwise a refused try would prove nothing."""
    failed = {}
    for name in NAMES:
        if name in ("signal-process", "signal-thread", "signal-queued", "signal-by-descriptor", "signal-by-owner", "remove-file", "rename-file", "make-folder",
                    "make-link", "make-fifo", "create-file"):
            continue  # each has its own test below, with its own targets
        said = attempt(ground, "free", name)
        if said != "done" and name not in DEPENDS:
            failed[name] = said
    assert failed == {}


@pytest.mark.parametrize("name", ["remove-file", "rename-file", "make-folder", "make-link", "make-fifo", "create-file", "signal-process", "signal-thread",
                                  "signal-queued", "signal-by-descriptor", "signal-by-owner"])
def test_what_leaves_a_trace_leaves_it_without_confinement(ground, name):
    assert attempt(ground, "free", name) == "done"
    if name.startswith("signal"):
        assert ground.victim.wait(timeout=30) == -signal.SIGTERM


@pytest.mark.parametrize("kernel", [None, without_landlock], ids=["this-kernel", "without-landlock"])
@pytest.mark.parametrize("name", NAMES)
def test_it_does_none_of_it_once_it_is_confined(ground, name, kernel):
    assert attempt(ground, "confined", name, preexec_fn=kernel) != "done"
    assert ground.victim.poll() is None
    assert sorted(os.listdir(ground.folder)) == ["file", "inner", "socket"] and os.listdir(f"{ground.folder}/inner") == []
    with open(f"{ground.folder}/file") as file:
        assert file.read() == "precious\n"


def walls(program, **how):
    child = program.start("doctor", "--json", **how)
    checks = json.loads(program.finish(child).out.splitlines()[0])
    (check,) = [check for check in checks if check["name"] == "landlock"]
    return check["status"], check["detail"]


def test_doctor_says_which_walls_there_are():
    program = Program()
    try:
        said = json.loads(subprocess.run([KEYS, "--walls"], check=True, capture_output=True, text=True).stdout)
        assert said["system_calls"] is True
        status, detail = walls(program)
        assert (status, "version" in detail) == (("ok", True) if said["landlock"] else ("warning", False))
        status, detail = walls(program, preexec_fn=without_landlock)
        assert status == "warning" and "the kernel doesn't have it" in detail
    finally:
        program.clean_up()


def status_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


@pytest.fixture
def session():
    """Runs machine-keys around a program, with an agent that has a key. Yields the pids of its two processes, and the folder."""
    program = Program()
    place = program.folder("k")
    with ssh_agent(f"{place}/agent", make_key(f"{place}/one", "one")):
        child = subprocess.Popen([KEYS, f"--agent={place}/agent", f"--socket={place}/s", f"--log={place}/log", "--confirm=blog", "--", "sleep", "600"])
        wait_until(lambda: children(child.pid, "--inner") and children(child.pid, "sleep"), 30, "both are there")
        yield child.pid, children(child.pid, "--inner")[0], place
        child.terminate()
        child.wait(timeout=30)
    program.clean_up()


def children(pid, word):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        pids = file.read().split()
    found = []
    for child in pids:
        with open(f"/proc/{child}/cmdline") as file:
            if word in file.read().split("\0"):
                found.append(int(child))
    return found


def test_the_one_that_listens_to_a_guest_is_confined(session):
    _, inner, _ = session
    status = status_of(inner)
    assert (status["Seccomp"], status["NoNewPrivs"], status["CapEff"].strip("0"), status["CapPrm"].strip("0")) == ("2", "1", "", "")


def test_it_has_no_file_open_but_null(session):
    if os.geteuid() != 0:
        pytest.skip("who isn't root can't look into a process that has forbidden it")
    _, inner, place = session
    opened = {os.readlink(f"/proc/{inner}/fd/{fd}") for fd in os.listdir(f"/proc/{inner}/fd")}
    assert {name for name in opened if not name.startswith("socket:")} == {"/dev/null"}
    # A connection of the guest adds two descriptors: that connection, and one to the agent.
    before = len(os.listdir(f"/proc/{inner}/fd"))
    with socket.socket(socket.AF_UNIX) as guest:
        guest.connect(f"{place}/s")
        guest.sendall(b"\0\0\0\1\x0b")
        assert guest.recv(5)[4] == 12
        assert len(os.listdir(f"/proc/{inner}/fd")) == before + 2


def test_it_has_a_terminal_neither_to_write_to_nor_as_its_own(session):
    outer, inner, _ = session
    with open(f"/proc/{inner}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    session_of, terminal = int(fields[3]), int(fields[4])
    assert session_of == inner and terminal == 0
    assert outer != inner


def test_the_program_ends_when_told_although_nobody_is_left_to_talk_to_the_guest(session):
    outer, inner, place = session
    os.kill(inner, signal.SIGKILL)

    def is_refused():
        with socket.socket(socket.AF_UNIX) as guest:
            return guest.connect_ex(f"{place}/s") != 0

    wait_until(is_refused, 30, "nobody listens")
    assert children(outer, "sleep")
