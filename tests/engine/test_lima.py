"""Known behaviour of Lima that an engine must cope with, one test each, over the fake limactl (fake/limactl)."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest
import vms
from program import free_port


@pytest.fixture
def vm():
    vm = vms.make("lima-fake")
    yield vm
    vm.end()


@pytest.fixture
def made(vm):
    vm.call("create")
    return vm


@pytest.fixture
def bystander():
    """A process of the user that has nothing to do with any VM."""
    child = subprocess.Popen(["sleep", "600"])
    yield child
    child.kill()
    child.wait()


def home(vm):
    return f"{vm.root}/state/machine/lima"


def instance(vm):
    return f"{home(vm)}/{vm.name}"


def read(path):
    with open(path) as file:
        return file.read()


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def made_port(vm):
    return int(re.search(r"Port (\d+)", read(f"{instance(vm)}/ssh.config")).group(1))


def pid_of(vm, name):
    return int(read(f"{instance(vm)}/{name}"))


def calls(vm, *command, **faults):
    """Runs a command. Returns its result and the calls of limactl that it made."""
    log = f"{vm.root}/calls"
    if os.path.exists(log):
        os.unlink(log)
    done = vm.call(*command, FAKE_LIMA_LOG=log, **faults)
    return done, [json.loads(line) for line in read(log).splitlines()] if os.path.exists(log) else []


def wait_until_listening(vm):
    """Waits until the guest's process runs and its port answers, though no sshd does."""
    vms.await_that(lambda: os.path.exists(f"{instance(vm)}/serial.log") and read(f"{instance(vm)}/serial.log"), "the guest has begun")
    vm.await_state("running", 10)


def make_private(path):
    """Makes a folder and all missing folders above it."""
    above = os.path.dirname(path)
    if not os.path.isdir(above):
        make_private(above)
    os.mkdir(path, 0o700)


# --- what `list` says


def test_an_empty_status_is_a_broken_vm_and_not_an_absent_one(made):
    write(f"{instance(made)}/lima.yaml", "{")
    found = made.inspect()
    assert found["state"] == "broken" and "lima.yaml" in found["reason"]


def test_a_definition_that_lima_cannot_read_is_mended_and_the_disk_kept(made):
    write(f"{instance(made)}/disk", "somebody's work\n")
    write(f"{instance(made)}/lima.yaml", "{")
    made.call("start")
    assert made.state() == "running"
    assert read(f"{instance(made)}/disk") == "somebody's work\n"


def test_while_it_starts_a_vm_is_running_though_lima_calls_it_broken(made):
    started = made.begin("start", FAKE_LIMA="slow-driver")
    made.await_state("running", 10)
    assert not os.path.exists(f"{instance(made)}/qemu.pid")
    assert started.wait(60) == 0
    started.communicate()
    assert made.state() == "running"


def test_a_start_beside_one_that_is_under_way_waits_for_its_end(made):
    first = made.begin("start", FAKE_LIMA="slow-driver")
    made.await_state("running", 10)
    agent = pid_of(made, "ha.pid")
    first.kill()
    first.communicate()
    made.call("start")
    assert pid_of(made, "ha.pid") == agent
    assert made.banner().startswith("SSH-2.0-")


def test_what_cannot_be_listed_has_no_state(made):
    done = made.call("inspect", status=5, FAKE_LIMA="list-fails")
    assert "cannot ask Lima" in done.stderr


@pytest.mark.parametrize("command", ["create", "remove"])
def test_what_cannot_be_listed_is_never_deleted(made, command):
    write(f"{instance(made)}/disk", "somebody's work\n")
    done, called = calls(made, command, status=5, FAKE_LIMA="list-fails")
    assert {call["arguments"][0] for call in called} == {"list"}
    assert read(f"{instance(made)}/disk") == "somebody's work\n"


def test_a_strange_folder_beside_it_does_not_hide_a_vm(made):
    os.mkdir(f"{home(made)}/lost+found")
    _, called = calls(made, "inspect")
    assert [call["arguments"][-1] for call in called] == [made.name]
    assert made.state() == "stopped"


