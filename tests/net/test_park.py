"""machine-net while its VM is parked: connections live on over another QEMU, and what reaches for the guest wakes it."""

import contextlib
import errno
import os
import pwd
import signal
import socket
import sys
import time

import network
import pytest
from guest import ACK, FIN, GATEWAY, RST, SYN, TCP
from network import FAR, is_running, status_of, unix_connection, until

DRIP, LEAVE = 83, 84  # ports of FAR
PAUSE = 2  # seconds: WAKING_PAUSE_MS


@pytest.fixture
def net(start, servers):
    net = start(control=True)
    assert net.said == "ok\n"
    return net


@pytest.fixture
def program(tmp_path):
    """Stands in for `machine`: notes what it was asked, and does as it is told."""
    class Program:
        path = str(tmp_path / "machine")
        notes = tmp_path / "notes"
        status = tmp_path / "status"

        def ran(self):
            """The command lines so far, with when each began and ended."""
            return self.notes.read_text().splitlines() if self.notes.exists() else []

        def wait(self, count, seconds=10):
            until(lambda: True if len(self.ran()) >= count else None, lambda: self.ran(), seconds)
            return self.ran()

    made = Program()
    with open(made.path, "w") as file:
        file.write(f"""#!/bin/sh
echo "begin $* mark=$MARK" >>{made.notes}
echo "a line of its output"
echo "machine: a line of its errors" >&2
sleep $(cat {tmp_path}/sleep 2>/dev/null || echo 0)
echo "end $*" >>{made.notes}
exit $(cat {made.status} 2>/dev/null || echo 0)
""")
    os.chmod(made.path, 0o755)
    return made


@pytest.fixture
def woken(start, servers, program):
    """machine-net with a waker."""
    def begin(*options):
        net = start(f"--waker={program.path}", "--vm=blog", *options, control=True, environment={"MARK": "user's"})
        assert net.said == "ok\n"
        return net

    return begin


def begun(*words):
    return f"begin {' '.join(words)} mark=user's"


def is_for_us(packet):
    return packet.protocol == TCP and bool(packet.payload or packet.flags & (SYN | FIN | RST))


# --- what is asked


def test_it_is_held_and_goes_on(net):
    assert net.ask("look").held == 0
    assert net.ask("hold").held == 1
    assert net.ask("hold").held == 1
    assert net.ask("look").held == 1
    assert net.ask("go").held == 0
    assert net.ask("go").held == 0
    assert net.guest.exchange(FAR, 80, b"one") == b"hello one"
    net.wait_for_log("note the VM is parked, its connections are held")
    net.wait_for_log("note the VM goes on")


def test_it_says_what_moves(net):
    first = net.ask("look")
    assert (first.near_bytes, first.far_bytes, first.near_open, first.far_open) == (0, 0, 0, 0)
    assert 0 < first.moved_ms <= time.monotonic() * 1000
    before = time.monotonic() * 1000
    stream = net.guest.open(network.KEPT, 80)
    stream.send(b"12345")
    assert stream.collect(5, most=5) == b"12345"
    far = net.ask("look")
    assert (far.near_bytes, far.far_bytes, far.near_open, far.far_open) == (0, 10, 0, 1)
    assert before <= far.moved_ms <= time.monotonic() * 1000
    with unix_connection(net.socket) as connection:
        near = net.guest.accept(22)
        near.send(b"SSH-2.0")
        assert connection.recv(100) == b"SSH-2.0"
        found = net.ask("look")
        assert (found.near_bytes, found.far_bytes, found.near_open, found.far_open) == (7, 10, 1, 1)
    net.guest.send_tcp(stream.own, network.KEPT, 80, RST | ACK, sequence=stream.sequence, acknowledgement=stream.theirs)
    near.send(b"")
    net.guest.send_tcp(22, GATEWAY, near.port, RST | ACK, sequence=near.sequence, acknowledgement=near.theirs)
    until(lambda: True if (net.ask("look").near_open, net.ask("look").far_open) == (0, 0) else None, lambda: net.ask("look"))


@pytest.mark.parametrize("data", [b"hold", b"holdhold", b"\0" * 8, b"hold\0\0\0\0\0", b"HOLD\0\0\0\0", b"x" * 5000])
def test_what_is_no_request_is_refused(net, data):
    assert net.request(data).status == errno.EBADMSG
    assert net.ask("look").held == 0


def test_one_that_says_nothing_holds_up_nobody_for_long(net):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
        silent.connect(net.control_path)
        assert net.ask("hold").held == 1


def test_only_a_stream_takes_the_place_of_the_wire(net):
    net.ask("hold")
    first, second = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with first, second, socket.socket() as tcp, open("/dev/null") as null:
        for wrong in (first, tcp, null):
            assert net.request(b"go".ljust(8, b"\0"), wrong).status == errno.EINVAL
    assert net.ask("look").held == 1
    net.ask("go")
    assert net.guest.exchange(FAR, 80, b"one") == b"hello one"


