"""A checkout's VM is set up once, after its first clone. Differences from its configuration are found and resolved."""

import pytest
from conftest import SMALL, Vm, surroundings

FAILING = 'setup = ["echo one >>~/ran", "echo why >&2; exit 3", "echo never >>~/ran"]\n'
GOOD = 'setup = ["pwd >>~/ran", "echo two >>~/ran"]\n'


@pytest.fixture(scope="module")
def program(data):
    with surroundings(data=data) as program:
        yield program


def checkout(program, name, more):
    folder = program.folder("home", name)
    program.git("init", "-q", cwd=folder)
    program.write(f"home/{name}/.machine.toml", f'repos = ["."]\n{more}{SMALL}')
    program.git("add", ".", cwd=folder)
    program.git("commit", "-q", "-m", "first", cwd=folder)
    program.run("trust", "--yes", cwd=folder)
    return Vm(program, name, cwd=folder)


@pytest.fixture(scope="module")
def app(program):
    vm = checkout(program, "app", GOOD)
    vm.first_up = program.run("up", "--strict", cwd=vm.cwd, timeout=600)
    return vm


def configure(vm, text):
    vm.program.write(f"home/{vm.name}/.machine.toml", f'repos = ["."]\n{text}')
    vm.program.run("trust", "--yes", cwd=vm.cwd)


def status(vm):
    return vm.program.json("status", cwd=vm.cwd)


def test_its_commands_ran_in_the_repo_once(program, app):
    assert "setting up 'app'" in app.first_up.err
    home = app.sh("echo ~").strip()
    assert app.sh("cat ~/ran").splitlines() == [f"{home}/code/app", "two"]
    assert "setting up" not in program.run("up", cwd=app.cwd).err
    assert app.sh("wc -l <~/ran").strip() == "2"


@pytest.mark.long
def test_a_set_up_that_fails_is_a_warning_and_a_failure_when_that_was_asked_for(program):
    vm = checkout(program, "bad", FAILING)
    result = program.run("up", cwd=vm.cwd, timeout=600)
    assert "cannot set up 'bad' by: echo why >&2; exit 3" in result.err
    assert "why" in result.err
    assert "machine run bad -- sh -lc 'cd ~/code/bad && echo why >&2; exit 3'" in result.err
    assert vm.sh("cat ~/ran") == "one\n"
    # The setup was tried already, so it isn't tried again.
    assert "cannot set up" not in program.run("up", "--strict", cwd=vm.cwd).err
    result = program.run("rebuild", "--yes", cwd=vm.cwd, timeout=600)
    assert "cannot set up 'bad'" in result.err
    program.run("destroy", "--yes", cwd=vm.cwd)
    assert "1 repo of project 'bad' could not be set up" in program.run("up", "--strict", cwd=vm.cwd, status=6, timeout=600).err
    assert vm.state() == "running"
    program.run("destroy", "--yes", cwd=vm.cwd)


def test_a_vm_that_is_as_configured_says_so(program, app):
    assert status(app)["drift"] == []
    assert "up to date" in program.run("status", cwd=app.cwd).out


def test_a_project_without_a_vm_has_nothing_to_differ(program, app):
    program.projects("[none]\n")
    assert program.json("status", "none")["state"] == "absent"
    assert "machine up none" in program.run("status", "none").out
    assert program.run("status", "nobody", status=4).err


def test_sizes_come_with_the_next_start(program, app):
    before = int(app.sh("df --output=size -BM / | tail -n 1").strip().rstrip("M"))
    configure(app, GOOD + 'cpus = 2\nmemory = "1280MiB"\ndisk = "9GiB"\nshell = "bash"\n')
    found = {item["what"]: item for item in status(app)["drift"]}
    assert {what: item["remedy"] for what, item in found.items()} == {"cpus": "start", "memory": "start", "disk": "start"}
    assert (found["cpus"]["has"], found["cpus"]["wanted"]) == ("1", "2")
    result = program.run("up", cwd=app.cwd)
    assert "at the next start: machine restart app" in result.err
    assert app.sh("nproc").strip() == "1"
    program.run("down", cwd=app.cwd)
    assert {item["remedy"] for item in status(app)["drift"]} == {"up"}
    program.run("up", cwd=app.cwd, timeout=600)
    assert app.sh("nproc").strip() == "2"
    assert int(app.sh("awk '/MemTotal/ { print $2 }' /proc/meminfo")) > 1100000
    assert int(app.sh("df --output=size -BM / | tail -n 1").strip().rstrip("M")) > before + 2000
    assert status(app)["drift"] == []


def test_what_only_a_new_vm_has_is_named(program, app):
    configure(app, GOOD + 'cpus = 2\nmemory = "1280MiB"\ndisk = "6GiB"\nshell = "zsh"\n')
    assert {item["what"]: item["remedy"] for item in status(app)["drift"]} == {"disk": "rebuild", "shell": "rebuild"}
    assert "machine rebuild app" in program.run("up", cwd=app.cwd).err


def test_a_recipe_that_changed_is_applied_by_up(program, app):
    configure(app, GOOD + 'cpus = 2\nmemory = "1280MiB"\ndisk = "9GiB"\nshell = "bash"\n')
    program.write("config/machine/provision.toml", "[[shell]]\ncmd = 'touch /etc/mine'\n")
    try:
        assert [(item["what"], item["remedy"]) for item in status(app)["drift"]] == [("recipe", "up")]
        program.run("up", cwd=app.cwd, timeout=600)
        assert status(app)["drift"] == []
        assert app.sh("ls /etc/mine") == "/etc/mine\n"
    finally:
        program.without_recipe()
