"""VMs that look as if they ran: locks that are held, and the sockets and pipes that QEMU would have. No guest is behind them, so only
commands that don't talk to one can be tested with them."""

import contextlib
import fcntl
import os
import socket

import records


@contextlib.contextmanager
def running(program, vm, **changes):
    """A VM that runs as long as the context. `changes` go into its record."""
    folder = records.write(program.state, vm, **changes)
    program.folder("r/machine")
    runtime = program.folder("r/machine", vm)
    with contextlib.ExitStack() as held:
        for path in ("run.lock", "logs/net.log", "logs/console.log"):
            os.makedirs(os.path.dirname(f"{folder}/{path}"), mode=0o700, exist_ok=True)
            fcntl.flock(held.enter_context(open(f"{folder}/{path}", "w")), fcntl.LOCK_EX)
        os.mkdir(f"{folder}/qemu", 0o700)
        for path in (f"{runtime}/ssh.sock", f"{folder}/qemu/frames.sock", f"{folder}/qemu/qmp.sock"):
            held.enter_context(socket.socket(socket.AF_UNIX)).bind(path)
        for name in ("agent.in", "agent.out", "console", "messages"):
            os.mkfifo(f"{folder}/qemu/{name}")
        for path in (f"{runtime}/ready", f"{folder}/disk.qcow2"):
            open(path, "w").close()
        yield folder
