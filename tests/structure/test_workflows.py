"""The forge's workflows can be read, and call only what exists. What the forge itself does with them was not run here."""

import re
import subprocess

import pytest
import tree
import yaml

PATHS = sorted(tree.files(".github/workflows"))
STEP = {"uses", "run", "name", "with", "env", "if"}


def steps_of(path):
    """Yields (job, step) of each step."""
    for name, job in yaml.safe_load(tree.text(path))["jobs"].items():
        for step in job["steps"]:
            yield name, step


def commands_of(path):
    for _, step in steps_of(path):
        yield from step.get("run", "").splitlines()


def targets():
    """What `make` knows, by its own database."""
    said = subprocess.run(["make", "-C", tree.ROOT, "--print-data-base", "--question", "--no-builtin-rules", "help"], capture_output=True,
                          text=True).stdout
    return set(re.search(r"(?m)^\.PHONY: (.*)$", said).group(1).split())


def test_there_are_workflows():
    assert PATHS == [".github/workflows/check.yml", ".github/workflows/release.yml"]


@pytest.mark.parametrize("path", PATHS)
def test_it_has_what_the_forge_needs(path):
    workflow = yaml.safe_load(tree.text(path))
    assert workflow["name"] and workflow[True]  # YAML reads "on" as a truth value
    assert workflow["permissions"]
    for job in workflow["jobs"].values():
        assert re.fullmatch(r"(ubuntu|macos)-[\w.-]+", job["runs-on"]) and job["timeout-minutes"]


@pytest.mark.parametrize("path", PATHS)
def test_each_step_does_one_thing(path):
    found = [f"{path}: {job}: {step}" for job, step in steps_of(path) if set(step) - STEP or ("uses" in step) == ("run" in step)]
    tree.none(found)


@pytest.mark.parametrize("path", PATHS)
def test_actions_have_a_version(path):
    tree.none([f"{path}: {step['uses']}" for _, step in steps_of(path) if not re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/x@v1"))])


@pytest.mark.parametrize("path", PATHS)
def test_make_has_the_targets_that_are_called(path):
    known, called = targets(), set()
    for command in commands_of(path):
        for arguments in re.findall(r"\bmake\b(?! sure)([^|;&]*)", command):
            called |= {word for word in arguments.split() if "=" not in word and not word.startswith("-")}
    assert called <= known
    assert {"demo", "check"} <= known and (path.endswith("release.yml") or {"demo", "check"} <= called)


@pytest.mark.parametrize("path", PATHS)
def test_commands_are_well_formed(path):
    for _, step in steps_of(path):
        subprocess.run(["bash", "-n"], input=step.get("run", ""), text=True, check=True)


def test_a_release_is_made_for_tags_like_those_that_dist_takes():
    assert yaml.safe_load(tree.text(PATHS[1]))[True] == {"push": {"tags": ["v*"]}}
    assert 'f"v{number}"' in tree.text("tools/dist")
