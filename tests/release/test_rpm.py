"""The RPM package, as far as Debian's rpm can build it: without Fedora's macros, and without its packages to depend on (--nodeps)."""

import glob
import os
import re

import pytest
import tree
from conftest import ROOT, VERSION, call

SPEC = os.path.join(ROOT, "packaging/machine.spec")
# Errors of rpmlint's that are none, with the reason. Its settings are not Fedora's here.
ACCEPTED = {
    "non-executable-script": "a guest runs guest/session/clock, not this computer",
    "no-signature": "whoever builds the package signs it",
    "no-packager-tag": "Fedora's build system writes it",
    "no-group-tag": "Fedora has no groups any more",
    "bad-manual-page-folder": "it takes what follows the first dot of projects.toml.5 for the section",
}


def test_the_version_is_that_of_the_tree():
    text = tree.text("packaging/machine.spec")
    assert re.search(r"%global upstream (\S+)}", text).group(1) == VERSION
    assert re.search(rf"(?m)^\* .* - {re.escape(VERSION)}-1$", text)


def test_it_can_be_read_and_names_the_tarball():
    assert call("rpmspec", "--query", "--srpm", "--queryformat", "%{name} %{version} %{license}", SPEC) == f"machine {VERSION} MIT"
    assert call("rpmspec", "--query", "--srpm", "--queryformat", "[%{source}\n]", SPEC) == f"machine-{VERSION}.tar.gz\n"


@pytest.fixture(scope="module")
def package(released, tmp_path_factory):
    top = tmp_path_factory.mktemp("rpm")
    call("rpmbuild", "-bb", "--nodeps", "--define", f"_topdir {top}", "--define", f"_sourcedir {os.path.dirname(released.tarball())}", SPEC)
    [path] = [path for path in glob.glob(f"{top}/RPMS/*/machine-{VERSION}-1*.rpm")]
    return path


@pytest.mark.long
def test_it_is_built_with_everything_in_its_place(package):
    files = set(call("rpm", "--query", "--list", "--package", package).splitlines())
    assert {"/usr/bin/machine", "/usr/libexec/machine/machine-net", "/usr/share/machine/guest/identity", "/usr/share/man/man1/machine.1",
            "/usr/share/man/man5/projects.toml.5", "/usr/share/man/man5/provision.toml.5",
            "/usr/share/bash-completion/completions/machine", "/usr/share/zsh/site-functions/_machine",
            "/usr/share/fish/vendor_completions.d/machine.fish"} <= files


@pytest.mark.long
def test_only_programs_for_this_computer_are_required(package):
    required = call("rpm", "--query", "--requires", "--package", package).split("\n")
    assert "mmdebstrap" in required
    assert not [name for name in required if "perl" in name]


@pytest.mark.long
def test_rpmlint_finds_no_error_that_is_one(package):
    said = call("rpmlint", SPEC, package, status=None)
    assert "1 packages and 1 specfiles checked" in said
    assert set(re.findall(r"(?m)^\S+: E: (\S+)", said)) <= set(ACCEPTED), said
