"""A hostile checkout: nothing that came with it runs on this computer, and no other project's code gets into its VM. hostile.py has
the tricks. Each is tried on what `up` and `destroy` do with a checkout, with this computer's sshd in place of a guest, and all
together on a real VM."""

import os
import shutil

import pytest
from guests import Vm, surroundings
from hostile import REFUSED, RUNS_NOTHING, TOGETHER, Place
from program import BUILD, Program, said
from standin import StandIn, why_not

DRIVER = os.environ.get("CHECKOUT_DRIVER", os.path.join(BUILD, "dev/tests/attack/checkout-driver"))
LOOKS = (["validate"], ["trust", "--yes"], ["up", "--dry-run"], ["plan"], ["list"], ["status"], ["trust", "--revoke"])


def name_of(value):
    return value.__name__ if callable(value) else ""


@pytest.fixture
def alone():
    program = Program()
    yield Place(program).reset()
    program.clean_up()


# --- what needs no VM

@pytest.mark.parametrize("trick", RUNS_NOTHING + [trick for trick, _ in REFUSED], ids=name_of)
def test_looking_at_a_checkout_runs_nothing(alone, trick):
    trick(alone)
    for toml in ('repos = ["."]\n', "cpus = 1\n"):
        alone.write(".machine.toml", toml)
        for command in LOOKS:
            alone.program.run(*command, cwd=alone.folder, status=None)
    assert alone.proven() == []


# --- what `up` and `destroy` do, with a stand-in for the guest

class Guest(StandIn):
    def __init__(self, place):
        super().__init__(place.program.folder("standin"), "notes")
        self.place = place

    def drive(self, command, status=0, env=None):
        return self.place.program.run(DRIVER, command, self.folder, self.place.folder, status=status, timeout=60,
                                      env={**self.environment, **(env or {})})

    def push(self, **how):
        return self.drive("push", **how)

    def log(self):
        return self.sh("git -C code/notes log --format=%s && git -C code/notes fsck 2>&1")


@pytest.fixture
def guest(alone):
    if why_not():
        pytest.skip(why_not())
    return Guest(alone)


@pytest.mark.parametrize("trick", RUNS_NOTHING, ids=name_of)
def test_bringing_a_checkout_in_runs_nothing(guest, trick):
    trick(guest.place)
    guest.push()
    assert guest.place.proven() == []
    assert "one" in guest.log().split("\n")


@pytest.mark.parametrize("trick", RUNS_NOTHING, ids=name_of)
def test_looking_for_work_runs_nothing(guest, trick):
    guest.push()
    guest.sh("git -C code/notes commit -q --allow-empty -m work")
    trick(guest.place)
    assert "branch 'main' has 1 unpushed commit" in guest.drive("work").out
    guest.drive("withdraw")
    assert guest.place.proven() == []
    assert '[remote "machine"]' not in guest.place.read(".git/config")


@pytest.mark.parametrize("trick, why", REFUSED, ids=name_of)
def test_what_is_no_checkout_of_its_own_is_refused(guest, trick, why):
    trick(guest.place)
    result = guest.push(status=None)
    assert guest.place.proven() == []
    assert "secret" not in guest.sh("cat code/*/text code/.partial.*/*/text 2>/dev/null || :")
    assert result.status != 0 and why in result.err, said(result)


def test_a_git_that_runs_us_says_nothing_of_the_checkout(guest):
    """As when an alias or a hook of a repository runs us: git's variables don't count."""
    evil = guest.place.evil("environment")
    settings = {"protocol.ext.allow": "always", f"url.ext::{evil} .insteadOf": "machine-notes:", "core.sshCommand": evil}
    environment = {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_DIR": guest.place.secret + "/.git", "GIT_SSH": evil,
                   "GIT_EXTERNAL_DIFF": evil, "GIT_ALLOW_PROTOCOL": "ext:ssh", "GIT_OBJECT_DIRECTORY": guest.place.secret}
    for number, (key, value) in enumerate(settings.items()):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    guest.push(env=environment)
    assert guest.place.proven() == []
    assert guest.log() == "one\n"


@pytest.mark.parametrize("key, value", [("uploadpack", "EVIL"), ("vcs", "ext"), ("proxy", "http://evil.example"), ("pushurl", "ext::EVIL"),
                                        ("fetch", "+refs/heads/*:refs/heads/*"), ("url", "ext::EVIL")])
def test_a_remote_machine_that_came_with_the_checkout_is_not_taken_for_ours(guest, key, value):
    """`git fetch machine` is run by the user's own git, so this remote must have only what we wrote."""
    guest.place.config("remote.machine." + key, value.replace("EVIL", guest.place.evil("remote")))
    guest.place.config("remote.machine.url", "machine-notes:code/notes")
    guest.place.config("remote.machine.fetch", "+refs/heads/*:refs/remotes/machine/*")
    result = guest.push(status=1)
    assert "already has a remote 'machine'" in result.err
    assert "remote rename machine" in result.err or guest.sh("ls -A code") == ""


def test_what_the_guests_git_says_does_not_drive_the_terminal(guest):
    """A hook of the guest's talks while it takes the checkout in, on the standard error of what ssh started, and stops it."""
    guest.sh("mkdir -p template/hooks && git config --global init.templateDir \"$HOME/template\" && cd template/hooks &&"
             "printf '#!/bin/sh\\nprintf \"\\\\033]0;hook\\\\007\\\\033[2J said\\\\n\" >&2\\nexit 1\\n' >reference-transaction && chmod +x reference-transaction")
    result = guest.push(status=6)
    assert "said" in result.err
    assert "\x1b" not in result.err and "\x07" not in result.err, said(result)


# --- with a VM

@pytest.fixture(scope="module")
def site(data):
    with surroundings(data=data) as program:
        yield program


@pytest.fixture(scope="module")
def place(site):
    return Place(site).reset()


@pytest.fixture(scope="module")
def notes(site, place):
    """A VM with the code of a checkout that has every trick, except those that keep the code from coming in."""
    for trick in TOGETHER:
        trick(place)
    site.run("trust", "--yes", cwd=place.folder)
    site.first = site.run("up", cwd=place.folder, timeout=600)
    return Vm(site, "notes", cwd=place.folder)


def test_up_brings_a_hostile_checkout_in_and_runs_nothing(place, notes):
    assert place.proven() == []
    assert notes.sh("cat ~/code/notes/text") == "one\n"


def test_destroy_looks_for_work_in_a_hostile_checkout_and_runs_nothing(place, notes):
    notes.sh("cd ~/code/notes && git -c user.name=G -c user.email=g@example.org commit -q --allow-empty -m work")
    assert "1 unpushed commit" in notes.machine("destroy", "--yes", status=7).err
    assert place.proven() == []


def test_the_users_own_fetch_brings_work_back(place, notes):
    """The user's own fetch obeys the checkout's configuration, so this test writes a harmless one."""
    for name in ("config.worktree", "hooks"):
        path = place.path(f".git/{name}")
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    remote = place.git("config", "--file", ".git/config", "--get-regexp", "^remote[.]machine[.]").out
    place.write(".git/config", "[core]\n\trepositoryformatversion = 0\n")
    for line in remote.splitlines():
        place.config(*line.split(" ", 1))
    place.program.environment["GIT_SSH_COMMAND"] = f"/usr/bin/ssh -F {place.program.ssh}/config.d/machine"
    place.git("fetch", "--quiet", "machine")
    assert place.git("log", "-1", "--format=%s", "refs/remotes/machine/main").out == "work\n"
    notes.machine("destroy", "--yes")
    assert '[remote "machine"]' not in place.read(".git/config")
