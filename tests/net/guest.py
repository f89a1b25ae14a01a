"""Plays QEMU and its guest: builds and reads frames by hand, over a socketpair."""

import select
import socket
import struct
import time

GUEST, GATEWAY, DNS = "10.0.2.15", "10.0.2.2", "10.0.2.3"
GUEST_MAC = bytes.fromhex("525400123456")
GATEWAY_MAC = bytes.fromhex("52550a000202")

ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
ICMP, TCP, UDP = 1, 6, 17
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32

WAIT = 5  # seconds within which an answer must come
SILENCE = 1  # seconds within which none may come


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(kind, payload, source=GUEST_MAC, destination=GATEWAY_MAC):
    return destination + source + struct.pack("!H", kind) + payload


def ipv4(protocol, payload, destination, source=GUEST, options=b"", fragment=0, identification=1):
    length = 20 + len(options)
    header = struct.pack("!BBHHHBBH4s4s", 0x40 | length // 4, 0, length + len(payload), identification, fragment, 64, protocol,
                         0, socket.inet_aton(source), socket.inet_aton(destination)) + options
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return header + payload


def pseudo(protocol, length, source, destination):
    return socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack("!BBH", 0, protocol, length)


def tcp(source_port, destination_port, flags, destination, sequence=1000, acknowledgement=0, payload=b"", source=GUEST, urgent=0):
    header = struct.pack("!HHIIBBHHH", source_port, destination_port, sequence % (1 << 32), acknowledgement % (1 << 32), 5 << 4, flags,
                         65535, 0, urgent)
    total = checksum(pseudo(TCP, len(header) + len(payload), source, destination) + header + payload)
    return header[:16] + struct.pack("!H", total) + header[18:] + payload


def udp(source_port, destination_port, payload):
    return struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0) + payload


def echo(number=1):
    message = struct.pack("!BBHHH", 8, 0, 0, 77, number) + b"ping"
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


class Packet:
    """A parsed frame from machine-net. Checksums must be right."""

    def __init__(self, frame):
        self.frame = frame
        self.kind = struct.unpack("!H", frame[12:14])[0]
        body = frame[14:]
        self.protocol = None
        if self.kind == ARP:
            self.operation = struct.unpack("!H", body[6:8])[0]
            self.source = socket.inet_ntoa(body[14:18])
            self.destination = socket.inet_ntoa(body[24:28])
        elif self.kind == IPV4:
            header = (body[0] & 15) * 4
            assert checksum(body[:header]) == 0, "wrong IPv4 checksum"
            body = body[:struct.unpack("!H", body[2:4])[0]]
            self.protocol = body[9]
            self.source, self.destination = socket.inet_ntoa(body[12:16]), socket.inet_ntoa(body[16:20])
            self.read_transport(body[header:])

    def read_transport(self, data):
        if self.protocol == ICMP:
            assert checksum(data) == 0, "wrong ICMP checksum"
            self.type, self.code, self.payload = data[0], data[1], data[8:]
        elif self.protocol == TCP:
            assert checksum(pseudo(TCP, len(data), self.source, self.destination) + data) == 0, "wrong TCP checksum"
            self.source_port, self.destination_port, self.sequence, self.acknowledgement = struct.unpack("!HHII", data[:12])
            self.flags = data[13] & 63
            self.options = data[20:(data[12] >> 4) * 4]
            self.payload = data[(data[12] >> 4) * 4:]
        elif self.protocol == UDP:
            self.source_port, self.destination_port = struct.unpack("!HH", data[:4])
            self.payload = data[8:]

    def __repr__(self):
        shown = {key: value for key, value in vars(self).items() if key != "frame"}
        return f"Packet({shown})"


