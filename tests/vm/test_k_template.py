"""Things that can be wrong with a template. Each is noticed and reported, and no VM is lost by it."""

import json
import os
import shutil
import stat
import subprocess
import time

import pytest
from conftest import SMALL, Vm, surroundings
from templates import Driver, folder_of, half_made, in_order, killed_bake, layers, layers_by_name, restamp, template_of, templates


def spoil(path, change):
    mode = os.stat(path).st_mode
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        change(file)
    os.chmod(path, stat.S_IMODE(mode))


def test_a_damaged_memory_file_is_noticed_and_another_template_is_made_even_after_a_build_was_killed(alone):
    key, = [key for key, layer in templates(alone).items() if layer["about"].startswith("1 cpu, 1.0 GiB")]
    spoil(os.path.join(folder_of(alone, key), "memory"), lambda file: (file.seek(512 << 20), file.write(b"x" * 4096)))
    alone.projects(f"[blog]\n{SMALL}")
    assert killed_bake(alone, 8), "the template was there in 8 seconds"
    assert all(layer["kind"] in ("base", "unfinished") or layer["current"] for other, layer in layers(alone).items() if other != key)
    assert alone.how("blog", timeout=600) == "restored"
    assert template_of(Vm(alone, "blog")) != key
    assert half_made(alone) == []
    assert Vm(alone, "blog").sh("hostname") == "blog\n"


