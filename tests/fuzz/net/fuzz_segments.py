#!/usr/bin/python3
"""Segments of a guest that does what it likes, through the real machine-net, to a real server.

    fuzz-net-segments [-max_total_time=SECONDS] [-runs=0] [-artifact_prefix=FOLDER/] CORPUS…

An input is one line of text: the number from which a case is made. A case has some connections on few ports. Its guest mostly does
the next sensible thing. Sometimes it begins a connection again with the same or another number, sends other bytes in place of those
it sent, overlaps, ends, resets, leaves the window, or says that bytes are urgent. The server answers, waits, ends or resets.

A server must only get TLS with an allowed name, or requests to an allowed host. The account must have at least what the servers got,
under that name. This program parses the data by itself, not by machine-net's code. MACHINE_NET names the program to test; by default
it is the build's.

Needs root, for its network namespaces.
"""

import json
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
BUILT = os.path.join(HERE, "../../../src/net/machine-net")
sys.path.insert(0, "@source_root@/tests/net")
if os.path.exists(BUILT):
    os.environ.setdefault("MACHINE_NET", os.path.realpath(BUILT))

NAME, OTHER, EVIL = "api.example.org", "b.example.org", "evil.example.org"
ALLOWED = (NAME, OTHER)
CASES_EACH = 200  # for each machine-net


# --- what a server may get


def read_hello(data):
    """The server's name in TLS's first message; None = the message isn't complete. ValueError: it isn't one, or has not one name."""
    message, wanted = b"", 4
    while len(message) < wanted:
        if data[:1] and data[0] != 22:
            raise ValueError("not a handshake")
        if len(data) < 5:
            return None
        length = struct.unpack("!H", data[3:5])[0]
        message += data[5:5 + length]
        if len(message) >= 4:
            if message[0] != 1:
                raise ValueError("not a ClientHello")
            wanted = 4 + int.from_bytes(message[1:4], "big")
        if len(data) < 5 + length and len(message) < wanted:
            return None
        data = data[5 + length:]
    at = 4 + 34
    at += 1 + message[at]
    at += 2 + struct.unpack("!H", message[at:at + 2])[0]
    at += 1 + message[at] + 2
    names = []
    while at < wanted:
        kind, length = struct.unpack("!HH", message[at:at + 4])
        if kind == 0:
            names.append(message[at + 9:at + 4 + length].decode("latin-1"))
        at += 4 + length
    if len(names) != 1:
        raise ValueError("not one name")
    return names[0]


def check_tls(data):
    if data:
        name = read_hello(data)
        if name is not None and name not in ALLOWED:
            raise ValueError(f"for {name}")


def values_of(name, lines):
    """The values of the header fields of that name, without white space around them."""
    fields = [line.partition(":") for line in lines]
    return [value.strip(" \t") for field, colon, value in fields if colon and field.lower() == name]


def check_http(data):
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        hosts = values_of("host", lines[1:])
        if not end:
            return
        if not lines[0].endswith(" HTTP/1.1") or len(hosts) != 1 or hosts[0] not in ALLOWED:
            raise ValueError(f"request {lines[0]!r} to {hosts}")
        length = sum(int(value) for value in values_of("content-length", lines[1:]))
        data = rest[length:]


# --- the server, in its own namespace: reports what it got when asked


