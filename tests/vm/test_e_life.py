"""Starting, stopping, being killed: what is reported, and what `up` does about it. An emulated boot takes long, so each test of `blog`
goes on from the state in which the previous one left it."""

import os
import shutil
import signal
import socket
import stat

import pytest
from conftest import SMALL, Vm
from program import free_port, wait_until


def networks(vm):
    """Its machine-net's processes."""
    return [pid for pid in vm.program.processes("machine-net") if vm.name in open(f"/proc/{pid}/cmdline").read()]


def test_qemu_killed_is_seen_as_stopped(blog):
    blog.sh("echo kept >~/kept; sync")
    pid, = blog.qemu()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: blog.state() == "stopped", 10, "QEMU is gone")


def test_a_start_that_fails_shows_what_qemu_said(blog_made):
    real = shutil.which(f"qemu-system-{os.uname().machine}")
    program = blog_made.program
    # The fake answers questions (-version, -machine help, …) as the real QEMU does, but doesn't start a VM.
    fake = program.write(f"fake/{os.path.basename(real)}", f"""#!/bin/sh
case " $* " in
*" -name "*)
        echo "qemu: the flux capacitor is missing" >&2
        exit 1
        ;;
esac
exec {real} "$@"
""")
    os.chmod(fake, stat.S_IRWXU)
    result = blog_made.up(status=5, env={"PATH": f"{os.path.dirname(fake)}:{program.environment['PATH']}"})
    assert "flux capacitor" in result.err
    assert blog_made.state() == "stopped"


def test_a_vm_whose_qemu_was_killed_is_started_with_its_files(blog_made):
    assert blog_made.program.how("blog") == "started"
    assert blog_made.sh("cat ~/kept") == "kept\n"
    assert len(blog_made.qemu()) == 1
    assert len(blog_made.program.processes("machine-net", "blog")) <= 3


def test_restart_stops_it_and_starts_it_with_its_files_and_its_logs_tell(blog_made):
    before, = blog_made.qemu()
    assert blog_made.program.json("restart", "blog")["how"] == "started"
    after, = blog_made.qemu()
    assert before != after
    assert blog_made.sh("cat ~/kept") == "kept\n"
    assert blog_made.program.run("logs", "blog", "--lines", "1000").out
    assert blog_made.program.run("logs", "blog", "--previous").out


def test_the_network_process_killed_is_not_the_end(blog):
    """The supervisor starts a new worker. Without both the VM is cut off, and `up` says so or repairs it."""
    workers = sorted(blog.program.processes("machine-net", "blog"))
    assert workers
    os.kill(workers[-1], signal.SIGKILL)
    blog.program.workers_killed += 1
    blog.up(timeout=200)
    blog.run("true", timeout=100)


def test_configuration_that_needs_a_rebuild_is_said(blog):
    site = blog.program
    site.projects(site.configuration.replace('shell = "bash"', 'shell = "zsh"', 1))
    try:
        result = blog.up()
    finally:
        site.projects(site.configuration)
    assert "shell: VM 'blog' has bash" in result.err and "machine rebuild" in result.err


@pytest.mark.long
def test_down_doesnt_wait_for_ever_for_a_guest_that_hangs(blog):
    blog.run("sudo", "sh", "-c", "systemctl mask --runtime poweroff.target reboot.target; kill -STOP $(pidof qemu-ga); true", status=None)
    blog.machine("down", timeout=150)
    assert blog.state() == "stopped"


def test_stopped_from_within_is_seen_as_stopped_and_down_is_success_then(blog):
    blog.run("sudo", "systemctl", "poweroff", status=None)
    wait_until(lambda: blog.state() == "stopped", 90, "the guest has powered itself off")
    assert networks(blog) == []
    assert blog.program.json("down", "blog")["state"] == "stopped"


def test_published_ports_are_on_the_loopback_alone_and_a_clash_names_the_holder(own):
    port = free_port()
    own.projects("".join(f'[{name}]\nports = ["{port}:22"]\n{SMALL}' for name in ("one", "two")))
    one, two = Vm(own, "one"), Vm(own, "two")
    one.up()
    with socket.create_connection(("127.0.0.1", port), 100) as connection:
        connection.settimeout(300)
        assert connection.recv(8).startswith(b"SSH-2.0")
    listening = [line.split()[1] for line in open("/proc/net/tcp").read().splitlines()[1:]
                 if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")]
    assert listening == [f"0100007F:{port:04X}"]

    result = two.up(status=None)
    assert result.status in (1, 3, 5)
    assert str(port) in result.err
    assert "'one'" in result.err or "machine-net" in result.err

    assert one.program.json("down", "one")["state"] == "stopped"
    assert one.state() == "stopped"
    assert one.qemu() == [] == networks(one)
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        holder.listen()
        result = one.up(status=None)
        assert result.status in (1, 5)
        assert str(port) in result.err
        assert str(os.getpid()) in result.err or "python" in result.err
        assert one.state() == "stopped"


def test_eight_ups_at_once_make_one_vm(make):
    vm = make("crowd")
    children = [vm.program.start("up", "crowd") for _ in range(8)]
    results = [vm.program.finish(child, timeout=900) for child in children]
    assert [result.status for result in results] == [0] * 8, results
    assert len(vm.qemu()) == 1
    assert vm.program.read_state().count("crowd") == 1
    vm.run("true")
    # Then eight at once that remove it.
    children = [vm.program.start("destroy", "--yes", "crowd") for _ in range(8)]
    statuses = sorted(vm.program.finish(child, timeout=300).status for child in children)
    assert statuses[0] == 0 and set(statuses) <= {0, 4}
    vm.program.assert_no_processes()
    assert not os.path.exists(vm.folder())


def test_an_up_with_repos_that_fail_keeps_the_vm_and_goes_on(make, lab):
    import lab as lab_module
    vm = make("late", f"repos = ['git://{lab_module.PUBLIC}/late.git']\n")
    result = vm.up(status=6)
    assert "late" in result.err
    lab.repo("late")
    assert vm.program.how("late") == "running"
    assert vm.sh("cat ~/code/late/README") == "late\n"
