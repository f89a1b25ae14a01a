"""`machine up`, killed at any moment and run again, gets the VM running, and leaves nothing half-made and no extra process."""

import concurrent.futures
import os
import signal
import subprocess
import time

import pytest
from conftest import SMALL, Vm, surroundings

# Seconds after the start of an `up` that boots; a boot takes longer than the last of them. (test_k_killed kills restores.)
MOMENTS = [0.01, 0.03, 0.06, 0.1, 0.2, 0.5, 1, 3, 6, 9]
AT_ONCE = 1 if (os.cpu_count() or 1) < 4 else 2  # other tests run VMs at the same time


def leftovers(program):
    """Files whose names say that they are temporary and were to be renamed."""
    found = []
    for top in (program.state, program.config, program.ssh, os.path.join(program.environment["XDG_DATA_HOME"], "machine")):
        for folder, folders, files in os.walk(top):
            found += [os.path.join(folder, name) for name in folders + files
                      if name.endswith((".new", ".tmp", ".part", "~")) or ".partial" in name or name.startswith((".tmp", "tmp."))]
    return found


def killed_at(data, moment):
    """Returns what went wrong, or None."""
    with surroundings(data=data) as program:
        program.projects(f"[blog]\n{SMALL}")
        vm = Vm(program, "blog")
        child = program.start("up", "--cold", "blog", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        child.send_signal(signal.SIGKILL)
        killed = child.wait() == -signal.SIGKILL
        # `list` copes with whatever is there, and changes nothing.
        state = vm.state()
        program.run("up", "--cold", "blog")
        assert vm.state() == "running"
        vm.run("true")
        assert [layer["kind"] for layer in program.json("layers") if "blog" in layer["vms"]] == ["base"]
        assert len(vm.qemu()) == 1, f"{len(vm.qemu())} QEMUs"
        assert len(program.processes("machine-net")) <= 3, program.processes("machine-net")
        assert leftovers(program) == []
        vm.machine("destroy", "--yes")
        program.assert_no_processes()
        assert not os.path.exists(vm.folder())
        assert [name for name in program.read_state() if not name.endswith(".lock")] == []
        return killed, state


@pytest.mark.long
def test_up_killed_on_its_way_is_finished_by_the_next(base, data):
    """tests/engine kills one boot of an engine in each check, and test_k_killed one restore."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {moment: pool.submit(killed_at, data, moment) for moment in MOMENTS}
        wrong = {moment: future.exception() for moment, future in futures.items() if future.exception()}
    assert not wrong, "\n".join(f"killed after {moment} s: {error}" for moment, error in wrong.items())
    killed = [moment for moment, future in futures.items() if future.result()[0]]
    assert len(killed) >= len(MOMENTS) - 2, f"only {killed} came before the end"
    # The moments covered different states: before there was a VM, and while it booted.
    assert {"absent", "running"} <= {future.result()[1] for future in futures.values()}


def test_destroy_killed_is_finished_by_the_next(make):
    vm = make("gone")
    vm.up()
    child = vm.program.start("destroy", "--yes", "--discard-work", "gone", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.1)
    child.send_signal(signal.SIGKILL)
    child.wait()
    result = vm.machine("destroy", "--yes", "--discard-work", status=None)
    assert result.status in (0, 4)
    vm.program.assert_no_processes()
    assert not os.path.exists(vm.folder())


@pytest.mark.long
def test_up_interrupted_by_control_c_says_so_and_stops(make):
    vm = make("stopped")
    child = vm.program.start("up", "--cold", "stopped")
    time.sleep(4)
    child.send_signal(signal.SIGINT)
    result = vm.program.finish(child, timeout=60)
    assert result.status == 130 and "Stopping. Ctrl-C again ends it at once." in result.err, result
    assert "'machine up stopped' goes on from there" in result.err, result
    # A guest that was booting goes on, and is waited for.
    again = vm.up()
    assert "removing VM" not in again.err, again
    vm.run("true")