class Server:
    def __init__(self, address):
        self.lock = threading.Lock()
        self.got = []  # (port, bytearray)
        self.listeners = []
        for port in (80, 443):
            listener = socket.create_server((address, port), backlog=512)
            threading.Thread(target=self.accept, args=[listener, port], daemon=True).start()

    def accept(self, listener, port):
        while True:
            connection, _ = listener.accept()
            data = bytearray()
            with self.lock:
                self.got.append((port, data))
            threading.Thread(target=self.serve, args=[connection, data, len(self.got) % 6], daemon=True).start()

    def serve(self, connection, data, habit):
        """Habits: 0 to 2 answer and go on, 3 ends after the first bytes, 4 resets after them, 5 sends something first."""
        connection.settimeout(5)
        try:
            if habit == 5:
                connection.sendall(b"welcome")
            while part := connection.recv(65536):
                with self.lock:
                    data += part
                if habit == 4:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if habit in (3, 4):
                    break
                connection.sendall(b"answer")
        except OSError:
            pass
        connection.close()

    def report(self):
        wrong, total = [], {80: [0, 0], 443: [0, 0]}
        with self.lock:
            for port, data in self.got:
                total[port][0] += bool(data)
                total[port][1] += len(data)
                try:
                    (check_tls if port == 443 else check_http)(bytes(data))
                except (ValueError, IndexError, struct.error) as error:
                    wrong.append(f"{port}: {error}: {bytes(data[:300])!r}")
            self.got = [entry for entry in self.got if False]
        return {"wrong": wrong, "total": {str(port): counts for port, counts in total.items()}}


def serve(address):
    server = Server(address)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(server.report()), flush=True)


# --- the guest


def request(host, length=0, method="GET"):
    extra = f"Content-Length: {length}\r\n" if length else ""
    return f"{method} / HTTP/1.1\r\nHost: {host}\r\n{extra}\r\n".encode()


def tokens(port):
    """(good, bad): what a guest may send, and what it may not."""
    from guest import client_hello
    if port == 443:
        good = [client_hello(NAME), client_hello(OTHER), client_hello(NAME, record=50)]
        bad = [client_hello(EVIL), b"SSH-2.0-evil\r\n" * 12]
        return good, bad + [part.ljust(len(good[0]), b"\0")[:len(good[0])] for part in bad]
    evil = request(EVIL)
    good = [request(NAME), request(OTHER), request(NAME, len(evil), "POST") + evil, request(NAME) * 2]
    return good, [evil, evil.replace(b"evil.", b"api.\r\nX: "), b"SSH-2.0-evil\r\n" * 5, evil[:len(good[0])]]


