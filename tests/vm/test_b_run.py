"""`machine run` and `machine ssh`: a command in the guest behaves as if it ran here."""

import hashlib
import os
import signal
import time

import pexpect
import pytest


def spawn(vm, *args):
    return pexpect.spawn(vm.program.machine, list(args), cwd=vm.program.home, timeout=60, encoding="utf-8", dimensions=(33, 99),
                         env={**vm.program.environment, "TERM": "xterm"})


@pytest.mark.parametrize("status", [0, 1, 2, 42, 126, 127, 254, 255])
def test_exit_status_comes_through(blog, status):
    blog.run("sh", "-c", f"exit {status}", status=status)


def test_exit_status_of_ssh_too(blog):
    blog.machine("ssh", "--", "sh", "-c", "exit 42", status=42)


def test_a_death_by_signal_is_128_and_its_number(blog):
    blog.run("sh", "-c", "kill -TERM $$", status=128 + signal.SIGTERM)


def test_a_command_that_isnt_there_is_127(blog):
    assert "no-such-command" in blog.run("no-such-command", status=127).err


def test_output_and_errors_are_kept_apart(blog):
    result = blog.run("sh", "-c", "echo out; echo err >&2")
    assert (result.out, result.err) == ("out\n", "err\n")


@pytest.mark.parametrize("words", [
    ["a b", "", "c"], ["it's", '"quoted"'], ["$HOME", "`id`", "$(id)", "\\"], ["*", "?", "[a]", "~"], ["two\nlines"], ["-n", "--"],
    ["ünï", ";", "&", "|", ">x", "#"],
])
def test_words_arrive_as_they_are(blog, words):
    assert blog.run("printf", "<%s>", *words).out == "".join(f"<{word}>" for word in words)


def test_standard_input_goes_in_and_out_byte_for_byte(blog):
    data = os.urandom(1 << 20) + bytes(range(256))
    result = blog.run("sha256sum", input=data)
    assert result.out.split()[0] == hashlib.sha256(data).hexdigest()
    child = blog.program.start("run", "blog", "--", "cat", stdin=-1)
    out, _ = child.communicate(data, timeout=60)
    assert out == data


def test_standard_input_that_ends_at_once_is_no_wait(blog):
    assert blog.run("cat", timeout=30).out == ""


def test_it_runs_in_the_first_repo(blog, lab):
    assert blog.run("pwd").out.endswith("/code/blog\n")
    assert blog.machine("ssh", "--", "pwd").out.endswith("/code/blog\n")


def test_the_user_may_become_root_without_a_password(blog):
    assert blog.run("sudo", "-n", "id", "-u").out == "0\n"
    assert blog.run("id", "-u").out != "0\n"


def test_what_a_login_shell_says_stays_out(blog):
    blog.sh("cp ~/.profile ~/.profile.kept 2>/dev/null; cp ~/.bashrc ~/.bashrc.kept; echo 'echo noise' | tee -a ~/.profile | sed 's/^/case $- in *i*) /; s/$/;; esac/' >>~/.bashrc")
    try:
        assert blog.run("echo", "x").out == "x\n"
    finally:
        blog.sh("mv ~/.profile.kept ~/.profile 2>/dev/null; mv ~/.bashrc.kept ~/.bashrc")


@pytest.mark.parametrize("number, name", [(signal.SIGTERM, "TERM"), (signal.SIGINT, "INT"), (signal.SIGHUP, "HUP"), (signal.SIGUSR1, "USR1")])
def test_signals_reach_the_command(blog, number, name):
    script = f"trap 'echo got {name}; exit 5' {name}; echo ready; while :; do sleep 0.1; done"
    child = blog.program.start("run", "blog", "--", "sh", "-c", script)
    assert child.stdout.readline() == b"ready\n"
    child.send_signal(number)
    result = blog.program.finish(child, timeout=60)
    assert (result.out, result.status) == (f"got {name}\n", 5)


def test_a_command_that_ends_by_our_signal_says_so(blog):
    child = blog.program.start("run", "blog", "--", "sh", "-c", "echo ready; exec sleep 1000")
    assert child.stdout.readline() == b"ready\n"
    child.send_signal(signal.SIGTERM)
    assert blog.program.finish(child, timeout=60).status == 128 + signal.SIGTERM
    assert blog.run("pgrep", "-x", "sleep", status=None).out == ""


def test_a_reader_that_goes_away_ends_the_command(blog):
    child = blog.program.start("run", "blog", "--", "yes")
    child.stdout.read(1000)
    child.stdout.close()
    child.wait(timeout=60)
    end = time.monotonic() + 20
    while blog.run("pgrep", "-x", "yes", status=None).out:
        assert time.monotonic() < end, "'yes' goes on in the guest"


def test_a_terminal_is_a_terminal(blog):
    child = spawn(blog, "run", "blog", "--", "sh", "-c", "test -t 0 && test -t 1 && stty size; exit 3")
    child.expect("33 99")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3


def test_without_a_terminal_there_is_none(blog):
    blog.run("test", "-t", "0", status=1)


@pytest.mark.parametrize("command", ["run", "ssh"])
def test_control_c_on_a_terminal_reaches_the_command(blog, command):
    child = spawn(blog, command, "blog", "--", "sh", "-c", "trap 'echo interrupted; exit 9' INT; echo ready; while :; do sleep 0.1; done")
    child.expect("ready")
    child.sendcontrol("c")
    child.expect("interrupted")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 9


def test_ssh_opens_a_shell_in_the_first_repo(blog, lab):
    child = spawn(blog, "ssh", "blog")
    child.expect(r"\$ ")
    child.sendline("pwd; hostname; exit 7")
    child.expect("/code/blog")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 7


def test_options_behind_the_name_are_the_commands_own(blog):
    assert blog.program.run("run", "blog", "printf", "%s", "--json").out == "--json"
    assert blog.program.run("run", "blog", "--", "printf", "%s", "--help").out == "--help"


def test_the_second_time_goes_over_the_open_connection(blog):
    blog.run("true")
    first = blog.program.processes("ssh:")
    assert len(blog.program.processes("[mux]")) <= 2
    for _ in range(5):
        blog.run("true")
    assert blog.program.processes("ssh:") == first


def test_twenty_at_once(blog):
    children = [blog.program.start("run", "blog", "--", "echo", str(number)) for number in range(20)]
    results = [blog.program.finish(child, timeout=120) for child in children]
    assert [(result.status, result.out) for result in results] == [(0, f"{number}\n") for number in range(20)]
