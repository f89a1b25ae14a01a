"""Layers, templates and VMs restored from them, for tests that check more than the program's own words."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time

import pytest
from guests import SMALL, Vm, surroundings
from program import BUILD, wait_until

DRIVER = os.environ.get("ENGINE_DRIVER") or os.path.join(BUILD, "dev/tests/engine/engine-driver")


def layers(program):
    return {layer["key"]: layer for layer in program.json("layers")}


def folder_of(program, key):
    return os.path.join(program.environment["XDG_DATA_HOME"], "machine/layers", key)


def template_of(vm):
    """The key of the template that a VM stands on."""
    key, = [layer["key"] for layer in vm.program.json("layers") if vm.name in layer["vms"]]
    assert layers(vm.program)[key]["kind"] == "template"
    return key


def digest(path):
    """The hash of a sparse file as large as a guest's memory: every block that isn't empty, with its place. Where the file system
    has holes doesn't count: data that was only just written can first be in a hole and later not."""
    hashed = hashlib.sha256()
    size = 1 << 16
    with open(path, "rb") as file:
        at, end = 0, os.fstat(file.fileno()).st_size
        while at < end:
            try:
                data = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            until = os.lseek(file.fileno(), data, os.SEEK_HOLE)
            for at in range(data // size * size, until, size):
                block = os.pread(file.fileno(), size, at)
                if block.strip(b"\0"):
                    hashed.update(b"%d " % at + block)
            at += size
        hashed.update(b"%d" % end)
    return hashed.hexdigest()


@contextlib.contextmanager
def twins(data, count=2, more=""):
    """Makes `count` VMs of one size, one after the other. Each has the random data and the time that its first command read."""
    with surroundings(data=data) as program:
        names = [f"twin-{number}" for number in range(count)]
        program.projects("".join(f"[{name}]\n{SMALL}{more}" for name in names))
        vms = [Vm(program, name) for name in names]
        for vm in vms:
            vm.first_up = program.json("up", vm.name, timeout=600)
            before = time.time()
            vm.drawn, now = vm.sh("head -c 16 /dev/urandom | base64; cat /proc/sys/kernel/random/uuid; date +%s.%N").rsplit("\n", 2)[:2]
            vm.clock = (before, float(now), time.time())
        yield vms


@pytest.fixture(scope="module")
def pair(data):
    with twins(data) as vms:
        yield vms


def in_order(template, program):
    """What must stay the same in a template, whatever was made from it."""
    folder = folder_of(program, template)
    return {name: digest(os.path.join(folder, name)) for name in sorted(os.listdir(folder))}


class Driver:
    """Calls the engine's own functions, without a session, so that only the engine takes time."""

    def __init__(self, program):
        self.program = program
        share = os.path.join(os.path.dirname(os.path.dirname(program.machine)), "share/machine")
        libexec = os.path.join(os.path.dirname(os.path.dirname(program.machine)), "libexec/machine")
        self.environment = {"MACHINE_DATA_DIR": share, "MACHINE_LIBEXEC_DIR": libexec}

    def call(self, command, name, status=0, env=None, **how):
        return self.program.run(DRIVER, "--cpus", "1", "--memory", "1GiB", command, name, status=status,
                                env={**self.environment, **(env or {})}, **how)


def left_behind(program):
    """All that is left, except folders, the locks of VMs that are gone, what is kept to save time, and that emulation was spoken of."""
    found = []
    for top in (program.state, program.runtime):
        for folder, _, files in os.walk(top):
            found += [os.path.join(folder, name) for name in files if not name.endswith(".lock") and name != "said-slow"]
        found += [os.path.join(top, name) for name in os.listdir(top) if name != "machine"]
    vms = os.path.join(program.state, "machine/vms")
    return found + [name for name in os.listdir(vms) if os.path.isdir(os.path.join(vms, name))]


def restamp(folder):
    """Updates the manifest of a template to its files as they are now."""
    path = os.path.join(folder, "manifest.json")
    with open(path) as file:
        manifest = json.load(file)
    for name in ("memory", "state"):
        if name in manifest:
            found = os.stat(os.path.join(folder, name))
            manifest[name] = {"bytes": found.st_size, "changed_s": found.st_ctime_ns // 10**9, "changed_ns": found.st_ctime_ns % 10**9}
    os.unlink(path)
    with open(path, "w") as file:
        json.dump(manifest, file)


def copied_layers(program, other, only=None):
    """Copies the current layers of `other` into the data folder of `program`. The large disks are links, so it takes little room."""
    own = os.path.join(program.environment["XDG_DATA_HOME"], "machine/layers")
    os.makedirs(own, mode=0o700, exist_ok=True)
    for key, layer in layers(other).items():
        if layer["current"] and (only is None or only(layer)):
            source, to = folder_of(other, key), os.path.join(own, key)
            os.mkdir(to, 0o700)
            for name in os.listdir(source):
                if name.startswith("disk"):
                    os.link(os.path.join(source, name), os.path.join(to, name))
                else:
                    subprocess.run(["cp", "--sparse=always", "--preserve=mode", os.path.join(source, name), to], check=True)
            restamp(to)
    return program


@pytest.fixture
def alone(base):
    """Surroundings with their own data folder, which has the current layers."""
    with surroundings() as program:
        yield copied_layers(program, base)


def half_made(program):
    """What a build began and left behind. Layers that a living process is filling don't count: other tests fill layers in this folder."""
    unfinished = [name for name in layers_by_name(program) if len(name) != 64]
    return [name for name in unfinished if not os.path.exists(f"/proc/{name.rpartition('-')[2]}")]


def killed_bake(program, seconds):
    """Kills a `bake` after that time. Returns whether it was still building. All that it started ends with it."""
    child = program.start("bake", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    was_building = child.poll() is None
    child.send_signal(signal.SIGKILL)
    child.wait()
    wait_until(lambda: not program.processes(), 10, "the processes that it started end with it")
    return was_building


def layers_by_name(program):
    folder = os.path.join(program.environment["XDG_DATA_HOME"], "machine/layers")
    return [name for name in os.listdir(folder) if not name.endswith(".lock")]


def templates(program):
    return {key: layer for key, layer in layers(program).items() if layer["kind"] == "template"}
