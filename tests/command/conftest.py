"""Tests of the built program without any VM: what it reads, prints and refuses."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from program import Program  # noqa: E402


@pytest.fixture
def program():
    program = Program()
    yield program
    program.clean_up()


@pytest.fixture
def checkout(program):
    """A git checkout with a .machine.toml."""
    folder = program.folder("home", "blog")
    program.git("init", "--quiet", cwd=folder)
    program.write("home/blog/.machine.toml", 'repos = ["."]\n')
    return folder
