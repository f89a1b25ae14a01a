"""`machine board` in a terminal, over records of VMs."""

import contextlib
import fcntl
import os
import re
import shutil
import signal

import pytest
import records
from program import wait_until
from tmux import Terminal

COLORS = re.compile(r"\x1b\[[0-9;]*3[0-7]")


def fifty(program):
    for number in range(50):
        records.write(program.state, f"vm-{number:02}", ports=[{"host": 3000 + number, "guest": 3000}] if number % 7 == 0 else [],
                      profiles=["python", "rust"] if number % 3 == 0 else [], intent="setup" if number == 13 else "none")


@contextlib.contextmanager
def shown(program, columns=80, rows=24, command="machine board", wait="quit", **environment):
    """The board in a terminal, after its first look."""
    with Terminal(program, columns, rows, **environment) as terminal:
        terminal.line(command)
        terminal.await_text(wait)
        terminal.await_text("looking", gone=True)
        yield terminal


def pids(program):
    return program.processes("machine\0board")


def board_of(program):
    """The board's own process. A second one waits for its end."""
    return min(pids(program))


def assert_left_as_it_was(terminal, before):
    assert terminal.settings("after") == before
    wait_until(lambda: not pids(terminal.program), 10, "nothing of the board is left")


@pytest.mark.parametrize("columns, rows, last_column", [(80, 24, "PROFILES"), (120, 35, "REPOS"), (200, 60, "REPOS")])
def test_fifty_vms_are_shown_in_each_size(program, columns, rows, last_column):
    fifty(program)
    with shown(program, columns, rows) as terminal:
        lines = terminal.lines()
        assert lines[0] == "machine  50 VMs, 0 running  1 needs you (w)"
        assert lines[1].startswith("  NAME*  STATE ") and lines[1].rstrip().endswith(last_column)
        assert lines[2].startswith("> vm-00  absent ") and lines[3].startswith("  vm-01  absent ")
        assert lines[rows - 1].startswith("Enter:shell") and lines[rows - 1].endswith("?:help  q:quit")
        assert all(len(line) <= columns for line in lines)
        terminal.keys("G")
        assert "vm-00" not in terminal.await_text("> vm-49") or rows == 60
        terminal.keys("w")
        text = terminal.await_text(">!vm-13")
        assert "why       it is only half set up" in text and "way out   machine up vm-13" in text
        terminal.keys("?")
        for word in ("open a shell in the VM", "leave the board"):
            assert word in terminal.await_text(word)


def test_a_filter_lists_what_has_it_and_escape_lists_all(program):
    fifty(program)
    with shown(program) as terminal:
        terminal.line("/vm-1")
        assert "vm-20" not in terminal.await_text("10 of 50 with 'vm-1'")
        terminal.keys("Escape")
        terminal.await_text("50 VMs")


@pytest.mark.parametrize("environment, command", [({"NO_COLOR": "1"}, "machine board"), ({}, "TERM=vt100 machine board")])
def test_without_colour_all_of_it_is_there(program, environment, command):
    records.write(program.state, "blog", intent="setup")
    with shown(program, command=command, **environment) as terminal:
        assert ">!blog   absent " in terminal.text()
        assert not COLORS.search(terminal.text("-e"))


def test_with_colours_what_needs_somebody_is_red(program):
    records.write(program.state, "blog", intent="setup")
    with shown(program) as terminal:
        assert COLORS.search(terminal.text("-e"))


def test_a_terminal_without_unicode_gets_ascii(program):
    records.write(program.state, "blog", repos=["https://example.org/größe.git"])
    with shown(program, command="LC_ALL=C machine board") as terminal:
        assert terminal.text().isascii() and "gr??e.git" in terminal.text()


def test_after_a_resize_it_fills_the_new_size(program):
    fifty(program)
    with shown(program, 120, 35) as terminal:
        terminal.resize(60, 12)
        wait_until(lambda: terminal.lines()[11].endswith("q:quit") and len(terminal.lines()[11]) <= 60, 30, "painted for 60 columns")
        assert "REPOS" not in terminal.text()
        terminal.resize(200, 60)
        wait_until(lambda: terminal.lines()[59].endswith("q:quit"), 30, "painted for 60 rows")
        # The size is seen before the signal comes, and after that all is painted once more.
        terminal.await_text("> vm-00", "vm-47")


@contextlib.contextmanager
def leaving(program, *lines, shell=None):
    """A board over one VM in a terminal whose shell was typed these lines. Yields the terminal and its settings before. At the end the
    settings are the same, and nothing of the board is left."""
    records.write(program.state, "blog")
    with Terminal(program, **({"shell": shell} if shell else {})) as terminal:
        before = terminal.settings("before")
        for line in lines:
            terminal.line(line)
        terminal.await_text("> blog")
        yield terminal, before
        assert_left_as_it_was(terminal, before)


