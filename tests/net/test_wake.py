"""What wakes a parked VM, by which process, and what a parked VM costs."""

import os
import signal
import socket
import sys
import time

import network
import pytest
from guest import FIN, SYN, TCP
from network import FAR, is_running, status_of, unix_connection, until
from waker import begun, is_for_us, near_connection

DRIP, LEAVE = 83, 84  # ports of FAR
PAUSE = 2  # seconds: WAKING_PAUSE_MS


def by_ssh(net, namespaces, connection):
    with unix_connection(net.socket):
        pass


def by_a_port(net, namespaces, connection):
    namespaces.run(namespaces.host, [sys.executable, "-c", "import socket; socket.create_connection(('127.0.0.1', 3000), 5)"])


def by_bytes(net, namespaces, connection):
    connection.sendall(b"x")


def by_its_end(net, namespaces, connection):
    connection.close()


@pytest.mark.parametrize("reach", [by_ssh, by_a_port, by_bytes, by_its_end])
def test_what_reaches_from_this_computer_wakes_it(woken, program, namespaces, reach):
    net = woken("--forward=3000:3000")
    with near_connection(net) as (connection, _):
        net.ask("hold")
        time.sleep(1.2)
        assert not program.ran()
        reach(net, namespaces, connection)
        assert program.wait(2) == [begun("wake", "blog"), "end wake blog"]
        net.wait_for_log("note something reaches for the parked VM: it is woken")
        net.wait_for_log("machine: a line of its errors")
        assert "a line of its output" not in net.log()


@pytest.mark.parametrize("left", ["a connection", "bytes", "an end"])
def test_what_the_guest_has_not_acknowledged_wakes_it(woken, program, left):
    """It was lost with QEMU, and whoever sent it waits for an answer and sends nothing more."""
    net = woken()
    if left == "a connection":
        with unix_connection(net.socket):
            net.guest.wait(lambda p: p.protocol == TCP and p.flags == SYN)
            net.ask("hold")
            assert program.wait(2) == [begun("wake", "blog"), "end wake blog"]
        return
    with near_connection(net) as (connection, _):
        if left == "bytes":
            connection.sendall(b"GET")
        else:
            connection.close()
        net.guest.wait(is_for_us)
        net.ask("hold")
        assert program.wait(2) == [begun("wake", "blog"), "end wake blog"]


def test_what_the_guest_has_acknowledged_wakes_nothing(woken, program):
    net = woken("--wake-on=any")
    far = net.guest.open(network.KEPT, 80)
    with near_connection(net) as (connection, near):
        connection.sendall(b"near")
        assert near.collect(5, most=4) == b"near"
        far.send(b"far")
        assert far.collect(5, most=3) == b"far"
        net.ask("hold")
        time.sleep(1.5)
        assert not program.ran()


@pytest.mark.parametrize("port", [DRIP, LEAVE])
def test_what_comes_from_outside_wakes_nothing(woken, program, port):
    net = woken()
    net.guest.open(FAR, port)
    net.ask("hold")
    time.sleep(2.5)
    assert not program.ran()


def test_what_comes_from_outside_wakes_it_when_anything_may(woken, program):
    net = woken("--wake-on=any")
    net.guest.open(FAR, DRIP)
    net.ask("hold")
    assert program.wait(2) == [begun("wake", "blog"), "end wake blog"]


def test_the_end_of_a_connection_outside_is_no_reason(woken, program):
    net = woken("--wake-on=any")
    stream = net.guest.open(FAR, LEAVE)
    net.ask("hold")
    time.sleep(2.5)
    assert not program.ran()
    net.ask("go")
    net.guest.wait(lambda p: is_for_us(p) and p.destination_port == stream.own and p.flags & FIN)


def test_an_end_that_the_guest_knows_is_no_reason(woken, program):
    net = woken()
    with near_connection(net) as (connection, stream):
        connection.shutdown(socket.SHUT_WR)
        end = net.guest.wait(lambda p: is_for_us(p) and p.flags & FIN)
        stream.theirs = end.sequence + 1
        stream.send(b"")
        net.ask("hold")
        time.sleep(1.5)
        assert not program.ran()


def test_it_is_woken_once_for_each_hold(woken, program):
    net = woken()
    with near_connection(net) as (connection, stream):
        for count in range(1, 4):
            net.ask("hold")
            connection.sendall(b"x")
            program.wait(2 * count)
            net.ask("go")
            assert stream.collect(5, most=1) == b"x"
            connection.sendall(b"y")
            assert stream.collect(5, most=1) == b"y"
            time.sleep(0.3)
            assert len(program.ran()) == 2 * count


