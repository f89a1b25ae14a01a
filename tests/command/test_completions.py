"""The completions, asked for in the real shells."""

import os

import pytest
import shells
from program import ROOT, Program

NAMES = ["blog", "list", "shop"]  # one has the name of a command
FOLDER = os.path.join(ROOT, "completions")
FOUND = {"bash": [f". {FOLDER}/machine.bash"], "zsh": [f"fpath=({FOLDER} $fpath)"], "fish": [f"source {FOLDER}/machine.fish"]}


@pytest.fixture(scope="module")
def program():
    """One for all of these tests, because a shell takes a second to begin. It has three projects, and a folder with a file and a folder."""
    program = Program()
    program.projects("".join(f"[{name}]\n" for name in NAMES))
    program.write("home/place/notes.txt", "")
    program.write("home/place/with space.txt", "")
    program.folder("home", "place", "sub")
    yield program
    program.clean_up()


@pytest.fixture(scope="module", params=["bash", "zsh", "fish"])
def shell(request, program):
    shell = shells.start(request.param, FOUND[request.param], program.environment, os.path.join(program.home, "place"))
    yield shell
    shell.close()
    assert not program.read_state(), "completing has made a VM"


@pytest.fixture
def recipe(program):
    """A recipe, and the project that the current folder is for. Both go again."""
    program.projects("[default]\n")
    path = program.write("config/machine/provision.toml", '[apt]\npackages = ["jq"]\n[[shell]]\ncmd = "true"\n')
    yield
    program.projects("".join(f"[{name}]\n" for name in NAMES))
    os.unlink(path)


def check(shell, cases):
    assert shell.all_offers(list(cases)) == cases


def test_commands_and_options(shell):
    check(shell, {"machine d": ["destroy", "doctor", "down", "du"], "machine up --dr": ["--dry-run"], "machine help val": ["validate"],
                  "machine frobnicate ": [], "machine prox": [], "machine list ": []})


def test_names_of_projects(shell):
    check(shell, {"machine up ": NAMES, "machine destroy --yes b": ["blog"], "machine up blog ": [], "machine ssh sh": ["shop"],
                  "machine agent ": NAMES, "machine du ": NAMES, "machine du blog sh": ["shop"], "machine up -n li": ["list"],
                  "machine up list ": []})


def test_agents(shell):
    check(shell, {"machine agent blog ": ["aider", "claude", "codex"], "machine agent --session two blog cl": ["claude"],
                  "machine agent blog claude ": [], "machine claude ": NAMES})


def test_profiles_and_the_words_of_profile(shell, program):
    profiles = sorted(each["name"] for each in program.json("profile", "list"))
    assert "rust" in profiles
    check(shell, {"machine profile ": ["list", "new", "show"], "machine profile show ": profiles, "machine profile show ru": ["rust"],
                  "machine profile new ": [], "machine profile list ": [], "machine bake ": profiles, "machine bake go ru": ["rust"]})


def test_steps_of_the_recipe(shell, recipe):
    check(shell, {"machine lock --update ": ["apt", "shell"], "machine lock -u ap": ["apt"]})


def test_values_of_options(shell):
    check(shell, {"machine up --engine ": ["auto", "lima", "qemu"], "machine up --engine=q": ["qemu"], "machine up --engine qemu b": ["blog"],
                  "machine up --from no": ["notes.txt"], "machine destroy --save no": ["notes.txt"], "machine open --local 1": []})


def test_files_and_folders(shell):
    check(shell, {"machine validate no": ["notes.txt"], "machine trust ": ["sub"], "machine run blog -- no": ["notes.txt"],
                  "machine run blog cat no": ["notes.txt"], "machine ssh blog no": []})


def test_copies_go_between_files_and_vms(shell):
    check(shell, {"machine cp bl": ["blog:"], "machine cp no": ["notes.txt"], "machine cp -r notes.txt sh": ["shop:"],
                  "machine cp su": ["sub"], "machine cp --max-size 1GiB bl": ["blog:"]})


def test_paths_in_a_vm_are_left_out(shell):
    check(shell, {"machine cp blog:": [], "machine cp blog:no": [], "machine cp notes.txt shop:no": []})
