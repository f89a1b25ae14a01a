"""A kill at the moments when Lima doesn't know all of a VM's processes yet, over the fake limactl (fake/limactl)."""

import os
import time

import pytest
import vms


@pytest.fixture
def made():
    vm = vms.make("lima-fake")
    vm.call("create")
    yield vm
    for pid in vm.processes():
        os.kill(pid, 9)
    vm.end()


def test_a_kill_finds_a_guest_whose_pid_file_is_not_written_yet(made):
    """The guest runs already ("up"), and Lima knows of its host agent alone."""
    instance = f"{made.root}/state/machine/lima/{made.name}"
    started = made.begin("start", FAKE_LIMA="late-driver")
    end = time.monotonic() + 60
    while not os.path.exists(f"{instance}/up"):
        assert time.monotonic() < end, made.processes()
        time.sleep(0.02)
    assert not os.path.exists(f"{instance}/qemu.pid")
    started.kill()
    started.communicate()
    made.call("kill")
    assert made.state() == "stopped"
    made.await_no_processes(10)
