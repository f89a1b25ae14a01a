"""A VM of one engine, used by the engine's functions alone (driver.c), and the engines to test."""

import json
import os
import shutil
import subprocess
import tempfile
import time

import counts
import pytest

DRIVER = os.environ.get("ENGINE_DRIVER")
FAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake")
NAME = "contract"


class Vm:
    """`engine` is one of the program's engines. With `fake`, its limactl is the one in the folder fake/."""

    def __init__(self, engine, fake=False, name=NAME):
        self.engine, self.fake, self.name = engine, fake, name
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="machine-engine-", dir="/tmp"))
        data = f"{self.root}/data" if fake else counts.DATA
        self.environment = dict(os.environ, XDG_STATE_HOME=f"{self.root}/state", XDG_RUNTIME_DIR=f"{self.root}/run",
                                XDG_CACHE_HOME=f"{self.root}/cache", XDG_DATA_HOME=data)
        os.mkdir(f"{self.root}/run", 0o700)
        if counts.stand_in(self.root):
            self.environment["PATH"] = self.root + os.pathsep + os.environ["PATH"]
        if fake:
            self.environment["PATH"] = FAKE + os.pathsep + os.environ["PATH"]
            self.plant_libexec()
            self.plant_base()

    def plant_libexec(self):
        """Puts the real machine-shim and machine-log and the fake machine-net into one folder: all are found by their names."""
        os.mkdir(f"{self.root}/libexec")
        for folder, name in (("shim", "machine-shim"), ("log", "machine-log")):
            ours = os.environ.get("MACHINE_LIBEXEC_DIR", os.path.join(os.path.dirname(DRIVER), "../../src", folder))
            os.symlink(os.path.realpath(os.path.join(ours, name)), f"{self.root}/libexec/{name}")
        os.symlink(f"{FAKE}/machine-net", f"{self.root}/libexec/machine-net")
        self.environment["MACHINE_LIBEXEC_DIR"] = f"{self.root}/libexec"

    def plant_base(self):
        """Makes a fake base image. Nothing boots from it, so none has to be built."""
        key = json.loads(self.call("base").stdout)["key"]
        folder = f"{self.root}/data/machine/layers/{key}"
        os.makedirs(folder, 0o700)
        for name in ("disk.qcow2", "vmlinuz", "initrd"):
            with open(f"{folder}/{name}", "w") as file:
                file.write(f"{name}\n")
        with open(f"{folder}/manifest.json", "w") as file:
            json.dump({"key": key, "kind": "base", "disk_bytes": 1 << 30}, file)
        self.base = folder

    @property
    def folder(self):
        return f"{self.root}/state/machine/vms/{self.name}"

    def argv(self, command, *options):
        # One processor, as in most tests with VMs, so that they share a template.
        return [DRIVER, "--engine", self.engine, "--cpus", "1", *options, command, self.name]

    def call(self, command, *options, status=0, limit=3600, **environment):
        done = subprocess.run(self.argv(command, *options), env={**self.environment, **environment}, capture_output=True, text=True,
                              timeout=limit)
        assert done.returncode == status, done.stderr
        return done

    def begin(self, command, **environment):
        return subprocess.Popen(self.argv(command), env={**self.environment, **environment}, stderr=subprocess.PIPE, text=True)

    def inspect(self, **environment):
        return json.loads(self.call("inspect", **environment).stdout)

    def state(self):
        return self.inspect()["state"]

    def await_state(self, state, limit=300):
        end = time.monotonic() + limit
        while self.state() != state:
            assert time.monotonic() < end, f"not '{state}' after {limit} s"
            time.sleep(0.05)

    def ssh(self, command):
        return subprocess.run(
            ["ssh", "-F", "/dev/null", "-i", f"{self.folder}/id_ed25519", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
             "-o", f"UserKnownHostsFile={self.folder}/known_hosts", "-o", f"HostKeyAlias=machine-{self.name}",
             "-o", "StrictHostKeyChecking=yes", "-o", f"ProxyCommand={DRIVER} connect {self.name}", f"dev@machine-{self.name}", command],
            env=self.environment, capture_output=True, text=True, timeout=1200)

    def banner(self):
        """The first line that comes through `connect`."""
        child = subprocess.Popen(self.argv("connect"), env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            return child.stdout.readline().decode().rstrip("\r\n")
        finally:
            child.kill()
            child.communicate()

    def processes(self):
        """The processes of this VM: what runs the guest, what is around it, and its network."""
        found = subprocess.run(["ps", "-ww", "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 2) for line in found.splitlines()]
        return {int(pid): args for pid, stat, args in rows if self.root in args and "engine-driver" not in args.split()[0] and stat[0] != "Z"}

    def await_no_processes(self, limit=60):
        """Waits for the processes around a guest, which may end an instant after it."""
        end = time.monotonic() + limit
        while self.processes():
            assert time.monotonic() < end, self.processes()
            time.sleep(0.05)

    def runners(self):
        """Those processes that run the guest."""
        return {pid: args for pid, args in self.processes().items()
                if os.path.basename(args.split()[0]).startswith(("qemu-system", "limactl"))}

    def end(self):
        subprocess.run(self.argv("kill"), env=self.environment, capture_output=True)
        shutil.rmtree(self.root)


def probe(engine, **environment):
    done = subprocess.run([DRIVER, "--engine", engine, "probe", NAME], check=True, capture_output=True, env={**os.environ, **environment})
    return json.loads(done.stdout)


def make(which, **more):
    """Makes a VM. `which`: "qemu", "lima", or "lima-fake" (lima with the fake limactl). Skips the test if the engine can't run here."""
    if not DRIVER:
        pytest.skip("ENGINE_DRIVER is not set")
    if which == "lima-fake":
        return Vm("lima", fake=True, **more)
    found = probe(which)
    if not found["usable"]:
        pytest.skip(f"{which}: {found['note']}")
    return Vm(which, **more)


def await_that(condition, what, limit=150):
    """Polls for something that can't be waited for in any other way."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"not so after {limit} s: {what}"
        time.sleep(0.02)
