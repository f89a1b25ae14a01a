"""Snapshots of VMs that run, going back to them, and forks: a second VM that begins where the first is."""

import os
import time

import pytest
from guests import SMALL, Vm, surroundings
from keyring import forget_keys
from steps import each_step
from templates import digest, folder_of, layers

COUNTER = "nohup sh -c 'n=0; while :; do n=$((n+1)); echo $n >/dev/shm/count; sleep 0.1; done' >/dev/null 2>&1 &"
WHO = ("hostname; cat /etc/machine-id; sudo ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key; cat /etc/ssh/authorized_keys/*;"
       "head -c 32 /dev/urandom | base64; cat /proc/sys/kernel/random/uuid")


def snapshots(vm):
    return vm.program.json("snapshots", vm.name)


def left(program, name):
    """The layers of snapshots of the VM. Other tests have theirs in the same folder."""
    return [key for key, layer in layers(program).items() if layer["kind"] == "snapshot" and layer["about"].endswith(f"of '{name}'")]


@pytest.fixture(scope="module")
def kept(data):
    with surroundings(data=data) as program:
        program.projects(f"[kept]\n{SMALL}")
        vm = Vm(program, "kept")
        vm.up()
        vm.sh(COUNTER)
        yield vm


def test_a_vm_becomes_what_it_was_with_its_programs(kept):
    boot = kept.sh("echo one >~/file; echo one >/dev/shm/kept; cat /proc/sys/kernel/random/boot_id")
    before = int(kept.sh("cat /dev/shm/count"))
    kept.program.run("snapshot", kept.name, "first")
    kept.sh("rm ~/file; echo two >/dev/shm/kept; mkdir ~/new")
    after = int(kept.sh("cat /dev/shm/count"))
    assert after > before, "it went on after the snapshot"
    kept.program.run("restore", kept.name, "first")
    began = time.time()
    file, memory, count, inside, now = kept.sh("cat ~/file /dev/shm/kept /dev/shm/count; date +%s.%N; cat /proc/sys/kernel/random/boot_id").split()
    assert (file, memory, now) == ("one", "one", boot.strip())
    assert before <= int(count) and began - 0.1 < float(inside) < time.time() + 0.1
    assert kept.sh("ls ~") == "file\n" or "new" not in kept.sh("ls ~")
    assert [snapshot["label"] for snapshot in snapshots(kept)] == ["before going back", "first"]


def test_what_it_was_is_a_snapshot_too(kept):
    kept.program.run("restore", kept.name, "before going back")
    assert kept.sh("cat /dev/shm/kept; ls -d new") == "two\nnew\n"
    assert kept.sh("test -e ~/file || echo gone") == "gone\n"


@pytest.mark.long
def test_a_snapshot_of_a_stopped_one_has_its_disk(kept):
    kept.sh("echo three >~/file")
    kept.machine("down")
    kept.program.run("snapshot", kept.name, "stopped")
    assert kept.state() == "stopped"
    assert [snapshot["memory"] for snapshot in snapshots(kept) if snapshot["label"] == "stopped"] == [False]
    kept.sh("echo four >~/file")
    kept.program.run("restore", kept.name, "stopped")
    assert kept.sh("cat ~/file") == "three\n"


def test_a_parked_one_stays_parked(kept):
    kept.sh("echo five >/dev/shm/kept")
    kept.machine("park")
    kept.program.run("snapshot", kept.name, "asleep")
    assert kept.state() == "parked"
    assert kept.sh("cat /dev/shm/kept") == "five\n"


@pytest.mark.long
def test_without_the_key_the_disk_is_there_and_a_warning_says_what_is_not(kept):
    kept.sh("echo six >~/file; echo six >/dev/shm/kept; sync")
    kept.program.run("snapshot", kept.name, "six")
    kept.sh("echo seven >~/file")
    assert forget_keys(kept) > 0
    result = kept.program.run("restore", kept.name, "six")
    assert "what was only in its memory" in result.err
    assert kept.sh("cat ~/file; ls /dev/shm | grep -c kept || :") == "six\n0\n"


def test_wrong_words_are_answered(kept):
    result = kept.program.run("restore", kept.name, "nope", status=4)
    assert "has no snapshot 'nope'" in result.err and "first" in result.err
    assert "needs a VM and the label" in kept.program.run("restore", kept.name, status=2).err
    assert "a label has 1 to 60 bytes" in kept.program.run("snapshot", kept.name, "x" * 61, status=2).err
    assert "one line" in kept.program.run("snapshot", kept.name, "a\nb", status=2).err


def test_the_chain_of_disks_is_known_and_nothing_that_stands_on_it_is_pruned(kept):
    before = [snapshot["key"] for snapshot in snapshots(kept)]
    assert len(before) >= 2
    pruned = {step["key"] for step in kept.program.json("prune", "--all", "--dry-run")}
    assert not pruned & set(before)
    sums = {key: digest(os.path.join(folder_of(kept.program, key), "disk.qcow2")) for key in before}
    kept.sh("head -c 5000000 /dev/urandom >~/noise; sync")
    assert {key: digest(os.path.join(folder_of(kept.program, key), "disk.qcow2")) for key in before} == sums


