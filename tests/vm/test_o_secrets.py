"""A project's secrets are in its guest's memory and nowhere else. `op` and `pass` are the test's stand-ins; `command:` and `env:` are
real."""

import os
import re
import subprocess

import pytest
from conftest import SMALL, Vm, surroundings

CANARY = "canary-7f3a91c4e2d8b605"  # part of each value; tests look for it where it must not be
ODD = f"it's \"{CANARY}\" $HOME `id` \\n"
LINES = f"one {CANARY}\ntwo\n\nfour"

PROJECT = f"""[box]
op_env = ["abc123"]
{SMALL}
[box.secrets]
FROM_ENV = "env:OUTER"
FROM_PASS = "pass:work/api"
FROM_OP = "op://dev/api/token"
TEXT = "command:cat {{root}}/lines"
"""

OP = f"""#!/bin/sh
case $1 in
read) printf %s "{CANARY}-op $4" ;;
run) shift 5; IN_ENVIRONMENT="{CANARY} op's" exec "$@" ;;
esac
"""
PASS = f"#!/bin/sh\necho \"{CANARY}-pass $3\"\necho 'login: jane'\n"


@pytest.fixture(scope="module")
def program(data):
    with surroundings(data=data) as program:
        for name, text in (("op", OP), ("pass", PASS)):
            path = program.write(f"bin/{name}", text)
            os.chmod(path, 0o700)
        program.environment["PATH"] = f"{program.root}/bin:{program.environment['PATH']}"
        program.environment["OUTER"] = ODD
        program.write("lines", LINES + "\n")
        program.projects(PROJECT.replace("{root}", program.root))
        yield program


@pytest.fixture(scope="module")
def box(program):
    vm = Vm(program, "box")
    vm.first_up = vm.up()
    return vm


def value(vm, name):
    """A secret's value, byte by byte as it is in its file."""
    return bytes.fromhex(vm.sh(f"od -An -v -tx1 /run/secrets/{name}").replace("\n", "")).decode()


def test_up_loads_them_into_files_of_the_users(program, box):
    assert "loading 5 secrets" in box.first_up.err
    assert value(box, "FROM_ENV") == ODD
    assert value(box, "FROM_PASS") == f"{CANARY}-pass work/api"
    assert value(box, "FROM_OP") == f"{CANARY}-op op://dev/api/token"
    assert value(box, "TEXT") == LINES
    for line in box.sh("stat -c '%a %U %n' /run/secrets /run/secrets/* $XDG_RUNTIME_DIR/dev-secrets/*").splitlines():
        mode, user, name = line.split()
        assert (mode, user) == ("700" if name == "/run/secrets" else "600", box.sh("id -un").strip())


def test_they_are_in_memory_that_is_never_swapped(program, box):
    kind, options = box.sh("findmnt -n -o FSTYPE,OPTIONS /run/secrets").split()
    assert kind == "tmpfs"
    assert {"noswap", "noexec", "nosuid", "nodev", "mode=700"} <= set(options.split(","))


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh"])
def test_a_shell_reads_them_as_they_are(program, box, shell):
    script = '. "$XDG_RUNTIME_DIR/dev-secrets/machine.env"; env -0 | grep -z -E "^(FROM_ENV|TEXT)=" | od -An -v -tx1'
    text = bytes.fromhex(box.run(shell, "-c", script).out.replace("\n", "")).decode()
    assert f"FROM_ENV={ODD}\0" in text and f"TEXT={LINES}\0" in text


def test_a_repo_loads_them_by_direnvs_library(program, box):
    """direnv itself is not in the base image, so the test calls the library's functions as direnv does."""
    call = 'watch_file() { :; }; log_error() { echo "error: $*"; }; . ~/.config/direnv/lib/machine.sh; '
    assert box.run("bash", "-c", call + 'use_machine_secrets && echo "$FROM_PASS"').out == f"{CANARY}-pass work/api\n"
    assert box.run("bash", "-c", call + 'use_op_env abc123 && echo "$IN_ENVIRONMENT"').out == f"{CANARY} op's\n"
    assert "machine secrets box" in box.run("bash", "-c", call + "use_op_env other || true").out


