"""`machine logs`: which logs a VM has, their ends, and nothing in them that drives a terminal."""

import json
import os

import pytest
import records

GUEST = "[\033[0;32m  OK  \033[0m] Started \007ssh\r\n"


@pytest.fixture
def logged(program):
    """A VM with logs, and the folder that they are in."""
    folder = records.write(program.state, "blog", repos=[])
    for name, text in (("console.log", "".join(f"line {number}\n" for number in range(1, 301)) + GUEST),
                       ("console.log.1", "the run before\n"), ("net.log", "refused 10.0.0.1\n"), ("qemu.log", "")):
        program.write(f"state/machine/vms/blog/logs/{name}", text)
    return program


def test_the_console_comes_first_and_the_others_are_named(logged):
    result = logged.run("logs", "blog")
    lines = result.out.splitlines()
    assert len(lines) == 100 and lines[0] == "line 202"
    assert lines[-1] == "[  OK  ] Started \\x07ssh"
    assert "vms/blog/logs/console.log'" in result.err
    assert "the logs of VM 'blog' are: console, net, qemu (machine logs blog --log NAME)" in result.err
    assert logged.run("logs", "blog", "--quiet").err == ""


@pytest.mark.parametrize("options, said", [
    (["-n", "2"], "line 300\n[  OK  ] Started \\x07ssh\n"),
    (["--lines=1", "--log=net"], "refused 10.0.0.1\n"),
    (["--log", "qemu"], ""),
    (["--previous"], "the run before\n"),
    (["--follow", "--log", "net"], "refused 10.0.0.1\n"),
])
def test_options_choose_the_log_and_how_much_of_it(logged, options, said):
    assert logged.run("logs", *options, "blog").out == said


def test_as_json_each_line_is_an_object(logged):
    lines = [json.loads(line) for line in logged.run("logs", "blog", "--json", "-n2").out.splitlines()]
    assert lines == [{"log": "console", "line": "line 300"}, {"log": "console", "line": "[  OK  ] Started \\x07ssh"}]


def test_the_list_has_the_files(logged):
    listed = logged.json("logs", "blog", "--list")
    assert [entry["log"] for entry in listed] == ["console", "net", "qemu"]
    assert listed[1]["bytes"] == os.path.getsize(listed[1]["file"]) == len("refused 10.0.0.1\n")
    assert listed[1]["file"] in logged.run("logs", "blog", "--list").out


def test_what_is_not_there_is_said_with_what_is(logged):
    assert "its logs are: console, net, qemu" in logged.run("logs", "blog", "--log", "kernel", status=4).err
    assert "no log 'net' of a run before" in logged.run("logs", "blog", "--log", "net", "-p", status=4).err


def test_a_vm_that_never_ran_has_none(program):
    records.write(program.state, "blog", repos=[])
    result = program.run("logs", "blog", status=4)
    assert "VM 'blog' has no logs yet" in result.err and "machine up blog" in result.err
    assert program.json("logs", "blog", "--list") == []


def test_a_link_in_place_of_a_log_is_no_log(logged):
    os.symlink("/etc/passwd", f"{logged.state}/machine/vms/blog/logs/other.log")
    assert "root:" not in logged.run("logs", "blog", "--log", "other", status=4).out


def test_restart_is_for_a_vm_that_is_there(program):
    program.projects("[blog]\n")
    result = program.run("restart", "blog", status=4)
    assert "no VM 'blog'" in result.err and "machine up blog" in result.err
    assert program.read_state() == []
