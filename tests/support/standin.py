"""A stand-in for a guest: this computer's own sshd, started for one connection at a time by ssh's ProxyCommand (no port, no
daemon), with a home of its own. ssh, git and the guest's scripts are the real ones; there is no VM."""

import os
import pwd
import shutil
import subprocess

import program

SSHD = "/usr/sbin/sshd"


def why_not():
    """What is missing here; None = nothing."""
    for needed in (SSHD, "ssh", "ssh-keygen", "git"):
        if not shutil.which(needed):
            return f"there is no {needed} here"
    return None


class StandIn:
    """A guest below `root`, and the folder of the VM `name` with the ssh_config that the program uses to reach it."""

    def __init__(self, root, name):
        self.root = root
        self.home = os.path.join(root, "guest")
        self.folder = os.path.join(root, "vm")
        os.makedirs(os.path.join(self.home, ".ssh"), mode=0o700)
        os.makedirs(self.folder, mode=0o700)
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", self.path(key)], check=True)
        # sshd as root needs this folder; distributions make it when the service starts
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.write("known_hosts", f"machine-{name} {self.read('host.pub')}")
        self.write("guest/.gitconfig", "[user]\n\tname = G\n\temail = g@example.org\n[init]\n\tdefaultBranch = main\n")
        self.write("sshd_config", f"HostKey {self.path('host')}\nAuthorizedKeysFile {self.path('user.pub')}\nSetEnv HOME={self.home}\n"
                   "ForceCommand cd \"$HOME\" && eval \"${SSH_ORIGINAL_COMMAND:-exec sh}\"\nPidFile none\nUsePAM no\nStrictModes no\n"
                   "PermitRootLogin yes\nPasswordAuthentication no\nPrintMotd no\nPrintLastLog no\n")
        self.write("vm/ssh_config", f"Host machine-{name}\n  User {pwd.getpwuid(os.geteuid()).pw_name}\n"
                   f"  IdentityFile {self.path('user')}\n  IdentitiesOnly yes\n  UserKnownHostsFile {self.path('known_hosts')}\n"
                   f"  StrictHostKeyChecking yes\n  ProxyCommand {SSHD} -i -f {self.path('sshd_config')} -E {self.path('sshd.log')}\n"
                   "  LogLevel ERROR\n")
        self.environment = {"MACHINE_DATA_DIR": self.path("data")}
        os.makedirs(self.path("data/guest"))
        os.symlink(os.path.join(program.ROOT, "guest/session"), self.path("data/guest/session"))

    def path(self, name):
        return os.path.join(self.root, name)

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        os.chmod(self.path(name), 0o600)

    def sh(self, script):
        """Runs a shell script in the guest's home and returns its output."""
        return subprocess.run(["sh", "-ec", script], cwd=self.home, check=True, capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], "HOME": self.home, "GIT_CONFIG_NOSYSTEM": "1"}).stdout
