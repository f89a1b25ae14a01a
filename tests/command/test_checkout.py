"""A checkout whose code can't go into a VM: `up` says so before it makes anything, and `destroy` minds nothing of it."""

import os
import shutil

import pytest
import records


def remove_all(folder):
    shutil.rmtree(f"{folder}/.git")


def remove_refs(folder):
    shutil.rmtree(f"{folder}/.git/refs")


def remove_head(folder):
    os.remove(f"{folder}/.git/HEAD")


BROKEN = [remove_all, remove_refs, remove_head]


@pytest.fixture
def trusted(program, checkout):
    program.run("trust", "--yes", cwd=checkout)
    return checkout


@pytest.mark.parametrize("command", [["up"], ["up", "--dry-run"], ["plan"], ["rebuild", "--yes"]], ids=" ".join)
@pytest.mark.parametrize("spoil", BROKEN)
def test_what_is_no_git_repository_is_said_with_its_place_before_anything_is_made(program, trusted, command, spoil):
    spoil(trusted)
    result = program.run(*command, cwd=trusted, status=3)
    assert f"{trusted}/.machine.toml:1:10: '{trusted}' is not a git repository" in result.err
    assert f"git -C {trusted} init" in result.err and "repos = []" in result.err
    assert not any(os.path.isdir(f"{program.state}/machine/vms/{name}") for name in program.read_state())


def test_rebuild_removes_no_vm_whose_code_could_not_come_back(program, trusted):
    records.write(program.state, "blog", owner=trusted, repos=["."])
    remove_all(trusted)
    program.run("rebuild", "--yes", "--discard-work", cwd=trusted, status=3)
    assert "blog" in program.read_state()


@pytest.mark.parametrize("spoil", BROKEN)
@pytest.mark.parametrize("more", [[], ["--discard-work"]], ids=["", "discard"])
def test_destroy_needs_no_git_repository(program, trusted, spoil, more):
    records.write(program.state, "blog", owner=trusted, repos=["."])
    spoil(trusted)
    program.run("destroy", "--yes", *more, cwd=trusted)
    assert "blog" not in program.read_state()