def make_another(vm, name):
    first, vm.name = vm.name, name
    try:
        vm.call("create")
    finally:
        vm.name = first


def test_many_are_asked_for_with_one_question(made):
    make_another(made, "other")
    made.call("start")
    done, called = calls(made, "list")
    found = json.loads(done.stdout)
    assert {name: status["state"] for name, status in found.items()} == {made.name: "running", "other": "stopped"}
    assert found[made.name]["memory_bytes"] > 0
    assert [call["arguments"][0] for call in called] == ["list"]


def test_one_that_cannot_be_listed_hides_no_other(made):
    """Lima may fail for all of them. Then each is listed alone."""
    make_another(made, "other")
    shutil.rmtree(instance(made))
    assert {name: status.get("state") for name, status in json.loads(made.call("list").stdout).items()} == {
        made.name: "absent", "other": "stopped"}
    done = made.call("list", FAKE_LIMA="list-fails")
    found = json.loads(done.stdout)
    assert found[made.name]["state"] == "absent"
    assert "cannot find out the state" in found["other"]["error"]


# --- pid files


def test_a_pid_file_that_names_another_process_means_nothing(made, bystander):
    write(f"{instance(made)}/ha.pid", f"{bystander.pid}\n")
    assert made.state() == "stopped"


def test_what_only_a_stale_pid_file_names_is_never_killed(made, bystander):
    write(f"{instance(made)}/ha.pid", f"{bystander.pid}\n")
    write(f"{instance(made)}/qemu.pid", f"{bystander.pid}\n")
    for command in ("kill", "stop", "start", "kill"):
        made.call(command)
        assert bystander.poll() is None, command
    assert made.state() == "stopped"


def test_a_host_agent_that_died_alone_is_recovered_by_the_next_start(made):
    made.call("start")
    driver = pid_of(made, "qemu.pid")
    os.kill(pid_of(made, "ha.pid"), signal.SIGKILL)
    assert made.state() == "running"
    done = made.call("start")
    assert "has lost track" in done.stderr
    assert pid_of(made, "qemu.pid") != driver
    assert made.banner().startswith("SSH-2.0-")


def test_what_lives_behind_a_definition_that_lima_cannot_read_is_ended_all_the_same(made):
    made.call("start")
    assert len(made.runners()) == 2
    write(f"{instance(made)}/lima.yaml", "{")
    made.call("kill")
    assert made.runners() == {}
    assert made.state() == "stopped"


# --- create and delete


def test_a_folder_that_a_failed_create_left_is_replaced_by_the_next(vm):
    kernel = f"{vm.base}/vmlinuz"
    # We check the layer before limactl is called, so the kernel goes missing only after that.
    with open(f"{vm.root}/limactl", "w") as file:
        file.write(f"#!/bin/sh\n[ \"$1\" = create ] && rm -f '{kernel}'\nexec '{vms.FAKE}/limactl' \"$@\"\n")
    os.chmod(f"{vm.root}/limactl", 0o755)
    done = vm.call("create", status=5, PATH=vm.root + os.pathsep + vm.environment["PATH"])
    assert "no such file or directory" in done.stderr
    assert os.path.exists(f"{instance(vm)}/lima.yaml") and not os.path.exists(f"{instance(vm)}/kernel")
    write(kernel, "vmlinuz\n")
    vm.call("create")
    assert vm.state() == "stopped"
    assert read(f"{instance(vm)}/kernel") == "vmlinuz\n"


def test_a_folder_without_definition_and_disk_is_a_remnant_and_goes(vm):
    make_private(instance(vm))
    assert vm.state() == "absent"
    vm.call("create")
    assert vm.state() == "stopped"


def test_a_disk_of_which_nothing_says_whose_it_is_stays(vm):
    make_private(instance(vm))
    write(f"{instance(vm)}/disk", "somebody's work\n")
    done = vm.call("create", status=5)
    assert "nothing says which VM it belongs to" in done.stderr and "hint: " in done.stderr
    assert read(f"{instance(vm)}/disk") == "somebody's work\n"


