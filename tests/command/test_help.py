"""Help, version and wrong usage."""

import json
import shlex

import pytest

COMMANDS = ["init", "up", "plan", "ssh", "run", "claude", "codex", "aider", "agent", "mcp", "code", "cursor", "zed", "list", "board", "status", "logs",
            "cp", "paste", "open", "secrets", "keys", "egress", "park", "wake", "snapshot", "snapshots", "restore", "undo", "forget", "fork", "race",
            "restart", "down", "rename", "rebuild", "destroy", "bake", "layers", "du", "prune", "profile", "lock", "trust", "validate", "doctor",
            "audit", "version", "help", "proxy", "mcp-tool"]


def test_the_table_has_the_commands_that_are_tested_here(program):
    assert [command["name"] for command in program.json("help")] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_prints_its_help(program, command, option):
    result = program.run(command, option)
    assert result.out.startswith(f"usage: machine {command}")
    assert result.err == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_has_each_of_its_options(program, command):
    table = {each["name"]: each for each in program.json("help")}
    text = program.run("help", command).out
    for option in table[command]["options"]:
        assert f"--{option['name']}" in text
        assert option["help"] in text


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_two_examples_that_parse(program, command):
    """With --help among its options a command is parsed and then does nothing."""
    table = {each["name"]: each for each in program.json("help")}
    examples = table[command]["examples"]
    assert len(set(examples)) == 2
    assert program.run(command, "--help").out.endswith("\nexamples:\n  " + "\n  ".join(examples) + "\n")
    parsed = 0
    for example in examples:
        words = shlex.split(example.split("| ")[-1])
        if words[0] != "machine":
            assert words[0] == "ssh" and "machine proxy" in example
            continue
        assert words[1] in (command, "--version")
        assert program.run(words[1], "--help", *words[2:]).out.startswith(f"usage: machine {command} ")
        operands = [word for word in words[2:(words + ["--"]).index("--")] if not word.startswith("-")]
        assert table[command]["operands"] or not operands
        parsed += 1
    assert parsed > 0


@pytest.mark.parametrize("argument", ["help", "--help", "-h"])
def test_the_overview_has_every_command_but_internal_ones(program, argument):
    text = program.run(argument).out
    lines = [line.split()[0] for line in text.splitlines() if line.startswith("  ")]
    assert lines == [command for command in COMMANDS if command not in ("proxy", "mcp-tool")]


@pytest.mark.parametrize("argument", ["version", "--version"])
def test_version_is_one_line(program, argument):
    result = program.run(argument)
    assert result.out.startswith("machine ") and result.out.count("\n") == 1
    assert program.json(argument) == {"name": "machine", "version": result.out.split()[1]}


@pytest.mark.parametrize("args, said", [
    (["frobnicate"], "no command 'frobnicate'"),
    (["up", "--frobnicate"], "--frobnicate"),
    (["up", "-x"], "-x"),
    (["up", "--engine"], "--engine"),
    (["up", "--dry-run=yes"], "--dry-run"),
    (["up", "a", "b"], "at most 1 operand"),
    (["list", "a"], "at most 0 operands"),
    (["init", "a"], "at most 0 operands"),
    (["run"], "no command to run"),
    (["run", "blog"], "no command to run"),
    (["proxy"], "needs a VM's name"),
    (["help", "frobnicate"], "no command 'frobnicate'"),
    (["list", "--quiet", "--verbose"], "--quiet and --verbose exclude each other"),
    (["logs", "--follow", "--previous"], "has ended: there is nothing to follow"),
    (["logs", "--lines", "0"], "from 1 to"),
])
def test_wrong_usage_is_exit_status_2_and_says_what(program, args, said):
    result = program.run(*args, status=2)
    assert said in result.err
    assert result.out == ""


@pytest.mark.parametrize("wrong, meant", [("lsit", "list"), ("destory", "destroy"), ("doctr", "doctor")])
def test_a_slip_gets_a_suggestion(program, wrong, meant):
    assert f"machine {meant}" in program.run(wrong, status=2).err


def test_an_option_slip_gets_a_suggestion(program):
    assert "--dry-run" in program.run("up", "--dryrun", status=2).err


def test_wrong_usage_as_json(program):
    result = program.run("up", "--frobnicate", "--json", status=2)
    error = json.loads(result.out)
    assert (error["event"], error["kind"]) == ("error", "usage")
    assert "--frobnicate" in error["message"]
    assert error["hint"]


@pytest.mark.parametrize("name", ["Blog", "-blog", "blog-", "a/b", "..", "a b", "blog\n", "", "x" * 300, "bløg"])
@pytest.mark.parametrize("command", ["up", "down", "destroy", "ssh"])
def test_a_name_that_can_be_none_is_refused(program, command, name):
    result = program.run(command, name, status=2, timeout=30)
    assert "\n\n" not in result.err
    assert not program.read_state()


@pytest.mark.parametrize("args", [
    ["--dry-run", "up", "blog"],
    ["-n", "--engine", "auto", "up", "blog"],
    ["--engine=auto", "up", "blog", "--dry-run"],
])
def test_options_may_stand_before_the_command(program, args):
    program.projects("[blog]\n")
    assert "there is no VM 'blog' yet" in program.run(*args).out


def test_the_value_of_such_an_option_may_be_a_commands_name(program):
    assert "no engine 'up'" in program.run("--engine", "up", "up", "--dry-run", "blog", status=2).err


@pytest.mark.parametrize("args, said", [
    (["--frobnicate", "up"], "unknown option '--frobnicate'"),
    (["--frobnicate"], "no command given with '--frobnicate'"),
    (["--engine", "auto"], "no command given with '--engine'"),
    (["--json", "--", "list"], "no command given"),
    (["-x", "list"], "unknown option '-x'"),
])
def test_options_before_no_command_or_another_one_are_wrong_usage(program, args, said):
    result = program.run(*args, status=2)
    assert said in result.err + result.out
    assert "no command '-" not in result.err


def test_json_before_the_command_counts(program):
    assert json.loads(program.run("--json", "list").out) == []


def test_two_dashes_end_the_options_and_the_name_follows(program):
    program.projects("[blog]\n")
    assert "'blog'" in program.run("up", "--dry-run", "--", "blog").out


def test_a_closed_standard_output_is_an_error(program):
    with open("/dev/full", "w") as full:
        child = program.start("help", stdout=full)
        result = program.finish(child)
    assert result.status == 1
    assert "standard output" in result.err


# These would build images, or make a VM.
BUILDS = {"up", "bake", "lock", "rebuild"}


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in BUILDS])
def test_without_operands_each_command_does_its_work_or_says_what_it_needs(program, command):
    result = program.run(command, status=None)
    assert 0 <= result.status <= 7, result
    assert result.status == 0 or result.err.startswith("machine: ") or command == "doctor", result
