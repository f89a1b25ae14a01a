"""`machine cp` as far as it goes without a VM."""

import pytest


@pytest.mark.parametrize("operands, said", [
    ([], "needs a source and a target"),
    (["box:x"], "needs a source and a target"),
    (["a", "b"], "exactly one side must be in a VM (NAME:PATH)"),
    (["box:a", "other:b"], "exactly one side must be in a VM (NAME:PATH)"),
    (["box:a", "b", "c"], "exactly one side must be in a VM (NAME:PATH)"),
    (["box:a", "other:b", "c"], "all sources must be in the same VM, not in 'box' and 'other'"),
])
def test_one_side_is_a_vms(program, operands, said):
    result = program.run("cp", *operands, status=2)
    assert said in result.err and "machine cp NAME:PATH" in result.err


def test_a_vm_that_is_not_there_is_named(program):
    assert "box" in program.run("cp", "x", "box:", status=4).err