@pytest.mark.parametrize("key", ["q", "C-c"])
def test_the_terminal_is_left_as_it_was(program, key):
    with leaving(program, "machine board; echo status $?") as (terminal, _):
        terminal.keys(key)
        terminal.await_text("status 0")


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_comes_back(program):
    with leaving(program, "machine board", shell=("sh", "-im")) as (terminal, before):
        terminal.keys("C-z")
        terminal.await_text("> blog", gone=True)
        assert terminal.settings("meanwhile") == before
        terminal.line("fg")
        terminal.await_text("> blog")
        terminal.keys("q")
        terminal.await_text("> blog", gone=True)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_board_that_is_killed_leaves_the_terminal_right(program, number):
    with leaving(program, "machine board") as (terminal, _):
        os.kill(board_of(program), number)
        wait_until(lambda: not pids(program), 30, "ended")
        terminal.await_text("> blog", gone=True)


def test_when_its_shell_is_killed_the_board_ends_and_leaves_the_terminal_right(program):
    with leaving(program, "sh -im", "echo $$ > pid; machine board", shell=("sh", "-im")) as (terminal, _):
        os.kill(int(program.read("home/pid")), signal.SIGKILL)
        wait_until(lambda: not pids(program), 30, "ended")
        terminal.await_text("> blog", gone=True)


def test_when_its_terminal_is_closed_nothing_is_left(program):
    records.write(program.state, "blog")
    with shown(program):
        pass
    wait_until(lambda: not pids(program), 30, "ended")


def test_a_vm_that_vanishes_while_it_is_shown_is_gone(program):
    for name in ("blog", "docs", "shop"):
        records.write(program.state, name)
    with shown(program) as terminal:
        terminal.keys("j", "f")
        terminal.await_text("> docs", "name of the fork of 'docs'")
        shutil.rmtree(os.path.join(program.state, "machine/vms/docs"))
        text = terminal.await_text("'docs' is gone", "> shop")
        assert "name of the fork" not in text and "2 VMs" in text


def test_escapes_in_a_record_are_shown_and_do_nothing(program):
    records.write(program.state, "blog", repos=["https://example.org/\x1b]2;owned\x07\x1b[2J.git"])
    with shown(program) as terminal:
        text = terminal.await_text("\\x1b[2J")
        assert "> blog " in text and "machine  1 VM, 0 running" in text
        assert "owned" not in terminal.ask("pane_title")


def test_a_key_runs_a_command_and_what_failed_stays_until_enter(program):
    records.write(program.state, "blog")
    with shown(program) as terminal:
        terminal.keys("Enter")
        text = terminal.await_text("Enter: back to the board")
        assert "machine ssh blog\n" in text and "cannot start VM 'blog': VM 'blog' has no disk" in text
        assert "> blog" not in text
        terminal.keys("Enter")
        terminal.await_text("> blog", "machine ssh blog: exit status 5")
        terminal.keys("i")
        terminal.await_text("blog: not created", "\nEnter: back to the board")
        terminal.keys("Enter")
        terminal.await_text("> blog", "machine status blog: done")


def test_ctrl_c_ends_a_command_and_not_the_board(program):
    """The command is one that waits: it needs the lock that this test holds."""
    records.write(program.state, "blog")
    program.projects("[blog]\n")
    with shown(program) as terminal:
        lock = os.path.join(program.state, "machine/vms/blog.lock")
        with open(lock, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            terminal.keys("s")
            terminal.await_text("machine up blog", "waiting")
            terminal.keys("C-c")
            terminal.await_text("> blog", "machine up blog: stopped")


def test_machine_alone_is_the_board_once_there_is_a_project(program):
    with Terminal(program) as terminal:
        terminal.line("machine")
        terminal.await_text("There are no projects and no VMs yet.")
        program.projects("[later]\n")
        terminal.line("clear; machine")
        terminal.await_text("> later", "0 VMs, 0 running; 1 project without a VM")
        terminal.keys("q")
        terminal.await_text("> later", gone=True)
        terminal.line("machine | cat")
        terminal.await_text("All commands: machine help")
    assert program.run().out.startswith("No VM is running; there is 1 project.")


def test_machine_alone_in_a_checkout_that_is_not_trusted_says_so_below(program, checkout):
    records.write(program.state, "shop")
    with shown(program, 120, command="cd blog; machine") as terminal:
        assert f"'{checkout}/.machine.toml' is not trusted yet." in terminal.text()


def test_without_a_terminal_the_other_form_is_named(program):
    result = program.run("board", status=2)
    assert "the board needs a terminal that can move its cursor" in result.err and "machine list --watch" in result.err
    with Terminal(program) as terminal:
        terminal.line("TERM=dumb machine board")
        terminal.await_text("the board needs a terminal that can move its cursor")
        terminal.line("TERM=no-such-one machine board")
        terminal.await_text("nothing is known here of the terminal 'no-such-one'")
