"""`machine du`: what takes room, counted by what is allocated, and the commands that remove it."""

import json
import os
import shutil

import pytest
import records
from made_layers import put

BASE, TEMPLATE, OTHER = ("1" * 64, "2" * 64, "3" * 64)
MIB = 1 << 20


def fill(path, size):
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path, "wb") as file:
        file.write(os.urandom(size))
        os.fsync(file.fileno())
    return path


def allocated(*paths):
    return sum(os.lstat(path).st_blocks * 512 for path in paths)


def everything(*tops):
    """What all files below these folders take, each once, in the way of du(1)."""
    seen, total = set(), 0
    for top in tops:
        for folder, _, files in os.walk(top):
            for path in [folder] + [os.path.join(folder, name) for name in files]:
                found = os.lstat(path)
                if (found.st_dev, found.st_ino) not in seen:
                    seen.add((found.st_dev, found.st_ino))
                    total += found.st_blocks * 512
    return total


def tops(program):
    names = ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    return [os.path.join(program.environment[name], "machine") for name in names if name in program.environment]


@pytest.fixture
def filled(program):
    """Two VMs on a template, whose base another template stands on, too; a download, and a build's log."""
    put(program, BASE, {"kind": "base", "suite": "trixie"}, vmlinuz=10, initrd=10)
    for key in (TEMPLATE, OTHER):
        put(program, key, {"kind": "template", "parent": BASE, "cpus": 2, "memory_bytes": 1 << 30, "accelerator": "tcg"},
            memory=MIB, state=100)
    for name, size in (("blog", MIB), ("shop", 3 * MIB)):
        folder = records.write(program.state, name, base=TEMPLATE)
        fill(os.path.join(folder, "disk.qcow2"), size)
        fill(os.path.join(folder, "logs/console.log"), 64 << 10)
    fill(os.path.join(program.environment["XDG_CACHE_HOME"], "machine/downloads", "a" * 64), 2 * MIB)
    fill(os.path.join(program.state, "machine/logs/base.log"), 64 << 10)
    return program


def by(items, name):
    return {item[name]: item for item in items}


def test_nothing_at_all_takes_no_room(program):
    found = program.json("du")
    assert (found["vms"], found["layers"]) == ([], [])
    assert found["prune_bytes"] == found["prune_all_bytes"] == 0


def test_it_is_the_sum_of_all_that_is_there(filled):
    found = filled.json("du")
    assert [vm["name"] for vm in found["vms"]] == ["shop", "blog"]
    assert [(layer["kind"], layer["vms"], layer["layers"]) for layer in by(found["layers"], "key").values()
            if layer["key"] == BASE] == [("base", 2, 2)]
    assert {place["what"] for place in found["other"]} == {"downloads", "other"}
    parts = [item["bytes"] for kind in ("vms", "layers", "other") for item in found[kind]]
    assert sum(parts) == found["total_bytes"] == everything(*tops(filled))


def test_a_vm_has_its_disk_its_logs_and_the_command_that_removes_it(filled):
    vm = by(filled.json("du")["vms"], "name")["blog"]
    folder = os.path.join(filled.state, "machine/vms/blog")
    assert vm["disk_used_bytes"] == allocated(os.path.join(folder, "disk.qcow2"))
    assert vm["log_bytes"] == everything(os.path.join(folder, "logs"))
    assert vm["bytes"] == everything(folder)
    assert (vm["disk_bytes"], vm["engine"], vm["removed_by"]) == (30 << 30, "qemu", "machine destroy blog")


def test_what_else_is_in_a_vms_folder_counts_for_it(filled):
    """Saved memory, a snapshot, a disk that was set aside."""
    before = by(filled.json("du")["vms"], "name")["blog"]["bytes"]
    fill(os.path.join(filled.state, "machine/vms/blog/snapshots/one/memory"), 5 * MIB)
    assert by(filled.json("du")["vms"], "name")["blog"]["bytes"] >= before + 5 * MIB


def test_a_sparse_file_counts_with_what_it_holds(filled):
    before = by(filled.json("du")["vms"], "name")["blog"]["bytes"]
    os.truncate(os.path.join(filled.state, "machine/vms/blog/disk.qcow2"), 100 << 30)
    assert by(filled.json("du")["vms"], "name")["blog"]["bytes"] == before


def test_a_file_with_two_names_counts_once(filled):
    before = filled.json("du")["total_bytes"]
    os.link(os.path.join(filled.state, "machine/vms/shop/disk.qcow2"), os.path.join(filled.state, "machine/copy-of-a-disk"))
    assert filled.json("du")["total_bytes"] - before < MIB


