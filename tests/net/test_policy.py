"""What a guest can reach, and how the rest is refused."""

import socket
import struct
import time

import pytest
from guest import (ACK, DNS, GATEWAY, ICMP, IPV4, IPV6, RST, SYN, TCP, UDP, dns_question, echo, ethernet, ipv4, is_prohibited,
                   is_reset, tcp, udp)
from network import FAR, HOST_FAR, HOST_LAN, METADATA, NEIGHBOUR, ip

RESOLVED = socket.inet_aton("11.22.33.44")


def any_answer(packet):
    return packet.protocol in (ICMP, TCP, UDP)


def test_a_server_on_the_internet_is_reached_by_tcp(guest):
    assert guest.exchange(FAR, 80, b"world") == b"hello world"


def test_a_server_on_the_internet_is_reached_by_udp(guest):
    own = guest.datagram(FAR, 8081, b"world")
    assert guest.wait(lambda p: p.protocol == UDP and p.destination_port == own).payload == b"hello world"


def test_a_datagram_may_be_as_long_as_the_guests_device_allows(guest):
    """The device of our own guests allows 9000 bytes; what is longer on the host's wires the host's kernel cuts into fragments."""
    own = guest.datagram(FAR, 8081, b"x" * 8900)
    assert guest.wait(lambda p: p.protocol == UDP and p.destination_port == own).payload == b"hello " + b"x" * 8900
    guest.send_ipv4(UDP, udp(guest.next_port(), 8081, b"x" * 8973), FAR)
    guest.silence(any_answer)


@pytest.mark.parametrize("network, address, most", [("10.0.2.0", "10.0.2.15", 8960), ("192.168.5.0", "192.168.5.15", 1460)])
def test_the_far_end_offers_segments_that_the_guests_device_takes(start, servers, network, address, most):
    guest = start(f"--network={network}").guest
    guest.address = address
    guest.send(ethernet(IPV4, ipv4(TCP, tcp(5001, 80, SYN, FAR, source=address), FAR, source=address)))
    options = guest.wait(lambda p: p.protocol == TCP and p.flags & SYN).options
    assert options[:4] == struct.pack("!BBH", 2, 4, most)


def test_a_host_on_the_internet_answers_an_echo(guest):
    guest.send_ipv4(ICMP, echo(), FAR)
    answer = guest.wait(lambda p: p.protocol == ICMP)
    assert (answer.type, answer.source) == (0, FAR)


def test_a_closed_port_on_the_internet_is_said_at_once(guest):
    assert is_reset(guest.connect(FAR, 4444))


@pytest.mark.parametrize("address", [GATEWAY, "127.0.0.1", "127.8.8.8", "0.0.0.0", HOST_LAN, HOST_FAR])
def test_a_server_of_the_host_is_refused_within_a_second(guest, net, address):
    began = time.monotonic()
    assert is_reset(guest.connect(address, 8080))
    assert time.monotonic() - began < 1
    net.wait_for_log(f" tcp {address} 8080 ")


@pytest.mark.parametrize("address", [GATEWAY, "127.0.0.1", HOST_LAN, HOST_FAR])
def test_a_server_of_the_host_is_refused_though_the_lan_is_allowed(lan_guest, address):
    assert is_reset(lan_guest.connect(address, 8080))


def test_a_neighbour_is_refused(guest):
    assert is_reset(guest.connect(NEIGHBOUR, 8080))


def test_a_neighbour_is_reached_when_the_lan_is_allowed(lan_guest):
    assert lan_guest.exchange(NEIGHBOUR, 8080, b"world") == b"hello world"
    own = lan_guest.datagram(NEIGHBOUR, 8081, b"world")
    assert lan_guest.wait(lambda p: p.protocol == UDP and p.destination_port == own).payload == b"hello world"


@pytest.mark.parametrize("options", [(), ("--lan",)])
def test_metadata_is_refused(start, servers, options):
    assert is_reset(start(*options).guest.connect(METADATA, 80))


@pytest.mark.parametrize("address, port", [
    (GATEWAY, 8081), (GATEWAY, 69), (HOST_LAN, 8081), (HOST_FAR, 8081), (NEIGHBOUR, 8081), (METADATA, 8081), (DNS, 8081),
    ("10.0.2.99", 8081), ("240.0.0.1", 8081)])
def test_udp_is_refused_by_icmp(guest, address, port):
    guest.datagram(address, port, b"world")
    answer = guest.wait(any_answer, 1)
    assert is_prohibited(answer) and answer.source == GATEWAY
    assert answer.payload[16:20] == socket.inet_aton(address)