def test_a_wake_that_fails_is_tried_again_after_a_while(woken, program):
    program.status.write_text("3")
    net = woken()
    net.ask("hold")
    with unix_connection(net.socket):
        program.wait(2)
        begin = time.monotonic()
    program.wait(4)
    assert time.monotonic() - begin > PAUSE * 0.8
    program.wait(6)
    assert time.monotonic() - begin > 3 * PAUSE * 0.8
    assert program.ran() == 3 * [begun("wake", "blog"), "end wake blog"]
    net.wait_for_log("note 'machine wake blog' ended with exit status 3")
    net.ask("go")
    time.sleep(1)
    assert len(program.ran()) == 6


def test_a_program_that_is_not_there_is_said(start, servers):
    net = start("--waker=/nowhere/machine", "--vm=blog", control=True)
    net.ask("hold")
    with unix_connection(net.socket):
        net.wait_for_log("note 'machine wake blog': cannot run '/nowhere/machine': not found")


def test_an_idle_vm_is_looked_for_unless_it_is_parked(woken, program):
    program.sleep.write_text("1.5")
    net = woken("--idle-look=1")
    # It takes longer than the time between two looks, and never runs twice at a time.
    found = program.wait(4, 20)
    assert found[:4] == 2 * [begun("park", "--if-idle", "blog"), "end park --if-idle blog"]
    net.ask("hold")
    time.sleep(2)
    count = len(program.ran())
    assert count % 2 == 0
    time.sleep(2.5)
    assert len(program.ran()) == count
    net.ask("go")
    program.wait(count + 2)


# --- what it costs, and what is out of reach


def switches(pid):
    return int(status_of(pid)["voluntary_ctxt_switches"])


def test_a_parked_vm_costs_next_to_nothing(woken):
    """The worker looks at the rules once a second; the others sleep. All of the three's own memory is under 8 MB."""
    net = woken("--idle-look=1")
    with near_connection(net):
        net.guest.open(FAR, DRIP)
        net.ask("hold")
        time.sleep(2.5)
        pids = {"supervisor": net.supervisor(), "worker": net.worker(), "waker": net.waker()}
        before = {name: switches(pid) for name, pid in pids.items()}
        time.sleep(5)
        spent = {name: switches(pid) - before[name] for name, pid in pids.items()}
        assert spent["supervisor"] <= 1 and spent["worker"] <= 7 and spent["waker"] == 0, spent
        own = 0
        for pid in pids.values():
            with open(f"/proc/{pid}/smaps_rollup") as file:
                own += sum(int(line.split()[1]) for line in file if line.startswith(("Private_Clean:", "Private_Dirty:")))
        assert own < 8 * 1024, f"{own} KiB"


def descriptors(pid):
    return {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}


def test_a_worker_has_nothing_by_which_to_ask_and_the_waker_has_two_pipes(woken):
    net = woken()
    with open("/proc/net/unix") as file:
        control = {f"socket:[{line.split()[6]}]" for line in file if line.rstrip().endswith(net.control_path)}
    assert control & descriptors(net.supervisor())
    assert not control & descriptors(net.worker())
    waker = descriptors(net.waker())
    assert {name for name in waker if not name.startswith("pipe:")} == {"/dev/null", net.log_path, f"{net.log_path}.1"}
    assert len([name for name in waker if name.startswith("pipe:")]) == 2
    # The worker has the pipe for its byte, and not the one for the supervisor's word.
    assert len(waker & descriptors(net.worker()) - {net.log_path, f"{net.log_path}.1", "/dev/null"}) == 1
    assert "signalfd" not in " ".join(descriptors(net.worker()))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_waker_ends_with_machine_net(woken, how):
    net = woken()
    waker = net.waker()
    net.ask("hold")
    os.kill(net.supervisor(), how)
    net.process.wait(timeout=5)
    until(lambda: None if is_running(waker) else True)


def test_a_program_goes_on_when_machine_net_ends(woken, program):
    """`machine park` that is half done must not be cut off."""
    program.sleep.write_text("2")
    net = woken("--idle-look=1")
    program.wait(1)
    net.guest.near.close()
    net.process.wait(timeout=5)
    assert program.wait(2) == [begun("park", "--if-idle", "blog"), "end park --if-idle blog"]


def test_a_waker_that_ended_is_said(woken):
    net = woken()
    os.kill(net.waker(), signal.SIGKILL)
    net.wait_for_log("note the process that wakes the VM has ended: nothing wakes it by itself any more")
    net.ask("hold")
    with unix_connection(net.socket):
        time.sleep(0.3)
    net.ask("go")
    assert net.guest.exchange(FAR, 80, b"one") == b"hello one"
