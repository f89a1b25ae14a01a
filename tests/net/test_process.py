"""The two processes: what they bind, what they give up, and that each ends in time."""

import os
import re
import signal
import socket
import stat
import subprocess

import network
import pytest
from guest import ACK, GATEWAY, PSH, SYN, TCP, is_reset
from network import FAR, is_running, status_of, unix_connection, until


def handshake_from_host(guest, port, said):
    """The guest's side of a connection that the host opened: accepts it, sends `said`, returns the first data that came."""
    syn = guest.wait(lambda p: p.protocol == TCP and p.flags == SYN)
    assert (syn.source, syn.destination, syn.destination_port) == (GATEWAY, "10.0.2.15", port)
    guest.send_tcp(port, GATEWAY, syn.source_port, SYN | ACK, sequence=500, acknowledgement=syn.sequence + 1)
    guest.send_tcp(port, GATEWAY, syn.source_port, ACK | PSH, sequence=501, acknowledgement=syn.sequence + 1, payload=said)
    return guest.wait(lambda p: p.protocol == TCP and p.payload).payload


def test_the_socket_of_ssh_is_ours_alone(net):
    found = os.stat(net.socket)
    assert stat.S_ISSOCK(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o600
    assert stat.S_IMODE(os.stat(net.log_path).st_mode) == 0o600


def test_a_connection_to_the_socket_reaches_port_22_of_the_guest(net, guest):
    with unix_connection(net.socket) as connection:
        connection.sendall(b"SSH-2.0-host\r\n")
        assert handshake_from_host(guest, 22, b"SSH-2.0-guest\r\n") == b"SSH-2.0-host\r\n"
        assert connection.recv(100) == b"SSH-2.0-guest\r\n"


def test_a_forwarded_port_reaches_the_guest(start, namespaces):
    net = start("--forward=3000:8000", "--forward=3001:8001")
    assert net.said == "ok\n"
    client = subprocess.Popen(
        ["ip", "netns", "exec", namespaces.host, "python3", "-c", "import socket\n"
         "s = socket.create_connection(('127.0.0.1', 3001), 10); s.sendall(b'GET'); print(s.recv(9).decode())"],
        stdout=subprocess.PIPE, text=True)
    assert handshake_from_host(net.guest, 8001, b"page") == b"GET"
    assert client.communicate(timeout=10)[0] == "page\n"


def listeners(namespaces):
    """(address, port) of each listening TCP socket in the host's namespace."""
    out = subprocess.run(["ip", "netns", "exec", namespaces.host, "ss", "-Htln"], check=True, capture_output=True, text=True,
                         timeout=10).stdout
    return {line.split()[3] for line in out.splitlines()}


def test_nothing_listens_but_what_was_asked_for(namespaces, start):
    before = listeners(namespaces)
    assert start().said == "ok\n"
    assert listeners(namespaces) == before
    assert start("--forward=3000:3000").said == "ok\n"
    assert listeners(namespaces) - before == {"127.0.0.1:3000"}


def test_a_port_that_is_taken_is_named(start):
    assert start("--forward=3000:3000").said == "ok\n"
    net = start("--forward=2999:1", "--forward=3000:3000")
    assert net.said == "port 3000 on 127.0.0.1 is already in use\n"
    assert net.process.wait(timeout=5) == 1
    assert not os.path.exists(net.socket)


def test_a_socket_that_is_served_is_left_alone(start, namespaces):
    first = start()
    second = start(f"--ssh-socket={first.socket}")
    assert second.said == f"'{first.socket}' is already in use\n"
    assert second.process.wait(timeout=5) == 1
    with unix_connection(first.socket):
        first.guest.wait(lambda p: p.protocol == TCP and p.flags == SYN)


def test_a_socket_that_a_killed_process_left_is_replaced(start):
    first = start()
    worker = first.worker()
    os.kill(first.supervisor(), signal.SIGKILL)
    first.process.wait(timeout=5)
    until(lambda: None if is_running(worker) else True)
    assert os.path.exists(first.socket)
    second = start(f"--ssh-socket={first.socket}")
    assert second.said == "ok\n"
    with unix_connection(first.socket):
        second.guest.wait(lambda p: p.protocol == TCP and p.flags == SYN)


@pytest.mark.parametrize("options, said", [
    (["--forward=70000:1"], "'70000:1' is not HOSTPORT:GUESTPORT\n"),
    (["--forward=3000"], "'3000' is not HOSTPORT:GUESTPORT\n"),
    (["--frames-fd=0"], "'0' is not a descriptor\n"),
    (["--frames-fd=77"], "descriptor 77 is not a stream socket\n"),
    (["operand"], "'operand' is not an option\n"),
    (["--control-fd=77"], "descriptor 77 is not a listening socket for messages\n"),
    (["--idle-look=60"], "--waker needs --vm, and --vm and --idle-look need --waker\n"),
    (["--waker=/bin/true"], "--waker needs --vm, and --vm and --idle-look need --waker\n"),
    (["--waker=/bin/true", "--vm=blog", "--idle-look=0"], "'0' is not a number of seconds\n"),
    (["--wake-on=near"], "unknown '--wake-on=near': use 'any', or leave it out\n"),
    (["--log=/nowhere/net.log"], "cannot open '/nowhere/net.log': No such file or directory\n"),
    (["--ssh-socket=/nowhere/ssh"], "cannot listen on '/nowhere/ssh': No such file or directory\n"),
    ([f"--ssh-socket=/tmp/{'x' * 120}"], f"the path of the socket '/tmp/{'x' * 120}' is longer than 107 bytes\n"),
])
def test_what_can_not_be_set_up_is_said_in_a_line(start, options, said):
    net = start(*options)
    assert net.said == said
    assert net.process.wait(timeout=5) == 1


def test_it_ends_with_qemu(start):
    net = start()
    pids = [net.supervisor(), net.worker()]
    net.guest.close()
    assert net.process.wait(timeout=5) == 0
    assert not any(is_running(pid) for pid in pids)
    assert not os.path.exists(net.socket)


def test_it_ends_when_it_is_told_to(start):
    net = start()
    worker = net.worker()
    os.kill(net.supervisor(), signal.SIGTERM)
    assert net.process.wait(timeout=5) == 0
    assert not is_running(worker) and not os.path.exists(net.socket)


def test_a_worker_goes_with_its_supervisor(start):
    net = start()
    worker = net.worker()
    os.kill(net.supervisor(), signal.SIGKILL)
    net.process.wait(timeout=5)
    until(lambda: None if is_running(worker) else True)


def kill_worker(net):
    worker = net.worker()
    os.kill(worker, signal.SIGKILL)
    until(lambda: True if net.workers() not in ([], [worker]) else None, net.log)


def test_a_worker_that_died_is_replaced(start, servers):
    net = start("--forward=3000:3000")
    assert net.guest.exchange(FAR, 80, b"one") == b"hello one"
    kill_worker(net)
    assert net.guest.exchange(FAR, 80, b"two") == b"hello two"
    with unix_connection(net.socket) as connection:
        connection.sendall(b"SSH-2.0-host\r\n")
        assert handshake_from_host(net.guest, 22, b"x") == b"SSH-2.0-host\r\n"
    assert "127.0.0.1:3000" in listeners(servers)
    net.wait_for_log("signal 9 (Killed); a new one takes over")


def test_frames_keep_their_bounds_when_a_worker_dies(start, servers):
    """Half a frame is on its way in, and much is waiting for a guest that doesn't read."""
    net = start()
    guest = net.guest
    for _ in range(3000):
        guest.datagram(GATEWAY, 9, b"x" * 400)
    frame = bytes(60)
    guest.near.sendall((len(frame)).to_bytes(4, "big") + frame[:20])
    kill_worker(net)
    guest.near.sendall(frame[20:])
    # Guest.frames() fails on a length or a checksum that doesn't fit.
    assert len([p for p in guest.frames(1) if p.protocol == 1]) > 100
    assert guest.exchange(FAR, 80, b"world") == b"hello world"


def test_a_guest_that_does_not_read_loses_frames_and_takes_no_memory(start, servers):
    net = start()
    worker = net.worker()
    before = int(status_of(worker)["VmRSS"].split()[0])
    for _ in range(20000):
        net.guest.datagram(GATEWAY, 9, b"x" * 400)
    assert int(status_of(worker)["VmRSS"].split()[0]) - before < 2048
    answers = len([p for p in net.guest.frames(1) if p.protocol == 1])
    assert 100 < answers < 20000
    assert net.guest.exchange(FAR, 80, b"world") == b"hello world"


def test_workers_that_die_again_and_again_are_given_up(start):
    net = start()
    for _ in range(10):
        kill_worker(net)
    os.kill(net.worker(), signal.SIGKILL)
    assert net.process.wait(timeout=5) == 1
    assert "too often, the network is down" in net.log()
    assert not os.path.exists(net.socket)


def test_a_stream_without_frames_ends_it(start):
    net = start()
    net.guest.near.sendall(b"\xff" * 100)
    assert net.process.wait(timeout=5) == 1
    assert "makes no sense" in net.log()


def test_both_processes_gave_up_what_they_do_not_need(net):
    for pid in (net.supervisor(), net.worker()):
        status = status_of(pid)
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
        with open(f"/proc/{pid}/limits") as file:
            # A limit of one byte leaves no room for a core and forbids piping one (fs/coredump.c in the kernel). 0 if that was the limit before.
            assert re.search(r"Max core file size +([01]) +\1 ", file.read())
    assert int(status_of(net.worker())["CapEff"], 16) == 0
    assert int(status_of(net.worker())["CapPrm"], 16) == 0
    assert int(status_of(net.supervisor())["CapPrm"], 16) == 1 << 10


def test_the_log_says_which_walls_there_are(net):
    net.wait_for_log(" note walls: system calls")


def test_libslirp_reaches_the_network_through_our_functions():
    """The dynamic loader finds the program's own functions first, if they are in its table."""
    table = subprocess.run(["nm", "-D", "--defined-only", network.PROGRAM], check=True, capture_output=True, text=True, timeout=20).stdout
    assert {line.split()[2] for line in table.splitlines()} >= {"connect", "accept", "send", "sendto", "recv", "shutdown", "close"}


def test_a_libslirp_that_goes_elsewhere_is_not_started_with(start, tmp_path):
    """A libslirp that calls libc's function by another name."""
    slirp = next(line.split()[2] for line in subprocess.run(["ldd", network.PROGRAM], check=True, capture_output=True, text=True,
                                                             timeout=20).stdout.splitlines() if "libslirp" in line)
    copy = tmp_path / "libslirp.so.0"
    data = open(slirp, "rb").read()
    assert data.count(b"\0sendto\0") == 1
    # Only libc has a function of this name.
    copy.write_bytes(data.replace(b"\0sendto\0", b"\0__send\0"))
    net = start(environment={"LD_LIBRARY_PATH": str(tmp_path)})
    assert "does not reach the network through machine-net" in net.said
    assert net.process.wait(timeout=5) == 1


def test_descriptors_of_others_are_closed(start):
    read, write = os.pipe()
    os.set_inheritable(write, True)
    net = start()
    for pid in (net.supervisor(), net.worker()):
        held = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        assert f"pipe:[{os.fstat(write).st_ino}]" not in held
    os.close(read)
    os.close(write)


def test_a_user_without_rights_can_run_it(start, servers):
    net = start("--forward=3000:3000", user="nobody")
    assert net.said == "ok\n"
    assert net.guest.exchange(FAR, 80, b"world") == b"hello world"
    assert net.guest.resolve("example.org").endswith(socket.inet_aton("11.22.33.44"))
    assert is_reset(net.guest.connect(GATEWAY, 8080))
    assert os.stat(net.socket).st_uid != 0
    kill_worker(net)
    assert net.guest.exchange(FAR, 80, b"world") == b"hello world"


def test_a_guest_can_not_use_up_what_ssh_needs(start, servers):
    """The guest opens more connections than there are descriptors, then the host opens one."""
    net = start()
    worker = net.worker()
    for number in range(5000):
        net.guest.send_tcp(1024 + number, FAR, 80, SYN)
        if number % 100 == 0:
            list(net.guest.frames(0))
    list(net.guest.frames(2))
    assert "full" in net.log()
    with unix_connection(net.socket) as connection:
        connection.sendall(b"SSH-2.0-host\r\n")
        assert handshake_from_host(net.guest, 22, b"x") == b"SSH-2.0-host\r\n"
    assert net.worker() == worker
