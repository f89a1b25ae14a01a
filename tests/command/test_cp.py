"""`machine cp` as far as it goes without a VM."""

import pytest


@pytest.mark.parametrize("operands, said", [
    ([], "needs what to copy"),
    (["box:x"], "needs what to copy"),
    (["a", "b"], "one side is a VM's"),
    (["box:a", "other:b"], "one side is a VM's"),
    (["box:a", "b", "c"], "one side is a VM's"),
    (["box:a", "other:b", "c"], "one side is a VM's"),
])
def test_one_side_is_a_vms(program, operands, said):
    result = program.run("cp", *operands, status=2)
    assert said in result.err and "machine cp NAME:PATH" in result.err


def test_a_vm_that_is_not_there_is_named(program):
    assert "box" in program.run("cp", "x", "box:", status=4).err
