"""`machine layers` and `machine prune` over made-up layers: what is listed and what may be removed. Real ones are in tests/vm."""

import json
import os

import pytest
import records

OLD, WARM, BROKEN = ("a" * 64, "b" * 64, "c" * 64)


def put(program, key, manifest, **files):
    folder = os.path.join(program.environment["XDG_DATA_HOME"], "machine/layers", key)
    os.makedirs(folder, mode=0o700)
    for name, size in {"disk.qcow2": 4096, **files}.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(b"x" * size)
    if manifest:
        with open(os.path.join(folder, "manifest.json"), "w") as file:
            json.dump({"key": key, "disk_bytes": 3 << 30, "created": "2026-01-02T03:04:05Z", "user": "dev", **manifest}, file)
    with open(f"{folder}.lock", "w"):
        pass
    return folder


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


def test_prune_says_first_and_changes_nothing_when_only_asked(stocked):
    said = stocked.run("prune", "--dry-run").out
    assert [line[:12] for line in said.splitlines()] == [WARM[:12], OLD[:12], BROKEN[:12]]
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


def test_a_record_that_cant_be_read_stops_it(stocked):
    stocked.write("state/machine/vms/odd/vm.json", "{")
    result = stocked.run("prune", "--yes", status=1)
    assert "'odd'" in result.err
    folder = os.path.join(stocked.environment["XDG_DATA_HOME"], "machine/layers")
    assert {OLD, WARM, BROKEN} <= set(os.listdir(folder))