def test_an_instance_made_for_another_vm_of_the_name_stays(made):
    definition = json.loads(read(f"{instance(made)}/lima.yaml"))
    definition["message"] = "machine 00000000-0000-4000-8000-000000000000"
    write(f"{instance(made)}/lima.yaml", json.dumps(definition))
    for command in ("create", "start", "remove"):
        done = made.call(command, status=5)
        assert "made for another VM of this name" in done.stderr, command
        assert os.path.exists(f"{instance(made)}/disk")


def test_a_protected_instance_is_not_removed_and_the_way_out_is_said(made):
    write(f"{instance(made)}/protected", "")
    done = made.call("remove", status=5)
    assert "protected" in done.stderr and f"hint: LIMA_HOME='{home(made)}' limactl unprotect {made.name}" in done.stderr
    assert os.path.exists(f"{instance(made)}/disk")


def test_an_instance_that_is_gone_already_is_removed(made):
    shutil.rmtree(instance(made))
    made.call("remove")
    assert made.state() == "absent"


def test_the_name_of_an_instance_has_no_two_hyphens_in_a_row():
    vm = vms.make("lima-fake", name="a--b---c")
    try:
        vm.call("create")
        assert vm.state() == "stopped"
        assert os.path.exists(f"{home(vm)}/a.2.b.3.c/disk")
    finally:
        vm.end()


def test_a_home_too_long_for_limas_sockets_is_an_error_that_says_what_to_do(vm):
    far = f"{vm.root}/{'long/' * 16}state"
    done, called = calls(vm, "create", status=5, XDG_STATE_HOME=far)
    assert "too long for the sockets" in done.stderr and "hint: set XDG_STATE_HOME" in done.stderr
    assert called == []


def test_a_home_behind_a_short_symlink_is_measured_by_its_real_path(vm):
    far = f"{vm.root}/{'long/' * 16}state"
    os.makedirs(far)
    os.symlink(far, f"{vm.root}/s")
    done = vm.call("create", status=5, XDG_STATE_HOME=f"{vm.root}/s")
    assert "too long for the sockets" in done.stderr


# --- the definition


def test_a_key_that_this_lima_does_not_know_is_found_out_though_lima_only_warns(vm):
    done = vm.call("create", status=5, FAKE_LIMA="unknown-plain")
    assert "Lima's 'plain'" in done.stderr


def test_what_weakens_the_line_later_keeps_a_vm_from_starting(made):
    done = made.call("start", status=5, FAKE_LIMA="unknown-containerd")
    assert "containerd" in done.stderr
    assert made.runners() == {}


@pytest.mark.parametrize("name", ["override.yaml", "default.yaml", "base.yaml"])
def test_settings_that_lima_would_mix_into_every_vm_are_refused(vm, name):
    make_private(f"{home(vm)}/_config")
    write(f"{home(vm)}/_config/{name}", "mounts: [{location: '~'}]\n")
    done = vm.call("create", status=5)
    assert f"_config/{name}' would change every VM" in done.stderr


def test_the_definition_draws_the_line(made):
    definition = json.loads(read(f"{instance(made)}/lima.yaml"))
    assert definition["plain"] is True and definition["mounts"] == []
    assert definition["containerd"] == {"system": False, "user": False}
    assert definition["ssh"]["forwardAgent"] is False and definition["ssh"]["loadDotSSHPubKeys"] is False
    assert definition["propagateProxyEnv"] is False
    # With hostResolver, Lima's host agent would answer DNS on two ports of 127.0.0.1.
    assert definition["hostResolver"] == {"enabled": False} and definition["dns"] == ["192.168.5.3"]
    assert definition["portForwards"] == [{"guestIP": "0.0.0.0", "guestIPMustBeZero": False, "proto": "any", "ignore": True}]


def test_an_edited_definition_is_written_anew_by_the_next_start(made):
    definition = json.loads(read(f"{instance(made)}/lima.yaml"))
    definition["mounts"] = [{"location": "~", "writable": True}]
    write(f"{instance(made)}/lima.yaml", json.dumps(definition))
    made.call("start")
    assert json.loads(read(f"{instance(made)}/lima.yaml"))["mounts"] == []


