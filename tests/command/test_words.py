"""What other tools call our commands: an alias where nothing can be lost by it, else a hint."""

import json

import pytest
from test_help import COMMANDS

ALIASES = {"ls": "list", "ps": "list", "start": "up", "stop": "down", "shell": "ssh", "exec": "run", "vscode": "code",
           "suspend": "park", "pause": "park", "resume": "wake"}
HINTS = {"rm": "destroy", "remove": "destroy", "delete": "destroy", "create": "up", "launch": "up", "halt": "down", "info": "status",
         "inspect": "status", "images": "layers", "copy": "cp", "mv": "rename"}


def test_the_table_has_the_aliases_that_are_tested_here(program):
    found = {alias: command["name"] for command in program.json("help") for alias in command["aliases"]}
    assert found == ALIASES
    assert not (set(ALIASES) | set(HINTS)) & set(COMMANDS)


@pytest.mark.parametrize("word, ours", ALIASES.items())
def test_an_alias_is_the_same_command_and_its_help_names_both(program, word, ours):
    assert program.run(word, "--help").out == program.run(ours, "--help").out == program.run("help", word).out
    assert f"'machine {word}'" in program.run(ours, "--help").out


def test_an_alias_does_what_the_command_does(program):
    program.projects("[blog]\n")
    assert program.run("ls").out == program.run("ps").out == program.run("list").out
    assert program.run("start", "--dry-run", "blog").out == program.run("up", "--dry-run", "blog").out
    assert program.json("stop", "blog") == program.json("down", "blog")
    for word in ("shell", "exec"):
        assert "no VM 'blog'" in program.run(word, "blog", "--", "true", status=4).err


@pytest.mark.parametrize("word, ours", HINTS.items())
def test_a_word_that_is_no_alias_gets_the_command_as_a_hint_and_does_nothing(program, word, ours):
    error = json.loads(program.run(word, "blog", "--json", status=2).out)
    assert error["message"] == f"no command '{word}'"
    assert error["hint"].startswith(f"machine {ours} ")
    assert f"machine {ours} " in program.run("help", word, status=2).err
