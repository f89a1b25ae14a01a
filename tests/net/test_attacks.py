"""What a guest may try, segment by segment, against the code that reads names. Nothing that wasn't judged reaches a server."""

import hashlib
import os
import select
import socket
import struct

import pytest
from guest import ACK, DNS, FIN, PSH, RST, SYN, TCP, WAIT, Stream, client_hello, dns_question, is_reset
from network import FAR, KEPT, NAMED, TAKER, unix_connection, until

KEPT_NAME = "to-11-22-33-46.example.org"
TAKER_NAME = "to-11-22-33-47.example.org"
RULES = ("allow", "api.example.org", KEPT_NAME, TAKER_NAME)
UPLOAD = bytes(range(250)) * 5
UPLOAD_AT_ONCE = 40
UPLOAD_ROUNDS = (1 << 31) // (UPLOAD_AT_ONCE * len(UPLOAD)) + 1000
EVIL = {80: b"GET /evil HTTP/1.1\r\nHost: evil.example.org\r\n\r\n", 443: b"SSH-2.0-evil-evil-evil-evil-evil\r\n" * 4}
ALLOWED = {80: b"GET / HTTP/1.1\r\nHost: api.example.org\r\n\r\n", 443: client_hello("api.example.org")}


@pytest.fixture
def guest(net):
    assert net.guest.resolve("api.example.org").endswith(socket.inet_aton(NAMED))
    assert net.guest.resolve(KEPT_NAME).endswith(socket.inet_aton(KEPT))
    return net.guest


def resident(pid):
    """Resident memory, in KiB."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def answers(guest, own, seconds=2):
    """The data that came for that port. The server sends back what it got, so this shows what reached it."""
    return b"".join(packet.payload for packet in guest.frames(seconds) if packet.protocol == TCP and packet.destination_port == own)


def syn(guest, own, port, sequence):
    guest.send_tcp(own, NAMED, port, SYN, sequence=sequence)


def take(guest, own):
    """Waits for the SYN and ACK of a new connection."""
    return guest.wait(lambda p: p.protocol == TCP and p.destination_port == own and p.flags == SYN | ACK)


def close_both_ways(guest, stream):
    """Sends the guest's FIN and takes the server's. After that libslirp has forgotten the connection and waits for nothing."""
    guest.send_tcp(stream.own, stream.address, stream.port, ACK | FIN, sequence=stream.sequence, acknowledgement=stream.theirs)
    fin = guest.wait(lambda p: p.protocol == TCP and p.destination_port == stream.own and p.flags & FIN)
    guest.send_tcp(stream.own, stream.address, stream.port, ACK, sequence=stream.sequence + 1, acknowledgement=fin.sequence + 1)
    list(guest.frames(0.2))


@pytest.mark.parametrize("port", [80, 443])
def test_a_connection_that_ended_and_begins_with_the_same_number_is_judged_anew(guest, port):
    allowed = client_hello(KEPT_NAME) if port == 443 else b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % KEPT_NAME.encode()
    stream = guest.open(KEPT, port)
    stream.send(allowed)
    assert stream.said() == allowed
    close_both_ways(guest, stream)
    guest.send_tcp(stream.own, KEPT, port, SYN, sequence=1000)
    again = Stream(guest, KEPT, port, take(guest, stream.own))
    again.send(b"")
    again.send(EVIL[port][:len(allowed)])
    assert b"evil" not in answers(guest, stream.own)


@pytest.mark.parametrize("port", [80, 443])
def test_a_connection_that_is_begun_twice_is_one_for_judge_and_server(net, guest, port):
    """A second SYN has a number so far before the first that the allowed name lies before the first one's window."""
    hello, own = ALLOWED[port], guest.next_port()
    syn(guest, own, port, 5000)
    syn(guest, own, port, 5000 - len(hello))
    answer = guest.wait(lambda p: p.protocol == TCP and p.destination_port == own and p.flags & SYN)
    stream = Stream(guest, NAMED, port, answer)
    stream.send(b"", at=5001)
    for at, data in ((5001 - len(hello), hello), (5001, EVIL[port]), (5001 - len(hello), hello + EVIL[port])):
        stream.send(data, at=at)
    assert b"evil" not in answers(guest, own)
    assert not any(line[0] == "reached" for line in net.account())


@pytest.mark.parametrize("first, second", [(1, 0), (0, 1), (2, 1)])
def test_overlapping_segments_are_read_as_they_arrive(guest, first, second):
    """Bytes come once, and then other bytes in their place, before and after what is held."""
    hello, evil = ALLOWED[443], client_hello("evil.example.org").ljust(len(ALLOWED[443]), b"\0")
    parts = [(0, evil[:70]), (40, hello[40:]), (0, hello)]
    stream = guest.open(NAMED, 443)
    for at, data in (parts[first], parts[second]):
        stream.send(data, at=1001 + at)
    assert b"evil" not in answers(guest, stream.own, 1)


