"""Builds what the other tests with VMs need: the base image, and a warm template of the size that they use. This runs beside the
stages that need no VM. The packages come from Debian's own servers; the result is kept in MACHINE_TEST_CACHE or the build folder."""

import os


def test_the_base_image_and_a_template_are_built(base, data):
    layers = [layer for layer in base.json("layers") if layer["current"]]
    assert sorted(layer["kind"] for layer in layers if layer["about"].startswith("1 cpu, 1.0 GiB") or layer["kind"] == "base") == ["base", "template"]
    assert all(os.path.isdir(os.path.join(data, "machine/layers", layer["key"])) for layer in layers)
