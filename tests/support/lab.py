"""A small network for tests: a network namespace that stands for "other computers", joined to the host by a veth pair.

    host  10.199.N.1 ---veth--- 10.199.N.2  a neighbour with a private address
                                11.199.N.2  the same computer, simulating one with a public address

Nothing for 11.199.N.2 leaves this computer: while the lab exists, a host route leads to the namespace. A web server
(8000), git's server (9418) and an sshd (2222) run in the namespace, each on both addresses.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

# So that two runs of the tests at once have different labs.
NUMBER = os.getpid() % 250
HOST = f"10.199.{NUMBER}.1"
PRIVATE = f"10.199.{NUMBER}.2"
PUBLIC = f"11.199.{NUMBER}.2"
SAYS = "the lab's web server"


def why_not():
    """None if a lab can be made, else the reason for skipping."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    made = subprocess.run(["/usr/sbin/ip", "netns", "add", f"machine-probe-{os.getpid()}"], capture_output=True, text=True)
    if made.returncode != 0:
        return f"network namespaces can't be made here: {made.stderr.strip()}"
    subprocess.run(["/usr/sbin/ip", "netns", "del", f"machine-probe-{os.getpid()}"], check=True)
    return None


class Lab:
    def __init__(self, folder):
        self.name = f"machine-lab-{os.getpid()}"
        self.folder = folder
        self.repos = os.path.join(folder, "git")
        self.children = []
        os.makedirs(self.repos)
        try:
            self.build()
        except BaseException:
            self.clean_up()
            raise

    def ip(self, *args, check=True):
        subprocess.run(["/usr/sbin/ip", *args], check=check, capture_output=not check)

    def inside(self, *argv, env=None, **how):
        child = subprocess.Popen(
            ["/usr/sbin/ip", "netns", "exec", self.name, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.folder, f"{os.path.basename(argv[0])}.log"), "ab"), start_new_session=True,
            env={**os.environ, **(env or {})}, **how)
        self.children.append(child)
        return child

    def build(self):
        near, far = f"ml{os.getpid() % 100000}a", f"ml{os.getpid() % 100000}b"
        self.near = near
        # A run that was killed may have left one of this name, with its wires and routes.
        self.ip("netns", "del", self.name, check=False)
        self.ip("netns", "add", self.name)
        self.ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", self.name)
        self.ip("address", "add", f"{HOST}/30", "dev", near)
        self.ip("link", "set", near, "up")
        self.ip("-n", self.name, "address", "add", f"{PRIVATE}/30", "dev", far)
        self.ip("-n", self.name, "address", "add", f"{PUBLIC}/32", "dev", far)
        self.ip("-n", self.name, "link", "set", far, "up")
        self.ip("-n", self.name, "link", "set", "lo", "up")
        self.ip("-n", self.name, "route", "add", "default", "via", HOST)
        self.ip("route", "add", f"{PUBLIC}/32", "via", PRIVATE)

        web = os.path.join(self.folder, "web")
        os.makedirs(web)
        with open(os.path.join(web, "index.html"), "w") as file:
            file.write(SAYS)
        self.inside("/usr/bin/python3", "-m", "http.server", "8000", "--directory", web)
        self.inside("/usr/bin/git", "daemon", "--reuseaddr", "--export-all", "--enable=receive-pack", f"--base-path={self.repos}",
                    "--log-destination=stderr", self.repos, env={"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory",
                                                                "GIT_CONFIG_VALUE_0": "*"})
        self.start_sshd()
        for port in (8000, 9418, 2222):
            wait_for_port(PRIVATE, port)

    def start_stranger(self, port=2224):
        """Starts another sshd that lets in the same user, with another host key: one that a guest must not log in to."""
        ssh = os.path.join(self.folder, "ssh")
        subprocess.run(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "stranger", "-f", f"{ssh}/stranger"], check=True)
        with open(f"{ssh}/config") as file, open(f"{ssh}/stranger.config", "w") as other:
            other.write(file.read().replace("Port 2222", f"Port {port}").replace("/host_key", "/stranger"))
        self.inside("/usr/sbin/sshd", "-D", "-e", "-f", f"{ssh}/stranger.config")
        wait_for_port(PRIVATE, port)
        return port

    def start_sshd(self):
        """Starts an sshd where the user who runs the tests may log in with the lab's key. The tests use it only for git."""
        ssh = os.path.join(self.folder, "ssh")
        os.makedirs(ssh, mode=0o700)
        for name in ("host_key", "user_key"):
            subprocess.run(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", f"{ssh}/{name}"], check=True)
        shutil.copy(f"{ssh}/user_key.pub", f"{ssh}/authorized_keys")
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        with open(f"{ssh}/config", "w") as file:
            file.write(f"Port 2222\nHostKey {ssh}/host_key\nAuthorizedKeysFile {ssh}/authorized_keys\nStrictModes no\n"
                       f"PermitRootLogin prohibit-password\nPidFile none\nUsePAM no\n")
        self.user_key = f"{ssh}/user_key"
        self.login = pwd.getpwuid(os.getuid()).pw_name
        with open(f"{ssh}/host_key.pub") as file:
            key = " ".join(file.read().split()[:2])
        self.known_hosts = f"[{PUBLIC}]:2222 {key}\n[{PRIVATE}]:2222 {key}\n"
        self.inside("/usr/sbin/sshd", "-D", "-e", "-f", f"{ssh}/config")

    def repo(self, name, files=None):
        """Makes a bare repo with one commit. Returns its URL at the public address."""
        bare = os.path.join(self.repos, f"{name}.git")
        work = os.path.join(self.folder, "work", name)
        os.makedirs(work)
        for path, content in (files or {"README": f"{name}\n"}).items():
            with open(os.path.join(work, path), "w") as file:
                file.write(content)
        git = ["/usr/bin/git", "-c", "user.name=Jane", "-c", "user.email=jane@example.org", "-c", "init.defaultBranch=main",
               "-c", "commit.gpgSign=false"]
        subprocess.run([*git, "init", "--quiet"], cwd=work, check=True)
        subprocess.run([*git, "add", "--all"], cwd=work, check=True)
        subprocess.run([*git, "commit", "--quiet", "--message=first"], cwd=work, check=True)
        subprocess.run([*git, "clone", "--quiet", "--bare", work, bare], check=True)
        return f"git://{PUBLIC}/{name}.git"

    def clean_up(self):
        for child in self.children:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()
        # The processes that git's daemon started are in its group. The namespace ends with its last process.
        self.ip("route", "del", f"{PUBLIC}/32", check=False)
        self.ip("link", "del", getattr(self, "near", "none"), check=False)
        self.ip("netns", "del", self.name, check=False)


def wait_for_port(address, port, seconds=15):
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((address, port), 1).close()
            return
        except OSError:
            assert time.monotonic() < end, f"nothing answers at {address}:{port}"
            time.sleep(0.05)
