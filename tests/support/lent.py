"""machine-keys by itself, around a program that does nothing; the test speaks the agent's protocol at its socket."""

import base64
import contextlib
import os
import socket
import struct
import subprocess

from program import MACHINE, wait_until

KEYS = os.path.join(os.path.dirname(MACHINE), "../libexec/machine/machine-keys")

FAILURE, SIGN, SIGNED, LIST, EXTENSION = 5, 13, 14, 11, 27


@contextlib.contextmanager
def lent(place, *options, **how):
    """Starts machine-keys and yields the process. Its socket is PLACE/s, its record PLACE/log, its agent PLACE/agent."""
    name = how.pop("socket", "s")
    child = subprocess.Popen([KEYS, f"--agent={place}/agent", f"--socket={place}/{name}", f"--log={place}/log", *options, "--", "/bin/sleep", "600"], **how)
    try:
        wait_until(lambda: is_there(place, name), 30, "somebody listens")
        yield child
    finally:
        child.terminate()
        child.wait(timeout=30)


def inner_of(child):
    """The process of machine-keys that a guest talks to."""
    wait_until(lambda: inner_pids(child), 30, "it is started")
    return inner_pids(child)[0]


def inner_pids(child):
    found = []
    with open(f"/proc/{child.pid}/task/{child.pid}/children") as file:
        for pid in file.read().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/cmdline") as line:
                if "--inner" in line.read().split("\0"):
                    found.append(int(pid))
    return found


def is_there(place, name="s"):
    with socket.socket(socket.AF_UNIX) as guest:
        return guest.connect_ex(f"{place}/{name}") == 0


def connect(place, name="s"):
    guest = socket.socket(socket.AF_UNIX)
    guest.settimeout(60)
    guest.connect(f"{place}/{name}")
    return guest


def text(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">I", len(data)) + data


def message(kind, *parts):
    return text(bytes([kind]) + b"".join(parts))


def extension(name):
    """An extension that is refused, with its name in the record."""
    return message(EXTENSION, text(name))


def signature(place, key, purpose):
    """A request for a signature, as of a file."""
    with open(f"{place}/{key}.pub") as file:
        blob = base64.b64decode(file.read().split()[1])
    data = b"SSHSIG" + text(purpose) + text("") + text("sha512") + text(b"x" * 64)
    return message(SIGN, text(blob), text(data), struct.pack(">I", 0))


def answer(guest):
    """The kind of the next answer; None when the connection has ended."""
    head = guest.recv(4, socket.MSG_WAITALL)
    if len(head) < 4:
        return None
    return guest.recv(struct.unpack(">I", head)[0], socket.MSG_WAITALL)[0]


def ask(guest, request):
    guest.sendall(request)
    return answer(guest)
