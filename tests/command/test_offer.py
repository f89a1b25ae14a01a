"""`machine up` in a checkout that has no .machine.toml."""

import os

import pexpect
import pytest
import records


@pytest.fixture
def code(program):
    folder = program.folder("home", "code")
    program.git("init", "--quiet", cwd=folder)
    program.write("home/code/go.mod", "")
    return folder


def on_terminal(program, *args, cwd, answer):
    """Runs it with a terminal. No VM is made, because there is no Lima here."""
    child = pexpect.spawn(program.machine, list(args), cwd=cwd, env=program.environment, timeout=60, encoding="utf-8")
    child.expect("and go on\\?")
    shown = child.before
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, shown.replace("\r\n", "\n"), child.before


@pytest.mark.parametrize("command", [["up"], ["up", "--dry-run"], ["plan"]], ids=" ".join)
def test_without_a_terminal_it_says_how_and_makes_nothing(program, code, command):
    result = program.run(*command, cwd=code, status=4)
    assert f"'{code}' has no .machine.toml, so it is not a project yet" in result.err
    assert "machine init" in result.err and "machine up default" in result.err
    assert sorted(os.listdir(code)) == [".git", "go.mod"]
    assert program.read_state() == []


def test_what_the_advice_names_works(program, code):
    assert program.json("up", "--dry-run", "default", cwd=code)[0]["reason"] == "there is no VM 'default' yet"
    program.run("init", cwd=code)
    assert program.json("up", "--dry-run", cwd=code)[0]["reason"] == "there is no VM 'code' yet"


@pytest.mark.parametrize("there", ["table", "VM"])
def test_a_default_that_is_in_use_stays_what_up_means(program, code, there):
    if there == "table":
        program.projects("[default]\n")
    else:
        records.write(program.state, "default", repos=[])
    result = program.run("up", "--dry-run", cwd=code, status=None)
    assert f"none of the code in '{code}': machine init" in result.err
    assert "no project yet" not in result.err


def test_where_there_is_no_code_up_means_the_default(program):
    folder = program.folder("home", "notes")
    for where in (folder, program.home):
        result = program.run("up", "--dry-run", cwd=where)
        assert "there is no VM 'default' yet" in result.out and "machine init" not in result.err


def test_on_a_terminal_the_file_is_shown_and_a_yes_writes_and_trusts_it(program, code):
    _, shown, _ = on_terminal(program, "up", "--engine", "lima", cwd=code, answer="y")
    text = program.read("home/code/.machine.toml")
    assert all(f"  {line}\n" in shown for line in text.splitlines() if line)
    assert 'profiles = ["go"]' in text
    assert program.json("up", "--dry-run", cwd=code)[0]["reason"] == "there is no VM 'code' yet"


def test_a_no_writes_and_makes_nothing(program, code):
    status, _, after = on_terminal(program, "up", cwd=code, answer="n")
    assert status == 4 and "machine up default" in after
    assert sorted(os.listdir(code)) == [".git", "go.mod"] and program.read_state() == []


def test_a_dry_run_asks_nothing(program, code):
    child = pexpect.spawn(program.machine, ["plan"], cwd=code, env=program.environment, timeout=60, encoding="utf-8")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 4 and "machine init" in child.before
