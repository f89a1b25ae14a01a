"""VMs without a VM, for tests of commands that do something in a guest: the fake limactl (tests/engine/fake) is the engine, and `ssh`
runs the command on this computer, in a sandbox (bubblewrap) that has a home of its own, no network, and may write nothing else.

What only a real guest has is tested in tests/vm.
"""

import os
import shutil
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
FAKE = os.path.join(HERE, "../engine/fake")
USER = "dev"

# What makes an image without Debian's packages: nothing boots from it.
MMDEBSTRAP = """#!/bin/sh
[ "$1" = --version ] || [ "$1" = --unshare-helper ] && exec /usr/bin/mmdebstrap "$@"
echo kernel >$MACHINE_OUT/vmlinuz; echo initrd >$MACHINE_OUT/initrd
printf 'linux-image-6.1\\t1\\tamd64\\n' >$MACHINE_OUT/packages
"""

SSH = """#!/bin/sh
exec {python} {module} {root} "$@"
"""

SUDO = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
exec "$@"
"""


def sandbox(home, tools):
    """The beginning of a command line that runs the rest as a guest would."""
    return ["bwrap", "--unshare-all", "--new-session", "--ro-bind", "/", "/", "--tmpfs", "/home", "--bind", home, f"/home/{USER}",
            "--tmpfs", "/root", "--tmpfs", "/tmp", "--tmpfs", "/run", "--tmpfs", "/var", "--bind", tools, "/usr/local/bin", "--proc", "/proc",
            "--dev", "/dev", "--clearenv", "--setenv", "HOME", f"/home/{USER}", "--setenv", "USER", USER, "--setenv", "SHELL", "/bin/bash",
            "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv", "LC_ALL", "C.UTF-8", "--chdir", f"/home/{USER}"]


def why_not():
    """Why there can be no sandbox here; None if there can."""
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed"
    tried = subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"no sandbox can be made: {tried.stderr.strip()}"


class FakeGuests:
    """Gives a Program such VMs. `program.projects(…)` needs engine = "lima"; `up` makes them."""

    def __init__(self, program):
        reason = why_not()
        if reason:
            pytest.skip(reason)
        self.program = program
        self.tool("mmdebstrap", MMDEBSTRAP)
        self.tool("ssh", SSH.format(python=sys.executable, module=os.path.abspath(__file__), root=program.root))
        path = program.environment["PATH"]
        program.environment["PATH"] = f"{program.root}/fake:{FAKE}:{path}"
        program.environment["TMPDIR"] = program.folder("tmp")
        libexec = os.path.join(os.path.dirname(os.path.dirname(program.machine)), "libexec/machine")
        own = program.folder("libexec")
        for name in os.listdir(libexec):
            os.symlink(os.path.join(libexec, name), os.path.join(own, name))
        os.remove(f"{own}/machine-net")
        os.symlink(f"{FAKE}/machine-net", f"{own}/machine-net")
        program.environment["MACHINE_LIBEXEC_DIR"] = own
        os.chmod(program.write("guest-tools/sudo", SUDO), 0o755)

    def tool(self, name, text):
        """A program that comes first in the PATH. Returns its path."""
        path = self.program.write(f"fake/{name}", text)
        os.chmod(path, 0o755)
        return path

    def home(self, name):
        """The folder that is the home of this VM's user."""
        return self.program.folder("guests", name)


def main(root, arguments):
    """`ssh` as the program calls it: `-F none` is Lima's engine, asking the fake guest's port; the rest are sessions."""
    if "-O" in arguments:
        sys.exit(255)  # there is no shared connection
    if arguments[arguments.index("-F") + 1] == "none":
        os.execv(os.path.join(FAKE, "ssh"), ["ssh", *arguments])
    if "--" not in arguments:
        sys.exit(0)
    host, *command = arguments[arguments.index("--") + 1:]
    if not command:
        sys.exit(1)
    home = os.path.join(root, "guests", host.removeprefix("machine-"))
    os.makedirs(home, exist_ok=True)
    argv = sandbox(home, os.path.join(root, "guest-tools")) + ["/bin/bash", "-c", command[0]]
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
