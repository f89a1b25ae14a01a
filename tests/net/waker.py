"""A stand-in for `machine`, which the waker runs, and what reaches for the guest."""

import contextlib
import os

from guest import FIN, RST, SYN, TCP
from network import unix_connection, until


class Program:
    """Notes what it was asked, and does as it is told."""

    def __init__(self, folder):
        self.path = str(folder / "machine")
        self.notes, self.status, self.sleep = folder / "notes", folder / "status", folder / "sleep"
        with open(self.path, "w") as file:
            file.write(f"""#!/bin/sh
echo "begin $* mark=$MARK" >>{self.notes}
echo "a line of its output"
echo "machine: a line of its errors" >&2
sleep $(cat {self.sleep} 2>/dev/null || echo 0)
echo "end $*" >>{self.notes}
exit $(cat {self.status} 2>/dev/null || echo 0)
""")
        os.chmod(self.path, 0o755)

    def ran(self):
        """When each command line began and ended, so far."""
        return self.notes.read_text().splitlines() if self.notes.exists() else []

    def wait(self, count, seconds=10):
        until(lambda: True if len(self.ran()) >= count else None, lambda: self.ran(), seconds)
        return self.ran()


def begun(*words):
    return f"begin {' '.join(words)} mark=user's"


def is_for_us(packet):
    return packet.protocol == TCP and bool(packet.payload or packet.flags & (SYN | FIN | RST))


@contextlib.contextmanager
def near_connection(net):
    """A connection through the ssh socket, and the guest's end of it. Nothing is on its way."""
    with unix_connection(net.socket) as connection:
        stream = net.guest.accept(22)
        stream.send(b"SSH-2.0")
        assert connection.recv(100) == b"SSH-2.0"
        yield connection, stream
