"""Network namespaces for a test: the computer that runs machine-net, a neighbour on its LAN, and a server far away."""

import collections
import contextlib
import os
import pwd
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from guest import Guest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("MACHINE_TEST_BUILD", os.path.join(ROOT, "build"))
PROGRAM = os.environ.get("MACHINE_NET", os.path.join(BUILD, "dev/src/net/machine-net"))

# Addresses of the namespaces. The "far" ones are public addresses, which lead only to the namespace.
HOST_LAN, NEIGHBOUR = "192.168.77.1", "192.168.77.2"
HOST_FAR, FAR = "11.22.33.1", "11.22.33.2"
METADATA = "169.254.169.254"
NAMED = "11.22.33.44"  # the far DNS's answer for every name
KEPT = "11.22.33.46"  # its answer for "to-11-22-33-46.…": these servers keep a connection and send back what they get
TAKER = "11.22.33.47"  # its answer for "to-11-22-33-47.…": these servers read to the end and send the SHA-256 of it

REPLY = struct.Struct("=IIQQIIq")  # struct net_reply of lib/net-control.h

LOG_MOST = 1 << 20  # bytes of a log file, as in log.h


def ip(*words):
    subprocess.run(["ip", *words], check=True, timeout=20)


class Namespaces:
    def __init__(self):
        self.tag = f"mt{os.getpid()}"
        self.host, self.lan, self.far = (f"{self.tag}{role}" for role in ("h", "l", "f"))
        self.etc = os.path.join("/etc/netns", self.host)
        self.children = []

    def set_up(self):
        for name in (self.host, self.lan, self.far):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        self.link(self.lan, "l", HOST_LAN, NEIGHBOUR)
        self.link(self.far, "f", HOST_FAR, FAR)
        ip("-n", self.host, "route", "add", "default", "via", FAR)
        for address in (METADATA, NAMED, KEPT, TAKER):
            ip("-n", self.far, "addr", "add", f"{address}/32", "dev", "lo")
        os.makedirs(self.etc)
        with open(os.path.join(self.etc, "resolv.conf"), "w") as file:
            file.write(f"nameserver {FAR}\n")
        # As on a desktop, where every user may ping.
        self.run(self.host, ["sysctl", "-q", "-w", "net.ipv4.ping_group_range=0 2147483647"])
        return self

    def link(self, name, letter, near, far):
        ours, theirs = f"{self.tag}{letter}0", f"{self.tag}{letter}1"
        ip("-n", self.host, "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name)
        for namespace, device, address in ((self.host, ours, near), (name, theirs, far)):
            ip("-n", namespace, "addr", "add", f"{address}/24", "broadcast", "+", "dev", device)
            ip("-n", namespace, "link", "set", device, "up")

    def device(self, letter):
        return f"{self.tag}{letter}0"

    def tear_down(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait(timeout=10)
            child.stdout.close()
        for name in (self.host, self.lan, self.far):
            subprocess.run(["ip", "netns", "del", name], timeout=20)
        shutil.rmtree(self.etc, ignore_errors=True)

    def run(self, name, argv):
        subprocess.run(["ip", "netns", "exec", name, *argv], check=True, timeout=20)

    def serve(self, name, kind, address, port):
        """Starts server.py in that namespace, and waits until it listens."""
        child = subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, os.path.join(HERE, "server.py"), kind, address, str(port)],
            stdout=subprocess.PIPE, text=True)
        self.children.append(child)
        assert child.stdout.readline() == "ready\n"
        return child


Reply = collections.namedtuple("Reply", "status held near_bytes far_bytes near_open far_open moved_ms")


class MachineNet:
    """machine-net in the host's namespace, with a Guest at the other end of its wire."""

    def __init__(self, namespaces, *options, user=None, rules=None, environment=None, control=False):
        self.folder = tempfile.mkdtemp(prefix="mt.", dir="/tmp")
        if user:
            shutil.chown(self.folder, user)
        self.socket = os.path.join(self.folder, "ssh")
        self.log_path = os.path.join(self.folder, "net.log")
        self.rules_path = os.path.join(self.folder, "rules")
        self.account_path = os.path.join(self.folder, "account")
        if rules is not None:
            self.rule(*rules)
            options = (*options, f"--rules={self.rules_path}", f"--account={self.account_path}")
        self.guest = Guest()
        ready, theirs = os.pipe()
        wire = self.guest.far.fileno()
        passed = [wire, theirs]
        self.control_path = None
        if control:
            self.control_path = os.path.join(self.folder, "net.control")
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            listener.bind(self.control_path)
            listener.listen(8)
            passed.append(listener.fileno())
            options = (*options, f"--control-fd={listener.fileno()}")
        argv = [PROGRAM, f"--frames-fd={wire}", f"--ready-fd={theirs}", f"--ssh-socket={self.socket}",
                f"--log={self.log_path}", *options]
        if user:
            argv = ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups", *argv]
        self.process = subprocess.Popen(["ip", "netns", "exec", namespaces.host, *argv], pass_fds=passed,
                                        env=dict(os.environ, **(environment or {})))
        self.guest.far.close()
        if control:
            listener.close()
        os.close(theirs)
        with os.fdopen(ready) as file:
            self.said = file.read()

    def rule(self, mode, *rules):
        """Writes the rules in place, because the program has the file open."""
        with open(self.rules_path, "a+") as file:
            file.truncate(0)
            file.write("".join(f"{line}\n" for line in (mode, *rules, "end")))

    def account(self):
        """The account as lists of words. Empty until the file is whole."""
        if not os.path.exists(self.account_path):
            return []
        with open(self.account_path) as file:
            lines = file.read().splitlines()
        return [line.split() for line in lines[:-1]] if lines and lines[-1].startswith("end ") else []

    def supervisor(self):
        return self.process.pid

    def children(self, confined):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            pids = [int(pid) for pid in file.read().split()]
        return [pid for pid in pids if (status_of(pid).get("Seccomp") == "2") == confined]

    def workers(self):
        return self.children(confined=True)

    def waker(self):
        found = until(lambda: self.children(confined=False) or None)
        assert len(found) == 1
        return found[0]

    def request(self, data, wire=None):
        """Sends these bytes to the control socket. Returns the answer, None when there is none."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(20)
            connection.connect(self.control_path)
            socket.send_fds(connection, [data], [wire.fileno()] if wire else [])
            answer = connection.recv(100)
        return Reply(*REPLY.unpack(answer)) if answer else None

    def ask(self, word, wire=None):
        """What `machine` asks, and that must go well."""
        reply = self.request(word.encode().ljust(8, b"\0"), wire)
        assert reply.status == 0, reply
        return reply

    def worker(self):
        """The pid of the only worker."""
        found = until(lambda: self.workers() or None)
        assert len(found) == 1
        return found[0]

    def log(self):
        with open(self.log_path) as file:
            return file.read()

    def wait_for_log(self, text):
        until(lambda: text in self.log() or None, lambda: self.log())

    def close(self):
        self.guest.close()
        if self.control_path:
            # It may be held, and then the end of the wire is not its end.
            self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def until(look, say=lambda: "nothing", seconds=10):
    """Calls `look` until it returns something, and returns that."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        assert time.monotonic() < end, f"not within {seconds} s: {say()}"
        threading.Event().wait(0.02)


def status_of(pid):
    try:
        with open(f"/proc/{pid}/status") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return {}


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def unix_connection(path):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(5)
    try:
        connection.connect(path)
        yield connection
    finally:
        connection.close()
