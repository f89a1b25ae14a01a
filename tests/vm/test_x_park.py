"""A parked VM takes no memory and no processor, and nothing in it or around it notices: it goes on where it was."""

import contextlib
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
from choice import long_unless
from guests import SMALL, Vm, surroundings
from keyring import forget_keys
from lab import PRIVATE, wait_for_port
from program import wait_until
from steps import CALLS, each_step, killed_at
from templates import digest, folder_of, template_of

MARK = "this-is-only-in-the-guest's-memory"

# Writes a byte each tenth of a second to whoever connects, counting up, and says how many it has sent to each.
SENDER = """
import socket, sys, threading, time
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
def serve(client):
    with client:
        for number in range(100000):
            client.sendall(b"%d\\n" % number)
            time.sleep(0.1)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""

# In the guest, which has no Python: answers each line on its port with the same line in capitals.
ECHO = """
use IO::Socket::INET;
my $listener = IO::Socket::INET->new(LocalPort => 7000, Listen => 5, ReuseAddr => 1) or die;
while (my $client = $listener->accept) {
        next if fork;
        while (<$client>) { print {$client} uc }
        exit;
}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def own_memory(pid):
    """Bytes that a process shares with no other; 0 for one that has just ended."""
    with contextlib.suppress(ProcessLookupError, FileNotFoundError), open(f"/proc/{pid}/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_")) << 10
    return 0


def processor_time(pid):
    """Seconds; 0 for one that has just ended."""
    with contextlib.suppress(ProcessLookupError, FileNotFoundError), open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0


def park(vm):
    result = vm.program.json("park", vm.name)
    assert result["state"] == "parked" == vm.state()
    assert vm.qemu() == []
    return result


@pytest.fixture(scope="module")
def parked(data):
    """A VM of this file's own, restored from a template, with a port and the private network open."""
    with surroundings(data=data) as program:
        program.port = free_port()
        program.projects(f'[sleeper]\n{SMALL}lan = true\nports = ["{program.port}:7000"]\npark_after = "never"\n')
        vm = Vm(program, "sleeper")
        vm.first_up = vm.up()
        vm.run("tee", "echo.pl", input=ECHO)
        vm.sh("nohup perl echo.pl >/dev/null 2>&1 & sleep 1")
        yield vm


def test_a_program_goes_on_where_it_was(parked):
    parked.sh("echo shm >/dev/shm/kept; nohup sh -c 'n=0; while :; do n=$((n+1)); echo $n >/dev/shm/count; sleep 0.1; done' "
              ">/dev/null 2>&1 &")
    boot = parked.sh("cat /proc/sys/kernel/random/boot_id")
    before = int(parked.sh("cat /dev/shm/count"))
    park(parked)
    time.sleep(3)
    began = time.time()
    now, kept, inside, same = parked.sh("cat /dev/shm/count /dev/shm/kept; date +%s.%N; cat /proc/sys/kernel/random/boot_id").split()
    assert (kept, same) == ("shm", boot.strip())
    assert before <= int(now) < before + 30, "it stood still while it was parked"
    assert began - 0.1 < float(inside) < time.time() + 0.1
    wait_until(lambda: int(parked.sh("cat /dev/shm/count")) > int(now), 60, "it counts on")
    parked.sh("touch ~/written-after-the-wake; sync")


def test_parking_frees_what_the_vm_took_and_costs_nothing(parked):
    (qemu,) = parked.qemu()
    took = own_memory(qemu)
    park(parked)
    wait_until(lambda: len(parked.program.processes(f"/vms/{parked.name}/")) == 3, 10, "machine-net's three processes are left")
    left = parked.program.processes(f"/vms/{parked.name}/")
    memory = sum(own_memory(pid) for pid in left)
    assert memory < 8 << 20 < took
    before = sum(processor_time(pid) for pid in left)
    time.sleep(10)
    assert sum(processor_time(pid) for pid in left) - before <= 0.05
    assert parked.state() == "parked"


def test_whatever_needs_it_wakes_it(parked):
    for command in (lambda: parked.machine("wake"), lambda: parked.up(), lambda: parked.sh("true"),
                    lambda: parked.program.run("cp", f"{parked.name}:/etc/hostname", parked.program.folder("hostname"))):
        boot = parked.sh("cat /proc/sys/kernel/random/boot_id")
        park(parked)
        command()
        assert parked.state() == "running"
        assert parked.sh("cat /proc/sys/kernel/random/boot_id") == boot
    assert parked.machine("wake").err.startswith(f"VM '{parked.name}' is running")


