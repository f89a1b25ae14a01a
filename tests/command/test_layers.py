"""`machine layers` and `machine prune` over made-up layers: what is listed and what may be removed. Real ones are in tests/vm."""

import os
import subprocess

import pytest
import records
from made_layers import put

OLD, WARM, BROKEN = ("a" * 64, "b" * 64, "c" * 64)
BASE, MIDDLE, TOP = ("1" * 64, "2" * 64, "3" * 64)


@pytest.fixture
def stocked(program):
    """An old base, a template on it, and a damaged layer."""
    put(program, OLD, {"kind": "base", "suite": "trixie"}, vmlinuz=10, initrd=10)
    put(program, WARM, {"kind": "template", "parent": OLD, "cpus": 2, "memory_bytes": 1 << 30, "accelerator": "tcg"},
        memory=8192, state=100)
    put(program, BROKEN, None)
    return program


def keys(program):
    return sorted(layer["key"] for layer in program.json("layers"))


def test_no_layers_are_an_empty_list(program):
    assert program.json("layers") == []
    assert "machine bake" in program.run("layers").err


def test_each_layer_says_what_it_is_and_who_needs_it(stocked):
    records.write(stocked.state, "blog", base=WARM)
    layers = {layer["key"]: layer for layer in stocked.json("layers")}
    assert [layers[key]["kind"] for key in (OLD, WARM, BROKEN)] == ["base", "template", "damaged"]
    assert [layers[key]["needed"] for key in (OLD, WARM, BROKEN)] == [True, True, False]
    assert [layers[key]["vms"] for key in (OLD, WARM)] == [[], ["blog"]]
    assert layers[WARM]["parent"] == OLD and layers[WARM]["about"] == "2 cpus, 1.0 GiB, tcg"
    assert layers[WARM]["memory_bytes"] >= 8192
    assert not any(layer["current"] for layer in layers.values())
    shown = stocked.run("layers").out
    assert "trixie for 'dev'" in shown and WARM[:12] in shown


def test_an_incomplete_layer_says_what_it_lacks(program):
    put(program, BASE, {"kind": "base", "suite": "trixie"}, vmlinuz=10, initrd=10)
    put(program, MIDDLE, {"kind": "recipe", "parent": BASE, "about": "base", "lacks": ["base/uv_tool-2 uv: aider"]})
    layers = {layer["key"]: layer for layer in program.json("layers")}
    assert layers[MIDDLE]["lacks"] == [{"step": "base/uv_tool-2", "title": "uv: aider"}] and layers[BASE]["lacks"] == []
    assert "base for 'dev', incomplete" in program.run("layers").out


def test_prune_says_first_and_changes_nothing_when_only_asked(stocked):
    said = stocked.run("prune", "--dry-run").out
    assert [line[:12] for line in said.splitlines()] == [BROKEN[:12], WARM[:12], OLD[:12]]
    assert keys(stocked) == sorted((OLD, WARM, BROKEN))


def test_prune_without_a_terminal_wants_to_be_told(stocked):
    result = stocked.run("prune", status=2)
    assert "machine prune --yes" in result.err
    assert keys(stocked) == sorted((OLD, WARM, BROKEN))


def test_prune_takes_what_nobody_needs(stocked):
    records.write(stocked.state, "blog", base=OLD)
    result = stocked.run("prune", "--yes")
    assert "freed" in result.err
    assert keys(stocked) == [OLD]


def test_a_template_in_use_keeps_its_disk(stocked):
    records.write(stocked.state, "blog", base=WARM)
    stocked.run("prune", "--all", "--yes")
    assert keys(stocked) == sorted((OLD, WARM))
    folder = os.path.join(stocked.environment["XDG_DATA_HOME"], "machine/layers", WARM)
    assert sorted(os.listdir(folder)) == ["disk.qcow2", "manifest.json"]


def test_what_a_killed_build_left_goes_too(stocked):
    put(stocked, f"{'d' * 64}.tmp-123", None, memory=10)
    assert "unfinished" in [layer["kind"] for layer in stocked.json("layers")]
    stocked.run("prune", "--yes")
    assert keys(stocked) == []


def disk(path, below=None):
    """A disk as the program makes it, on another one or on none."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    backing = ["-u", "-b", below, "-F", "qcow2"] if below else []
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, path, "3G"], check=True)


def folder_of(program, key):
    return os.path.join(program.environment["XDG_DATA_HOME"], "machine/layers", key)


@pytest.fixture
def stack(program):
    """A base, a recipe's layer on it, and one more on that, with disks that say so. A VM stands on the topmost."""
    put(program, BASE, {"kind": "base", "suite": "trixie"}, vmlinuz=10, initrd=10)
    put(program, MIDDLE, {"kind": "recipe", "parent": BASE, "about": "base"})
    put(program, TOP, {"kind": "recipe", "parent": MIDDLE, "about": "profile rust"})
    for key, below in ((BASE, None), (MIDDLE, BASE), (TOP, MIDDLE)):
        os.remove(os.path.join(folder_of(program, key), "disk.qcow2"))
        disk(os.path.join(folder_of(program, key), "disk.qcow2"), below and f"../{below}/disk.qcow2")
    vm = records.write(program.state, "blog", base=TOP)
    disk(os.path.join(vm, "disk.qcow2"), os.path.join(folder_of(program, TOP), "disk.qcow2"))
    return program


