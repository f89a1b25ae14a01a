"""What building costs is said before it begins, as far as earlier builds on this computer tell. The builder is a stand-in."""

import json
import os

import pytest
from builder import Builder
from program import said, wait_until

FILE = "state/machine/builds.json"


@pytest.fixture
def builder(program):
    program.without_recipe().projects('[blog]\nengine = "qemu"\ncold = true\n\n[warm]\nengine = "qemu"\n')
    builder = Builder(program)
    builder.let_go()
    return builder


def bake(program):
    """Builds the image of a project that needs nothing else."""
    program.run("prune", "--all", "--yes")
    program.projects('[blog]\nengine = "qemu"\ncold = true\n')
    return program.run("bake")


def layers_of(program, name):
    return {step["what"]: step for step in program.json("plan", name) if step["step"] == "layer"}


def test_what_a_new_vm_is_made_from_is_in_the_plan(program, builder):
    layers = layers_of(program, "warm")
    assert list(layers) == ["image", "template"]
    assert not any(layer["built"] for layer in layers.values())
    assert all(layer["expected_seconds"] is None and layer["expected_bytes"] is None for layer in layers.values())
    out = program.run("up", "--dry-run", "warm").out
    assert "layer           image: to be built\nlayer           template: to be built\n" in out
    assert list(layers_of(program, "blog")) == ["image"]


def test_of_what_was_never_built_nothing_is_made_up(program, builder):
    result = bake(program)
    assert "note: to be built first: image\n" in result.err and "last time" not in result.err, said(result)


def test_what_it_cost_is_said_before_it_is_built_again(program, builder):
    bake(program)
    kept = json.loads(program.read(FILE))
    assert kept["version"] == 1 and list(kept["builds"]) == ["image"]
    assert kept["builds"]["image"]["seconds"] > 0 and kept["builds"]["image"]["bytes"] > 0
    assert os.stat(os.path.join(program.root, FILE)).st_mode & 0o777 == 0o600
    plan = layers_of(program, "blog")["image"]
    assert plan["built"] and plan["expected_seconds"] is None
    assert "image: there already" in program.run("plan", "blog").out
    program.write(FILE, json.dumps({"version": 1, "builds": {"image": {"seconds": 240.0, "bytes": 900 << 20}}}))
    program.run("prune", "--all", "--yes")
    plan = layers_of(program, "blog")["image"]
    assert (plan["built"], round(plan["expected_seconds"]), plan["expected_bytes"]) == (False, 240, 900 << 20)
    assert "image: to be built (about 4 minutes, 900 MiB, as last time)" in program.run("plan", "blog").out
    result = bake(program)
    assert "note: to be built first: image (about 4 minutes, 900 MiB, as last time)\n" in result.err, said(result)
    assert "[base] building the base image (last time: 4 minutes)\n" in result.err, said(result)
    assert json.loads(program.read(FILE))["builds"]["image"]["seconds"] < 240


@pytest.mark.parametrize("text", ["", "{", '{"version": 9, "builds": {"image": {"seconds": 240.0, "bytes": 1}}}', '{"version": 1, "builds": 3}'])
def test_a_damaged_file_is_no_estimate_and_no_error(program, builder, text):
    program.write(FILE, text)
    result = bake(program)
    assert "last time" not in result.err and "warning" not in result.err, said(result)
    assert list(json.loads(program.read(FILE))["builds"]) == ["image"]


def test_an_interrupted_build_says_nothing_of_how_long_one_takes(program, builder):
    builder.hold()
    child = program.start("up", "blog")
    wait_until(builder.is_at_work, 60, "the image is being built")
    child.terminate()
    program.finish(child)
    assert not os.path.exists(os.path.join(program.root, FILE))
