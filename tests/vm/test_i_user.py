"""The main path as a plain user with their own home folder, when the tests run as root. (Otherwise all tests run as a plain user.)"""

import os
import pwd
import shutil
import subprocess

import pytest
from conftest import DATA, SMALL, Vm, surroundings
from program import MACHINE, free_port

USER = "machine-test"


@pytest.fixture(scope="module")
def jane():
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else; these tests run as a plain user anyway")
    subprocess.run(["/usr/sbin/userdel", USER], capture_output=True)
    subprocess.run(["/usr/sbin/useradd", "--no-create-home", "--shell", "/bin/bash", USER], check=True)
    data = f"{DATA}-{USER}"
    try:
        entry = pwd.getpwnam(USER)
        with surroundings(user=USER) as program:
            # A copy of the program and its files that a plain user can read, wherever the build folder is.
            prefix = os.path.join(program.root, "usr/local")
            shutil.copytree(os.path.dirname(os.path.dirname(MACHINE)), prefix, symlinks=True)
            subprocess.run(["/bin/chmod", "-R", "a+rX", program.root + "/usr"], check=True)
            program.machine = os.path.join(prefix, "bin/machine")
            # This user's base image is kept between runs, and moved here for this one.
            kept = os.path.join(data, "machine")
            lent = os.path.join(program.environment["XDG_DATA_HOME"], "machine")
            if os.path.isdir(kept):
                shutil.move(kept, lent)
            program.environment["HOME"] = program.home
            del program.environment["MACHINE_SSH_DIR"]
            subprocess.run(["/usr/sbin/usermod", "--home", program.home, USER], check=True)
            program.hand_over()
            assert entry.pw_uid != 0
            try:
                yield program
            finally:
                shutil.rmtree(kept, ignore_errors=True)
                os.makedirs(data, exist_ok=True)
                if os.path.isdir(lent):
                    shutil.move(lent, kept)
    finally:
        subprocess.run(["/usr/sbin/userdel", USER], capture_output=True)


@pytest.fixture(scope="module")
def vm(jane):
    jane.projects(f"[blog]\n{SMALL}ports = [{free_port()}]\n")
    vm = Vm(jane, "blog")
    vm.up(timeout=900)
    return vm


def test_a_plain_user_gets_a_vm_with_their_name(vm):
    assert vm.run("id", "-un").out == f"{USER}\n"
    assert vm.run("sudo", "-n", "id", "-u").out == "0\n"


def test_everything_that_runs_is_theirs(vm):
    uid = pwd.getpwnam(USER).pw_uid
    assert vm.qemu()
    assert {os.stat(f"/proc/{pid}").st_uid for pid in vm.program.processes()} == {uid}


def test_plain_ssh_by_their_own_configuration(vm):
    """No file is named here: ~/.ssh/config includes the block."""
    assert vm.program.run("/usr/bin/ssh", "-o", "BatchMode=yes", "machine-blog", "hostname", cwd="/").out == "blog\n"


def test_exit_status_and_input(vm):
    vm.run("sh", "-c", "exit 42", status=42)
    assert vm.run("cat", input="in and out\n").out == "in and out\n"


def test_doctor_finds_nothing_wrong(vm):
    assert [check for check in vm.program.checks() if check["status"] == "failed"] == []


def test_an_audit_can_look_into_all_that_runs(vm):
    """The kernel shows a process's sockets and namespaces to its owner, unless the process forbids tracing."""
    findings = {finding["id"]: finding for finding in vm.program.json("audit", "blog")}
    assert {finding["verdict"] for finding in findings.values()} <= {"held", "open"}
    assert findings["ports"]["detail"].startswith("1 listening")


@pytest.mark.long
def test_it_is_stopped_and_starts_again(vm):
    vm.machine("down")
    assert vm.state() == "stopped"
    vm.up()


def test_when_it_is_removed_nothing_is_left(vm):
    vm.machine("destroy", "--yes")
    vm.program.assert_no_processes()
    assert not os.path.exists(vm.folder())
