"""The program's own commands over a real Lima VM: skipped, with the reason, where Lima is not installed."""

import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from program import Program, said  # noqa: E402

UP_SECONDS = 1200


@pytest.fixture(scope="module")
def program():
    if os.getuid() == 0:
        pytest.skip("Lima refuses to run as root")
    limactl = shutil.which("limactl")
    if not limactl:
        pytest.skip("limactl is not installed")
    program = Program(data=os.environ.get("ENGINE_TEST_DATA")).without_recipe()
    program.environment["PATH"] = f"{os.path.dirname(limactl)}:{program.environment['PATH']}"
    program.projects('[blog]\nengine = "lima"\ncpus = 1\nmemory = "1GiB"\ndisk = "6GiB"\nshell = "bash"\n')
    yield program
    program.run("destroy", "blog", "--yes", "--discard-work", status=None, timeout=UP_SECONDS)
    program.clean_up()


@pytest.fixture(scope="module")
def up(program):
    """What `up` said of a VM that it made."""
    return program.run("up", "blog", timeout=UP_SECONDS)


def guest(program, command, **how):
    return program.run("run", "blog", "--", "sh", "-c", command, **how).out.strip()


def listed(program):
    return next(vm for vm in program.json("list") if vm["name"] == "blog")


def test_up_makes_a_vm_and_says_once_where_its_line_is_weaker(program, up):
    assert "the line around VM 'blog' is weaker than with qemu" in up.err, said(up)
    assert guest(program, "hostname") == "blog"
    assert "weaker" not in program.run("up", "blog").err


def test_list_has_it_with_its_engine_and_what_is_weaker(program, up):
    vm = listed(program)
    assert (vm["state"], vm["engine"]) == ("running", "lima")
    assert {"ssh-port", "confinement", "shared-key"} <= set(vm["weaker_lines"])


def test_doctor_names_lima(program, up):
    assert any("lima" in check["name"] or "Lima" in check.get("detail", "") for check in program.checks()), program.checks()


def test_the_alias_serves_ssh_scp_and_git(program, up):
    program.run("/usr/bin/ssh", "-F", f"{program.ssh}/config.d/machine", "machine-blog", "git init -q --bare x.git && echo there >x")
    program.run("/usr/bin/scp", "-q", "-F", f"{program.ssh}/config.d/machine", "machine-blog:x", f"{program.root}/x")
    assert program.read("x") == "there\n"
    repo = program.folder("repo")
    program.git("init", "-q", cwd=repo)
    program.git("commit", "-q", "--allow-empty", "-m", "first", cwd=repo)
    program.git("push", "-q", "machine-blog:x.git", "HEAD:main", cwd=repo, env={"GIT_SSH_COMMAND": f"ssh -F {program.ssh}/config.d/machine"})
    assert guest(program, "git -C x.git log --format=%s main") == "first"


def test_down_and_up_again_keep_the_guest(program, up):
    guest(program, "echo kept >kept")
    program.run("down", "blog", timeout=UP_SECONDS)
    assert listed(program)["state"] == "stopped"
    program.run("up", "blog", timeout=UP_SECONDS)
    assert guest(program, "cat kept") == "kept"


def test_rebuild_makes_another_and_destroy_leaves_nothing(program, up):
    before = guest(program, "cat /etc/machine-id")
    program.run("rebuild", "blog", "--yes", "--discard-work", timeout=UP_SECONDS)
    assert guest(program, "cat /etc/machine-id; cat kept 2>/dev/null || true") not in ("", before, f"{before}\nkept")
    program.run("destroy", "blog", "--yes", "--discard-work", timeout=UP_SECONDS)
    assert "blog" not in program.read_state()
    program.assert_no_processes()
