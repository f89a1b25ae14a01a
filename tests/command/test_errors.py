"""Errors, each made to happen: what it says, what its hint says, and that the command that the hint names does what is promised.

The rows are in errors_*.py, by area. tests/errors has all sentences of the source, with those that are brought about elsewhere and those
that no test brings about; tests/structure/test_errors.py compares the two.
"""

import json
import os
import re

import error_world
import errors_commands
import errors_projects
import errors_recipes
import errors_vms
import pexpect
import pytest
from error_row import filled
from program import said
from test_layers import put

ROWS = [*errors_commands.ROWS, *errors_projects.ROWS, *errors_recipes.ROWS, *errors_vms.ROWS]
# Questions on a terminal that get a no: the command, the error, and its hint.
ANSWERED = [
    (["destroy", "blog"], "machine: VM 'blog' was left as it is", None),
    (["prune"], "machine: nothing was removed", None),
    (["trust", "."], "machine: '@HOME/.machine.toml' is not trusted", "read it, then: machine trust --yes"),
]
# Exit statuses by which a command, or the shell, says that it was called in a wrong way.
REFUSED = (2, 126, 127)


def folder_of(program, row):
    return program.folder(*row.cwd.split("/"))


def prepare(program, row):
    cwd = folder_of(program, row)
    for path, text in row.files.items():
        program.write(path, filled(text, program))
    for name in row.make:
        getattr(error_world, name)(program, cwd)
    return cwd


def errors_of(program, row, cwd):
    """The errors that the row's command prints, as JSON."""
    first, *rest = filled(row.argv, program)
    result = program.run(first, "--json", *rest, cwd=cwd, env=filled(row.env, program), status=None)
    lines = [json.loads(line) for line in result.out.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("event") == "error"], result


def fits(text, printed, program):
    """Is this what was printed? @N stands for a number, @ANY for anything: lists grow."""
    if text is None or printed is None:
        return text is printed
    return bool(re.fullmatch(re.escape(filled(text, program)).replace("@ANY", ".*").replace("@N", r"\d+"), printed))


def shell(program, command, cwd):
    """Runs what a hint says, as a user's shell would."""
    return program.run("/bin/sh", "-c", command, cwd=cwd, status=None)


def as_help(command):
    """The command with --help, so that it is parsed and does nothing."""
    return re.sub(r"^machine \w+", r"\g<0> --help", command)


def is_named(command, hint):
    """Has the hint this command's name, or a word that the command has, too?"""
    words = {word.strip("'?,;:") for word in hint.split()} - {"machine", "a", "in", "it"}
    return " ".join(command.split()[:2]) in hint or bool(words & set(command.split()[1:]))


def test_the_table_has_rows():
    assert len(ROWS) > 150
    names = [(row.says, row.tag) for row in ROWS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.says} ({row.tag})" if row.tag else row.says)
def test_it_is_said_and_its_hint_works(program, row):
    cwd = prepare(program, row)
    errors, result = errors_of(program, row, cwd)
    found = [error for error in errors if fits(row.message, error["message"], program) and fits(row.hint, error["hint"], program)]
    assert found, said(result)
    message, hint = found[0]["message"], found[0]["hint"]
    assert result.status not in (0, *REFUSED[1:])
    for command in row.form:
        assert is_named(command, hint)
        assert shell(program, as_help(command), cwd).status == 0, command
    for command in filled(row.run, program):
        assert command in hint
        answered = command + (row.run_with if command.startswith("machine ") else "")
        done = shell(program, answered, program.folder(*row.run_in.split("/")) if row.run_in else cwd)
        assert done.status not in REFUSED if row.accepted else done.status == 0, said(done)
    for path, text in (row.mend or {}).items():
        program.write(path, filled(text, program))
        if path.endswith(".machine.toml") and os.path.exists(f"{program.state}/machine/trust.json"):
            error_world.trusted(program, cwd)
    for name in row.then:
        getattr(error_world, name)(program, cwd)
    if row.gone:
        errors, result = errors_of(program, row, cwd)
        assert message not in [error["message"] for error in errors], said(result)


@pytest.mark.parametrize("argv, message, hint", ANSWERED, ids=lambda value: value[0] if isinstance(value, list) else None)
def test_a_no_is_an_error_and_changes_nothing(program, argv, message, hint):
    error_world.vm(program, program.home)
    put(program, "a" * 64, {"kind": "base", "suite": "trixie"}, vmlinuz=10, initrd=10)
    if argv[0] == "trust":
        program.write("home/.machine.toml", "")
    child = pexpect.spawn(program.machine, argv, cwd=program.home, timeout=60, encoding="utf-8", dimensions=(24, 200),
                          env={**program.environment, "TERM": "dumb"})
    child.expect(r"\[y/N\] ")
    child.sendline("n")
    child.expect(pexpect.EOF)
    child.close()
    assert filled(message, program) in child.before and child.exitstatus != 0
    assert ("hint:" in child.before) is (hint is not None) and (hint or "") in child.before
    assert program.read_state() == ["blog"] or argv == ["destroy", "blog"] and "blog" in program.read_state()
    assert os.path.exists(f"{program.environment['XDG_DATA_HOME']}/machine/layers/{'a' * 64}/manifest.json")
