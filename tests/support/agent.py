"""A real ssh-agent with throwaway keys."""

import contextlib
import json
import os
import socket
import subprocess

from program import wait_until


def make_key(path, comment, kind=("ed25519",)):
    subprocess.run(["ssh-keygen", "-q", "-t", *kind, "-N", "", "-C", comment, "-f", path], check=True)
    return path


def listens(path):
    """Can somebody connect? The socket's file is there a moment before that."""
    with socket.socket(socket.AF_UNIX) as guest:
        return guest.connect_ex(path) == 0


@contextlib.contextmanager
def ssh_agent(path, *keys):
    """Runs an agent that listens at `path` and has the keys in these files."""
    child = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(path), 30, "ssh-agent listens")
        for key in keys:
            subprocess.run(["ssh-add", "-q", key], check=True, env={**os.environ, "SSH_AUTH_SOCK": path})
        yield path
    finally:
        child.kill()
        child.wait()


def read_record(path):
    """The entries that machine-keys wrote to `path` and the files beside it, in the order of time."""
    entries = []
    for name in (f"{path}.old", path, f"{path}.refused.old", f"{path}.refused"):
        if os.path.exists(name):
            with open(name) as file:
                entries += [json.loads(line) for line in file]
    return sorted(entries, key=lambda entry: entry["time"])
