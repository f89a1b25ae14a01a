"""The manual and the completions match the program's own tables: no command or option is missing or made up."""

import json
import os
import re
import subprocess

import pytest
import tree

MANUAL = "man/machine.1.scd"


@pytest.fixture(scope="module")
def commands():
    text = subprocess.run([os.environ["MACHINE"], "help", "--json"], check=True, capture_output=True, timeout=30).stdout
    return {command["name"]: command for command in json.loads(text)}


def manual_sections():
    """Command name -> (line, text) of its subsection below COMMANDS."""
    sections, name = {}, None
    in_commands = False
    for number, line in tree.lines(MANUAL):
        if line.startswith("# "):
            in_commands, name = line == "# COMMANDS", None
        elif in_commands and line.startswith("## "):
            name = line[3:].split()[0]
            sections[name] = (number, "")
        elif name:
            start, text = sections[name]
            sections[name] = (start, text + line + "\n")
    return sections


def manual_options(text):
    """The options that a text documents: *-y*, *--yes*."""
    return set(re.findall(r"^\t?\*(?:-\w\*, \*)?--([a-z-]+)\*", text, flags=re.M))


def test_every_command_has_its_section(commands):
    tree.none([f"{MANUAL}:1: no section '{name}'" for name in commands if name not in manual_sections()])


def test_no_section_is_made_up(commands):
    tree.none([f"{MANUAL}:{line}: no command '{name}'" for name, (line, _) in manual_sections().items() if name not in commands])


def test_every_option_of_every_command_is_in_the_manual(commands):
    common = manual_options(tree.text(MANUAL).split("# OPTIONS", 1)[1].split("\n# ", 1)[0])
    found = []
    for name, command in commands.items():
        line, text = manual_sections().get(name, (1, ""))
        own = manual_options(text)
        there = {option["name"] for option in command["options"]}
        found += [f"{MANUAL}:{line}: '{name}' has --{option}, which is not described" for option in sorted(there - own - common)]
        found += [f"{MANUAL}:{line}: '{name}' has no --{option}" for option in sorted(own - there)]
    tree.none(found)


def test_letters_and_values_are_as_in_the_program(commands):
    found = []
    for name, command in commands.items():
        line, text = manual_sections().get(name, (1, ""))
        text += tree.text(MANUAL).split("# OPTIONS", 1)[1].split("\n# ", 1)[0]
        for option in command["options"]:
            written = re.search(r"^\t?(?:\*-(\w)\*, )?\*--" + option["name"] + r"\*(?: _([^_]+)_)?", text, flags=re.M)
            if written and written.groups() != (option.get("letter"), option.get("value")):
                found.append(f"{MANUAL}:{line}: --{option['name']} of '{name}' is written as {written.group(0)!r}")
    tree.none(found)


def test_completions_are_made_from_the_same_table(tmp_path):
    made = subprocess.run([os.path.join(tree.ROOT, "tools/completions"), os.environ["MACHINE"], str(tmp_path)],
                          capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr
    found = []
    for name in sorted(os.listdir(tmp_path)):
        with open(tmp_path / name) as file:
            if file.read() != tree.text(f"completions/{name}"):
                found.append(f"completions/{name}:1: is older than the program's table; make completions")
    tree.none(found)
