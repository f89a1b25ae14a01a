"""machine-net while its VM is parked: connections stay as they are, and go on over another QEMU."""

import errno
import os
import pwd
import signal
import socket
import time

import network
import pytest
from guest import ACK, GATEWAY, RST, SYN
from network import FAR, is_running, unix_connection, until
from waker import begun, is_for_us

DRIP = 83  # port of FAR


@pytest.fixture
def net(start, servers):
    net = start(control=True)
    assert net.said == "ok\n"
    return net


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


def test_a_user_without_rights_can_be_parked(start, servers):
    net = start(control=True, user="nobody")
    net.ask("hold")
    with net.guest.rewire() as wire:
        net.ask("go", wire)
    assert net.guest.exchange(FAR, 80, b"one") == b"hello one"
