"""What every engine must do, tested by its functions alone (driver.c): on real VMs, and over a fake limactl.

ENGINE_DRIVER is the driver's path. ENGINES names the engines to test (vms.make()). Engines that can't run here are skipped with the
reason. State goes to a temporary folder. The base image takes long to build, so it is shared with other tests (counts.DATA).
"""

import json
import os
import signal

import pytest
import vms


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""


@pytest.fixture(scope="module", params=os.environ.get("ENGINES", "qemu lima lima-fake").split())
def vm(request):
    vm = vms.make(request.param)
    yield vm
    vm.end()


@pytest.fixture
def guest(vm):
    """The same VM, for tests that need a booted guest."""
    if vm.fake:
        pytest.skip("behind the fake limactl there is no guest to log in to")
    return vm


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


def test_a_started_vm_can_be_connected_to(vm):
    assert vm.banner().startswith("SSH-2.0-")


def test_a_started_guest_is_this_vm_and_lets_its_key_in(guest):
    done = guest.ssh("hostname; cat /etc/machine-id; echo kept >kept; sync")
    assert done.returncode == 0, done.stderr
    with open(f"{guest.folder}/vm.json") as file:
        assert done.stdout.split() == [guest.name, json.load(file)["uuid"].replace("-", "")]


def test_a_running_vm_uses_memory_and_starting_it_again_starts_nothing(vm):
    assert json.loads(vm.call("inspect").stdout)["memory_bytes"] > 64 << 20
    before = vm.processes()
    vm.call("start")
    assert vm.processes() == before


def test_its_network_process_is_among_those_that_it_tells_of(vm):
    """Checks of a guest's listeners, and of how its processes are confined, look at the processes that the engine names."""
    # Its waker serves no guest: it only hears that it is to run `machine`.
    network = [pid for pid, args in vm.processes().items() if "/machine-net " in f"{args} " and name_of(pid) != "machine-waker"]
    told = json.loads(vm.call("processes").stdout)
    assert network and set(network) <= {process["pid"] for process in told if "machine-net" in process["role"]}


def test_a_running_vm_is_not_removed(vm):
    done = vm.call("remove", status=5)
    assert "is running" in done.stderr
    assert vm.state() == "running"


def test_a_vm_is_shut_down_in_order_and_starts_again(vm):
    assert "warning" not in vm.call("stop").stderr
    assert vm.state() == "stopped"
    vm.await_no_processes()
    vm.call("start")
    assert vm.state() == "running"


def test_a_guest_keeps_its_files(guest):
    assert guest.ssh("cat kept").stdout == "kept\n"


def test_a_vm_that_dies_is_seen_as_stopped_and_leaves_nothing_behind(vm):
    for pid in vm.runners():
        os.kill(pid, signal.SIGKILL)
    vm.await_state("stopped")
    vm.call("stop")
    vm.await_no_processes()


def test_kill_needs_no_guest_and_remove_leaves_nothing(vm):
    """It is killed while it boots, before there is a guest to ask."""
    started = vm.begin("start")
    vm.await_state("running")
    started.kill()
    started.communicate()
    vm.call("kill", limit=300)
    assert vm.state() == "stopped"
    vm.call("remove")
    assert vm.state() == "absent"
    vm.await_no_processes()
    assert os.listdir(f"{vm.root}/state/machine/vms") == [f"{vm.name}.lock"]
