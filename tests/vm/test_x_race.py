"""A race: one command in several forks of a VM, each on a branch of its own; one is kept, and nothing is left of the others."""

import contextlib
import json
import os
import signal
import subprocess
import time

import pytest
from guests import SMALL, Vm, surroundings
from program import wait_until
from templates import layers

COMMAND = 'echo "$RACE of $RACE_COUNT" >>text; echo new >new; echo said "$RACE"; exit $((RACE_COUNT - RACE))'


@contextlib.contextmanager
def notes(data):
    """A VM with the code of a checkout."""
    with surroundings(data=data) as program:
        program.identity()
        checkout = program.folder("home", "notes")
        program.git("init", "--quiet", cwd=checkout)
        program.write("home/notes/.machine.toml", f'repos = ["."]\n{SMALL}')
        program.write("home/notes/text", "one\n")
        program.git("add", "--all", cwd=checkout)
        program.git("commit", "--quiet", "--message=one", cwd=checkout)
        program.run("trust", "--yes", cwd=checkout)
        program.run("up", cwd=checkout, timeout=600)
        vm = Vm(program, "notes", cwd=checkout)
        vm.checkout = checkout
        yield vm


def forks(vm):
    return [entry["name"] for entry in vm.program.json("list") if entry["fork_of"] == vm.name]


def snapshots_of(vm, which):
    return [layer for layer in layers(vm.program).values() if layer["kind"] == "snapshot" and layer["about"].endswith(f"of '{which}'")]


def nothing_left(vm, count):
    """No VM, layer, process, ssh block, remote or snapshot of a race of so many."""
    program = vm.program
    names = [f"{vm.name}-race-{number}" for number in range(1, count + 1)]
    assert forks(vm) == [] and vm.program.json("snapshots", vm.name) == []
    for name in names:
        assert snapshots_of(vm, name) == [] and not os.path.exists(os.path.join(program.state, "machine/vms", name))
        assert program.processes(f"/vms/{name}/") == []
    assert "-race-" not in program.read(os.path.join(program.ssh, "config.d/machine"))
    assert program.git("remote", "-v", cwd=vm.checkout).out.count("machine-notes:code/notes") == 2


def test_a_race_of_two_is_compared_and_one_is_kept(data):
    with notes(data) as vm:
        program = vm.program
        vm.sh("echo dirty >before")
        raced = program.run("race", "notes", "-n", "2", "--test", 'grep "^2 of" text', "--", "sh", "-c", COMMAND, cwd=vm.checkout)
        assert raced.out.split()[:8] == ["FORK", "BRANCH", "EXIT", "TEST", "FILES", "LINES", "TIME", "LOG"]
        assert "machine race notes --keep FORK keeps one" in raced.err
        race = program.json("race", "notes")
        assert [(fork["name"], fork["branch"], fork["exit"], fork["test"]) for fork in race] == [
            ("notes-race-1", "race-1", 1, 1), ("notes-race-2", "race-2", 0, 0)]
        # What was there before the race is not counted.
        assert [(fork["files"], fork["added"], fork["removed"]) for fork in race] == [(2, 2, 0)] * 2
        assert [program.read(fork["log"]) for fork in race] == ["said 1\n", "said 2\n"]
        assert forks(vm) == ["notes-race-1", "notes-race-2"] and "fork of notes" in program.run("list").out
        assert vm.sh("ls") == "before\ntext\n", "nothing came into the first VM"
        assert "has a race already, of 2 forks" in program.run("race", "notes", "--", "true", status=7).err
        assert "there are: notes-race-1 and notes-race-2" in program.run("race", "notes", "--keep", "3", status=4).err
        assert "machine race notes --yes --keep 2" in program.run("race", "notes", "--keep", "2", status=2).err
        assert len(forks(vm)) == 2
        kept = program.run("race", "notes", "--keep", "2", "--yes")
        assert f"the branch is in '{vm.checkout}', with 1 new commit: git merge machine/race-2" in kept.err
        log = program.git("log", "--format=%s", "machine/race-2", cwd=vm.checkout).out
        assert log == "What was not committed in notes-race-2\none\n"
        assert program.git("show", "machine/race-2:text", cwd=vm.checkout).out == "one\n2 of 2\n"
        assert program.git("branch", "--format=%(refname:short)", cwd=vm.checkout).out == "main\n"
        program.git("fsck", "--strict", cwd=vm.checkout)
        nothing_left(vm, 2)
        assert "VM 'notes' has no race" in program.run("race", "notes", "--drop", "--yes", status=4).err


def killed(vm, call, number):
    """Kills a race when it makes this system call for the nth time; returns whether it came so far."""
    result = vm.program.run("/usr/bin/strace", "-o", "/dev/null", "-e", f"inject={call}:signal=KILL:when={number}",
                            vm.program.machine, "race", "notes", "-n", "2", "--", "true", status=None)
    assert result.status in (0, -signal.SIGKILL), result
    return result.status != 0


