"""The base image is made once, is never changed, and is never there by half."""

import hashlib
import json
import os
import re
import signal
import subprocess
import time

import pytest
from conftest import SMALL, Vm, surroundings


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.sha256(file.read()).hexdigest()


def layers(data):
    """The layers that are complete. Other tests may be building theirs."""
    folder = os.path.join(data, "machine/layers")
    return {name: os.path.join(folder, name) for name in os.listdir(folder) if re.fullmatch("[0-9a-f]{64}", name)}


def kind(folder):
    with open(os.path.join(folder, "manifest.json")) as file:
        return json.load(file)["kind"]


FILES = {
    "base": {"manifest.json", "disk.qcow2", "vmlinuz", "initrd", "SHA256SUMS"},
    "recipe": {"manifest.json", "disk.qcow2", "SHA256SUMS"},
}


def test_a_layer_is_whole_and_read_only(blog_made, data):
    folders = {folder: kind(folder) for folder in layers(data).values()}
    assert "base" in folders.values()
    for folder, what in folders.items():
        if what in FILES:
            assert set(os.listdir(folder)) == FILES[what]
            assert all(os.stat(os.path.join(folder, name)).st_mode & 0o222 == 0 for name in os.listdir(folder))


def test_vms_dont_change_the_layer_they_stand_on(blog, data):
    before = {path: digest(os.path.join(path, "disk.qcow2")) for path in layers(data).values()}
    blog.sh("dd if=/dev/urandom of=noise bs=1M count=20 status=none; sync; rm noise; sync; sudo fstrim /")
    assert {path: digest(os.path.join(path, "disk.qcow2")) for path in before} == before


@pytest.mark.long
def test_a_build_that_was_killed_leaves_nothing_that_counts(tmp_path_factory):
    """A build from nothing is killed half-way and run again. The second build is complete, and the first one's pieces are gone."""
    data = str(tmp_path_factory.mktemp("data"))
    with surroundings(data=data) as program:
        program.projects(f"[blog]\n{SMALL}cold = true\n")
        child = program.start("up", "blog", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(8)
        assert child.poll() is None, "the base image was there in 8 seconds"
        child.send_signal(signal.SIGKILL)
        child.wait()
        vm = Vm(program, "blog")
        began = time.monotonic()
        vm.up(timeout=900)
        print(f"base image and first boot: {time.monotonic() - began:.0f} s")
        assert vm.run("true").out == ""
        assert len(layers(data)) == 1
        names = [name for name in os.listdir(os.path.join(data, "machine/layers")) if not name.endswith(".lock")]
        assert names == list(layers(data))
        assert [line for line in open("/proc/mounts") if data in line] == []
        vm.machine("destroy", "--yes")
        program.assert_no_processes()


def test_a_build_that_fails_shows_what_the_package_manager_said(own, tmp_path):
    """A fake mmdebstrap fails as with a broken mirror. The error quotes its words and names its log."""
    fake = own.write("fake/mmdebstrap", "#!/bin/sh\n[ \"$1\" = --version ] && exec /usr/bin/mmdebstrap --version\n"
                                        "echo 'E: the mirror is on holiday' >&2\nexit 1\n")
    os.chmod(fake, 0o755)
    own.projects(f"[blog]\n{SMALL}")
    result = own.run("up", "blog", status=5, env={"PATH": f"{os.path.dirname(fake)}:{own.environment['PATH']}",
                                                  "XDG_DATA_HOME": own.folder("empty")})
    assert "on holiday" in result.err
    assert own.json("list")[0]["state"] in ("absent", "stopped")


@pytest.mark.parametrize("name", ["disk.qcow2"])
def test_a_layer_that_is_gone_is_said_to_be(make, tmp_path, name):
    vm = make("orphan")
    vm.up()
    vm.machine("down")
    result = vm.program.run("up", "orphan", status=5, env={"XDG_DATA_HOME": str(tmp_path)})
    assert "orphan" in result.err
    assert "hint: machine doctor" in result.err
    assert vm.program.json("up", "--dry-run", "orphan")[0]["step"] == "start"