def test_the_wire_of_a_running_guest_is_not_replaced(net):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        assert net.request(b"go".ljust(8, b"\0"), theirs).status == errno.EBUSY
    assert net.guest.exchange(FAR, 80, b"one") == b"hello one"


def test_another_user_is_refused(start, servers):
    net = start(control=True, user="nobody")
    assert net.said == "ok\n"
    assert net.ask("look").held == 0, "root may"
    os.chmod(net.folder, 0o755)
    os.chmod(net.control_path, 0o666)
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        # The interpreter's own files may be out of that user's reach, so no other one is started.
        os.setgroups([])
        os.setuid(pwd.getpwnam("daemon").pw_uid)
        os.write(theirs, str(net.request(b"hold" + bytes(4)).status).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(theirs)
    with os.fdopen(ours) as said:
        assert int(said.read()) == errno.EPERM
    assert net.ask("look").held == 0


# --- what stands still


def test_nothing_comes_again_while_it_is_held(net):
    """A segment that the guest doesn't acknowledge comes again, but not while the VM is parked, however long that lasts."""
    with unix_connection(net.socket) as connection:
        stream = net.guest.accept(22)
        stream.send(b"")
        connection.sendall(b"one")
        net.guest.wait(lambda p: is_for_us(p) and p.payload == b"one")
        net.guest.wait(lambda p: is_for_us(p) and p.payload == b"one", 10)
        net.ask("hold")
        list(net.guest.frames(0.3))
        connection.sendall(b"two")
        # Longer than the next time, and the one after it, would have been away.
        net.guest.silence(lambda p: True, 12)
        net.ask("go")
        assert stream.collect(15, most=6) == b"onetwo"
        stream.send(b"three")
        assert connection.recv(100) == b"three"


def test_a_connection_of_ssh_goes_on_over_another_qemu(net):
    with unix_connection(net.socket) as connection:
        stream = net.guest.accept(22)
        stream.send(b"SSH-2.0-guest\r\n")
        assert connection.recv(100) == b"SSH-2.0-guest\r\n"
        connection.sendall(b"before ")
        assert stream.collect(5, most=7) == b"before "
        net.ask("hold")
        net.guest.near.close()
        connection.sendall(b"meanwhile ")
        time.sleep(2)
        with net.guest.rewire() as wire:
            assert net.ask("go", wire).held == 0
        connection.sendall(b"after")
        assert stream.collect(10, most=15) == b"meanwhile after"
        stream.send(b"all of it")
        assert connection.recv(100) == b"all of it"
    net.wait_for_log("note the VM goes on, with another QEMU")


def test_a_server_far_away_notices_nothing(net):
    """It sends a byte each tenth of a second, and goes on while QEMU isn't there. None is lost, and none comes twice."""
    stream = net.guest.open(FAR, DRIP)
    taken = stream.collect(1)
    net.ask("hold")
    # The last bytes are on the wire: they are lost with QEMU, and come again.
    net.guest.near.close()
    time.sleep(4)
    with net.guest.rewire() as wire:
        net.ask("go", wire)
    taken += stream.collect(20, most=70 - len(taken))
    assert len(taken) >= 70
    assert taken == bytes(number % 251 for number in range(len(taken)))


def test_what_qemu_wrote_before_has_left(start, servers):
    net = start(rules=["open"], control=True)
    frames = 2000
    for _ in range(frames):
        net.guest.datagram(FAR, 8081, b"x" * 100)
    net.ask("hold")
    entry = next(line for line in net.account() if line[:2] == ["reached", "udp"])
    assert entry[4] == "8081" and int(entry[6]) == frames * 100


def test_nothing_of_the_old_wire_goes_over_the_new_one(net):
    """Half a frame on the way in, and much on the way out."""
    guest = net.guest
    for _ in range(3000):
        guest.datagram(GATEWAY, 9, b"x" * 400)
    guest.near.sendall((1000).to_bytes(4, "big") + bytes(20))
    net.ask("hold")
    with guest.rewire() as wire:
        net.ask("go", wire)
    # Guest.frames() fails on a length or a checksum that doesn't fit.
    guest.silence(lambda p: True)
    assert guest.exchange(FAR, 80, b"one") == b"hello one"


def test_half_a_frame_is_completed_when_a_park_was_given_up(net):
    guest = net.guest
    frame = bytes(60)
    guest.near.sendall(len(frame).to_bytes(4, "big") + frame[:20])
    net.ask("hold")
    net.ask("go")
    guest.near.sendall(frame[20:])
    assert guest.exchange(FAR, 80, b"one") == b"hello one"


def test_it_is_parked_again_and_again(net):
    stream = net.guest.open(network.KEPT, 80)
    for number in range(300):
        net.ask("hold")
        with net.guest.rewire() as wire:
            net.ask("go", wire)
        if number % 50 == 0:
            stream.send(b"%03d" % number)
            assert stream.collect(10, most=3) == b"%03d" % number


def test_rules_are_followed_while_it_is_held(start, servers):
    net = start(rules=["open"], control=True)
    stream = net.guest.open(network.KEPT, 80)
    net.ask("hold")
    with open(net.rules_path, "a+") as file:
        file.truncate(0)
        file.write("none\nend 77\n")
    until(lambda: True if open(net.account_path).read().endswith("end 77\n") else None, lambda: open(net.account_path).read())
    net.ask("go")
    stream.send(b"x")
    assert stream.said() == b""


@pytest.mark.long
def test_a_name_holds_for_the_guests_time(start, servers):
    """The answer of the DNS holds a minute and ten seconds of a clock that stands still with the guest's."""
    net = start(rules=["allow", "to-11-22-33-46.example"], control=True)
    net.guest.resolve("to-11-22-33-46.example")
    net.ask("hold")
    time.sleep(75)
    net.ask("go")
    assert net.guest.connect(network.KEPT, 80).flags == SYN | ACK


# --- how it ends


def test_the_end_of_qemu_ends_it_only_while_the_vm_runs(net):
    net.ask("hold")
    net.guest.near.close()
    time.sleep(2.5)
    assert net.process.poll() is None and net.ask("look").held == 1
    with net.guest.rewire() as wire:
        net.ask("go", wire)
    assert net.guest.exchange(FAR, 80, b"one") == b"hello one"
    net.guest.near.close()
    assert net.process.wait(timeout=5) == 0


def test_going_on_over_a_wire_that_has_ended_ends_it(net):
    net.ask("hold")
    net.guest.near.close()
    net.ask("go")
    assert net.process.wait(timeout=5) == 0
    assert not os.path.exists(net.socket)


def test_it_ends_when_it_is_told_to_while_it_is_held(net):
    net.ask("hold")
    worker = net.worker()
    os.kill(net.supervisor(), signal.SIGTERM)
    assert net.process.wait(timeout=5) == 0
    assert not is_running(worker) and not os.path.exists(net.socket)


def kill_worker(net):
    worker = net.worker()
    os.kill(worker, signal.SIGKILL)
    until(lambda: True if net.workers() not in ([], [worker]) else None, net.log)


def test_a_worker_that_dies_meanwhile_is_replaced_by_one_that_is_held(woken, program):
    net = woken()
    stream = net.guest.open(FAR, DRIP)
    net.ask("hold")
    list(net.guest.frames(0.3))
    kill_worker(net)
    assert net.ask("look").held == 1
    assert net.ask("look").far_open == 0
    net.guest.datagram(GATEWAY, 9, b"x")
    net.guest.silence(lambda p: True)
    assert not program.ran()
    with unix_connection(net.socket):
        assert program.wait(2) == [begun("wake", "blog"), "end wake blog"]
    net.guest.near.close()
    with net.guest.rewire() as wire:
        net.ask("go", wire)
    stream.send(b"")
    net.guest.wait(lambda p: is_for_us(p) and p.destination_port == stream.own and p.flags & RST)
    assert net.guest.exchange(FAR, 80, b"one") == b"hello one"


def test_a_worker_that_dies_when_it_is_told_is_replaced_all_the_same(net):
    """It can't obey, because it was stopped; then it is killed."""
    worker = net.worker()
    os.kill(worker, signal.SIGSTOP)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(20)
        connection.connect(net.control_path)
        connection.send(b"hold" + bytes(4))
        os.kill(worker, signal.SIGKILL)
        reply = network.Reply(*network.REPLY.unpack(connection.recv(100)))
    assert (reply.status, reply.held) == (0, 1)
    with net.guest.rewire() as wire:
        net.ask("go", wire)
    assert net.guest.exchange(FAR, 80, b"one") == b"hello one"


# --- what wakes it


@contextlib.contextmanager
def near_connection(net):
    """A connection through the ssh socket, and the guest's end of it. Nothing is on its way."""
    with unix_connection(net.socket) as connection:
        stream = net.guest.accept(22)
        stream.send(b"SSH-2.0")
        assert connection.recv(100) == b"SSH-2.0"
        yield connection, stream


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


def test_an_idle_vm_is_looked_for_unless_it_is_parked(woken, program, tmp_path):
    (tmp_path / "sleep").write_text("1.5")
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


def test_a_program_goes_on_when_machine_net_ends(woken, program, tmp_path):
    """`machine park` that is half done must not be cut off."""
    (tmp_path / "sleep").write_text("2")
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


def test_a_user_without_rights_can_be_parked(start, servers):
    net = start(control=True, user="nobody")
    net.ask("hold")
    with net.guest.rewire() as wire:
        net.ask("go", wire)
    assert net.guest.exchange(FAR, 80, b"one") == b"hello one"
