"""A real ssh-agent with throwaway keys."""

import contextlib
import os
import subprocess

from program import wait_until


def make_key(path, comment, kind=("ed25519",)):
    subprocess.run(["ssh-keygen", "-q", "-t", *kind, "-N", "", "-C", comment, "-f", path], check=True)
    return path


@contextlib.contextmanager
def ssh_agent(path, *keys):
    """Listens at `path` and has these keys, by their files."""
    child = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: os.path.exists(path), 10, "ssh-agent listens")
        for key in keys:
            subprocess.run(["ssh-add", "-q", key], check=True, env={**os.environ, "SSH_AUTH_SOCK": path})
        yield path
    finally:
        child.kill()
        child.wait()
