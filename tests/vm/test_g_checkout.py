"""`repos = ["."]`: a checkout goes in by git and its commits come back by git. The guest needs no key and no network."""

import os

import pytest
from conftest import Vm, surroundings

SETTINGS = 'repos = ["."]\ncpus = 1\nmemory = "1GiB"\ndisk = "6GiB"\nshell = "zsh"\n'


# A shell that read one of them as a command would leave the file `ran`.
NAMES = ["$(echo>ran)", "`echo>ran`", "a;echo>ran;", "b'$(echo>ran)'"]


@pytest.fixture(scope="module")
def site(data):
    with surroundings(data=data) as program:
        # A user's ssh reads this file by an Include in ~/.ssh/config, but ssh looks for that in the home folder from passwd.
        program.environment["GIT_SSH_COMMAND"] = f"/usr/bin/ssh -F {program.ssh}/config.d/machine"
        yield program


@pytest.fixture(scope="module")
def checkout(site):
    folder = site.folder("home", "notes")
    site.git("init", "--quiet", cwd=folder)
    site.write("home/notes/.machine.toml", SETTINGS)
    site.write("home/notes/text", "one\n")
    site.git("add", "--all", cwd=folder)
    site.git("commit", "--quiet", "--message=one", cwd=folder)
    for name in NAMES:
        site.git("update-ref", f"refs/heads/{name}", "HEAD", cwd=folder)
    site.write("home/notes/uncommitted", "stays here\n")
    return folder


@pytest.fixture(scope="module")
def notes(site, checkout):
    site.run("trust", "--yes", cwd=checkout)
    site.run("up", cwd=checkout, timeout=600)
    return Vm(site, "notes", cwd=checkout)


def commit_in_guest(vm, message):
    vm.sh(f"cd ~/code/notes && echo {message} >>text && git -c user.name=G -c user.email=g@example.org commit -q -a -m {message}")


def test_the_commits_went_in(notes):
    assert notes.sh("git log --format=%s") == "one\n"
    assert notes.sh("git symbolic-ref --short HEAD") == "main\n"
    assert notes.run("pwd").out.endswith("/code/notes\n")


def test_a_branch_that_is_named_like_a_command_is_a_name(notes):
    """Its guest's user has zsh, which runs what it is sent."""
    assert set(notes.sh("git branch --format='%(refname:lstrip=2)'").splitlines()) == {"main", *NAMES}
    assert notes.sh("find ~ -name ran") == ""


def test_the_working_tree_did_not(notes):
    assert notes.sh("ls") == "text\n"


def test_the_checkout_is_as_it_was_but_for_the_remote(notes, checkout):
    assert notes.program.git("status", "--porcelain", cwd=checkout).out == "?? uncommitted\n"
    assert notes.program.git("remote", cwd=checkout).out == "machine\n"


def test_the_configured_shell_is_the_users(notes):
    assert notes.sh("getent passwd $(id -un)").strip().endswith("/zsh")


def test_commits_come_back(notes, checkout):
    commit_in_guest(notes, "two")
    notes.program.git("fetch", "--quiet", "machine", cwd=checkout)
    assert notes.program.git("log", "--format=%s", "machine/main", cwd=checkout).out == "two\none\n"


def test_work_in_the_guest_protects_it_until_it_was_fetched(notes, checkout):
    commit_in_guest(notes, "three")
    notes.machine("destroy", "--yes", status=7)
    notes.program.git("fetch", "--quiet", "machine", cwd=checkout)
    # Committed work is on the host now, so only uncommitted work would be lost.
    notes.sh("cd ~/code/notes && touch new")
    assert "1 untracked file" in notes.machine("destroy", "--yes", status=7).err
    notes.sh("cd ~/code/notes && rm new")


def test_new_commits_go_in_by_push(notes, checkout):
    notes.program.git("merge", "--quiet", "--ff-only", "machine/main", cwd=checkout)
    notes.program.write("home/notes/text", "from the host\n")
    notes.program.git("commit", "--quiet", "--all", "--message=host", cwd=checkout)
    notes.program.git("push", "--quiet", "machine", "main", cwd=checkout)
    assert notes.sh("cat ~/code/notes/text") == "from the host\n"


def test_nothing_of_the_guests_git_runs_on_the_host(notes, checkout):
    """Hooks, filters and settings of the guest's repo stay in the guest: a fetch brings only objects and refs."""
    proof = os.path.join(notes.program.root, "proof")
    evil = f"touch {proof}"
    notes.sh(f"""cd ~/code/notes && mkdir -p .git/hooks &&
            for hook in post-checkout post-merge pre-push reference-transaction post-receive; do
                    printf '#!/bin/sh\\n{evil}\\n' >.git/hooks/$hook; chmod +x .git/hooks/$hook; done
            git config core.fsmonitor '{evil}'; git config core.sshCommand '{evil}'; git config uploadpack.packObjectsHook '{evil}'
            rm -f .git/hooks/reference-transaction; git config --unset core.fsmonitor; true""")
    commit_in_guest(notes, "four")
    notes.program.git("fetch", "--quiet", "machine", cwd=checkout)
    notes.up()
    assert notes.program.git("log", "-1", "--format=%s", "machine/main", cwd=checkout).out == "four\n"
    assert not os.path.exists(proof)
    hooks = [name for name in os.listdir(f"{checkout}/.git/hooks") if not name.endswith(".sample")]
    assert hooks == []


def test_refs_of_the_guest_land_below_the_remote_alone(notes, checkout):
    """A branch in the guest that is named like an option, or like a ref of the host, changes nothing outside refs/remotes/machine/."""
    before = notes.program.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags", cwd=checkout).out
    notes.sh("cd ~/code/notes && git update-ref refs/heads/--upload-pack=x HEAD && git update-ref refs/tags/v1 HEAD && git branch HEAD2")
    notes.program.git("fetch", "--quiet", "--no-tags", "machine", cwd=checkout)
    notes.sh("cd ~/code/notes && git update-ref -d refs/heads/--upload-pack=x && git tag -d v1 && git branch -D HEAD2")
    assert notes.program.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags", cwd=checkout).out == before


def test_destroy_takes_the_remote_away_again(notes, checkout):
    notes.program.git("fetch", "--quiet", "--prune", "machine", cwd=checkout)
    notes.machine("destroy", "--yes")
    assert notes.program.git("remote", cwd=checkout).out == ""
    assert notes.program.git("status", "--porcelain", cwd=checkout).out == "?? uncommitted\n"
    notes.program.assert_no_processes()
