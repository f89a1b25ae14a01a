"""The program's own commands with a real Lima VM. Skipped, with the reason, if Lima is not installed."""

import os
import shutil

import counts
import pytest
from program import Program, said, wait_until

UP_SECONDS = 1200


@pytest.fixture(scope="module")
def limactl():
    if os.getuid() == 0:
        pytest.skip("Lima refuses to run as root")
    path = shutil.which("limactl")
    if not path:
        pytest.skip("limactl is not installed")
    return path


def surroundings(limactl, **how):
    program = Program(**how).without_recipe()
    program.environment["PATH"] = f"{os.path.dirname(limactl)}:{program.environment['PATH']}"
    return program


@pytest.fixture(scope="module")
def program(limactl):
    program = surroundings(limactl, data=counts.DATA)
    program.projects('[blog]\nengine = "lima"\ncpus = 1\nmemory = "1GiB"\ndisk = "6GiB"\nshell = "bash"\n')
    yield program
    program.run("destroy", "blog", "--yes", "--discard-work", status=None, timeout=UP_SECONDS)
    program.clean_up()


@pytest.fixture(scope="module")
def up(program):
    """The result of an `up` that made the VM."""
    return program.run("up", "blog", timeout=UP_SECONDS)


def guest(program, command, **how):
    return program.run("run", "blog", "--", "sh", "-c", command, **how).out.strip()


def listed(program):
    return next(vm for vm in program.json("list") if vm["name"] == "blog")


def test_up_makes_a_vm_and_says_once_where_its_line_is_weaker(program, up):
    assert "engine 'lima' can't hold all of the line around VM 'blog'" in up.err, said(up)
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


RECIPE = """[profile]
summary = "of the test"
[[shell]]
name = "first"
cmd = "echo first >>/var/log/ran"
[[shell]]
name = "sleep"
cmd = "test -e /var/log/woken || { touch /var/log/woken; echo it sleeps; sleep 600; }"
"""


def unfinished(program):
    return [layer for layer in program.json("layers") if layer["kind"] == "unfinished"]


def kill_while_it_sleeps(program, name):
    """Kills a builder. Its guest belongs to no VM, and ends by itself."""
    child = program.start("up", name, "--json")
    assert any(b"it sleeps" in line for line in child.stdout)
    child.kill()
    child.communicate()
    wait_until(lambda: not program.processes("qemu-system", "lima/recipe."), 60, "the guest ends")


@pytest.fixture
def alone(limactl):
    """Surroundings with their own layers, because the test prunes layers that no VM here needs."""
    program = surroundings(limactl)
    yield program
    for name in ("one", "two"):
        program.run("destroy", name, "--yes", "--discard-work", status=None, timeout=UP_SECONDS)
    program.clean_up()


def test_a_recipe_is_filled_once_and_what_was_killed_is_gone_on_with_or_pruned(alone):
    program = alone
    small = 'engine = "lima"\ncpus = 1\nmemory = "1GiB"\ndisk = "6GiB"\nshell = "bash"\n'
    program.projects("".join(f"[{name}]\nprofiles = ['mine']\n{small}" for name in ("one", "two")))
    program.write("config/machine/profiles/mine/profile.toml", RECIPE)
    kill_while_it_sleeps(program, "one")
    assert len(unfinished(program)) == 1
    up = program.run("up", "one", timeout=UP_SECONDS)
    assert "filling the layer of 'profile mine'" in up.err and "first" not in up.err, said(up)
    assert "filling" not in program.run("up", "two", timeout=UP_SECONDS).err
    seen = [program.run("run", name, "--", "cat", "/var/log/ran", "/etc/hostname", "/etc/machine-id").out.split() for name in ("one", "two")]
    assert [words[:2] for words in seen] == [["first", "one"], ["first", "two"]]
    assert seen[0][2] != seen[1][2]
    assert unfinished(program) == []
    program.write("config/machine/profiles/mine/profile.toml", RECIPE.replace("woken", "woken-again"))
    program.run("destroy", "two", "--yes", "--discard-work", timeout=UP_SECONDS)
    kill_while_it_sleeps(program, "two")
    (left,) = unfinished(program)
    assert any(step["key"] == left["key"] for step in program.json("prune", "--dry-run"))
    instances = f"{program.state}/machine/lima"
    assert any(name.startswith("recipe.") for name in os.listdir(instances))
    program.run("prune", "--yes")
    assert not any(name.startswith("recipe.") for name in os.listdir(instances))
    assert unfinished(program) == []