def test_a_question_wakes_nothing(parked):
    park(parked)
    for command in (["list"], ["status", parked.name], ["logs", parked.name], ["layers"], ["plan", parked.name]):
        parked.program.run(*command)
    assert "parked" in parked.machine("status").out
    assert parked.state() == "parked"
    (check,) = [check for check in parked.program.checks() if check["name"] == f"VM {parked.name}"]
    assert (check["status"], check["detail"]) == ("ok", "parked")


def test_a_second_park_and_the_park_of_a_stopped_vm_do_nothing(parked):
    parked.up()
    park(parked)
    assert "is parked already" in parked.machine("park").err


@pytest.fixture
def session(parked):
    """An ssh session with a program that answers each line, as an editor's does."""
    parked.up()
    child = parked.program.start("run", parked.name, "--", "sed", "--unbuffered", "s/.*/\\U&/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield child
    child.stdin.close()
    assert child.wait(120) == 0


def ask(child, line):
    child.stdin.write(line + "\n")
    child.stdin.flush()
    assert child.stdout.readline() == line.upper() + "\n"


def ask_port(client, line):
    client.sendall(line.encode() + b"\n")
    got = b""
    while not got.endswith(b"\n"):
        block = client.recv(100)
        assert block, f"the connection ended after {got}"
        got += block
    assert got.decode() == line.upper() + "\n"


class Receiver:
    """A program in the guest that is connected to a server outside which sends a number each tenth of a second."""

    def __init__(self, vm, lab, port):
        self.vm = vm
        self.name = f"received-{port}"
        lab.inside("/usr/bin/python3", "-c", SENDER, str(port))
        wait_for_port(PRIVATE, port)
        self.pid = vm.sh(f"nohup bash -c 'exec cat </dev/tcp/{PRIVATE}/{port}' >{self.name} 2>&1 & echo $!").strip()
        wait_until(lambda: self.count() > 3, 60, "the guest receives")

    def lines(self):
        return self.vm.sh(f"cat {self.name}").split()

    def count(self):
        return len(self.lines())

    def check(self):
        lines = self.lines()
        assert lines == [str(number) for number in range(len(lines))], "a byte was lost or doubled"

    def end(self):
        self.vm.sh(f"kill {self.pid}")


@pytest.mark.parametrize("seconds", [5, pytest.param(600, marks=pytest.mark.long)])
def test_connections_of_three_kinds_live_on(parked, session, lab, seconds):
    with socket.create_connection(("127.0.0.1", parked.program.port), 60) as client:
        client.settimeout(120)
        receiver = Receiver(parked, lab, 7100 + seconds % 97)
        ask(session, "before")
        ask_port(client, "before")
        park(parked)
        count = time.monotonic()
        time.sleep(seconds)
        assert parked.state() == "parked", "what a server sends wakes nobody"
        ask(session, "the next key wakes it")
        assert time.monotonic() - count > seconds
        wait_until(lambda: parked.state() == "running", 60, "the wake has ended")
        ask_port(client, "after")
        before = receiver.count()
        wait_until(lambda: receiver.count() > before + 5, 120, "the guest receives on")
        receiver.check()
        # All that was sent meanwhile has arrived, and no timer of the guest's gave up.
        wait_until(lambda: receiver.count() > 10 * seconds * 0.8, 120, "what was sent meanwhile has arrived")
        receiver.end()


def test_a_connection_to_a_port_wakes_it(parked):
    parked.up()
    park(parked)
    with socket.create_connection(("127.0.0.1", parked.program.port), 60) as client:
        client.settimeout(120)
        ask_port(client, "hello")
    wait_until(lambda: parked.state() == "running", 60, "the wake has ended")


def test_what_a_server_sends_wakes_it_only_where_that_is_wanted(data, lab):
    with surroundings(data=data) as program:
        program.projects(f'[any]\n{SMALL}lan = true\nwake_on = "any"\n')
        vm = Vm(program, "any")
        vm.up()
        receiver = Receiver(vm, lab, 7300)
        program.run("park", vm.name)
        wait_until(lambda: vm.state() == "running", 60, "it is woken")
        receiver.check()


def test_no_byte_of_the_guests_memory_is_in_a_file_of_this_computers(parked):
    parked.up()
    # The mark is put together in the guest, so that no command line on this computer has it either.
    parked.sh("printf '%s%s' this-is-only-in-the-guest\\'s- memory >/dev/shm/mark; cat /dev/shm/mark >/dev/null")
    assert parked.sh("cat /dev/shm/mark") == MARK
    park(parked)
    saved = glob.glob(os.path.join(parked.folder(), "parked/*"))
    assert {os.path.basename(path) for path in saved} == {"about.json", "memory", "devices"}
    assert all(os.stat(path).st_mode & 0o77 == 0 for path in saved)
    for top in (parked.program.state, parked.program.runtime):
        found = subprocess.run(["grep", "-rlF", MARK, top], capture_output=True, text=True)
        assert found.stdout == "", "the mark is readable"
    assert os.path.getsize(os.path.join(parked.folder(), "parked/memory")) > 1 << 20
    assert parked.sh("cat /dev/shm/mark") == MARK


def test_the_template_stays_as_it_was(parked):
    parked.up()
    folder = folder_of(parked.program, template_of(parked))
    before = {name: digest(os.path.join(folder, name)) for name in ("memory", "state")}
    for _ in range(3):
        park(parked)
        parked.sh("head -c 20000000 /dev/urandom >/dev/shm/more; rm /dev/shm/more")
    assert {name: digest(os.path.join(folder, name)) for name in before} == before


def test_prune_keeps_the_memory_that_a_parked_vm_stands_on(parked):
    parked.up()
    template = template_of(parked)
    park(parked)
    parked.program.write("config/machine/config.toml", "template_budget = 0\n")
    parked.program.run("prune", "--yes")
    assert os.path.exists(os.path.join(folder_of(parked.program, template), "memory"))
    boot = parked.sh("cat /proc/sys/kernel/random/boot_id")
    park(parked)
    assert parked.sh("cat /proc/sys/kernel/random/boot_id") == boot
    os.unlink(os.path.join(parked.program.folder("config/machine"), "config.toml"))


@contextlib.contextmanager
def sleeper(data, more="", name="other"):
    with surroundings(data=data) as program:
        program.projects(f"[{name}]\n{SMALL}{more}")
        vm = Vm(program, name)
        vm.up()
        yield vm


@pytest.fixture(scope="module")
def other(data):
    """A VM whose tests leave it running, with the file `kept` in its memory."""
    with sleeper(data) as vm:
        vm.sh("echo shm >/dev/shm/kept")
        yield vm


def test_after_a_restart_of_this_computer_it_boots_and_says_once_what_was_lost(data):
    with sleeper(data) as vm:
        vm.sh("echo kept >~/kept; echo lost >/dev/shm/lost")
        park(vm)
        assert forget_keys(vm) > 0
        assert vm.state() == "stopped"
        result = vm.run("sh", "-c", "cat ~/kept; ls /dev/shm")
        assert result.out == "kept\n"
        assert "what was only in its memory when it was parked is lost: this computer was restarted" in result.err
        assert "was restarted" not in vm.run("true").err
        assert not os.path.exists(os.path.join(vm.folder(), "parked"))
        # One that booted is parked like one that was restored. And what was saved once can be saved again.
        vm.sh("echo shm >/dev/shm/kept")
        boot = vm.sh("cat /proc/sys/kernel/random/boot_id")
        for _ in range(2):
            park(vm)
            assert vm.sh("cat /dev/shm/kept /proc/sys/kernel/random/boot_id") == f"shm\n{boot}"


def test_a_parked_one_is_not_renamed_and_its_work_is_found(data):
    with sleeper(data) as vm:
        vm.sh("echo late >~/late")
        park(vm)
        result = vm.program.run("rename", vm.name, "third", status=5)
        assert "is parked, and can get another name only while it is stopped" in result.err
        result = vm.machine("destroy", "--yes", status=7)
        assert "~/late" in result.err
        park(vm)
        vm.machine("destroy", "--yes", "--discard-work")
        assert vm.program.json("list")[0]["state"] == "absent"
        vm.program.assert_no_processes()


@pytest.mark.long
def test_a_parked_one_is_shut_down_in_order(data):
    with sleeper(data) as vm:
        vm.sh("echo late >~/late")  # not synced
        park(vm)
        assert "is stopped" in vm.machine("down").err
        assert vm.state() == "stopped"
        assert vm.sh("cat ~/late") == "late\n"


def shorten(vm, time):
    """The looks are a minute apart, and the shortest time is a minute. Here both are shorter, by the VM's record."""
    path = os.path.join(vm.folder(), "vm.json")
    with open(path) as file:
        record = json.load(file)
    with open(path, "w") as file:
        json.dump({**record, "park_after": time}, file)


def test_the_second_look_parks_one_that_was_idle_meanwhile(parked):
    parked.up()
    shorten(parked, "1s")
    parked.program.run("park", "--if-idle", parked.name)
    assert parked.state() == "running", "it was used a moment ago"
    time.sleep(2)
    parked.program.run("park", "--if-idle", parked.name)
    assert parked.state() == "parked"


@pytest.mark.long
def test_a_busy_one_is_not_parked_by_the_second_look(data):
    with sleeper(data) as vm:
        shorten(vm, "10s")
        vm.sh("nohup sh -c 'while :; do :; done' >/dev/null 2>&1 & echo $! >/dev/shm/busy")
        for busy in (True, False):
            if not busy:
                vm.sh("kill $(cat /dev/shm/busy)")
            vm.program.run("park", "--if-idle", vm.name)
            assert vm.state() == "running", "it was used a moment ago"
            time.sleep(22)
            vm.program.run("park", "--if-idle", vm.name)
            assert vm.state() == ("running" if busy else "parked")


@pytest.mark.long
def test_an_idle_one_is_parked_by_itself_and_a_busy_one_never(data):
    """The looks are a minute apart, so this test makes them."""
    with sleeper(data, 'park_after = "60s"\n') as vm:
        vm.sh("tmux new-session -d -s work 'sleep 100000' || setsid sleep 100000 >/dev/null 2>&1 &")
        vm.sh("nohup sh -c 'while :; do :; done' >/dev/null 2>&1 & echo $! >/dev/shm/busy")
        for _ in range(3):
            time.sleep(35)
            vm.program.run("park", "--if-idle", vm.name)
            assert vm.state() == "running"
        vm.sh("kill $(cat /dev/shm/busy)")
        for _ in range(20):
            time.sleep(25)
            vm.program.run("park", "--if-idle", vm.name)
            if vm.state() == "parked":
                break
        assert vm.state() == "parked"
        assert int(vm.sh("pgrep -c sleep")) >= 1


def test_a_full_disk_is_said_and_the_vm_goes_on(other):
    """RLIMIT_FSIZE stands for a disk without room: a write fails with EFBIG, as another would with ENOSPC."""
    boot = other.sh("cat /proc/sys/kernel/random/boot_id")
    result = other.program.run("/usr/bin/prlimit", "--fsize=1000000", other.program.machine, "park", other.name, status=5)
    assert "cannot park VM" in result.err
    assert other.state() == "running"
    assert not glob.glob(os.path.join(other.folder(), "parked*"))
    assert other.sh("cat /proc/sys/kernel/random/boot_id") == boot
    park(other)
    assert other.sh("cat /proc/sys/kernel/random/boot_id") == boot


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up a right of root's")
def test_where_qemus_memory_can_not_be_read_the_whole_stream_is_saved(data, tmp_path):
    """Yama, as on Ubuntu, refuses it to all but QEMU's ancestors. Here root without CAP_SYS_PTRACE stands for that, and a QEMU that has
    all rights, because it runs without bubblewrap. Source: ptrace(2), "Ptrace access mode checking"."""
    with surroundings(data=data) as program:
        for folder in program.environment["PATH"].split(":"):
            for name in os.listdir(folder) if os.path.isdir(folder) else []:
                if name != "bwrap" and not os.path.lexists(tmp_path / name):
                    os.symlink(os.path.join(folder, name), tmp_path / name)
        env = {"PATH": str(tmp_path)}
        program.projects(f"[stream]\n{SMALL}")
        vm = Vm(program, "stream")
        vm.up(env=env)
        boot = vm.sh("echo shm >/dev/shm/kept; cat /proc/sys/kernel/random/boot_id")
        for _ in range(2):
            program.run("/usr/bin/setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace", program.machine, "park",
                        vm.name, env=env)
            with open(os.path.join(vm.folder(), "parked/about.json")) as file:
                assert json.load(file)["whole"] is True
            assert vm.sh("cat /dev/shm/kept /proc/sys/kernel/random/boot_id", env=env) == f"shm\n{boot}"


# Where a killed one leaves the most: before what was saved is spent, before the network goes on, before what was saved is removed.
STEPS = {
    "park": [("rename", 1), ("rename", 2), ("unlinkat", 1)],
    "wake": [("rename", 2), ("sendmsg", 2), ("unlinkat", 1)],
}


def make_ready(vm, command):
    vm.program.run("wake", vm.name)
    if command == "wake":
        park(vm)


def check_goes_on(vm):
    """The guest goes on with all it had, and nothing saved is left."""
    assert vm.run("sh", "-c", "cat /dev/shm/kept; exit 3", status=3, timeout=60).out == "shm\n"
    assert not glob.glob(os.path.join(vm.folder(), "parked*"))


@pytest.mark.parametrize("command", ["park", "wake"])
def test_a_command_that_is_killed_at_a_step_leaves_a_vm_that_goes_on(other, command):
    for call, number in STEPS[command]:
        make_ready(other, command)
        assert killed_at(other.program, call, number, command, other.name)
        check_goes_on(other)


@pytest.mark.long
@pytest.mark.parametrize("command", ["park", "wake"])
def test_a_command_that_is_killed_at_each_step_leaves_a_vm_that_goes_on(other, command):
    make_ready(other, command)
    for _ in each_step(other.program, command, other.name, calls=(*CALLS, "sendto", "keyctl")):
        check_goes_on(other)
        make_ready(other, command)


@pytest.mark.long
@pytest.mark.parametrize("command", ["park", "wake"])
def test_a_command_that_is_killed_at_any_moment_leaves_a_vm_that_goes_on(other, command):
    for delay in [0.05, 0.1, 0.15, 0.2, 0.3] * 10:
        make_ready(other, command)
        child = other.program.start(command, other.name, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.wait()
        check_goes_on(other)


def test_a_network_that_was_killed_meanwhile_is_started_anew_and_the_memory_is_there(other):
    park(other)
    for pid in other.program.processes(f"/vms/{other.name}/"):
        with contextlib.suppress(ProcessLookupError):  # the first takes the others with it
            os.kill(pid, signal.SIGKILL)
    other.program.workers_killed += 1
    result = other.run("cat", "/dev/shm/kept")
    assert result.out == "shm\n"
    assert "the network of VM 'other' had ended while it was parked" in result.err
    park(other)
    shutil.rmtree(os.path.join(other.program.runtime, "machine"))
    assert other.sh("cat /dev/shm/kept") == "shm\n"


@pytest.mark.parametrize("damage", long_unless(["changed"], ["cut", "changed", "about"]))
def test_what_can_not_be_woken_is_kept_and_the_vm_boots(data, damage):
    with sleeper(data) as vm:
        vm.sh("echo kept >~/kept; echo shm >/dev/shm/kept; sync")
        park(vm)
        path = os.path.join(vm.folder(), "parked", {"cut": "memory", "changed": "devices", "about": "about.json"}[damage])
        with open(path, "r+b") as file:
            if damage == "cut":
                file.truncate(os.path.getsize(path) // 2)
            else:
                file.seek(os.path.getsize(path) // 2)
                file.write(b"damage")
        result = vm.run("cat", "kept", timeout=900)
        assert result.out == "kept\n"
        assert "boots from its disk; what was only in its memory when it was parked is lost" in result.err
        kept = [snapshot["label"] for snapshot in vm.program.json("snapshots", vm.name)]
        assert kept == ([] if damage == "about" else ["that could not be woken"])


def test_two_that_wake_it_at_once_wake_it_once(parked):
    parked.up()
    for _ in range(3):
        park(parked)
        results = []
        threads = [threading.Thread(target=lambda: results.append(parked.sh("echo there"))) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == ["there\n"] * 5
        assert len(parked.qemu()) == 1


@pytest.mark.long
def test_a_budget_of_memory_parks_the_one_that_was_idle_for_longest(data):
    with surroundings(data=data) as program:
        program.projects(f"[one]\n{SMALL}[two]\n{SMALL}[three]\n{SMALL}")
        program.write("config/machine/config.toml", 'memory_budget = "2GiB"\n')
        program.run("up", "one", timeout=600)
        program.run("up", "two", timeout=600)
        result = program.run("up", "three", timeout=600)
        assert "more than the memory_budget of 2.0 GiB, and no other is idle" in result.err
        program.run("park", "three")
        program.run("run", "one", "--", "true")
        for name in ("one", "two"):
            program.run("park", "--if-idle", name)
        time.sleep(35)
        program.run("run", "one", "--", "true")
        time.sleep(35)
        result = program.run("wake", "three")
        assert "VM 'two' was idle and is parked, to keep to memory_budget" in result.err
        assert {entry["name"]: entry["state"] for entry in program.json("list")} == {"one": "running", "two": "parked", "three": "running"}