class Stream:
    """A connection for which the test chooses each segment."""

    def __init__(self, guest, address, port, answer):
        self.guest, self.address, self.port = guest, address, port
        self.own, self.theirs, self.sequence = answer.destination_port, answer.sequence + 1, 1001
        self.ended = False  # the server's FIN has come

    def send(self, data, at=None):
        sequence = self.sequence if at is None else at
        self.guest.send_tcp(self.own, self.address, self.port, ACK | PSH if data else ACK, sequence=sequence,
                            acknowledgement=self.theirs, payload=data)
        if at is None:
            self.sequence += len(data)

    def urgent(self, data, pointer):
        """A segment that says that this many bytes from its start are urgent."""
        return tcp(self.own, self.port, ACK | URG, self.address, sequence=self.sequence, acknowledgement=self.theirs, payload=data, urgent=pointer)

    def frame(self, data):
        return self.frame_at(0, data)

    def frame_at(self, offset, data):
        """A segment that begins this many bytes after what was sent."""
        segment = tcp(self.own, self.port, ACK | PSH, self.address, sequence=self.sequence + offset, acknowledgement=self.theirs, payload=data)
        return ethernet(IPV4, ipv4(TCP, segment, self.address))

    def said(self):
        """What the server says next; b"" for a reset."""
        packet = self.guest.wait(lambda p: p.protocol == TCP and p.destination_port == self.own and (p.payload or p.flags & RST))
        if packet.flags & RST:
            return b""
        self.ended = bool(packet.flags & FIN)
        self.theirs = packet.sequence + len(packet.payload) + self.ended
        return packet.payload


    def collect(self, seconds, most=None):
        """The bytes that come within this many seconds, in order and once, as the guest's TCP would take them."""
        taken = bytearray()
        for packet in self.guest.frames(seconds):
            if packet.protocol != TCP or packet.destination_port != self.own or not packet.payload:
                continue
            known = self.theirs - packet.sequence
            if 0 <= known < len(packet.payload):
                taken += packet.payload[known:]
                self.theirs += len(packet.payload) - known
            self.send(b"")
            if most is not None and len(taken) >= most:
                break
        return bytes(taken)


