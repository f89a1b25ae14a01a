"""The examples of projects.toml(5) and provision.toml(5) are what the program takes. Each begins with a comment that names its file."""

import os
import re

import pytest
from program import ROOT

PLACES = {"projects.toml": "config/machine/projects.toml", "config.toml": "config/machine/config.toml",
          "provision.toml": "config/machine/provision.toml", "profile.toml": "config/machine/profiles/cpp/profile.toml",
          ".machine.toml": "home/notes/.machine.toml"}


def examples():
    for name in ("projects.toml.5", "provision.toml.5"):
        with open(os.path.join(ROOT, f"man/{name}.scd")) as file:
            for text in re.findall(r"^```\n(.*?)^```$", file.read(), flags=re.M | re.S):
                yield re.match(r"# (\S+)\n", text).group(1), text


def test_each_kind_of_file_has_an_example():
    assert {name for name, _ in examples()} == set(PLACES)


@pytest.mark.parametrize("name, text", examples(), ids=lambda value: value if "\n" not in value else "")
def test_an_example_is_valid(program, name, text):
    path = program.write(PLACES[name], text)
    assert f"{path}: valid" in program.run("validate", path).out


@pytest.mark.parametrize("name", PLACES)
def test_an_example_with_a_key_more_is_not(program, name):
    """So that the test above looks at what it means to look at."""
    text = next(text for there, text in examples() if there == name)
    path = program.write(PLACES[name], text.replace("\n", "\nno_such_key = 1\n", 1))
    assert "no_such_key" in program.run("validate", path, status=3).err