@pytest.mark.parametrize("damaged", [BASE, MIDDLE, TOP])
def test_a_damaged_layer_takes_none_of_those_below_it_along(stack, damaged):
    os.remove(os.path.join(folder_of(stack, damaged), "manifest.json"))
    assert all(layer["needed"] for layer in stack.json("layers"))
    stack.run("prune", "--all", "--yes")
    assert keys(stack) == sorted((BASE, MIDDLE, TOP))


def test_when_nothing_tells_what_a_needed_layer_stands_on_all_are_kept(stack):
    put(stack, OLD, {"kind": "base", "suite": "trixie"}, vmlinuz=10, initrd=10)
    os.remove(os.path.join(folder_of(stack, TOP), "manifest.json"))
    with open(os.path.join(folder_of(stack, TOP), "disk.qcow2"), "wb"):
        pass
    stack.run("prune", "--all", "--yes")
    assert keys(stack) == sorted((BASE, MIDDLE, TOP, OLD))


@pytest.mark.parametrize("damaged", [BASE, MIDDLE, TOP])
def test_the_doctor_writes_a_manifest_anew_and_keeps_what_was_there(stack, damaged):
    with open(os.path.join(folder_of(stack, damaged), "manifest.json"), "w") as file:
        file.write("{")
    check, = [check for check in stack.checks() if check["name"] == f"layer {damaged[:12]}"]
    assert check["status"] == "failed" and check["hint"] == "machine doctor --repair" and "blog" in check["detail"]
    stack.run("doctor", "--repair", status=None)
    assert not [check for check in stack.checks() if check["name"].startswith("layer ")]
    layers = {layer["key"]: layer for layer in stack.json("layers")}
    assert layers[damaged]["parent"] == {BASE: None, MIDDLE: BASE, TOP: MIDDLE}[damaged]
    assert os.path.exists(os.path.join(folder_of(stack, damaged), "manifest.json.damaged"))


def test_a_layer_that_cant_be_made_again_is_kept_for_its_vms_and_removed_when_there_are_none(stack):
    with open(os.path.join(folder_of(stack, MIDDLE), "disk.qcow2"), "wb"):
        pass
    stack.run("doctor", "--repair", status=None)
    check, = [check for check in stack.checks() if check["name"] == f"layer {MIDDLE[:12]}"]
    assert "blog" in check["detail"]
    assert keys(stack) == sorted((BASE, MIDDLE, TOP))
    stack.run("destroy", "blog", "--yes", "--discard-work")
    stack.run("doctor", "--repair", status=None)
    assert keys(stack) == [BASE]


def test_no_advice_about_a_damaged_layer_removes_anything(stack):
    os.remove(os.path.join(folder_of(stack, MIDDLE), "manifest.json"))
    for argv in (("list",), ("status", "blog"), ("layers",), ("prune", "--dry-run"), ("doctor",)):
        said = stack.run(*argv, status=None)
        assert "rm -r" not in said.out + said.err and "discard" not in said.out + said.err, said


def test_a_vm_whose_record_cant_be_read_is_judged_by_its_disk(stack):
    """By a disk, too, that somebody has set aside."""
    for name in ("vm.json", "vm.json.copy"):
        stack.write(f"state/machine/vms/blog/{name}", "{")
    stack.run("prune", "--all", "--yes")
    assert keys(stack) == sorted((BASE, MIDDLE, TOP))
    os.rename(f"{stack.state}/machine/vms/blog", f"{stack.state}/machine/vms/blog.off")
    stack.run("prune", "--all", "--yes")
    assert keys(stack) == sorted((BASE, MIDDLE, TOP))


def test_a_record_and_a_disk_that_cant_be_read_stop_it(stocked):
    stocked.write("state/machine/vms/odd/vm.json", "{")
    stocked.write("state/machine/vms/odd/disk.qcow2", "")
    result = stocked.run("prune", "--yes", status=5)
    assert "/odd/disk.qcow2'" in result.err
    assert {OLD, WARM, BROKEN} <= set(os.listdir(folder_of(stocked, "")))
    assert "/odd/disk.qcow2'" in stocked.run("layers").err


def test_layers_are_listed_with_a_mistake_in_the_configuration_and_not_pruned(stocked):
    stocked.projects("[blog\n")
    assert "projects.toml:1:" in stocked.run("layers").err
    assert keys(stocked) == sorted((OLD, WARM, BROKEN))
    assert "projects.toml:1:" in stocked.run("prune", "--yes", status=3).err
    assert keys(stocked) == sorted((OLD, WARM, BROKEN))
