"""Commits made in a guest are in the host's name, and signed through the lent agent (a real ssh-agent, a throwaway key)."""

import os

import pytest
from agent import make_key, ssh_agent
from conftest import SMALL, Vm, surroundings

COMMIT = "rm -rf work; git init -q work && cd work && git commit -q --allow-empty -m one"


@pytest.fixture(scope="module")
def site(data):
    """A user with a signing key and two projects. The agent is lent to one of them."""
    with surroundings(data=data) as program:
        key = make_key(os.path.join(program.folder("home"), "signing"), "signing")
        with ssh_agent(f"{program.runtime}/agent", key) as socket:
            program.environment["SSH_AUTH_SOCK"] = socket
            program.write("home/.gitconfig", "[user]\nname = Jane Doe\nemail = jane@example.org\nsigningkey = ~/signing\n"
                          "[gpg]\nformat = ssh\n")
            program.projects(f"[lent]\n{SMALL}forward_agent = true\n[plain]\n{SMALL}")
            yield program


@pytest.fixture(scope="module")
def lent(site):
    vm = Vm(site, "lent")
    vm.up()
    return vm


def planned(site):
    """What `up` would do, without the recipe's steps, which are listed whether or not they run."""
    return [step["step"] for step in site.json("up", "--dry-run", "lent") if step["step"] != "recipe"]


def test_a_signed_commit_verifies_on_the_host(site, lent):
    lent.sh(COMMIT)
    clone = os.path.join(site.home, "clone")
    config = os.path.join(lent.folder(), "ssh_config")
    site.git("clone", "-q", "machine-lent:work", clone, cwd=site.home, env={"GIT_SSH_COMMAND": f"ssh -F {config}"})
    with open(os.path.join(site.home, "signing.pub")) as file:
        signers = site.write("signers", f"jane@example.org {file.read()}")
    result = site.git("-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-commit", "HEAD", cwd=clone)
    assert 'Good "git" signature for jane@example.org' in result.err
    assert site.git("log", "-1", "--format=%an <%ae>", cwd=clone).out == "Jane Doe <jane@example.org>\n"


def test_it_verifies_in_the_guest_too(lent):
    assert "Good" in lent.sh("cd work && git verify-commit HEAD 2>&1")


def test_no_private_key_is_in_the_guest(site, lent):
    secret = site.read("home/signing").splitlines()[2]
    assert lent.files_with(secret) == []


def test_the_guests_own_configuration_wins(lent):
    lent.sh("git config --global user.name Other")
    try:
        lent.machine("up")
        lent.sh(COMMIT)
        assert lent.sh("git -C work log -1 --format=%an") == "Other\n"
    finally:
        lent.sh("git config --global --unset user.name")


def test_a_change_on_the_host_is_followed_on_a_running_vm(site, lent):
    before = site.read("home/.gitconfig")
    site.write("home/.gitconfig", before.replace("Jane Doe", "Jane 'Q' Doe"))
    try:
        assert planned(site) == ["git"]
        lent.machine("up")
        assert lent.sh("git config user.name") == "Jane 'Q' Doe\n"
        assert planned(site) == []
    finally:
        site.write("home/.gitconfig", before)
        lent.machine("up")


def test_without_the_agent_commits_are_made_and_not_signed(site):
    vm = Vm(site, "plain")
    vm.up()
    vm.sh(COMMIT)
    assert vm.sh("git -C work log -1 --format='%an %G?'") == "Jane Doe N\n"


def test_without_a_key_the_reason_is_said_and_nothing_is_signed(site, lent):
    before = site.read("home/.gitconfig")
    site.write("home/.gitconfig", "[user]\nname = Jane Doe\nemail = jane@example.org\n")
    try:
        assert "commits in the guest are not signed: git's configuration has no user.signingkey" in lent.machine("up").err
        lent.sh(COMMIT)
        assert lent.sh("git -C work log -1 --format='%an %G?'") == "Jane Doe N\n"
    finally:
        site.write("home/.gitconfig", before)
        lent.machine("up")