class Side:
    """One port of the guest: what it sent, and what it got."""

    def __init__(self, case, own, port):
        self.case, self.own, self.port = case, own, port
        self.good, self.bad = tokens(port)
        self.first = case.choice([1000, 0xFFFFFF80, 5000])
        self.firsts = [self.first]  # of all beginnings of this connection
        self.sent = 0  # bytes after `first`, in order
        self.theirs = 0  # the server's next number
        self.state = "closed"
        self.plan = b""

    def send(self, flags, at=0, data=b"", urgent=0, acknowledgement=None):
        from guest import TCP, tcp
        case = self.case
        segment = tcp(self.own, self.port, flags, case.address, sequence=(self.first + at) % (1 << 32),
                      acknowledgement=(self.theirs if acknowledgement is None else acknowledgement), payload=data, urgent=urgent)
        case.note(f"{self.own} {flags:02x} seq {(self.first + at) % (1 << 32)} ({at:+}) ack {self.theirs} {data[:40]!r} {len(data)}")
        case.guest.send_ipv4(TCP, segment, case.address)

    def begin(self):
        case = self.case
        if case.often(50):
            shifts = [0, 0, -len(self.good[0]), len(self.good[0]), -1, 1, self.sent, -self.sent, -200, 1 << 16]
            self.first = (case.choice(self.firsts) + case.choice(shifts)) % (1 << 32)
        self.firsts.append(self.first)
        self.send(2, 0, case.choice(self.bad) if case.often(5) else b"", acknowledgement=0)
        self.state, self.sent = "begun", 0
        if case.often(20):
            self.begin()

    def choose(self):
        """Chooses the next complete message."""
        self.plan = self.case.choice(self.good if self.case.often(60) else self.bad)

    def say(self):
        if not self.plan:
            self.choose()
        case = self.case
        count = len(self.plan) if case.often(60) else case.between(1, len(self.plan))
        self.send(0x18, 1 + self.sent, self.plan[:count])
        self.sent += count
        self.plan = self.plan[count:]

    def lie(self):
        """Sends other bytes, at another place than they belong."""
        case = self.case
        base = case.choice(self.firsts) - self.first
        at = base + 1 + case.choice([0, self.sent, self.sent - 1, len(self.good[0]), -len(self.good[0]), case.between(-200, 300), 65535, 65500, 131072])
        data = case.choice(self.good + self.bad)
        self.send(case.choice([0x10, 0x18, 0x18, 0x19]), at, data[case.between(0, len(data) // 2) if case.often(30) else 0:])

    def odd(self):
        case = self.case
        kind = case.between(0, 8)
        at = 1 + self.sent + case.choice([0, 0, 0, -1, 1, 1 << 16, 1 << 30])
        if kind == 0:
            self.send(0x14, at)
        elif kind == 1:
            self.send(0x04, at)
        elif kind == 2:
            self.send(0x12, at)
        elif kind == 3:
            self.send(0x38, at, case.choice(self.good), urgent=case.between(0, 2000))
        elif kind == 4:
            self.send(0x00, at, case.choice(self.bad))
        elif kind == 5:
            self.send(0x10, at, acknowledgement=self.theirs + case.choice([1, -1, 1000]))
        elif kind == 6:
            self.send(0x03, at, case.choice(self.bad))
        else:
            self.begin()

    def end(self):
        self.send(0x11, 1 + self.sent)
        self.sent += 1
        self.state = "ending" if self.state == "open" else "closed"

    def step(self):
        case = self.case
        if case.often(12):
            self.odd()
        elif case.often(15) and self.state != "closed":
            self.lie()
        elif self.state == "closed":
            self.begin()
        elif self.state == "open" and (self.sent == 0 or case.often(60)):
            self.say()
        elif self.state == "open":
            self.end()
        elif self.state == "ended":
            self.end() if case.often(70) else self.say()

    def hear(self, packet):
        if packet.flags & 4:
            self.state = "closed"
            return
        following = (packet.sequence + len(packet.payload) + bool(packet.flags & 1) + bool(packet.flags & 2)) % (1 << 32)
        if packet.flags & 2:
            self.theirs, self.state = following, "open"
        elif following == self.theirs:
            return
        else:
            self.theirs = following
        if packet.flags & 1:
            self.state = "closed" if self.state == "ending" else "ended"
        if not self.case.often(5):
            self.send(0x10, 1 + self.sent)


class Case:
    def __init__(self, number, guest, address, ports):
        self.random = random.Random(number)
        self.guest, self.address, self.notes = guest, address, []
        self.sides = [Side(self, own, self.choice([80, 443])) for own in ports]

    def choice(self, items):
        return self.random.choice(items)

    def between(self, low, high):
        return self.random.randint(low, high)

    def often(self, percent):
        return self.random.random() * 100 < percent

    def note(self, text):
        self.notes.append(text)

    def listen(self, seconds):
        from guest import TCP
        for packet in self.guest.frames(seconds):
            for side in self.sides:
                if packet.protocol == TCP and packet.destination_port == side.own and packet.source_port == side.port:
                    side.hear(packet)

    def run(self):
        for _ in range(self.between(10, 40)):
            self.choice(self.sides).step()
            if self.often(70):
                self.listen(self.choice([0, 0.001, 0.002, 0.004]))
        self.listen(0.003)
        for side in self.sides:
            for first in side.firsts:
                side.first = first
                for at in (1, 1 + side.sent):
                    side.send(4, at)


# --- a run


class Failure(Exception):
    pass


class Run:
    def __init__(self):
        import network
        self.network = network
        self.spaces = network.Namespaces()
        self.net, self.cases, self.total, self.ended = None, 0, {}, 0

    def set_up(self):
        self.spaces.set_up()
        self.spaces.serve(self.spaces.far, "dns", self.network.FAR, 53)
        self.server = subprocess.Popen(
            ["ip", "netns", "exec", self.spaces.far, sys.executable, os.path.realpath(__file__), "--serve", self.network.NAMED],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.spaces.children.append(self.server)
        assert self.server.stdout.readline() == "ready\n"

    def start(self):
        self.net = self.network.MachineNet(self.spaces, rules=("allow", *ALLOWED))
        if self.net.said != "ok\n":
            raise Failure(f"machine-net does not start: {self.net.said}")
        for name in ALLOWED:
            self.net.guest.resolve(name)
        self.cases, self.total = 0, {"80": [0, 0], "443": [0, 0]}

    def stop(self):
        if self.net:
            self.net.close()
        self.net = None

    def ask(self):
        self.server.stdin.write("\n")
        self.server.stdin.flush()
        report = json.loads(self.server.stdout.readline())
        for port, counts in report["total"].items():
            self.total[port] = [old + new for old, new in zip(self.total[port], counts)]
        if report["wrong"]:
            raise Failure("a server got " + "\n".join(report["wrong"]))

    def check_account(self):
        """Waits for the account, which is written once a second."""
        end = time.monotonic() + 5
        while True:
            lines = [line for line in self.net.account() if line[0] == "reached" and line[1] == "tcp"]
            count = {port: [sum(int(line[at]) for line in lines if line[4] == port) for at in (5, 6)] for port in self.total}
            if all(ours <= theirs for port in self.total for ours, theirs in zip(self.total[port], count[port])):
                return
            if time.monotonic() > end:
                raise Failure(f"the account has {count}, and the servers got {self.total}")
            select.select([], [], [], 0.1)

    def look_at_worker(self):
        """libslirp ends the worker on some input (with the next number 0, it takes the end of an empty queue for a segment). That harms
        only the guest, so it is no failure. What a sanitizer finds in our own code is one."""
        log = self.net.log()
        if "the worker ended" not in log:
            return
        if any(word in log for word in ("runtime error", "AddressSanitizer: heap", "AddressSanitizer: stack", "AddressSanitizer: global")):
            raise Failure(log)
        self.ended += 1
        self.stop()

    def case(self, number):
        if self.net and self.cases >= CASES_EACH:
            self.check_account()
            self.stop()
        if not self.net:
            self.start()
        first = 1024 + self.cases * 3
        self.cases += 1
        case = Case(number, self.net.guest, self.network.NAMED, range(first, first + 3))
        try:
            case.run()
            self.ask()
            self.look_at_worker()
        except Failure as failure:
            raise Failure(f"{failure}\ncase {number}:\n" + "\n".join(case.notes)) from failure

    def tear_down(self):
        try:
            self.stop()
        finally:
            self.spaces.tear_down()


def stored(folders):
    for folder in folders:
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name)) as file:
                yield int(file.read())


def numbers(seconds, folders):
    """The stored numbers, then new ones for this many seconds."""
    yield from stored(folders)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield random.getrandbits(48)


def main():
    options = dict(word[1:].split("=", 1) for word in sys.argv[1:] if word.startswith("-"))
    folders = [word for word in sys.argv[1:] if not word.startswith("-")]
    if os.getuid() != 0:
        print("skipped: network namespaces are made by root")
        return 0
    run = Run()
    began, count = time.monotonic(), 0
    try:
        run.set_up()
        for number in numbers(float(options.get("max_total_time", 0)), folders):
            run.case(number)
            count += 1
        if run.net:
            run.check_account()
    except Failure as failure:
        print(failure)
        path = os.path.join(options.get("artifact_prefix", "./"), f"crash-{number}")
        with open(path, "w") as file:
            file.write(f"{number}\n")
        print(f"after {count} cases and {time.monotonic() - began:.0f} s; the number is in '{path}'")
        return 1
    finally:
        run.tear_down()
    print(f"{count} cases in {time.monotonic() - began:.0f} s; the worker was replaced {run.ended} times")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
    else:
        sys.exit(main())
