"""`machine list --watch`."""

import json
import os
import re
import select
import shutil
import signal
import time

import pytest
import records
from fake_guest import FakeGuests
from program import PATIENCE, Program

PROJECT = 'engine = "lima"\ncpus = 1\nmemory = "1GiB"\ndisk = "6GiB"\nshell = "bash"\n'


class Watch:
    """The command, read line by line."""

    def __init__(self, program, *options, **how):
        self.child = program.start("list", "--watch", *options, **how)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.communicate()

    def line(self, seconds=30):
        end = time.monotonic() + seconds * PATIENCE
        while b"\n" not in self.rest:
            assert select.select([self.child.stdout], [], [], max(0, end - time.monotonic()))[0], f"no line; so far: {self.rest}"
            block = os.read(self.child.stdout.fileno(), 65536)
            assert block, self.child.stderr.read().decode()
            self.rest += block
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def change(self, *members):
        value = json.loads(self.line())
        return tuple(value[member] for member in members or ("name", "what", "from", "to"))

    def await_all(self, wanted):
        """Reads until each of these (name, what, to) was there."""
        while wanted:
            seen = self.change("name", "what", "to")
            wanted = [each for each in wanted if each != seen]


def test_the_list_comes_first_and_then_each_change(program):
    program.projects("[blog]\ncpus = 1\n")
    with Watch(program, "--json") as watch:
        assert [(entry["name"], entry["state"], entry["cpus"]) for entry in json.loads(watch.line())] == [("blog", "absent", 1)]
        program.projects("[blog]\ncpus = 2\n[shop]\n")
        assert {watch.change(), watch.change()} == {("blog", "cpus", 1, 2), ("shop", "state", None, "absent")}
        program.projects("[blog]\ncpus = 2\n")
        assert watch.change() == ("shop", "state", "absent", None)


def test_for_people_a_change_is_a_line_with_its_time(program):
    program.projects('[blog]\nmemory = "1GiB"\nprofiles = []\n')
    with Watch(program) as watch:
        assert watch.line().startswith("NAME") and watch.line().startswith("blog")
        program.projects('[blog]\nmemory = "2GiB"\nprofiles = ["python", "rust"]\n')
        lines = {watch.line(), watch.line()}
        assert {re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", "", line) for line in lines} == {
            "blog: memory_bytes 1.0 GiB -> 2.0 GiB", "blog: profiles none -> python,rust"}
        records.write(program.state, "old")
        assert watch.line().endswith(" old: state none -> absent")
        shutil.rmtree(os.path.join(program.state, "machine/vms/old"))
        assert watch.line().endswith(" old: state absent -> none")


def test_a_broken_record_is_a_change_of_state_with_its_reason(program):
    records.without_copy(program.state, "blog")
    with Watch(program, "--json") as watch:
        watch.line()
        program.write("state/machine/vms/blog/vm.json", "{")
        seen = {}
        while not {"state", "reason"} <= set(seen):
            name, what, _, seen[what] = watch.change()
            assert name == "blog"
        assert seen["state"] == "broken" and "vm.json" in seen["reason"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_well(program, number):
    program.projects("[blog]\n")
    with Watch(program, "--json") as watch:
        watch.line()
        watch.child.send_signal(number)
        assert watch.child.wait(timeout=10 * PATIENCE) == 0
        assert watch.child.stderr.read() == b"" and watch.child.stdout.read() == b""


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_it_ends_when_nobody_reads_although_nothing_changes(program, options):
    program.projects("[blog]\n")
    with Watch(program, *options) as watch:
        watch.line()
        watch.child.stdout.close()
        assert watch.child.wait(timeout=10 * PATIENCE) == 0
        assert watch.child.stderr.read() == b""


def test_it_ends_when_nobody_ever_read(program):
    program.projects("[blog]\n")
    ends = os.pipe()
    os.close(ends[0])
    child = program.start("list", "--watch", "--json", stdout=ends[1])
    os.close(ends[1])
    assert child.wait(timeout=10 * PATIENCE) == 0 and child.stderr.read() == b""


def test_a_vm_is_seen_from_its_making_to_its_end():
    program = Program().without_recipe()
    try:
        FakeGuests(program)
        program.projects(f"[blog]\n{PROJECT}")
        calls = program.write("calls", "")
        with Watch(program, "--json", env={"FAKE_LIMA_LOG": calls}) as watch:
            watch.line()
            program.run("up", "blog")
            watch.await_all([("blog", "state", "running"), ("blog", "engine", "lima"), ("blog", "ssh_alias", "machine-blog")])
            program.run("down", "blog")
            watch.await_all([("blog", "state", "stopped")])
        program.run("destroy", "blog", "--yes", "--discard-work")
        # All that it does is what `list` does, once for each look.
        assert {json.loads(line)["arguments"][0] for line in program.read("calls").splitlines()} == {"list"}
    finally:
        program.clean_up()
