"""The built program in surroundings of its own, for tests and benchmarks."""

import collections
import glob
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import counts

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("MACHINE_TEST_BUILD", os.path.join(ROOT, "build"))
MACHINE = os.environ.get("MACHINE", os.path.join(BUILD, "dev/root/usr/local/bin/machine"))

# A shell starts background programs with Ctrl-C ignored, and their children inherit that. The tests' programs must not ignore it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Limits in tests say how long a quiet machine needs at most. A busy or slow one gets ten times that. A limit ends what hangs; it
# measures nothing.
PATIENCE = 10

Result = collections.namedtuple("Result", "argv status out err seconds")


def said(result):
    """Everything that a command said, for an assertion's message."""
    return f"{' '.join(result.argv)}\nexit status {result.status}\n--- stdout\n{result.out}\n--- stderr\n{result.err}"


def free_port():
    """A TCP port of 127.0.0.1 on which nobody listens at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Program:
    """Folders below a short path (a unix socket's path has at most 107 bytes), and the program run with them.

    `data`: a folder for base images that several may share. `user`: as root, the passwd name to run as.
    """

    def __init__(self, data=None, user=None):
        if not os.access(MACHINE, os.X_OK):
            raise FileNotFoundError(f"'{MACHINE}' is not there: make check builds and installs it")
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="mt.", dir="/tmp"))
        self.user = user
        self.machine = MACHINE
        self.workers_killed = 0  # of machine-net, by a test
        self.home = self.folder("home")
        self.state = self.folder("state")
        self.config = self.folder("config")
        self.ssh = self.folder("ssh")
        self.runtime = self.folder("r")
        counting = f"{self.folder('counting')}:" if counts.stand_in(self.folder("counting")) else ""
        self.environment = {
            "PATH": f"{counting}{os.path.dirname(MACHINE)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": self.home,
            "USER": user or pwd.getpwuid(os.getuid()).pw_name,
            "LC_ALL": "C.UTF-8",
            "XDG_STATE_HOME": self.state,
            "XDG_CONFIG_HOME": self.config,
            "XDG_DATA_HOME": data or self.folder("data"),
            "XDG_CACHE_HOME": self.folder("cache"),
            "XDG_RUNTIME_DIR": self.runtime,
            "MACHINE_SSH_DIR": self.ssh,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        self.write("home/.gitconfig", "[user]\n\tname = Jane\n\temail = jane@example.org\n[init]\n\tdefaultBranch = main\n"
                   "[commit]\n\tgpgSign = false\n")
        self.hand_over()

    def folder(self, *parts):
        path = os.path.join(self.root, *parts)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def hand_over(self):
        """Makes everything below our folder the user's."""
        if not self.user:
            return
        for path in [self.root] + [os.path.join(top, name) for top, folders, files in os.walk(self.root) for name in folders + files]:
            shutil.chown(path, self.user, pwd.getpwnam(self.user).pw_gid)

    def write(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        self.hand_over()
        return path

    def read(self, name):
        with open(os.path.join(self.root, name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def without_recipe(self):
        """Makes VMs from the base image alone: the shipped recipe takes a quarter of an hour on an emulated processor."""
        self.write("config/machine/provision.toml", "")
        return self

    def projects(self, text):
        return self.write("config/machine/projects.toml", text)

    def read_state(self):
        """The names in the folder of VMs."""
        folder = os.path.join(self.state, "machine/vms")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def identity(self):
        """What subprocess needs to become the user."""
        if not self.user:
            return {}
        entry = pwd.getpwnam(self.user)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def start(self, *args, cwd=None, env=None, **how):
        """Starts a command in the background. `how` goes to subprocess.Popen."""
        argv = [self.machine, *args] if not args or not os.path.isabs(args[0]) else list(args)
        how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
        return subprocess.Popen(argv, cwd=cwd or self.home, env={**self.environment, **(env or {})}, **self.identity(), **how)

    def finish(self, child, input=None, timeout=300):
        began = time.monotonic()
        try:
            out, err = child.communicate(input=input, timeout=timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGABRT)
            out, err = child.communicate()
            raise AssertionError(f"not done after {timeout * PATIENCE} s: {child.args}\n{text(out)}\n{text(err)}") from None
        return Result(child.args, child.returncode, text(out), text(err), time.monotonic() - began)

    def run(self, *args, input=None, status=0, timeout=300, cwd=None, env=None):
        """Runs `machine ARGS…` (or another program, by its absolute path) and checks the exit status; None = any."""
        if isinstance(input, str):
            input = input.encode()
        child = self.start(*args, cwd=cwd, env=env, stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL)
        result = self.finish(child, input, timeout)
        assert status is None or result.status == status, said(result) + "".join(self.lost_networks())
        return result

    def json(self, *args, **how):
        """The JSON value that `machine ARGS… --json` prints as its last line."""
        result = self.run(*args, "--json", **how)
        try:
            return json.loads(result.out.strip().splitlines()[-1])
        except (IndexError, ValueError):
            raise AssertionError(said(result)) from None

    def how(self, name, *options, **how):
        """How `up` came to the running VM: "restored", "created", "started" or "running". If a warning says more of it, such as why the VM
        was not restored, it follows."""
        events = [json.loads(line) for line in self.run("up", *options, name, "--json", **how).out.splitlines()]
        warnings = [event["text"] for event in events if event.get("event") == "warning" and f"'{name}'" in event["text"]]
        return " - ".join([events[-1]["how"]] + warnings)

    def checks(self):
        """What `machine doctor` found. Its result comes first; an error may follow."""
        return json.loads(self.run("doctor", "--json", status=None).out.splitlines()[0])

    def git(self, *args, cwd, **how):
        return self.run("/usr/bin/git", *args, cwd=cwd, **how)

    def processes(self, *words):
        """Pids of all processes that belong here (by command line, environment or folder) and whose command line has `words`."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            line, rest = b"", b""
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read()
                with open(f"/proc/{pid}/environ", "rb") as file:
                    rest = file.read()
                rest += os.readlink(f"/proc/{pid}/cwd").encode()
            except OSError:
                pass
            # With the slash: mt.a is not mt.ab.
            mine = f"{self.root}/".encode()
            if line and (mine in line or mine in rest) and all(word.encode() in line for word in words):
                found.append(int(pid))
        return sorted(found)

    def assert_no_processes(self):
        """Fails when processes are left. One that was killed a moment ago gets time to end."""
        end = time.monotonic() + 5 * PATIENCE
        while self.processes():
            assert time.monotonic() < end, [text(command_line(pid)) for pid in self.processes()]
            time.sleep(0.05)

    def lost_networks(self):
        """Lines of VMs' net.log that say that a worker of machine-net died, and with it all its connections."""
        lines = []
        for path in glob.glob(f"{self.state}/machine/vms/*/logs/net.log*"):
            with open(path, encoding="utf-8", errors="replace") as file:
                lines += [f"{path}: {line}" for line in file if "note the worker" in line]
        return lines

    def clean_up(self):
        """Ends our remaining processes and removes the folders. Fails when a network was lost on the way."""
        lost = self.lost_networks()
        self.remove()
        assert len(lost) <= self.workers_killed, "".join(lost)

    def remove(self):
        for _ in range(3):
            for pid in self.processes():
                if pid != os.getpid():
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
            if not self.processes():
                break
        shutil.rmtree(self.root, ignore_errors=True)


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ")
    except OSError:
        return b"(gone)"


def text(data):
    return (data or b"").decode("utf-8", errors="replace")


def wait_until(condition, seconds, what):
    """Polls for something that can't be waited for in any other way."""
    end = time.monotonic() + seconds * PATIENCE
    while not condition():
        assert time.monotonic() < end, f"still not so after {seconds * PATIENCE} s: {what}"
        time.sleep(0.05)