@pytest.mark.parametrize("address", [GATEWAY, HOST_LAN, NEIGHBOUR, METADATA])
def test_an_echo_is_refused_by_icmp(guest, address):
    guest.send_ipv4(ICMP, echo(), address)
    assert is_prohibited(guest.wait(any_answer, 1))


def test_an_unknown_protocol_is_refused_by_icmp(guest):
    guest.send_ipv4(132, bytes(16), FAR)
    assert is_prohibited(guest.wait(any_answer, 1))


def test_dns_is_answered_by_the_resolver_of_the_host(guest):
    assert guest.resolve("example.org").endswith(RESOLVED)


def test_dns_is_answered_by_tcp_as_well(guest):
    question = dns_question("example.org")
    assert guest.exchange(DNS, 53, struct.pack("!H", len(question)) + question).endswith(RESOLVED)


def test_another_port_of_the_resolver_is_refused(guest):
    assert is_reset(guest.connect(DNS, 8080))


def test_an_address_that_becomes_the_hosts_is_refused_from_then_on(net, guest, namespaces):
    address = "11.22.33.77"
    try:
        ip("-n", namespaces.far, "addr", "add", f"{address}/24", "dev", f"{namespaces.tag}f1")
        namespaces.serve(namespaces.far, "tcp", address, 80)
        answer = guest.connect(address, 80)
        assert answer.flags == SYN | ACK
        own = answer.destination_port
        ip("-n", namespaces.far, "addr", "del", f"{address}/24", "dev", f"{namespaces.tag}f1")
        ip("-n", namespaces.host, "addr", "add", f"{address}/32", "dev", "lo")
        end = time.monotonic() + 5
        while time.monotonic() < end:
            guest.send_tcp(own, address, 80, ACK, sequence=1001, acknowledgement=answer.sequence + 1)
            refused = [p for p in guest.frames(0.3) if is_reset(p) and p.destination_port == own]
            if refused:
                break
        assert refused[0].sequence == answer.sequence + 1
        assert is_reset(guest.connect(address, 80))
    finally:
        ip("-n", namespaces.host, "addr", "del", f"{address}/32", "dev", "lo")


def test_an_address_routed_to_the_host_is_refused(guest, namespaces):
    """The address is on no interface, as with load balancers."""
    ip("-n", namespaces.host, "route", "add", "local", "11.99.0.0/24", "dev", "lo")
    try:
        assert is_reset(guest.connect("11.99.0.5", 8080))
    finally:
        ip("-n", namespaces.host, "route", "del", "local", "11.99.0.0/24", "dev", "lo")


def test_the_broadcast_address_of_the_lan_gets_nothing(lan_guest):
    lan_guest.datagram("192.168.77.255", 8081, b"world")
    lan_guest.silence(any_answer)


@pytest.mark.parametrize("address, port", [("224.0.0.251", 5353), ("239.255.255.250", 1900), ("255.255.255.255", 8081),
                                           ("10.0.2.255", 8081)])
def test_what_goes_to_a_group_is_dropped_in_silence(net, guest, address, port):
    guest.datagram(address, port, b"world")
    guest.silence(any_answer)
    assert address not in net.log()


def test_ipv6_is_dropped(guest):
    body = struct.pack("!IHBB", 6 << 28, 8, 17, 64) + bytes(15) + b"\1" + bytes(15) + b"\1" + udp(1, 8081, b"")
    guest.send(ethernet(IPV6, body))
    guest.silence(lambda p: p.kind == IPV6 or any_answer(p))


def test_a_source_routed_packet_is_dropped(net, guest):
    """Loose source routing, by a public address to an address of the host."""
    route = b"\x83\x07\x04" + socket.inet_aton(HOST_LAN) + b"\x00"
    own = guest.next_port()
    guest.send_ipv4(TCP, tcp(own, 80, SYN, FAR), FAR, options=route)
    guest.silence(any_answer)
    net.wait_for_log(f" tcp {FAR} 80 options")


@pytest.mark.parametrize("source", ["10.0.2.16", GATEWAY, DNS, "127.0.0.1", HOST_LAN, "0.0.0.0"])
def test_a_guest_that_lies_about_its_address_is_dropped(net, guest, source):
    guest.send_ipv4(TCP, tcp(guest.next_port(), 80, SYN, FAR, source=source), FAR, source=source)
    guest.silence(any_answer)
    net.wait_for_log(f" tcp {FAR} 80 spoofed")
    assert guest.exchange(FAR, 80, b"world") == b"hello world"


