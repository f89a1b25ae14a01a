"""Code in one VM tries to decide what is installed in others, by machine.lock, which all projects of a recipe share. Only Debian's
`tree` is installed from a network here."""

import re

import pytest
from guests import SMALL, surroundings

EVIL = "npm:@evil/x@1.0.0"

# Replaces the program that starts the recipe's runner. It says what a runner would, and more.
FORGED = r"""#!/bin/sh
report() { printf '%s\n' "$1" | sed 's/|/\t/g'; }
mkdir -p /var/lib/machine/steps/base
report 'begin|apt'
report 'version|apt|tree|6.6.6'
report 'version|npm_global|left-pad|npm:@evil/x@1.0.0'
report 'version|apt|unknown|1.0'
report 'end|apt|done'
report 'begin|npm_global'
report 'version|npm_global|left-pad|npm:@evil/x@1.0.0'
report 'version|npm_global|@evil/x|1.0.0'
report 'end|npm_global|done'
report 'whole'
"""

RECIPE = "[apt]\npackages = ['tree']\n[npm_global]\npackages = ['left-pad']\n"


@pytest.fixture(scope="module")
def forged(box):
    box.run("sh", "-c", "sudo mv /usr/bin/setsid /usr/bin/setsid.real && sudo tee /usr/bin/setsid >/dev/null && sudo chmod 755 /usr/bin/setsid",
            input=FORGED)
    return box


@pytest.fixture
def recipe(program):
    program.write("config/machine/machine.lock", "")
    yield lambda text: program.write("config/machine/provision.toml", text)
    program.write("config/machine/provision.toml", "")


def test_what_a_vm_in_use_says_it_installed_is_not_recorded(program, forged, recipe):
    recipe(RECIPE)
    result = forged.up()
    assert program.read("config/machine/machine.lock") == ""
    assert "VM 'box' installed 2 packages without a version in" in result.err


def test_it_replaces_no_version_that_is_recorded(program, forged, recipe):
    recipe(RECIPE)
    pinned = '[amd64.versions."base/apt"]\ntree = "2.1.0-1"\n[arm64.versions."base/apt"]\ntree = "2.1.0-1"\n'
    program.write("config/machine/machine.lock", pinned)
    forged.up()
    assert program.read("config/machine/machine.lock") == pinned


def test_a_lock_file_of_a_repo_names_no_other_package_as_a_version(program, forged, recipe):
    recipe(RECIPE)
    program.write("config/machine/machine.lock", "".join(
        f'[{architecture}.versions."base/npm_global"]\nleft-pad = "{EVIL}"\n' for architecture in ("amd64", "arm64")))
    result = forged.up(status=3)
    assert f"has '{EVIL}' for 'left-pad' of step 'base/npm_global', which is not a version" in result.err
    assert "machine lock --update base/npm_global" in result.err


def fill_a_layer_that_lies(program):
    program.write("config/machine/profiles/evil/profile.toml",
                  "[profile]\nsummary = 'of the test'\n[apt]\npackages = ['tree']\n[[shell]]\nname = 'evil'\nscript = 'evil.sh'\n")
    program.write("config/machine/profiles/evil/evil.sh", r"""#!/bin/sh
for to in "/proc/$(cat /run/machine-recipe.pid)/fd/1" "$STEP_VERSIONS"; do
        printf 'version\tapt\ttree\t6.6.6\nversion\tshell-evil\ttree\t6.6.6\ntree\t6.6.6\n' >>"$to"
done
""")
    program.projects(f"[box]\n{SMALL}cold = true\nprofiles = ['evil']\n")
    program.run("bake", timeout=900)


def test_a_step_in_a_layer_says_nothing_of_another_steps_packages(own_data):
    """Root in the layer's VM can write to the runner's output. Only the real version is recorded."""
    with surroundings(data=own_data) as program:
        fill_a_layer_that_lies(program)
        lock = program.read("config/machine/machine.lock")
        assert "6.6.6" not in lock
        assert len(re.findall(r'^tree = "\d[^"]*"$', lock, re.MULTILINE)) == 1