def test_nothing_is_asked_for_again_until_it_has_to_be(program, box):
    os.rename(f"{program.root}/bin/pass", f"{program.root}/bin/gone")
    try:
        assert "secrets" not in box.up().err
        assert "pass" in box.machine("secrets", status=1).err
    finally:
        os.rename(f"{program.root}/bin/gone", f"{program.root}/bin/pass")


def test_they_outlive_the_last_session(program, box):
    box.sh("true")
    program.run("/usr/bin/ssh", "-F", f"{box.folder()}/ssh_config", "-O", "exit", "machine-box", status=None)
    assert value(box, "FROM_PASS").startswith(CANARY)


def files_with(folder, text):
    found = subprocess.run(["grep", "-r", "-l", "-a", "-F", text, folder], capture_output=True, text=True)
    return found.stdout.split()


def test_a_command_shows_them_to_no_process_and_no_file_of_the_hosts(program, box):
    """Looks at the command lines and environments of all processes while a slow provider runs, and then at every file of ours."""
    slow = program.write("bin/slow", f"#!/bin/sh\necho {CANARY}-slow\nexec sleep 3\n")
    os.chmod(slow, 0o700)
    program.write("bin/slow", f"#!/bin/sh\ncat {program.root}/lines\nexec sleep 3\n")
    program.projects(PROJECT.replace("{root}", program.root).replace(f"command:cat {program.root}/lines", "command:slow"))
    plain = {name: text for name, text in program.environment.items() if name != "OUTER"}
    child = program.start("secrets", "box", env={"OUTER": "harmless"})
    seen = []
    while child.poll() is None:
        for pid in program.processes():
            for what in ("cmdline", "environ"):
                try:
                    with open(f"/proc/{pid}/{what}", "rb") as file:
                        if CANARY.encode() in file.read():
                            with open(f"/proc/{pid}/cmdline", "rb") as line:
                                seen.append((what, line.read()))
                except OSError:
                    pass
    assert child.returncode == 0, child.communicate()
    assert plain and [entry for entry in seen if b"env\0-0" not in entry[1] and b"op\0run" not in entry[1]] == []
    program.projects(PROJECT.replace("{root}", program.root))
    box.machine("secrets")
    box.machine("down")
    kept = [path for path in files_with(program.root, CANARY) if not re.search(r"/(bin/(op|pass|slow)|lines)$", path)]
    assert kept == []


def test_a_start_loads_them_anew_and_clear_takes_them_away(program, box):
    """The previous test stopped the VM, so all that was in its memory is gone."""
    result = box.run("cat", "/run/secrets/FROM_PASS")
    assert "loading 5 secrets" in result.err
    assert result.out == f"{CANARY}-pass work/api"
    box.machine("secrets", "--clear")
    assert box.sh("find /run/secrets -mindepth 1") == ""
    box.machine("secrets")
    assert value(box, "TEXT") == LINES


def test_one_that_fails_names_itself_and_its_place_and_changes_nothing(program, box):
    program.projects(PROJECT.replace("{root}", program.root).replace("pass:work/api", "command:sh -c 'echo hunter2; echo locked >&2; exit 1'"))
    try:
        result = box.machine("secrets", status=1)
        assert "cannot get secret 'FROM_PASS' from command: locked" in result.err
        assert re.search(r"projects\.toml:\d+:\d+", result.err)
        assert "hunter2" not in result.err + result.out
        assert value(box, "FROM_PASS") == f"{CANARY}-pass work/api"
        # Within `up` it is only a warning.
        result = box.up()
        assert "VM 'box' is without its secrets" in result.err and "machine secrets box" in result.err
    finally:
        program.projects(PROJECT.replace("{root}", program.root))


def test_what_is_no_longer_named_goes(program, box):
    program.projects(f"[box]\n{SMALL}[box.secrets]\nONLY = \"env:OUTER\"\n")
    box.machine("secrets")
    assert box.sh("ls /run/secrets; ls $XDG_RUNTIME_DIR/dev-secrets").split() == ["ONLY", "machine.env"]
    program.projects(f"[box]\n{SMALL}")
    assert "names no secrets" in box.machine("secrets", status=3).err