def test_a_vm_from_before_it_was_switched_off_has_no_name_server_of_limas_from_the_next_start_on(made):
    definition = json.loads(read(f"{made.folder}/lima.json"))
    del definition["hostResolver"], definition["dns"]
    write(f"{made.folder}/lima.json", json.dumps(definition))
    made.call("start")
    assert json.loads(read(f"{instance(made)}/lima.yaml"))["hostResolver"] == {"enabled": False}


def test_a_disk_is_never_smaller_than_its_image(vm):
    manifest = json.loads(read(f"{vm.base}/manifest.json"))
    write(f"{vm.base}/manifest.json", json.dumps({**manifest, "disk_bytes": 9 << 30}))
    vm.call("create")
    assert json.loads(read(f"{instance(vm)}/lima.yaml"))["disk"] == f"{9 << 10}MiB"


# --- start and stop


def test_starting_what_is_gone_does_not_make_another(made):
    shutil.rmtree(instance(made))
    done = made.call("start", status=5)
    assert "has no disk" in done.stderr
    assert not os.path.exists(instance(made))


def test_starting_without_a_disk_does_not_make_an_empty_one(made):
    os.unlink(f"{instance(made)}/disk")
    done = made.call("start", status=5)
    assert "has no disk" in done.stderr
    assert not os.path.exists(f"{instance(made)}/disk")


def test_a_disk_that_names_another_file_is_not_given_to_lima(made, tmp_path):
    """Lima isn't confined, so we check what its guest's QEMU may have written before Lima reads it."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    disk = f"{instance(made)}/disk"
    os.unlink(disk)
    subprocess.run(["qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", victim, "-F", "raw", disk, "1G"], check=True)
    done, called = calls(made, "start", status=5)
    assert f"it stands on '{victim}' instead of nothing" in done.stderr
    assert f"machine rebuild {made.name}" in done.stderr
    assert [call for call in called if call["arguments"][0] == "start"] == []


def limits(vm):
    """A wrapper of the fake that sets Lima's time limit to three seconds. Ours is a quarter of an hour."""
    path = f"{vm.root}/limactl"
    with open(path, "w") as file:
        file.write("#!/bin/sh\n[ \"$1\" = start ] || exec '%s/limactl' \"$@\"\nshift\nexec '%s/limactl' start --tty=false --log-format=json "
                   "--timeout=3s '%s'\n" % (vms.FAKE, vms.FAKE, vm.name))
    os.chmod(path, 0o755)
    return vm.root + os.pathsep + vm.environment["PATH"]


def test_a_start_has_a_limit_of_our_own(made):
    _, called = calls(made, "start")
    assert [call["arguments"] for call in called if call["arguments"][0] == "start"] == [
        ["start", "--tty=false", "--log-format=json", "--timeout=15m", made.name]]


def test_a_start_out_of_time_is_a_failure_and_leaves_nothing_running(made):
    done = made.call("start", status=5, FAKE_LIMA="never-up", PATH=limits(made))
    assert "did not receive an event" in done.stderr and "no init found" in done.stderr
    assert made.runners() == {}
    assert made.state() == "stopped"
    made.call("start")
    assert made.state() == "running"


def test_a_guest_that_lima_says_runs_is_waited_for(made):
    """Lima says "already running" at once, even if the guest has not booted yet."""
    started = made.begin("start", FAKE_LIMA="slow-guest")
    made.await_state("running", 10)
    started.kill()
    started.communicate()
    assert not os.path.exists(f"{instance(made)}/up")
    done, called = calls(made, "start")
    assert "is already running" in done.stderr
    assert [call for call in called if call["arguments"][0] == "stop"] == []
    assert os.path.exists(f"{instance(made)}/up")


def test_waiting_for_a_guest_ends_when_the_guest_does_and_it_is_started_anew(made):
    """The first start was given up by Lima, or its caller was killed. If that guest then dies, a new start doesn't wait the whole limit."""
    first = made.begin("start", FAKE_LIMA="never-up")
    wait_until_listening(made)
    first.kill()
    first.communicate()
    second = made.begin("start")
    for line in second.stderr:
        if "is already running" in line:
            break
    for pid in made.runners():
        os.kill(pid, signal.SIGKILL)
    _, said = second.communicate(timeout=60)
    assert second.returncode == 0, said
    assert made.banner().startswith("SSH-2.0-")


