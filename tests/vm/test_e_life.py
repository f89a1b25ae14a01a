"""Starting, stopping, being killed: what is seen, and what `up` makes of it."""

import os
import shutil
import signal
import socket
import stat
import time

from program import wait_until


def test_down_stops_it_and_down_again_is_success(blog):
    blog.sh("echo kept >~/kept; sync")
    assert blog.program.json("down", "blog")["state"] == "stopped"
    assert blog.state() == "stopped"
    assert blog.qemu() == []
    assert blog.program.json("down", "blog")["state"] == "stopped"
    assert blog.program.json("up", "blog")["how"] == "started"
    assert blog.sh("cat ~/kept") == "kept\n"


def test_stopped_from_within_is_seen_as_stopped(blog):
    blog.run("sudo", "systemctl", "poweroff", status=None)
    wait_until(lambda: blog.state() == "stopped", 90, "the guest has powered itself off")
    assert [pid for pid in blog.program.processes("machine-net") if blog.name in open(f"/proc/{pid}/cmdline").read()] == []
    assert blog.program.json("up", "blog")["how"] == "started"


def test_rebooted_from_within_it_is_reached_again(blog):
    before = blog.sh("cat /proc/sys/kernel/random/boot_id")
    blog.run("sudo", "systemctl", "reboot", status=None)
    end = time.monotonic() + 120
    while True:
        result = blog.run("cat", "/proc/sys/kernel/random/boot_id", status=None, timeout=200)
        if result.status == 0 and result.out != before:
            break
        assert time.monotonic() < end, result
    assert blog.state() == "running"


def test_qemu_killed_is_seen_as_stopped_and_up_mends_it(blog):
    pid, = blog.qemu()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: blog.state() == "stopped", 10, "QEMU is gone")
    assert blog.program.json("up", "blog")["how"] == "started"
    assert blog.run("true").out == ""
    assert len(blog.qemu()) == 1
    assert len(blog.program.processes("machine-net", "blog")) <= 2


def test_the_network_process_killed_is_not_the_end(blog):
    """Its supervisor starts a worker again; without both the VM is cut off, and `up` says so or mends it."""
    workers = sorted(blog.program.processes("machine-net", "blog"))
    assert workers
    os.kill(workers[-1], signal.SIGKILL)
    blog.up(timeout=200)
    blog.run("true", timeout=100)


def test_down_doesnt_wait_for_ever_for_a_guest_that_hangs(blog):
    blog.run("sudo", "sh", "-c", "systemctl mask --runtime poweroff.target reboot.target; kill -STOP $(pidof qemu-ga); true", status=None)
    began = time.monotonic()
    blog.machine("down", timeout=150)
    assert time.monotonic() - began < 120
    assert blog.state() == "stopped"


def test_a_start_that_fails_shows_what_qemu_said(blog):
    real = shutil.which(f"qemu-system-{os.uname().machine}")
    blog.machine("down")
    program = blog.program
    # Answers questions (-version, -machine help, …) as the real one does; a VM it does not start.
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
    result = blog.up(status=5, env={"PATH": f"{os.path.dirname(fake)}:{program.environment['PATH']}"})
    assert "flux capacitor" in result.err
    assert blog.state() == "stopped"
    blog.up()


def test_published_ports_are_on_the_loopback_alone(shop):
    site = shop.program
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with_port = site.configuration.replace("[shop]\n", f'[shop]\nports = ["{port}:22"]\n')
    site.projects(with_port)
    try:
        shop.up()
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.settimeout(30)
            assert connection.recv(8).startswith(b"SSH-2.0")
        listening = [line.split()[1] for line in open("/proc/net/tcp").read().splitlines()[1:]
                     if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")]
        assert listening == [f"0100007F:{port:04X}"]

        shop.machine("down")
        with socket.socket() as holder:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind(("127.0.0.1", port))
            holder.listen()
            result = shop.up(status=None)
            assert result.status in (1, 5)
            assert str(port) in result.err
            assert str(os.getpid()) in result.err or "python" in result.err
            assert shop.state() == "stopped"
    finally:
        site.projects(site.configuration)
    shop.up()


def test_a_clash_of_two_projects_names_the_holder(shop, blog):
    site = shop.program
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = site.configuration.replace("[shop]\n", f'[shop]\nports = ["{port}:22"]\n').replace("[blog]\n", f'[blog]\nports = ["{port}:22"]\n')
    site.projects(text)
    try:
        shop.up()
        result = blog.up(status=None)
        assert result.status in (1, 3, 5)
        assert str(port) in result.err
        assert "'shop'" in result.err or "machine-net" in result.err
    finally:
        site.projects(site.configuration)
        shop.up()
        blog.up()


def test_eight_ups_at_once_make_one_vm(make):
    vm = make("crowd")
    children = [vm.program.start("up", "crowd") for _ in range(8)]
    results = [vm.program.finish(child, timeout=900) for child in children]
    assert [result.status for result in results] == [0] * 8, results
    assert len(vm.qemu()) == 1
    assert vm.program.read_state().count("crowd") == 1
    vm.run("true")
    # And eight of the opposite.
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
    assert vm.program.json("up", "late")["how"] == "running"
    assert vm.sh("cat ~/code/late/README") == "late\n"


def test_configuration_that_needs_a_rebuild_is_said(blog):
    site = blog.program
    site.projects(site.configuration.replace('shell = "bash"', 'shell = "zsh"', 1))
    try:
        result = blog.up()
    finally:
        site.projects(site.configuration)
    assert "shell: VM 'blog' has bash" in result.err and "machine rebuild" in result.err
