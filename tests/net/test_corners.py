"""Rare cases: each makes system calls that ordinary use doesn't make."""

import hashlib
import os
import signal
import socket
import time

import network
import pytest
from guest import GATEWAY, ICMP, TCP, UDP, echo, is_reset
from network import FAR, ip, until

RESOLVED = socket.inet_aton("11.22.33.44")


@pytest.fixture
def resolv_conf(namespaces):
    """Writes the host's resolv.conf. Afterwards the old one is back."""
    path = os.path.join(namespaces.etc, "resolv.conf")
    with open(path) as file:
        before = file.read()

    def write(text):
        with open(path, "w") as file:
            file.write(text)

    yield write
    write(before)


def test_what_is_downloaded_is_whole(guest):
    size = 4 << 20
    data = guest.download(FAR, 81, size)
    assert len(data) == size and data == bytes(number % 251 for number in range(size))


def test_what_is_uploaded_is_whole(guest):
    data = os.urandom(300000)
    assert guest.upload(FAR, 82, data) == hashlib.sha256(data).hexdigest().encode()


def test_a_resolver_behind_an_interface_name_is_passed_over(start, servers, resolv_conf):
    resolv_conf(f"# by hand\nnameserver fe80::1%lo\nnameserver 2001:db8::1\nnameserver {FAR}\n")
    net = start()
    worker = net.worker()
    assert net.guest.resolve("example.org").endswith(RESOLVED)
    assert net.worker() == worker


def test_another_resolver_is_found(start, servers, resolv_conf):
    """libslirp looks once a second."""
    resolv_conf("nameserver 11.22.33.250\n")
    net = start()
    worker = net.worker()
    net.guest.datagram("10.0.2.3", 53, b"")
    resolv_conf(f"nameserver {FAR}\n# a different length\n")

    def ask():
        own = net.guest.datagram("10.0.2.3", 53, b"\x12\x34\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1")
        return [p for p in net.guest.frames(0.5) if p.protocol == UDP and p.destination_port == own] or None

    assert until(ask)[0].payload.endswith(RESOLVED)
    assert net.worker() == worker


def test_without_a_resolver_dns_fails_and_all_else_works(start, servers, resolv_conf):
    resolv_conf("")
    net = start()
    worker = net.worker()
    net.guest.datagram("10.0.2.3", 53, b"")
    assert net.guest.wait(lambda p: p.protocol == ICMP).type == 3
    assert net.guest.exchange(FAR, 80, b"world") == b"hello world"
    assert net.worker() == worker


def test_a_closed_udp_port_far_away_is_said_at_once(guest):
    guest.datagram(FAR, 4444, b"world")
    answer = guest.wait(lambda p: p.protocol == ICMP)
    assert (answer.type, answer.code) == (3, 3)


def test_where_nobody_may_ping_the_rest_works(net, guest, namespaces):
    worker = net.worker()
    namespaces.run(namespaces.host, ["sysctl", "-q", "-w", "net.ipv4.ping_group_range=1 0"])
    try:
        guest.send_ipv4(ICMP, echo(), FAR)
        assert guest.exchange(FAR, 80, b"world") == b"hello world"
    finally:
        namespaces.run(namespaces.host, ["sysctl", "-q", "-w", "net.ipv4.ping_group_range=0 2147483647"])
    assert net.worker() == worker


def test_a_host_without_a_way_says_so_at_once(net, guest, namespaces):
    worker = net.worker()
    ip("-n", namespaces.host, "route", "del", "default")
    try:
        own = guest.next_port()
        guest.send_tcp(own, "12.34.56.78", 80, 2)
        answer = guest.wait(lambda p: p.protocol in (ICMP, TCP), 1)
        assert is_reset(answer) or answer.type == 3
        guest.datagram("12.34.56.78", 80, b"")
        assert guest.wait(lambda p: p.protocol == ICMP, 1).type == 3
    finally:
        ip("-n", namespaces.host, "route", "add", "default", "via", FAR)
    assert net.worker() == worker


def spin(pid):
    """Makes the process loop for ever: writes a jump to itself where its system call returns. Returns None if it is in no system call."""
    jump = b"\xeb\xfe" if os.uname().machine == "x86_64" else b"\x00\x00\x00\x14"
    with open(f"/proc/{pid}/syscall") as file:
        words = file.read().split()
    if words[0] == "running":
        return None
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(int(words[-1], 16))
        memory.write(jump)
    return True


def assert_replaced(net, worker, seconds):
    until(lambda: True if net.workers() not in ([], [worker]) else None, net.log, seconds)
    assert net.guest.exchange(FAR, 80, b"world") == b"hello world"
    assert "the worker hangs" in net.log()


def test_a_worker_that_turns_in_a_circle_is_replaced(start, servers):
    net = start()
    worker = net.worker()
    until(lambda: spin(worker), net.log)
    assert_replaced(net, worker, 300)


@pytest.mark.long
def test_a_worker_that_sleeps_for_minutes_is_replaced(start, servers):
    net = start()
    worker = net.worker()
    os.kill(worker, signal.SIGSTOP)
    assert_replaced(net, worker, 600)


@pytest.mark.long
def test_a_worker_that_a_busy_computer_lets_wait_is_not_replaced(start, servers):
    net = start()
    worker = net.worker()
    stream = net.guest.open(FAR, 80)
    os.kill(worker, signal.SIGSTOP)
    time.sleep(20)
    os.kill(worker, signal.SIGCONT)
    stream.send(b"world")
    assert stream.said() == b"hello world"
    assert net.worker() == worker


def test_a_full_log_is_turned_over_by_a_confined_worker(start, servers, tmp_path):
    path = tmp_path / "full.log"
    path.write_text("old\n" * (network.LOG_MOST // 4))
    net = start(f"--log={path}")
    assert is_reset(net.guest.connect(GATEWAY, 8080))
    until(lambda: f"tcp {GATEWAY} 8080 host" in path.read_text() or None)
    assert path.stat().st_size < 200
    assert (tmp_path / "full.log.1").read_text().startswith("old\nold\n")