def test_what_is_being_stopped_is_not_taken_for_up(made):
    """After an interrupted `stop`, the guest goes on shutting down by itself."""
    made.call("start")
    assert os.path.exists(f"{made.folder}/lima-ready")
    stopping = made.begin("stop", FAKE_LIMA="slow-powerdown")
    vms.await_that(lambda: not os.path.exists(f"{made.folder}/lima-ready"), "the run is no longer known for one that is up")
    assert made.runners() != {}
    stopping.kill()
    stopping.communicate()


def test_an_error_from_before_the_start_quotes_no_earlier_console(vm):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        vm.call("create", f"--host-port={port}")
        write(f"{instance(vm)}/serial.log", "a line of the run before\n")
        done = vm.call("start", status=5)
    assert "in use by" in done.stderr
    assert "a line of the run before" not in done.stderr


def test_a_second_start_asks_nobody_but_the_list(made):
    made.call("start")
    _, called = calls(made, "start")
    assert [call["arguments"][0] for call in called] == ["list"]


def test_a_host_key_that_is_not_the_vms_is_refused_at_once(made):
    begun = time.monotonic()
    done = made.call("start", status=5, FAKE_LIMA="other-host-key")
    assert "verification failed" in done.stderr
    assert time.monotonic() - begun < 300  # limactl itself waits a quarter of an hour
    assert made.runners() == {}


def test_lima_starts_our_program_as_qemu_and_the_guests_network_is_ours(made):
    made.call("start")
    options = json.loads(read(f"{made.folder}/logs/net.log"))
    port = made_port(made)
    assert options[2:] == [f"--log={made.folder}/logs/net.log", "--network=192.168.5.0", f"--hostname={made.name}", f"--forward={port}:22",
                           f"--rules={made.folder}/egress.rules", f"--account={made.folder}/egress.account"]
    driver = read(f"/proc/{pid_of(made, 'qemu.pid')}/cmdline").split("\0")
    assert not [argument for argument in driver if argument.startswith("user,")]


def test_only_with_lan_the_guest_reaches_the_network_around(vm):
    vm.call("create", "--lan")
    vm.call("start")
    assert "--lan" in json.loads(read(f"{vm.folder}/logs/net.log"))


def test_a_command_line_for_qemu_that_somebody_set_is_kept(made):
    made.call("start", QEMU_SYSTEM_X86_64=f"{vms.FAKE}/qemu-system-x86_64 -accel tcg -cpu 'max,la57=off'")
    driver = read(f"/proc/{pid_of(made, 'qemu.pid')}/cmdline").split("\0")
    assert driver[:1] == ["qemu-system-x86_64"] and driver[3:7] == ["-accel", "tcg", "-cpu", "max,la57=off"]


def test_a_command_line_for_qemu_that_cannot_be_taken_apart_is_refused(made):
    done = made.call("start", status=5, QEMU_SYSTEM_X86_64="'/opt/my qemu' -accel tcg")
    assert "can't be passed to Lima" in done.stderr and "hint: unset QEMU_SYSTEM_X86_64" in done.stderr
    assert made.runners() == {}


@pytest.mark.parametrize("command", ["start", "join"])
def test_a_guest_on_a_network_of_limas_is_not_taken_for_one_behind_the_line(made, command):
    """Started by hand, or by a Lima that ignores the environment."""
    if command == "join":
        os.unlink(f"{made.folder}/lima-ready") if os.path.exists(f"{made.folder}/lima-ready") else None
        begun = made.begin("start", FAKE_LIMA="other-network,slow-guest")
        made.await_state("running", 10)
        begun.kill()
        begun.communicate()
    done = made.call("start", status=5, FAKE_LIMA="other-network")
    assert "runs with Lima's own network" in done.stderr and f"hint: machine restart {made.name}" in done.stderr
    assert not os.path.exists(f"{made.folder}/lima-ready")