@pytest.mark.parametrize("port", [80, 443])
def test_a_reset_in_the_midst_of_a_name_ends_it(guest, port):
    """A new connection with the same ports begins from nothing."""
    half = len(ALLOWED[port]) // 2
    stream = guest.open(NAMED, port)
    stream.send(ALLOWED[port][:half])
    guest.send_tcp(stream.own, NAMED, port, RST, sequence=stream.sequence, acknowledgement=stream.theirs)
    syn(guest, stream.own, port, stream.sequence - 1)
    again = Stream(guest, NAMED, port, take(guest, stream.own))
    again.sequence = stream.sequence
    again.send(b"")
    again.send(ALLOWED[port][half:])
    assert again.said() == b""


def test_urgent_bytes_do_not_make_the_network_send_what_it_was_not_given(start, servers):
    """libslirp believed the length of the urgent data, and sent that much of its memory."""
    net = start()
    stream = net.guest.open(KEPT, 80)
    segment = stream.urgent(b"x", pointer=1500)
    net.guest.send_ipv4(TCP, segment, KEPT)
    assert len(answers(net.guest, stream.own, 1)) <= 1


def padded(guest, stream, data, size):
    """Sends a frame of `size` bytes. All but the packet is padding."""
    guest.send(stream.frame(data).ljust(size, b"\0"))
    stream.sequence += len(data)


def test_frames_with_padding_take_no_more_memory_than_what_they_carry(net, guest):
    worker = net.worker()
    before = resident(worker)
    for _ in range(4):
        stream = guest.open(NAMED, 443)
        for byte in client_hello("api.example.org")[:-1]:
            padded(guest, stream, bytes([byte]), 60000)
        list(guest.frames(0.1))
    assert resident(worker) - before < 4096
    assert net.worker() == worker


def test_a_thousand_connections_wait_for_their_names_within_the_budget(net, guest):
    """Part of each name is held, then all of them are completed."""
    hello = client_hello(KEPT_NAME)
    worker = net.worker()
    before = resident(worker)
    streams = [guest.open(KEPT, 443) for _ in range(1000)]
    for stream in streams:
        stream.send(hello[:-1])
    list(guest.frames(0.5))
    taken = resident(worker) - before
    for stream in streams:
        stream.send(hello[-1:])
    waiting = {stream.own for stream in streams}
    for packet in guest.frames(20):
        if packet.protocol == TCP and packet.payload:
            assert packet.payload[0] == 22
            waiting.discard(packet.destination_port)
        if not waiting:
            break
    assert not waiting
    # Each connection has two buffers of libslirp and one of ours, which are mostly unused.
    assert taken < 32 << 10, taken
    assert net.worker() == worker


def test_what_exceeds_the_budget_is_refused_by_name_and_nothing_else_is(start, servers):
    net = start("--held=64", rules=RULES)
    guest = net.guest
    guest.resolve("api.example.org")
    long = b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc" + bytes(16000)
    streams = [guest.open(NAMED, 443) for _ in range(8)]
    for stream in streams:
        for at in range(0, 12000, 1400):
            stream.send(long[at:at + 1400])
    refused = {packet.destination_port for packet in guest.frames(2) if is_reset(packet)}
    assert 3 <= len(refused) <= 5
    net.wait_for_log(f" tcp {NAMED} 443 held-too-much api.example.org")
    until(lambda: next((line for line in net.account() if "held-too-much" in line), None))
    for stream in streams:
        guest.send_tcp(stream.own, NAMED, 443, RST, sequence=stream.sequence, acknowledgement=stream.theirs)
    assert guest.exchange(NAMED, 443, ALLOWED[443]).startswith(b"hello ")


@pytest.mark.long
@pytest.mark.parametrize("port", [80, 443])
def test_an_upload_of_a_watched_connection_has_no_longest_length(net, guest, port):
    """The upload takes more than half of TCP's sequence numbers. Beyond that, new numbers look as if they were old."""
    assert guest.resolve(TAKER_NAME).endswith(socket.inet_aton(TAKER))
    body = UPLOAD_ROUNDS * UPLOAD_AT_ONCE * len(UPLOAD)
    stream = guest.open(TAKER, port)
    head = client_hello(TAKER_NAME) if port == 443 else \
        b"POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (TAKER_NAME.encode(), body)
    sent = hashlib.sha256(head)
    stream.send(head)
    for _ in range(UPLOAD_ROUNDS):
        send_at_once(guest, stream)
        sent.update(UPLOAD * UPLOAD_AT_ONCE)
    guest.send_tcp(stream.own, TAKER, port, ACK | FIN, sequence=stream.sequence, acknowledgement=stream.theirs)
    assert stream.said() == sent.hexdigest().encode()
    until(lambda: [line for line in net.account() if line[0] == "reached" and str(len(head) + body) in line])


