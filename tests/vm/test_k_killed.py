"""Restores and template builds are killed on their way. The next `up` finishes the work, and nothing is left behind."""

import signal
import subprocess
import time

import pytest
from choice import long_unless
from conftest import SMALL, Vm, surroundings
from program import wait_until
from templates import copied_layers, half_made, killed_bake, layers, left_behind

RESTORE_MOMENTS = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9]
SOME_RESTORE_MOMENTS = [0.05, 0.5]
BUILD_MOMENTS = [0.3, 1, 2, 4, 7, 10, 13, 16, 20, 24]


@pytest.mark.long
def test_killed_template_builds_leave_nothing_that_counts(base):
    """The builds run one after the other in one data folder, so each finds what the previous one left. test_k_template has one that is
    killed while it replaces a damaged template."""
    with surroundings() as program:
        copied_layers(program, base, only=lambda layer: layer["kind"] == "base")
        program.projects(f"[blog]\n{SMALL}")
        killed = 0
        for moment in BUILD_MOMENTS:
            if not killed_bake(program, moment):
                break
            killed += 1
            assert all(layer["kind"] in ("base", "unfinished") or layer["current"] for layer in layers(program).values())
        assert killed > len(BUILD_MOMENTS) / 2, f"the template was there before it could be killed more than {killed} times"
        assert program.how("blog", timeout=600) == "restored"
        assert half_made(program) == []
        assert Vm(program, "blog").sh("hostname") == "blog\n"


def test_an_interrupted_template_build_ends_at_once_and_leaves_nothing(base):
    with surroundings() as program:
        copied_layers(program, base, only=lambda layer: layer["kind"] == "base")
        program.projects(f"[blog]\n{SMALL}")
        child = program.start("bake")
        # QEMU is also started to ask for its version.
        wait_until(lambda: program.processes("guest=template"), 60, "the template's guest boots")
        assert "building" in [layer["kind"] for layer in layers(program).values()]
        child.send_signal(signal.SIGINT)
        result = program.finish(child, timeout=30)
        assert result.status == 130, result
        assert "'machine bake' goes on from there" in result.err and "boots cold" not in result.err, result
        program.assert_no_processes()
        assert [layer["kind"] for layer in layers(program).values()] == ["base"]


@pytest.mark.parametrize("moment", long_unless(SOME_RESTORE_MOMENTS, RESTORE_MOMENTS))
def test_a_restore_killed_at_any_moment_is_finished_by_the_next_up(base, data, moment):
    with surroundings(data=data) as program:
        program.projects(f"[blog]\n{SMALL}")
        before = half_made(program)
        vm = Vm(program, "blog")
        child = program.start("up", "blog", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        child.send_signal(signal.SIGKILL)
        child.wait()
        vm.up()
        assert vm.sh("hostname") == "blog\n"
        assert len(vm.qemu()) == 1
        vm.machine("destroy", "--yes")
        program.assert_no_processes()
        assert left_behind(program) == []
        assert half_made(program) == before