def test_damage_that_shows_only_in_the_restore_ends_in_a_cold_vm_and_without_the_template(alone):
    key, = [key for key, layer in templates(alone).items() if layer["about"].startswith("1 cpu, 1.0 GiB")]
    path = os.path.join(folder_of(alone, key), "state")
    # Cut off: QEMU notices that. A guest that was restored with other damage may run without end, and is waited for.
    spoil(path, lambda file: file.truncate(os.path.getsize(path) // 2))
    restamp(folder_of(alone, key))
    alone.projects(f"[blog]\n{SMALL}")
    result = alone.run("up", "blog", timeout=600)
    assert result.err.count("boots cold") == 1 and "which is removed" in result.err
    assert templates(alone)[key]["memory_bytes"] == 0
    assert Vm(alone, "blog").sh("hostname") == "blog\n"
    # The disk of the VM that booted cold still stands on it.
    alone.run("prune", "--yes")
    assert "blog" in layers(alone)[key]["vms"]


@pytest.mark.long
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the stand-in for QEMU is written for x86-64")
def test_a_guest_that_is_silent_once_is_restored_again(alone):
    """A QEMU that starts in the next half a minute has nothing at the port that the guest waits at; all else is real. It can't write
    anything to say that it was there, for it is confined. A template belongs to the path of its QEMU, so it is made first."""
    path = alone.write("fake/qemu-system-x86_64", "#!/bin/sh\nexec /usr/bin/qemu-system-x86_64 \"$@\"\n")
    os.chmod(path, 0o755)
    alone.hand_over()
    env = {"PATH": f"{os.path.dirname(path)}:{alone.environment['PATH']}"}
    alone.projects(f"[blog]\n{SMALL}")
    alone.run("bake", env=env, timeout=600)
    before = {key: layer["memory_bytes"] for key, layer in templates(alone).items()}
    with open(path, "w") as file:
        file.write(f"#!/bin/bash\n[ $(date +%s) -gt {int(time.time()) + 30} ] || set -- \"${{@/#socket,id=resume,*/null,id=resume}}\"\n"
                   "exec /usr/bin/qemu-system-x86_64 \"$@\"\n")
    result = alone.run("up", "blog", env=env, timeout=900)
    assert result.err.count("is restored again") == 1 and "boots cold" not in result.err
    assert {key: layer["memory_bytes"] for key, layer in templates(alone).items()} == before
    assert Vm(alone, "blog").sh("hostname") == "blog\n"


@pytest.mark.long
def test_a_template_that_goes_between_making_and_starting_ends_in_a_cold_vm(alone):
    driver = Driver(alone)
    driver.call("create", "blog")
    key, = [key for key, layer in templates(alone).items() if "blog" in layer["vms"]]
    os.unlink(os.path.join(folder_of(alone, key), "memory"))
    said = driver.call("start", "blog").err
    assert said.count("boots cold") == 1
    assert json.loads(driver.call("inspect", "blog").out)["state"] == "running"


def test_prune_takes_only_what_no_vm_needs(alone):
    alone.projects(f"[blog]\n{SMALL}")
    vm = Vm(alone, "blog")
    assert alone.how("blog") == "restored"
    used = template_of(vm)
    alone.run("prune", "--all", status=2)  # nobody is there to be asked
    offered = json.loads(alone.run("prune", "--all", "--dry-run", "--json").out.splitlines()[0])
    assert [step["memory_only"] for step in offered if step["key"] == used] == [True]
    alone.run("prune", "--all", "--yes")
    left = layers(alone)
    assert set(left) == {used, left[used]["parent"]}
    assert left[used]["memory_bytes"] == 0
    # Neither the template's disk nor the running guest's memory was touched. (The test before has a boot without that memory.)
    assert vm.sh("sudo sh -c 'echo 3 >/proc/sys/vm/drop_caches'; hostname") == "blog\n"
    vm.machine("destroy", "--yes")
    alone.run("prune", "--all", "--yes")
    assert layers(alone) == {}
    assert os.listdir(os.path.join(alone.environment["XDG_DATA_HOME"], "machine/layers")) == []


def test_a_record_and_a_disk_that_cant_be_read_stop_prune(alone):
    alone.write("state/machine/vms/odd/vm.json", "{")
    alone.write("state/machine/vms/odd/disk.qcow2", "")
    before = set(layers_by_name(alone))
    result = alone.run("prune", "--all", "--yes", status=5)
    assert "odd" in result.err
    assert set(layers_by_name(alone)) == before


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system is mounted, which takes root")
def test_where_there_is_no_room_for_a_template_a_vm_boots_cold(base):
    """The layers' folder is on a file system that has room for the base image and little else."""
    with surroundings() as program:
        top = os.path.join(program.environment["XDG_DATA_HOME"], "machine")
        os.makedirs(top)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700M", "tmpfs", top], check=True)
        try:
            os.mkdir(os.path.join(top, "layers"), 0o700)
            image, = [key for key, layer in layers(base).items() if layer["kind"] == "base" and layer["current"]]
            shutil.copytree(folder_of(base, image), os.path.join(top, "layers", image))
            program.projects(f"[blog]\n{SMALL}")
            result = program.run("up", "blog", timeout=600)
            assert "boots cold" in result.err and "a warm template takes up to 1152 MiB" in result.err
            assert Vm(program, "blog").sh("hostname") == "blog\n"
            assert layers_by_name(program) == [image]
            program.run("destroy", "--yes", "blog")
        finally:
            subprocess.run(["umount", "--lazy", top], check=True)


def test_more_memory_than_the_computer_has_is_refused_by_name(own):
    own.projects('[blog]\nmemory = "4TiB"\n')
    result = own.run("up", "blog", status=5)
    assert "4.0 TiB" in result.err and "memory" in result.err
    assert own.json("list")[0]["state"] in ("absent", "stopped")
    own.assert_no_processes()


@pytest.mark.long
def test_too_little_memory_is_said_by_qemu(base, own):
    """The address space of what `machine` starts is limited."""
    own.projects(f"[blog]\n{SMALL}")
    child = own.start("/usr/bin/prlimit", "--as=1200000000", own.machine, "up", "blog")
    result = own.finish(child, timeout=600)
    assert result.status == 5
    assert "emory" in result.err
    own.assert_no_processes()
    own.run("up", "blog")


@pytest.fixture(scope="module")
def newer_qemu(tmp_path_factory):
    """Debian 13's QEMU with its libraries and firmware, from Debian's packages. It runs on any system."""
    root = str(tmp_path_factory.mktemp("trixie"))
    program = {"x86_64": "qemu-system-x86_64", "aarch64": "qemu-system-aarch64"}[os.uname().machine]
    package = {"x86_64": "qemu-system-x86", "aarch64": "qemu-system-arm"}[os.uname().machine]
    mode = "root" if os.geteuid() == 0 else "unshare"
    tar = os.path.join(root, "root.tar")
    subprocess.run(["mmdebstrap", f"--mode={mode}", "--variant=extract", f"--include={package},libc6", "trixie", tar],
                   check=True, capture_output=True)
    prefix = os.path.join(root, "qemu")
    os.mkdir(prefix)
    subprocess.run(["tar", "-xf", tar, "-C", prefix, "--exclude=./dev/*"], check=True, capture_output=True)
    os.unlink(tar)
    library = f"{prefix}/usr/lib/{os.uname().machine}-linux-gnu"
    loader, = [os.path.join(library, name) for name in os.listdir(library) if name.startswith("ld-linux")]
    os.makedirs(f"{prefix}/bin", exist_ok=True)
    path = os.path.join(prefix, "bin", program)
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "w") as file:
        file.write(f"#!/bin/sh\nexec {loader} --library-path {library} {prefix}/usr/bin/{program} -L {prefix}/usr/share/qemu "
                   f"-L {prefix}/usr/share/seabios -L {prefix}/usr/lib/ipxe/qemu \"$@\"\n")
    os.chmod(path, 0o755)
    for folder in (root, prefix, os.path.dirname(root)):
        os.chmod(folder, 0o755)
    return os.path.dirname(path)


@pytest.mark.long
def test_the_whole_of_it_with_debian_13s_qemu(own, newer_qemu):
    env = {"PATH": f"{newer_qemu}:{own.environment['PATH']}"}
    own.environment.update(env)
    assert "QEMU 10." in own.run("doctor", status=None).out
    own.projects(f"[one]\n{SMALL}[two]\n{SMALL}")
    one, two = Vm(own, "one"), Vm(own, "two")
    assert own.how("one", timeout=600) == "restored"
    assert own.how("two") == "restored"
    template = template_of(one)
    before = in_order(template, own)
    memory = os.path.join(folder_of(own, template), "memory")
    assert stat.S_IMODE(os.stat(memory).st_mode) == 0o400
    assert one.sh("hostname; cat /etc/machine-id").split() != two.sh("hostname; cat /etc/machine-id").split()
    one.sh("echo kept >~/kept; sync")
    one.machine("down")
    assert own.how("one") == "started"
    assert one.sh("cat ~/kept") == "kept\n"
    assert in_order(template, own) == before


@pytest.mark.long
def test_a_template_of_another_qemu_is_kept_and_the_vm_boots_cold(alone, newer_qemu):
    driver = Driver(alone)
    driver.call("create", "blog")
    key, = [key for key, layer in templates(alone).items() if "blog" in layer["vms"]]
    memory = templates(alone)[key]["memory_bytes"]
    said = driver.call("start", "blog", env={"PATH": f"{newer_qemu}:{alone.environment['PATH']}"}).err
    assert said.count("boots cold") == 1 and "another QEMU" in said
    # The template is kept. The file system itself may meanwhile use a little more space for it.
    assert templates(alone)[key]["memory_bytes"] >= memory > 0