class Guest:
    def __init__(self):
        self.near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.received = b""
        self.port = 40000
        self.address = GUEST

    def close(self):
        self.near.close()

    def rewire(self):
        """Another QEMU takes the guest up: a new wire, of which nothing has been read. Returns machine-net's end."""
        self.near.close()
        self.near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.received = b""
        return far

    def accept(self, port):
        """Takes the connection that the host opens to this port, and returns it as a stream."""
        syn = self.wait(lambda p: p.protocol == TCP and p.flags == SYN)
        assert (syn.source, syn.destination_port) == (GATEWAY, port)
        self.send_tcp(port, GATEWAY, syn.source_port, SYN | ACK, sequence=1000, acknowledgement=syn.sequence + 1)
        return Stream(self, GATEWAY, syn.source_port, syn)

    def next_port(self):
        self.port += 1
        return self.port

    def send(self, frame):
        self.near.settimeout(WAIT)
        self.near.sendall(struct.pack("!I", len(frame)) + frame)

    def send_all(self, frames):
        self.near.settimeout(6 * WAIT)
        self.near.sendall(b"".join(struct.pack("!I", len(frame)) + frame for frame in frames))

    def send_ipv4(self, protocol, payload, destination, **more):
        self.send(ethernet(IPV4, ipv4(protocol, payload, destination, **more)))

    def send_tcp(self, source_port, destination, destination_port, flags, **more):
        self.send_ipv4(TCP, tcp(source_port, destination_port, flags, destination, **more), destination)

    def answer_arp(self, request):
        body = struct.pack("!HHBBH", 1, IPV4, 6, 4, 2) + GUEST_MAC + socket.inet_aton(request.destination) + request.frame[22:28] \
            + socket.inet_aton(request.source)
        self.send(ethernet(ARP, body))

    def frames(self, seconds):
        """The frames that come within this many seconds. ARP requests for us are answered, as by a guest's kernel."""
        end = time.monotonic() + seconds
        while True:
            while len(self.received) >= 4:
                length = struct.unpack("!I", self.received[:4])[0]
                if len(self.received) < 4 + length:
                    break
                packet = Packet(self.received[4:4 + length])
                self.received = self.received[4 + length:]
                if packet.kind == ARP and packet.operation == 1 and packet.destination == self.address:
                    self.answer_arp(packet)
                yield packet
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.near], [], [], left)[0]:
                return
            data = self.near.recv(65536)
            if not data:
                return
            self.received += data

    def wait(self, wanted, seconds=WAIT):
        """The first packet that `wanted` accepts. Fails with what came instead."""
        seen = []
        for packet in self.frames(seconds):
            if wanted(packet):
                return packet
            seen.append(packet)
        raise AssertionError(f"not within {seconds} s; came: {seen}")

    def silence(self, unwanted, seconds=SILENCE):
        for packet in self.frames(seconds):
            assert not unwanted(packet), packet

    def connect(self, address, port):
        """Sends a SYN. Returns the answer: a reset, or SYN and ACK."""
        own = self.next_port()
        self.send_tcp(own, address, port, SYN)
        packet = self.wait(lambda p: p.protocol == TCP and p.destination_port == own)
        assert (packet.source, packet.source_port) == (address, port)
        assert packet.acknowledgement == 1001
        return packet

    def exchange(self, address, port, data):
        """Makes a whole handshake, then sends `data`. Returns the first data that the server sends."""
        answer = self.connect(address, port)
        assert answer.flags == SYN | ACK, answer
        own = answer.destination_port
        following = answer.sequence + 1
        self.send_tcp(own, address, port, ACK, sequence=1001, acknowledgement=following)
        self.send_tcp(own, address, port, ACK | PSH, sequence=1001, acknowledgement=following, payload=data)
        said = self.wait(lambda p: p.protocol == TCP and p.destination_port == own and p.payload)
        self.send_tcp(own, address, port, ACK | RST, sequence=1001 + len(data), acknowledgement=said.sequence)
        return said.payload

    def open(self, address, port):
        """Makes a whole handshake. Returns the open stream."""
        answer = self.connect(address, port)
        assert answer.flags == SYN | ACK, answer
        stream = Stream(self, address, port, answer)
        stream.send(b"")
        return stream

    def download(self, address, port, size):
        """Sends a request and takes `size` bytes in order, acknowledging each segment. Lost segments come again."""
        answer = self.connect(address, port)
        assert answer.flags == SYN | ACK, answer
        own, following = answer.destination_port, answer.sequence + 1
        self.send_tcp(own, address, port, ACK | PSH, sequence=1001, acknowledgement=following, payload=b"GET")
        taken = bytearray()
        for packet in self.frames(60):
            if packet.protocol != TCP or packet.destination_port != own or not packet.payload:
                continue
            if packet.sequence == following:
                taken += packet.payload
                following += len(packet.payload)
            self.send_tcp(own, address, port, ACK, sequence=1004, acknowledgement=following)
            if len(taken) >= size:
                break
        return bytes(taken)

    def upload(self, address, port, data):
        """Sends `data` one segment at a time. Returns the server's answer."""
        answer = self.connect(address, port)
        assert answer.flags == SYN | ACK, answer
        own, following, sequence = answer.destination_port, answer.sequence + 1, 1001
        for at in range(0, len(data), 1460):
            part = data[at:at + 1460]
            self.send_tcp(own, address, port, ACK | PSH, sequence=sequence, acknowledgement=following, payload=part)
            sequence += len(part)
            self.wait(lambda p, end=sequence: p.protocol == TCP and p.destination_port == own and p.acknowledgement == end)
        self.send_tcp(own, address, port, ACK | FIN, sequence=sequence, acknowledgement=following)
        return self.wait(lambda p: p.protocol == TCP and p.destination_port == own and p.payload).payload

    def datagram(self, address, port, payload, **more):
        own = self.next_port()
        self.send_ipv4(UDP, udp(own, port, payload), address, **more)
        return own

    def resolve(self, name, kind=1):
        """Asks the network's DNS for a record, by default an address. Returns the answer's bytes."""
        own = self.datagram(DNS, 53, dns_question(name, kind=kind))
        return self.wait(lambda p: p.protocol == UDP and p.destination_port == own).payload


def dns_question(name, number=0x1234, kind=1):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!HH", kind, 1)


def client_hello(*names, record=16384):
    """TLS's first message, with these server names, in records of at most `record` bytes."""
    listed = b"".join(struct.pack("!BH", 0, len(name)) + name.encode() for name in names)
    extension = struct.pack("!HHH", 0, len(listed) + 2, len(listed)) + listed if names else b""
    extensions = struct.pack("!HHH", 43, 3, 0x0203) + b"\x04"[:1] + extension
    body = b"\x03\x03" + bytes(32) + b"\0" + struct.pack("!HH", 2, 0x1301) + b"\x01\0" + struct.pack("!H", len(extensions)) + extensions
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"".join(struct.pack("!BHH", 22, 0x0301, len(message[at:at + record])) + message[at:at + record]
                    for at in range(0, len(message), record))


def is_reset(packet):
    return packet.protocol == TCP and bool(packet.flags & RST)


def is_prohibited(packet):
    return packet.protocol == ICMP and (packet.type, packet.code) == (3, 13)