def test_a_fragment_is_refused(guest):
    own = guest.next_port()
    whole = udp(own, 8081, b"x" * 3000)
    guest.send_ipv4(UDP, whole[:1480], FAR, fragment=0x2000)
    assert is_prohibited(guest.wait(any_answer, 1))
    guest.send_ipv4(UDP, whole[1480:2960], FAR, fragment=0x2000 | 185)
    guest.send_ipv4(UDP, whole[2960:], FAR, fragment=370)
    guest.silence(any_answer)


def test_a_connection_can_not_be_begun_as_if_it_were_an_answer(guest):
    """Packets from port 22 to the gateway pass for connections that we forwarded. They begin none."""
    guest.send_tcp(22, GATEWAY, 8080, SYN)
    assert is_reset(guest.wait(any_answer))
    for flags in (ACK, SYN | ACK):
        guest.send_tcp(22, GATEWAY, 8080, flags, acknowledgement=5)
        assert is_reset(guest.wait(any_answer))


MALFORMED = {
    "nothing": b"",
    "a byte": b"\x00",
    "a cut Ethernet header": bytes(13),
    "no packet": ethernet(IPV4, b""),
    "a cut IPv4 header": ethernet(IPV4, b"\x45" + bytes(10)),
    "a header longer than the frame": ethernet(IPV4, b"\x4f" + bytes(19)),
    "a packet longer than the frame": ethernet(IPV4, ipv4(UDP, b"", FAR)[:-1]),
    "a cut TCP header": ethernet(IPV4, ipv4(TCP, bytes(10), FAR)),
    "a TCP header longer than the packet": ethernet(IPV4, ipv4(TCP, tcp(1, 2, SYN, FAR)[:12] + b"\xf0" + bytes(7), FAR)),
    "a UDP length of 0": ethernet(IPV4, ipv4(UDP, bytes(8), FAR)),
    "the longest frame": ethernet(IPV4, bytes(69000)),
    "an NC-SI frame": ethernet(0x88F8, bytes(100)),
    "an empty ARP": ethernet(0x0806, bytes(28)),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_frame_is_dropped_and_the_network_goes_on(net, guest, name):
    worker = net.worker()
    guest.send(MALFORMED[name])
    guest.silence(any_answer, 0.3)
    assert guest.exchange(FAR, 80, b"world") == b"hello world"
    assert net.worker() == worker


def test_a_guest_gets_its_address_by_dhcp(start, servers):
    guest = start("--hostname=blog").guest
    mac = bytes.fromhex("525400123456")
    message = struct.pack("!BBBBIHH", 1, 1, 6, 0, 7, 0, 0) + bytes(16) + mac + bytes(10) + bytes(192) \
        + bytes.fromhex("63825363") + b"\x35\x01\x01\xff"
    frame = ipv4(UDP, udp(68, 67, message.ljust(300, b"\0")), "255.255.255.255", source="0.0.0.0")
    guest.send(ethernet(IPV4, frame, destination=b"\xff" * 6))
    offer = guest.wait(lambda p: p.protocol == UDP and p.destination_port == 68)
    assert offer.payload[16:20] == socket.inet_aton("10.0.2.15")
    assert b"\x0c\x04blog" in offer.payload
    assert b"\x06\x04" + socket.inet_aton(DNS) in offer.payload


@pytest.mark.parametrize("lan", [False, True])
def test_a_guest_of_limas_has_other_addresses_and_the_same_line(start, servers, lan):
    guest = start("--network=192.168.5.0", *(["--lan"] if lan else [])).guest
    guest.address = "192.168.5.15"

    def answer_to(destination):
        segment = tcp(5001, 8080, SYN, destination, source=guest.address)
        guest.send(ethernet(IPV4, ipv4(TCP, segment, destination, source=guest.address)))
        return guest.wait(lambda p: p.protocol == TCP and p.source == destination).flags & RST

    for host in ("192.168.5.2", HOST_LAN, "127.0.0.1"):
        assert answer_to(host), host
    assert bool(answer_to(NEIGHBOUR)) == (not lan)


def test_the_log_names_a_destination_once(net, guest):
    for _ in range(3):
        guest.connect(GATEWAY, 8080)
    guest.connect(METADATA, 80)
    net.wait_for_log(METADATA)
    lines = [line.split(" ", 1)[1] for line in net.log().splitlines() if " note walls: " not in line]
    assert lines == [f"tcp {GATEWAY} 8080 host", f"tcp {METADATA} 80 metadata"]


def test_a_flood_of_refusals_does_not_fill_the_log(net, guest):
    for number in range(2000):
        guest.datagram(f"192.168.{number // 250}.{number % 250 + 1}", 9, b"")
    guest.connect(GATEWAY, 8080)
    lines = net.log().splitlines()
    assert 40 <= len(lines) < 100