def test_a_network_of_limas_that_is_not_known_is_not_started(made):
    done = made.call("start", status=5, FAKE_LIMA="new-network", PATH=limits(made))
    assert "this Lima gives QEMU a network that isn't known" in done.stderr
    assert made.runners() == {}


def test_a_guest_that_has_not_taken_its_identity_on_is_not_taken_for_started(made):
    done = made.call("start", status=5, FAKE_LIMA="other-guest")
    assert "has not taken on its identity" in done.stderr
    assert made.runners() == {}


def test_a_port_that_lima_could_not_forward_is_an_error(vm):
    port = free_port()
    vm.call("create", f"--host-port={port}", "--guest-port=8000")
    done = vm.call("start", status=5, FAKE_LIMA="no-ports")
    assert f"could not forward port {port}" in done.stderr
    vm.call("start")
    assert [rule["hostPort"] for rule in json.loads(read(f"{instance(vm)}/lima.yaml"))["portForwards"] if rule.get("static")] == [port]


def test_a_port_that_somebody_has_is_named_before_anything_starts(vm):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        vm.call("create", f"--host-port={port}")
        done, called = calls(vm, "start", status=5)
    assert f"port {port} on 127.0.0.1 is in use by" in done.stderr
    assert "start" not in {call["arguments"][0] for call in called}


def test_a_guest_that_does_not_shut_down_is_switched_off_and_that_is_said(made):
    made.call("start")
    done = made.call("stop", FAKE_LIMA="no-powerdown")
    assert "did not shut down" in done.stderr
    assert made.runners() == {}


def test_stopping_a_stopped_one_does_not_ask_lima_to(made):
    _, called = calls(made, "stop")
    assert [call["arguments"][0] for call in called] == ["list"]


# --- the process


def test_of_our_environment_lima_gets_its_home_and_no_agent(made):
    _, called = calls(made, "inspect", SSH_AUTH_SOCK="/nowhere", LIMA_SSH_PORT_FORWARDER="true", LIMA_HOME="/nowhere", SSH="false")
    environment = called[0]["environment"]
    assert environment["LIMA_HOME"] == home(made)
    assert not {"SSH_AUTH_SOCK", "LIMA_SSH_PORT_FORWARDER", "SSH"} & set(environment)


def test_lima_has_a_home_folder_though_we_have_none(made):
    environment = {key: value for key, value in made.environment.items() if key != "HOME"}
    done = subprocess.run(made.argv("inspect"), env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_lima_gets_none_of_our_descriptors_and_outlives_our_terminal(made):
    """Otherwise the processes that it starts would keep them as long as the VM runs: locks, and pipes that somebody reads to the end."""
    _, called = calls(made, "start")
    assert [call["descriptors"] for call in called] == [[]] * len(called)
    assert all(call["session"] == call["pid"] for call in called)


def test_a_missing_limactl_is_said_with_what_to_do(tmp_path):
    for program in ("ssh", "qemu-img", "mmdebstrap"):
        (tmp_path / program).symlink_to("/bin/true")
    found = vms.probe("lima", PATH=str(tmp_path))
    assert not found["usable"] and "not installed" in found["note"] and "Lima 2" in found["hint"]


def test_an_older_lima_is_refused(tmp_path):
    (tmp_path / "limactl").write_text("#!/bin/sh\necho limactl version 1.2.1\n")
    (tmp_path / "limactl").chmod(0o755)
    found = vms.probe("lima", PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert not found["usable"] and "too old" in found["note"]


def test_root_is_told_that_lima_refuses_it(tmp_path):
    (tmp_path / "limactl").write_text("#!/bin/sh\necho 'limactl: must not run as the root user' >&2\nexit 1\n")
    (tmp_path / "limactl").chmod(0o755)
    found = vms.probe("lima", PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert not found["usable"] and "root" in found["note"] and "plain user" in found["hint"]


def test_what_the_fake_says_was_said_by_lima():
    seen = json.loads(read(f"{vms.FAKE}/seen.json"))
    assert seen["version"].startswith("limactl version 2.")
    assert {answer["status"] for answer in seen["answers"].values()} == {0, 1, 2}