def test_forgotten_ones_are_gone_and_the_vm_stays_whole(kept):
    kept.sh("echo last >~/file")
    for snapshot in snapshots(kept):
        kept.program.run("forget", kept.name, snapshot["key"][:12])
    assert snapshots(kept) == []
    assert kept.sh("cat ~/file") == "last\n"


def test_a_fork_goes_on_where_the_first_was_and_is_another(data):
    with surroundings(data=data) as program:
        program.projects(f'[forked-from]\n{SMALL}ports = [7000]\n')
        first = Vm(program, "forked-from")
        first.up()
        first.sh(COUNTER + " echo shm >/dev/shm/kept; sudo mkdir -p /run/secrets; sleep 0.5")
        before = int(first.sh("cat /dev/shm/count"))
        made = program.json("fork", "forked-from", "forked-to")
        assert (made["how"], made["state"]) == ("forked", "running")
        second = Vm(program, "forked-to")
        assert int(second.sh("cat /dev/shm/count")) > before and second.sh("cat /dev/shm/kept") == "shm\n"
        assert int(first.sh("cat /dev/shm/count")) > before
        mine, theirs = first.sh(WHO).splitlines(), second.sh(WHO).splitlines()
        assert set(mine) & set(theirs) <= {""} and theirs[0] == "forked-to"
        # Neither key opens the other.
        for one, other in ((first, second), (second, first)):
            with open(os.path.join(other.folder(), "ssh_config")) as file:
                text = file.read().replace(os.path.join(other.folder(), "id_ed25519"), os.path.join(one.folder(), "id_ed25519"))
            lines = [line for line in text.splitlines() if not line.strip().startswith("Control")]
            path = program.write("swapped_config", "\n".join(lines) + "\n")
            assert "Permission denied" in program.run("/usr/bin/ssh", "-F", path, f"machine-{other.name}", "true", status=255).err
        second.sh("echo forked-to >~/mine; sync")
        assert first.sh("ls ~ | grep -c mine || :") == "0\n", "what one writes the other has not"
        assert "there is a VM 'forked-to' already" in program.run("fork", "forked-from", "forked-to", status=2).err
        assert "is a project" in program.run("fork", "forked-to", "forked-from", status=2).err
        # The first may go: what the second stands on stays.
        first.machine("destroy", "--yes", "--discard-work")
        assert second.sh("cat ~/mine") == "forked-to\n"
        second.machine("destroy", "--yes", "--discard-work")
        assert left(program, "forked-from") == left(program, "forked-to") == []
        program.assert_no_processes()


@pytest.mark.long
def test_a_fork_boots_as_itself(data):
    with surroundings(data=data) as program:
        program.projects(f"[first]\n{SMALL}")
        Vm(program, "first").up()
        program.run("fork", "first", "second")
        second = Vm(program, "second")
        second.sh("echo second >~/mine; sync")
        second.machine("down")
        assert second.sh("hostname; cat ~/mine") == "second\nsecond\n"


def test_a_fork_has_a_branch_of_its_own(data, lab):
    url = lab.repo("forked")
    with surroundings(data=data) as program:
        program.projects(f'[origin]\n{SMALL}repos = ["{url}"]\n')
        first = Vm(program, "origin")
        first.up()
        program.run("fork", "origin", "try-it", "--branch", "attempt/1")
        second = Vm(program, "try-it")
        assert second.sh("cd ~/code/forked && git branch --show-current") == "attempt/1\n"
        assert first.sh("cd ~/code/forked && git branch --show-current") == "main\n"
        result = program.run("fork", "origin", "bad", "--branch", "a..b", status=6)
        assert "cannot make the branch 'a..b'" in result.err
        assert "bad" not in [entry["name"] for entry in program.json("list")]


@pytest.mark.long
@pytest.mark.parametrize("command", ["snapshot", "restore", "fork"])
def test_a_command_that_is_killed_at_each_step_loses_nothing(data, command):
    """The next command goes on, the guest has what it had (what the snapshot had, after `restore`), and can be done the same again."""
    with surroundings(data=data) as program:
        program.projects(f"[killed]\n{SMALL}")
        vm = Vm(program, "killed")
        vm.up()
        vm.sh("echo kept >/dev/shm/kept; echo kept >~/kept; sync")
        program.run("snapshot", "killed", "first")
        args = {"snapshot": ["snapshot", "killed"], "restore": ["restore", "killed", "first"], "fork": ["fork", "killed", "copy"]}
        for step in each_step(program, *args[command]):
            assert vm.sh("cat /dev/shm/kept ~/kept") == "kept\nkept\n", step
            if command == "fork":
                assert vm.state() == "running", step
                program.run("destroy", "copy", "--yes", "--discard-work", status=None)
                assert [entry["name"] for entry in program.json("list")] == ["killed"], step
            assert "first" in [snapshot["label"] for snapshot in snapshots(vm)], step
        for snapshot in snapshots(vm):
            program.run("forget", "killed", snapshot["key"][:12])
        # What a killed one has begun is known, like a build that was interrupted.
        program.run("prune", "--yes")
        vm.machine("destroy", "--yes", "--discard-work")
        assert left(program, "killed") == []
        program.assert_no_processes()