def send_at_once(guest, stream):
    """Sends most of a window in segments, and waits until they are acknowledged. Only the first checksum is computed in full."""
    first = stream.frame(UPLOAD)
    guest.send_all([shifted(first, number * len(UPLOAD)) for number in range(UPLOAD_AT_ONCE)])
    stream.sequence = (stream.sequence + UPLOAD_AT_ONCE * len(UPLOAD)) % (1 << 32)
    for packet in guest.frames(WAIT):
        if packet.protocol == TCP and packet.destination_port == stream.own:
            assert not packet.flags & RST, "it was cut off"
            if packet.acknowledgement == stream.sequence:
                return
    raise AssertionError(f"it stalled before {stream.sequence}")


def shifted(frame, offset):
    """The same frame with another sequence number. The checksum is corrected by the difference."""
    at, before = 34 + 4, struct.unpack("!I", frame[38:42])[0]
    after = (before + offset) % (1 << 32)
    total = (~struct.unpack("!H", frame[50:52])[0] & 0xFFFF) + (after >> 16) + (after & 0xFFFF) \
        + (~(before >> 16) & 0xFFFF) + (~before & 0xFFFF)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return frame[:at] + struct.pack("!I", after) + frame[at + 4:50] + struct.pack("!H", ~total & 0xFFFF) + frame[52:]


def test_segments_out_of_order_take_no_more_memory_than_a_limit(start, servers):
    """libslirp keeps each segment in 9 KiB, even one of a single byte, and a window has room for 65,000. The test sends the last ones
    first, because libslirp finds those soonest."""
    net = start()
    worker = net.worker()
    for stream in [net.guest.open(KEPT, 80) for _ in range(2)]:
        frame = stream.frame(b"x")
        for last in range(60000, 0, -2000):
            net.guest.send_all(shifted(frame, offset) for offset in range(last, last - 2000, -2))
            while select.select([net.guest.near], [], [], 0)[0]:
                net.guest.near.recv(1 << 20)
    net.wait_for_log("out of order takes")
    net.guest.received = b""
    assert resident(worker) < 120 << 10
    assert net.worker() == worker


def test_an_account_and_a_log_hold_so_much_and_what_was_reached_stays(net, guest):
    assert guest.exchange(NAMED, 443, ALLOWED[443]).startswith(b"hello ")
    for number in range(1500):
        guest.datagram(DNS, 53, dns_question(f"{'x' * 60}.{'y' * 60}.n{number}.example.net"))
        guest.datagram(f"11.22.{44 + number // 250}.{number % 250 + 1}", 9, b"")
        if number % 100 == 0:
            list(guest.frames(0))
    list(guest.frames(1.5))
    lines = until(lambda: net.account() or None)
    assert len(lines) <= 512
    assert any(line[:3] == ["reached", "tcp", "api.example.org"] for line in lines)
    assert len(net.log()) < 64 << 10


def test_what_comes_in_by_a_forward_is_not_judged(start, servers):
    net = start(rules=("none",))
    with unix_connection(net.socket) as connection:
        connection.sendall(b"hello there")
        opened = net.guest.wait(lambda p: p.protocol == TCP and p.flags == SYN)
        net.guest.send_tcp(22, opened.source, opened.source_port, SYN | ACK, sequence=500, acknowledgement=opened.sequence + 1)
        net.guest.send_tcp(22, opened.source, opened.source_port, ACK | PSH, sequence=501, acknowledgement=opened.sequence + 1, payload=EVIL[443])
        assert connection.recv(1000).startswith(b"SSH-2.0-evil")


def test_a_server_that_resets_what_nobody_reads_does_not_end_the_worker(start, servers):
    """The buffers for the guest and for the server are both full, so libslirp has nowhere to read to when it hears of the reset."""
    net = start()
    worker = net.worker()
    stream = net.guest.open(FAR, 81)
    stream.send(b"GET")
    list(net.guest.frames(0.5))
    for _ in range(200):
        stream.send(bytes(1400))
    list(net.guest.frames(6))
    assert net.worker() == worker
    assert net.guest.exchange(FAR, 80, b"world") == b"hello world"