def test_each_layer_says_what_removes_it_if_anything_does(filled):
    found = filled.json("du")
    layers = by(found["layers"], "key")
    assert layers[OTHER]["removed_by"] == "machine prune" and layers[OTHER]["vms"] == layers[OTHER]["layers"] == 0
    assert layers[TEMPLATE]["removed_by"] == "machine prune --all" and layers[TEMPLATE]["vms"] == 2
    assert layers[BASE]["removed_by"] is None
    assert found["prune_bytes"] == layers[OTHER]["bytes"]
    assert found["prune_all_bytes"] == layers[OTHER]["bytes"] + layers[TEMPLATE]["memory_bytes"]


def test_what_it_promises_is_what_prune_frees(filled):
    before = filled.json("du")
    freed = [json.loads(line) for line in filled.run("prune", "--yes", "--json").out.splitlines()][-1]["freed_bytes"]
    assert freed == before["prune_bytes"] > MIB
    # Its lock file goes as well, and a folder that shrinks may keep its blocks.
    assert abs(before["total_bytes"] - freed - filled.json("du")["total_bytes"]) < 64 << 10


def test_downloads_come_with_the_command_that_removes_them(filled):
    place = by(filled.json("du")["other"], "what")["downloads"]
    assert place["bytes"] == everything(place["path"]) and place["removed_by"] == f"rm -r {place['path']}"
    shutil.rmtree(place["path"])
    assert "downloads" not in by(filled.json("du")["other"], "what")


def test_a_vm_with_a_name_is_shown_alone(filled):
    found = filled.json("du", "blog")
    assert [vm["name"] for vm in found["vms"]] == ["blog"]
    assert found["layers"] == found["other"] == [] and found["prune_bytes"] is None
    assert found["total_bytes"] == found["vms"][0]["bytes"]
    assert len(filled.json("du", "blog", "shop")["vms"]) == 2
    assert "prune" not in filled.run("du", "blog").out


def test_a_name_that_no_vm_has_is_an_error(filled):
    assert "no VM 'blug'" in filled.run("du", "blog", "blug", status=4).err
    filled.projects("[planned]\n")
    assert "no VM 'planned'" in filled.run("du", "planned", status=4).err


def test_a_damaged_vm_counts_like_any_other(filled):
    for name in ("vm.json", "vm.json.copy"):
        filled.write(f"state/machine/vms/shop/{name}", "{")
    result = filled.run("du")
    assert "shop" in result.out and "its record can't be read" in result.out and "VM 'shop': " in result.err
    vm = by(filled.json("du")["vms"], "name")["shop"]
    assert vm["bytes"] > 3 * MIB and vm["engine"] is None and vm["removed_by"] == "machine destroy shop"
    assert filled.json("du", "shop")["total_bytes"] == vm["bytes"]


def test_a_vm_that_was_set_aside_is_shown_and_no_command_removes_it(filled):
    os.rename(os.path.join(filled.state, "machine/vms/shop"), os.path.join(filled.state, "machine/vms/shop.off"))
    found = filled.json("du")
    place = by(found["other"], "what")["set aside"]
    assert place["path"].endswith("/vms/shop.off") and place["bytes"] > 3 * MIB and place["removed_by"] is None
    assert found["total_bytes"] == everything(*tops(filled))


def test_when_it_isnt_known_what_is_needed_nothing_is_said_to_be_removable(filled):
    filled.projects("[blog\n")
    found = filled.json("du")
    assert found["prune_bytes"] is None and found["prune_all_bytes"] is None
    assert all(layer["removed_by"] is None and layer["vms"] is None for layer in found["layers"])
    result = filled.run("du")
    assert "projects.toml:1:" in result.err and "it isn't known what stands on it" in result.out
    assert "would free" not in result.out


def test_what_a_killed_build_left_is_shown_with_what_removes_it(filled):
    put(filled, f"{'d' * 64}.tmp-123", None, memory=MIB)
    layer = by(filled.json("du")["layers"], "kind")["unfinished"]
    assert layer["bytes"] > MIB and layer["removed_by"] == "machine prune"


def test_people_get_a_table_and_the_sums(filled):
    said = filled.run("du").out
    assert said.splitlines()[0].split() == ["WHAT", "NAME", "SIZE", "HOLDS", "REMOVED", "BY"]
    assert "disk 1.0 MiB of 30 GiB, logs " in said and "2 VMs stand on it" in said
    assert "2 VMs and 2 layers stand on it" in said and "nothing stands on it" in said
    assert [line.rsplit(" ", 2)[0] for line in said.splitlines()[-3:]] == ["in all:", "machine prune would free", "machine prune --all would free"]


def test_it_changes_nothing(filled):
    before = {path: os.lstat(path).st_mtime_ns for top in tops(filled) for folder, _, files in os.walk(top)
              for path in [os.path.join(folder, name) for name in files]}
    filled.run("du")
    after = {path: os.lstat(path).st_mtime_ns for path in before}
    assert before == after
