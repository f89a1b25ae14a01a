"""An agent in a VM is found again after the user left it or the connection was lost. The test's own program stands for the agent: it
says who it is, answers, and ends with a status."""

import os
import re
import signal
import subprocess

import pexpect
import pytest
from conftest import SMALL, Vm, surroundings
from program import wait_until

AGENT = r"""#!/bin/bash
printf 'agent %s in %s with' "$$" "$PWD"; printf ' <%s>' "$@"; echo
while read -r line; do
        case $line in
        quit) exit 7 ;;
        keys) ssh-add -l ;;
        *) echo "heard $line" ;;
        esac
done
"""


@pytest.fixture(scope="module")
def vm(data):
    with surroundings(data=data) as program:
        socket = f"{program.runtime}/agent"
        child = subprocess.Popen(["/usr/bin/ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: os.path.exists(socket), 10, "the agent listens")
            program.environment["SSH_AUTH_SOCK"] = socket
            program.projects(f"[box]\n{SMALL}forward_agent = true\n")
            vm = Vm(program, "box")
            vm.up()
            vm.run("sh", "-c", "cat >agent && sudo install -m 755 agent /usr/local/bin/claude && "
                   "sudo install -m 755 agent /usr/local/bin/other.agent", input=AGENT)
            yield vm
        finally:
            child.kill()
            child.wait()


def spawn(vm, *args, **env):
    return pexpect.spawn(vm.program.machine, list(args), cwd=vm.program.home, timeout=120, encoding="utf-8", dimensions=(24, 80),
                         env={**vm.program.environment, "TERM": "xterm-256color", **env})


def leave(child):
    child.send("\x02d")
    child.expect("detached")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def finish(child):
    child.sendline("quit")
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def who(child):
    child.expect(r"agent (\d+) in (\S+) with")
    return child.match.group(1), child.match.group(2)


def test_it_is_found_again_after_it_was_left(vm):
    first = spawn(vm, "claude", "box")
    first.expect("Ctrl-B D leaves 'claude'")
    pid, folder = who(first)
    assert re.fullmatch(r"/home/[a-z]+", folder)
    leave(first)
    again = spawn(vm, "claude", "box")
    assert who(again)[0] == pid
    again.sendline("hello")
    again.expect("heard hello")
    assert finish(again) == 7


def test_it_is_found_again_after_the_connection_was_lost(vm):
    first = spawn(vm, "claude", "box")
    pid, _ = who(first)
    first.kill(signal.SIGKILL)
    first.close()
    again = spawn(vm, "claude", "box")
    assert who(again)[0] == pid
    assert finish(again) == 7


def test_arguments_arrive_as_they_are(vm):
    child = spawn(vm, "claude", "box", "--", "two words", "it's", '"q"', "$HOME", "-x")
    child.expect_exact("with <two words> <it's> <\"q\"> <$HOME> <-x>")
    assert finish(child) == 7


def test_several_go_on_side_by_side(vm):
    one = spawn(vm, "claude", "box", "--session", "one")
    two = spawn(vm, "claude", "box", "-s", "two")
    assert who(one)[0] != who(two)[0]
    sessions = {entry["session"]: entry["attached"] for entry in vm.program.json("claude", "box", "--list")}
    assert sessions == {"claude-one": True, "claude-two": True}
    leave(two)
    sessions = {entry["session"]: entry["attached"] for entry in vm.program.json("agent", "box", "--list")}
    assert sessions == {"claude-one": True, "claude-two": False}
    assert finish(one) == 7
    assert finish(spawn(vm, "claude", "box", "-s", "two")) == 7
    assert vm.program.json("agent", "box", "--list") == []


def test_any_program_can_be_one(vm):
    child = spawn(vm, "agent", "box", "other.agent", "--", "x")
    child.expect("with <x>")
    assert [entry["session"] for entry in vm.program.json("agent", "box", "other.agent", "--list")] == ["other_agent"]
    assert vm.program.json("agent", "box", "claude", "--list") == []
    assert finish(child) == 7


def test_in_the_users_own_tmux_the_keys_are_others(vm):
    child = spawn(vm, "claude", "box", TMUX="/nowhere,1,0")
    child.expect_exact("Ctrl-B Ctrl-B D (the first Ctrl-B is for your own tmux) leaves 'claude' running")
    assert finish(child) == 7


def test_the_lent_agent_is_there_while_a_session_is(vm):
    """Also for an agent program that was started in an earlier session."""
    key = os.path.join(vm.program.home, "key")
    subprocess.run(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "of the host", "-f", key], check=True)
    vm.program.run("/usr/bin/ssh-add", "-q", key)
    first = spawn(vm, "claude", "box")
    who(first)
    first.sendline("keys")
    first.expect("of the host")
    leave(first)
    assert vm.sh("SSH_AUTH_SOCK=$XDG_RUNTIME_DIR/machine-agent/auth ssh-add -l 2>&1 || :").startswith("Error connecting")
    again = spawn(vm, "claude", "box")
    who(again)
    again.sendline("keys")
    again.expect("of the host")
    assert finish(again) == 7


def test_one_that_is_not_there_is_named(vm):
    child = spawn(vm, "codex", "box")
    child.expect("'codex' is not installed in this VM")
    child.expect_exact("packages = [\"@openai/codex\"]")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 127


def test_without_a_terminal_it_says_what_to_do(vm):
    result = vm.program.run("claude", "box", status=2)
    assert "needs a terminal" in result.err
    assert "machine run box -- claude" in result.err
