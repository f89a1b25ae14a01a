"""What every engine must hold, by its functions alone (driver.c), with real VMs.

ENGINE_DRIVER is the driver's path. ENGINES names the engines to test, those that can't run here are skipped with their reason.
State goes to a folder of its own; the base image, which is dear, is shared through ENGINE_TEST_DATA when that is set.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

DRIVER = os.environ.get("ENGINE_DRIVER")
NAME = "contract"


class Vm:
    def __init__(self, engine, root):
        self.engine = engine
        self.root = root
        self.environment = dict(os.environ, XDG_STATE_HOME=f"{root}/state", XDG_RUNTIME_DIR=f"{root}/run",
                                XDG_CACHE_HOME=f"{root}/cache", XDG_DATA_HOME=os.environ.get("ENGINE_TEST_DATA", f"{root}/data"))
        os.mkdir(f"{root}/run", 0o700)

    def argv(self, command):
        return [DRIVER, "--engine", self.engine, command, NAME]

    def call(self, command, status=0, limit=900):
        done = subprocess.run(self.argv(command), env=self.environment, capture_output=True, text=True, timeout=limit)
        assert done.returncode == status, done.stderr
        return done

    def begin(self, command):
        return subprocess.Popen(self.argv(command), env=self.environment, stderr=subprocess.PIPE, text=True)

    def state(self):
        return json.loads(self.call("inspect").stdout)["state"]

    def await_state(self, state, limit=30):
        end = time.monotonic() + limit
        while self.state() != state:
            assert time.monotonic() < end, f"not '{state}' after {limit} s"
            time.sleep(0.05)

    def ssh(self, command):
        folder = f"{self.root}/state/machine/vms/{NAME}"
        return subprocess.run(
            ["ssh", "-F", "/dev/null", "-i", f"{folder}/id_ed25519", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
             "-o", f"UserKnownHostsFile={folder}/known_hosts", "-o", f"HostKeyAlias=machine-{NAME}",
             "-o", "StrictHostKeyChecking=yes", "-o", f"ProxyCommand={DRIVER} connect {NAME}", f"dev@machine-{NAME}", command],
            env=self.environment, capture_output=True, text=True, timeout=120)

    def processes(self):
        """Those of this VM: QEMU, what is around it, its network."""
        found = subprocess.run(["ps", "-ww", "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 2) for line in found.splitlines()]
        return {int(pid): args for pid, stat, args in rows if self.root in args and "engine-driver" not in args and stat[0] != "Z"}


@pytest.fixture(scope="module", params=os.environ.get("ENGINES", "qemu").split())
def vm(request):
    if not DRIVER:
        pytest.skip("ENGINE_DRIVER is not set")
    probe = json.loads(subprocess.run([DRIVER, "--engine", request.param, "probe", NAME], check=True, capture_output=True).stdout)
    if not probe["usable"]:
        pytest.skip(f"{request.param}: {probe['note']}")
    root = tempfile.mkdtemp(prefix="machine-engine-", dir="/tmp")
    vm = Vm(request.param, root)
    yield vm
    subprocess.run(vm.argv("kill"), env=vm.environment, capture_output=True)
    shutil.rmtree(root)


def test_what_was_never_made_is_absent(vm):
    assert vm.state() == "absent"


def test_a_made_vm_is_stopped_and_making_it_again_changes_nothing_to_see(vm):
    vm.call("create")
    assert vm.state() == "stopped"
    vm.call("create")
    assert vm.state() == "stopped"
    assert vm.processes() == {}


def test_a_stopped_vm_can_not_be_connected_to(vm):
    done = vm.call("connect", status=5)
    assert "is not running" in done.stderr and "hint: machine up" in done.stderr


def test_stopping_a_stopped_vm_is_success(vm):
    vm.call("stop")
    vm.call("kill")
    assert vm.state() == "stopped"


def test_a_killed_start_is_finished_by_the_next(vm):
    started = vm.begin("start")
    vm.await_state("running")
    started.kill()
    started.communicate()
    vm.call("start")
    assert vm.state() == "running"


def test_a_started_guest_is_this_vm_and_lets_its_key_in(vm):
    done = vm.ssh("hostname; cat /etc/machine-id; echo kept >kept; sync")
    assert done.returncode == 0, done.stderr
    with open(f"{vm.root}/state/machine/vms/{NAME}/vm.json") as file:
        assert done.stdout.split() == [NAME, json.load(file)["uuid"].replace("-", "")]


def test_a_running_vm_uses_memory_and_starting_it_again_takes_no_time(vm):
    assert json.loads(vm.call("inspect").stdout)["memory_bytes"] > 64 << 20
    begun = time.monotonic()
    vm.call("start")
    assert time.monotonic() - begun < 2


def test_a_running_vm_is_not_removed(vm):
    done = vm.call("remove", status=5)
    assert "is running" in done.stderr
    assert vm.state() == "running"


def test_a_vm_that_dies_is_seen_as_stopped_and_leaves_nothing_behind(vm):
    for pid, args in vm.processes().items():
        if "qemu-system" in args.split()[0] or args.startswith("limactl"):
            os.kill(pid, signal.SIGKILL)
    vm.await_state("stopped")
    vm.call("stop")
    assert vm.processes() == {}


def test_a_vm_is_shut_down_in_order_and_keeps_its_files(vm):
    vm.call("start")
    vm.call("stop")
    assert vm.state() == "stopped"
    assert vm.processes() == {}
    vm.call("start")
    assert vm.ssh("cat kept").stdout == "kept\n"


def test_kill_needs_no_guest_and_remove_leaves_nothing(vm):
    vm.call("kill", limit=30)
    assert vm.state() == "stopped"
    vm.call("remove")
    assert vm.state() == "absent"
    assert vm.processes() == {}
    assert os.listdir(f"{vm.root}/state/machine/vms") == [f"{NAME}.lock"]