def is_cleared(vm):
    """Whatever a killed race has left is found as its forks and goes with --drop; the VM goes on with what it had."""
    assert all(name.startswith("notes-race-") for name in forks(vm))
    vm.program.run("race", "notes", "--drop", "--yes", status=None)
    nothing_left(vm, 2)
    assert vm.run("cat", "/dev/shm/kept", timeout=60).out == "kept"


@pytest.mark.long
@pytest.mark.parametrize("call", ["rename", "sendmsg", "unlinkat"])
def test_a_race_that_is_killed_at_a_step_leaves_forks_that_drop_removes(data, call):
    with notes(data) as vm:
        vm.sh("printf kept >/dev/shm/kept")
        assert killed(vm, call, 1)
        is_cleared(vm)
        for number in (2, 3, 5, 8, 13, 21, 34):
            came_so_far = killed(vm, call, number)
            is_cleared(vm)
            if not came_so_far:
                break


@pytest.mark.long
def test_a_race_that_is_killed_at_any_moment_ends_its_commands_and_is_cleared(data):
    with notes(data) as vm:
        vm.sh("printf kept >/dev/shm/kept")
        for delay in (0.1, 0.3, 0.6, 1, 1.5, 2, 3, 4, 6, 8):
            child = vm.program.start("race", "notes", "-n", "2", "--", "sh", "-c", "touch ~/begun; exec sleep 98765",
                                     stderr=subprocess.DEVNULL)
            time.sleep(delay)
            child.send_signal(signal.SIGKILL)
            child.wait()
            for fork in forks(vm):
                status = vm.program.json("status", fork)
                if status["state"] == "running" and status["set_up"]:
                    wait_until(lambda fork=fork: "98765" not in Vm(vm.program, fork).sh("ps -eo args | grep '[s]leep' || :"), 30,
                               "the command ends with the race")
            is_cleared(vm)


@pytest.mark.long
def test_a_race_of_four_is_stopped_goes_on_and_a_fork_with_more_work_stays(data):
    with notes(data) as vm:
        program = vm.program
        child = program.start("race", "notes", "--", "sh", "-c", "echo $RACE >mine; echo begun; exec sleep 98765")
        wait_until(lambda: sum(has_begun(fork) for fork in race_of(program)) == 4, 60, "all run")
        child.send_signal(signal.SIGINT)
        stopped = program.finish(child)
        assert stopped.status == 130 and "'machine race notes' shows the forks" in stopped.err, stopped
        assert [(fork["exit"], fork["reason"]) for fork in race_of(program)] == [(None, None)] * 4
        for fork in forks(vm):
            wait_until(lambda fork=fork: "98765" not in Vm(program, fork).sh("ps -eo args | grep '[s]leep' || :"), 30, "it ended")
        Vm(program, "notes-race-3").sh("echo only-here >~/elsewhere")
        kept = program.run("race", "notes", "--keep", "race-3", "--yes")
        assert "VM 'notes-race-3' stays" in kept.err and "elsewhere" in kept.err
        assert program.git("show", "machine/race-3:mine", cwd=vm.checkout).out == "3\n"
        assert forks(vm) == ["notes-race-3"] and "VM 'notes' has no race" in program.run("race", "notes", status=4).err
        refused = program.run("race", "notes", "--", "true", status=2)
        assert "there is a VM 'notes-race-3' already" in refused.err
        program.run("destroy", "--yes", "--discard-work", "notes-race-3")
        raced = program.run("race", "notes", "--json", "--at-once", "1", "--branch", "try", "--", "sh", "-c", "exit 9", status=1)
        assert [(fork["branch"], fork["exit"]) for fork in json.loads(raced.out.splitlines()[-1])["forks"]] == [(f"try-{number}", 9) for number in range(1, 5)]
        program.run("race", "notes", "--drop", "--yes")
        nothing_left(vm, 4)


def has_begun(fork):
    if not fork["log"] or not os.path.exists(fork["log"]):
        return False
    with open(fork["log"]) as file:
        return "begun" in file.read()


def race_of(program):
    """The forks of the race, as far as there is one."""
    shown = program.run("race", "notes", "--json", status=None)
    return program.json("race", "notes") if shown.status == 0 else []


@pytest.mark.long
def test_a_race_keeps_to_the_budget(data):
    with notes(data) as vm:
        vm.program.write("config/machine/config.toml", 'memory_budget = "2GiB"\n')
        vm.program.run("race", "notes", "-n", "3", "--", "sh", "-c", "grep -c . text >count")
        race = vm.program.json("race", "notes")
        assert [(fork["exit"], fork["files"]) for fork in race] == [(0, 1)] * 3
        states = [entry["state"] for entry in vm.program.json("list") if entry["fork_of"]]
        assert states.count("running") == 1 and states.count("parked") == 2
        vm.program.run("race", "notes", "--keep", "1", "--yes")
        nothing_left(vm, 3)
