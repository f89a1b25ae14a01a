"""A server for one namespace: server.py KIND ADDRESS[,ADDRESS…] PORT. Says "ready" when it listens.

tcp     answers the first data of a connection with "hello " and that data
udp     does the same with each datagram
keep    sends back whatever comes until the other end closes, on many connections at a time
dns     answers by UDP and TCP that every name is 11.22.33.44, but for "to-1-2-3-4.…" the address in the name
bulk    answers the first data with 4 MiB
digest  reads to the end and answers with the SHA-256
drip    sends a byte each tenth of a second, counting up, until the other end closes
leave   closes after a second, and says nothing
"""

import hashlib
import select
import socket
import struct
import sys
import threading
import time

BULK = bytes(number % 251 for number in range(4 << 20))


def dns_answer(question):
    """The answer, or None if it isn't a question: some tests send arbitrary bytes."""
    if len(question) < 17:
        return None
    first = question[13:13 + question[12]].decode(errors="replace")
    address = first[3:].replace("-", ".") if first.startswith("to-") else "11.22.33.44"
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(address)
    return question[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + question[12:] + record


def keep(connection):
    with connection:
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
        except OSError:
            pass


def drip(connection):
    with connection:
        try:
            for number in range(10000):
                connection.sendall(bytes([number % 251]))
                time.sleep(0.1)
        except OSError:
            pass


def leave(connection):
    with connection:
        time.sleep(1)


def serve_stream(listener, kind):
    connection, _ = listener.accept()
    if kind in ALONE:
        threading.Thread(target=ALONE[kind], args=[connection], daemon=True).start()
        return
    with connection:
        connection.settimeout(60)
        try:
            data = connection.recv(4096)
            if kind == "dns":
                answer = dns_answer(data[2:])
                connection.sendall(struct.pack("!H", len(answer)) + answer if answer else b"")
            elif kind == "bulk":
                connection.sendall(BULK)
            elif kind == "digest":
                digest = hashlib.sha256(data)
                while data := connection.recv(65536):
                    digest.update(data)
                connection.sendall(digest.hexdigest().encode())
            elif data:
                connection.sendall(b"hello " + data)
        except OSError:
            pass


ALONE = {"keep": keep, "drip": drip, "leave": leave}  # each connection has a thread


def serve_datagram(server, kind):
    data, sender = server.recvfrom(65535)
    answer = dns_answer(data) if kind == "dns" else b"hello " + data
    if answer:
        server.sendto(answer, sender)


def main():
    kind, addresses, port = sys.argv[1], sys.argv[2].split(","), int(sys.argv[3])
    servers = []
    for address in addresses if kind != "udp" else []:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(4096)
        servers.append(listener)
    for address in addresses if kind in ("udp", "dns") else []:
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((address, port))
        servers.append(server)
    print("ready", flush=True)
    while True:
        for server in select.select(servers, [], [])[0]:
            (serve_stream if server.type == socket.SOCK_STREAM else serve_datagram)(server, kind)


main()
