"""Somebody who has taken over a VM's QEMU is inside bubblewrap, as QEMU is. A program inside tries everything that bubblewrap must
prevent. It is started with exactly the words before QEMU's on a running VM's command line. Each try succeeds outside."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess

import pytest

PROBE = r"""
import ctypes, json, os, signal, socket, sys
wanted = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)

def read(path):
    with open(path, "rb") as file:
        file.read(1)

def write(path):
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND))

def create(folder):
    os.close(os.open(folder + "/made", os.O_WRONLY | os.O_CREAT))

def connect(family, address):
    with socket.socket(family) as client:
        client.settimeout(3)
        client.connect(address)

def trace(pid):
    if libc.ptrace(16, pid, None, None) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    libc.ptrace(17, pid, None, None)

def mount(target):
    if libc.mount(b"none", target.encode(), b"tmpfs", 0, None) != 0:
        raise OSError(ctypes.get_errno(), "mount")
    libc.umount(target.encode())

tries = {
    "read a file of the user's": lambda: read(wanted["file"]),
    "write a file of the user's": lambda: write(wanted["file"]),
    "make a file in the user's home": lambda: create(wanted["home"]),
    "write a list of this computer's users": lambda: write("/etc/passwd"),
    "read what another VM has": lambda: read(wanted["vms"] + "/other/disk.qcow2"),
    "read the VM's own key": lambda: read(wanted["key"]),
    "write a layer": lambda: write(wanted["layer"]),
    "connect to this computer's loopback": lambda: connect(socket.AF_INET, ("127.0.0.1", wanted["port"])),
    "connect to a socket of the user's": lambda: connect(socket.AF_UNIX, wanted["socket"]),
    "connect to an abstract socket": lambda: connect(socket.AF_UNIX, "\0" + wanted["abstract"]),
    "see another process": lambda: read(f"/proc/{wanted['pid']}/comm"),
    "signal another process": lambda: os.kill(wanted["pid"], signal.SIGWINCH),
    "trace another process": lambda: trace(wanted["pid"]),
    "mount something": lambda: mount(wanted["home"]),
}
done = []
for name, how in tries.items():
    try:
        how()
        done.append(name)
    except (OSError, ValueError):
        pass
status = open("/proc/self/status").read()
print(json.dumps({"done": done, "tries": list(tries), "status": dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line),
                  "processes": [name for name in os.listdir("/proc") if name.isdigit()],
                  "links": {name: os.readlink("/proc/self/ns/" + name) for name in ("net", "pid", "mnt", "ipc")},
                  "interfaces": os.listdir("/sys/class/net") if os.path.isdir("/sys/class/net") else []}))
"""


@pytest.fixture(scope="module")
def words(box):
    """The words of bubblewrap's command line, up to where QEMU's begin."""
    if not shutil.which("bwrap"):
        pytest.skip("bubblewrap is not installed")
    (qemu,) = box.qemu()
    with open(f"/proc/{qemu}/stat") as file:
        around = int(file.read().rsplit(")", 1)[1].split()[1])
    with open(f"/proc/{around}/cmdline", "rb") as file:
        argv = file.read().decode().split("\0")[:-1]
    assert argv[0].endswith("bwrap"), argv
    return argv[:argv.index("--") + 1]


@pytest.fixture(scope="module")
def wanted(program, box, words):
    """Things outside that any program of the user can reach."""
    with contextlib.ExitStack() as stack:
        home = program.folder("home")
        layer = next(words[i + 1] for i, word in enumerate(words) if word == "--ro-bind" and "/layers/" in words[i + 1])
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        named, abstract = stack.enter_context(socket.socket(socket.AF_UNIX)), stack.enter_context(socket.socket(socket.AF_UNIX))
        path = os.path.join(program.root, "s")
        named.bind(path)
        abstract.bind(f"\0{path}")
        for server in (named, abstract):
            server.listen()
        child = stack.enter_context(subprocess.Popen(["sleep", "600"]))
        stack.callback(child.send_signal, signal.SIGKILL)
        other = os.path.join(program.state, "machine/vms/other")
        os.makedirs(other)
        for name in (os.path.join(other, "disk.qcow2"), os.path.join(home, "precious")):
            with open(name, "w") as file:
                file.write("precious")
        yield {"file": os.path.join(home, "precious"), "home": home, "vms": os.path.dirname(other), "layer": os.path.join(layer, "disk.qcow2"),
               "key": os.path.join(box.folder(), "host_key"), "port": listener.getsockname()[1], "socket": path, "abstract": path, "pid": child.pid}
        shutil.rmtree(other)


def probe(words, wanted):
    result = subprocess.run([*words, "/usr/bin/python3", "-c", PROBE, json.dumps(wanted)], capture_output=True, text=True, timeout=120,
                            stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"})
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def inside(words, wanted):
    return probe(words, wanted)


def test_nothing_of_this_computer_is_reached(inside):
    assert inside["done"] == []


def test_the_same_is_reached_outside(wanted):
    """Otherwise the test above would prove nothing. Tries that need root count only as root."""
    outside = probe([], wanted)
    as_root = {"write a list of this computer's users", "mount something", "write a layer"}
    assert set(outside["tries"]) - set(outside["done"]) - (set() if os.geteuid() == 0 else as_root) == set()


def test_it_has_no_privileges_and_gets_none(inside):
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(inside["status"][kind], 16) == 0, kind
    assert inside["status"]["NoNewPrivs"] == "1"


def test_it_sees_no_process_but_its_own_and_no_interface(inside):
    assert len(inside["processes"]) <= 2
    assert inside["interfaces"] in ([], ["lo"])
    for name, link in inside["links"].items():
        assert link != os.readlink(f"/proc/self/ns/{name}"), name


def test_what_it_may_write_is_the_disk_and_the_pipes_to_the_guests_agent(box, words):
    written = [words[i + 1] for i, word in enumerate(words) if word in ("--bind", "--dev-bind")]
    files = [os.path.join(box.folder(), name) for name in ("disk.qcow2", "qemu/agent.in", "qemu/agent.out")]
    assert [path for path in written if path != "/dev/kvm" and not path.endswith("/memory")] == files


def test_a_missing_bubblewrap_is_said_and_the_line_counts_as_crossed(program, box, tmp_path):
    """With a PATH that has everything except bwrap. The last test with this VM: it is not confined afterwards."""
    for folder in program.environment["PATH"].split(":"):
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if name != "bwrap" and not os.path.lexists(tmp_path / name):
                os.symlink(os.path.join(folder, name), tmp_path / name)
    env = {"PATH": str(tmp_path)}
    checks = json.loads(program.run("doctor", "--json", status=None, env=env).out.splitlines()[0])
    assert any("bwrap" in json.dumps(check) and check["status"] == "warning" for check in checks), checks
    box.machine("down")
    assert "bubblewrap is not installed" in box.up(env=env).err
    said = box.machine("audit", "--json", status=None, timeout=600).out
    lines = next(json.loads(line) for line in said.splitlines() if line.startswith("["))
    assert any("crossed" in json.dumps(line) and "network namespace" in json.dumps(line) for line in lines), lines
