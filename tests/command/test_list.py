"""`machine list`: what it shows, and how it copes with many VMs."""

import json
import os

import pytest
import records

FIELDS = {"name", "state", "engine", "profiles", "repos", "ssh_alias", "cpus", "memory_bytes", "disk_bytes", "created", "ports", "refused",
          "weaker_lines", "lacks"}


def test_nothing_at_all_is_an_empty_list(program):
    result = program.run("list")
    assert result.out == ""
    assert "machine init" in result.err
    assert program.json("list") == []


def test_a_project_without_a_vm_is_absent(program):
    program.projects('[blog]\nrepos = ["https://example.org/jane/blog.git"]\ncpus = 2\nmemory = "1GiB"\n')
    entry, = program.json("list")
    assert FIELDS <= set(entry)
    assert (entry["name"], entry["state"], entry["engine"], entry["ssh_alias"]) == ("blog", "absent", None, None)
    assert entry["repos"] == ["https://example.org/jane/blog.git"]
    assert (entry["cpus"], entry["memory_bytes"]) == (2, 1 << 30)


def test_a_vm_outlives_its_configuration_in_the_list(program):
    records.write(program.state, "old")
    program.projects("[new]\n")
    assert [entry["name"] for entry in program.json("list")] == ["new", "old"]


def test_a_thousand_vms_are_listed_in_order(program):
    for number in range(1000):
        records.write(program.state, f"vm-{number:04}")
    entries = program.json("list")
    assert [entry["name"] for entry in entries] == [f"vm-{number:04}" for number in range(1000)]
    assert all(FIELDS <= set(entry) for entry in entries)
    assert len(program.run("list").out.splitlines()) == 1001


def test_a_record_that_cant_be_read_hides_no_other(program):
    records.write(program.state, "good")
    folder = records.without_copy(program.state, "torn")
    with open(os.path.join(folder, "vm.json"), "w") as file:
        file.write('{"version": 1, "na')
    states = {entry["name"]: entry for entry in program.json("list")}
    assert states["torn"]["state"] == "broken"
    assert "vm.json" in states["torn"]["reason"]
    assert states["good"]["state"] == "absent"


def test_broken_configuration_hides_no_vm(program):
    records.write(program.state, "blog")
    program.projects("[blog\n")
    result = program.run("list")
    assert "blog" in result.out
    assert "machine validate" in result.err


@pytest.mark.parametrize("change", [
    {"name": "other"}, {"cpus": 0}, {"cpus": "two"}, {"engine": "vz"}, {"version": 99}, {"ports": [{"host": 70000, "guest": 1}]},
    {"repos": [1]}, {"uuid": ""},
])
def test_a_record_with_a_field_that_cant_be_is_broken_and_says_why(program, change):
    records.write(program.state, "blog", **change)
    entry, = program.json("list")
    assert entry["state"] == "broken"
    assert entry["reason"]


def test_what_an_optional_step_left_out_is_said_with_what_tries_it_again(program):
    program.write("config/machine/provision.toml", "[[shell]]\nname = 'agent'\ncmd = 'true'\noptional = true\n")
    program.projects("[blog]\n")
    records.write(program.state, "blog", lacks=["base/shell-agent shell agent"])
    lacks = [{"step": "base/shell-agent", "title": "shell agent"}]
    result = program.run("list")
    assert "VM 'blog' goes without what failed of its recipe (shell agent); to try again: machine up blog" in result.err
    assert program.json("list")[0]["lacks"] == lacks
    assert "recipe: optional step 'base/shell-agent' (shell agent) failed, so VM 'blog' goes without it; to try again: machine up blog" \
        in program.run("status", "blog").out
    status = program.json("status", "blog")
    assert status["lacks"] == lacks and "optional step" in [item["what"] for item in status["drift"]]


def test_control_characters_in_a_record_dont_reach_the_terminal(program):
    records.write(program.state, "blog", repos=["https://example.org/\x1b]0;title\x07\x1b[31mred"])
    assert "\x1b" not in program.run("list").out


def test_json_is_one_value_and_nothing_else(program):
    records.write(program.state, "blog")
    result = program.run("list", "--json")
    assert json.loads(result.out)
