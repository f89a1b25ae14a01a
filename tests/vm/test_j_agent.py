"""A private repo is cloned through the forwarded agent. The key stays on the host; the agent is there only during a session."""

import os
import subprocess

import lab as lab_module
import pytest
from agent import make_key
from conftest import SMALL, Vm, surroundings
from program import wait_until


@pytest.fixture(scope="module")
def agent(lab):
    """An ssh agent on the host with the key that the lab's sshd accepts."""
    socket = os.path.join(lab.folder, "agent.sock")
    child = subprocess.Popen(["/usr/bin/ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: os.path.exists(socket), 10, "the agent listens")
        subprocess.run(["/usr/bin/ssh-add", "-q", lab.user_key], check=True, env={**os.environ, "SSH_AUTH_SOCK": socket},
                       stderr=subprocess.DEVNULL)
        yield socket
    finally:
        child.kill()
        child.wait()


@pytest.fixture(scope="module")
def vm(data, lab, agent):
    lab.repo("secret")
    with surroundings(data=data) as program:
        program.environment["SSH_AUTH_SOCK"] = agent
        program.write("ssh/known_hosts", lab.known_hosts)
        url = f"ssh://{lab.login}@{lab_module.PUBLIC}:2222{lab.repos}/secret.git"
        program.projects(f"[secret]\nrepos = ['{url}']\nforward_agent = true\n{SMALL}")
        vm = Vm(program, "secret")
        vm.up()
        yield vm


def test_the_repo_was_cloned(vm):
    assert vm.sh("cat ~/code/secret/README") == "secret\n"


def test_the_key_is_not_in_the_guest(vm, lab):
    with open(lab.user_key) as file:
        secret = file.read().splitlines()[3]  # the lines before it are the same in every such key
    assert vm.files_with(secret) == []


def test_a_session_can_use_it(vm):
    assert "user_key" in vm.run("ssh-add", "-l").out
    assert vm.run("git", "ls-remote").out


def test_with_no_session_open_nothing_can(vm):
    """A process that a session leaves behind finds no agent, neither at once nor while a later session without the agent is open."""
    vm.sh("socket=$SSH_AUTH_SOCK; (setsid sh -c 'sleep 3; SSH_AUTH_SOCK='$socket' ssh-add -l' </dev/null >/tmp/late 2>&1 &) ; test -S $socket")
    before = dict(vm.program.environment)
    del vm.program.environment["SSH_AUTH_SOCK"]
    try:
        vm.sh("sleep 5")
        assert "user_key" not in vm.sh("cat /tmp/late")
        assert vm.sh("cat /tmp/late") != ""
    finally:
        vm.program.environment.update(before)


def test_an_unknown_host_key_is_refused_and_said(data, lab, agent, vm):
    program = vm.program
    text = program.read("config/machine/projects.toml")
    program.projects(text.replace("repos = [", f"repos = ['ssh://{lab.login}@{lab_module.PUBLIC}:2223/other.git', "))
    lab.inside("/usr/sbin/sshd", "-D", "-e", "-p", "2223", "-f", f"{lab.folder}/ssh/config")
    try:
        result = vm.up(status=6)
        assert "other" in result.err
        assert "host key" in result.err.lower()
    finally:
        program.projects(text)


def drifted(vm):
    """Does `status` say that the lent keys differ from the configuration?"""
    return "keys" in [line["what"] for line in vm.program.json("status", "secret")["drift"]]


def test_what_ssh_takes_for_the_repos_host_is_all_that_is_lent(vm, lab, agent):
    """If ssh's configuration on this computer names a key for the host, only that one is lent. Otherwise all are, as ssh would try all."""
    other = make_key(f"{lab.folder}/other_key", "another key")
    subprocess.run(["/usr/bin/ssh-add", "-q", other], check=True, env={**os.environ, "SSH_AUTH_SOCK": agent}, stderr=subprocess.DEVNULL)
    assert "another key" in vm.run("ssh-add", "-l").out
    before = vm.program.read("ssh/config")
    vm.program.write("ssh/config", f"{before}\nHost {lab_module.PUBLIC}\n\tIdentityFile {lab.user_key}\n")
    try:
        assert drifted(vm)
        vm.up()
        listed = vm.run("ssh-add", "-l").out
        assert "user_key" in listed and "another key" not in listed
        assert vm.run("git", "ls-remote").out
        assert not drifted(vm)
        held = {line["id"]: (line["verdict"], line["detail"]) for line in vm.program.json("audit", "secret")}
        assert held["lent-keys"] == ("held", "1 of the agent's 2 keys are shown, a signature by another is refused")
    finally:
        vm.program.write("ssh/config", before)
        vm.up()
    assert "another key" in vm.run("ssh-add", "-l").out
