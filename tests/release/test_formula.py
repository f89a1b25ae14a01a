"""Homebrew's formula: its syntax and style, what `make dist` fills in, and that it installs and passes its own test.

There is no brew here. So `brew style`, `brew audit` and `brew install` were not run, on Linux or on a Mac. RuboCop with Homebrew's
settings stands for the first, the checks below for the rules of the second that apply, and formula.rb for the third.
"""

import hashlib
import os
import re

import pytest
import tree
from conftest import PROJECT, ROOT, VERSION, call

FORMULA = "packaging/homebrew/machine.rb"
TEXT = tree.text(FORMULA)
ORDER = ["desc", "homepage", "url", "sha256", "license", "depends_on", "on_macos", "on_linux", "def install", "def caveats", "test"]


@pytest.fixture
def filled(released):
    with open(released.made()["machine.rb"], encoding="utf-8") as file:
        return file.read()


def value_of(word, text):
    [value] = re.findall(rf'(?m)^  {word} "(.*)"$', text)
    return value


def test_its_syntax_is_right(released):
    for path in (os.path.join(ROOT, FORMULA), released.made()["machine.rb"]):
        assert call("ruby", "-c", "-w", path) == "Syntax OK\n"


def test_it_has_the_style_that_rubocop_can_check(released):
    said = call("rubocop", "--cache", "false", "--config", os.path.join(ROOT, "tests/release/rubocop.yml"), released.made()["machine.rb"])
    assert "1 file inspected, no offenses detected" in said


def test_the_description_is_as_homebrew_wants_it():
    description = value_of("desc", TEXT)
    assert len(description) <= 80
    assert re.match(r"(?!A |An |The |Machine)[A-Z].*[^.]$", description)


def test_its_parts_are_in_homebrews_order():
    parts = re.findall(r"(?m)^  (def \w+|\w+)", TEXT)
    found = [part for part in parts if part not in ("end",)]
    assert [part for number, part in enumerate(found) if part not in found[:number]] == ORDER
    assert found == sorted(found, key=ORDER.index)


def test_dependencies_are_sorted_those_of_the_build_first():
    for block in [TEXT] + re.findall(r"(?ms)^  on_\w+ do\n(.*?)^  end", TEXT):
        indent = "  " if block is TEXT else "    "
        names = re.findall(rf'(?m)^{indent}depends_on "?([\w@.-]+)(.*)$', block)
        assert names
        assert names == sorted(names, key=lambda item: (":build" not in item[1], item[0]))


def test_every_library_of_the_build_is_a_dependency():
    names = set(re.findall(r'depends_on "([\w.-]+)', TEXT))
    wanted = set()
    for path in tree.files("src", suffixes=("meson.build",)):
        wanted |= set(re.findall(r"dependency\('([\w+.-]+)'", tree.text(path)))
    wanted |= set(re.findall(r"dependency\('([\w+.-]+)'", tree.text("meson.build")))
    other = {"mbedcrypto": "mbedtls", "ncursesw": "ncurses", "glib-2.0": "glib", "slirp": "libslirp"}
    assert {other.get(name, name) for name in wanted} - {"threads"} <= names


def test_dist_fills_in_where_the_tarball_is_and_its_hash(released, filled):
    assert not re.search(r"@[A-Z0-9]+@", filled)
    assert value_of("homepage", filled) == PROJECT
    assert value_of("url", filled) == f"{PROJECT}/releases/download/v{VERSION}/machine-{VERSION}.tar.gz"
    with open(released.tarball(), "rb") as file:
        assert value_of("sha256", filled) == hashlib.sha256(file.read()).hexdigest()


def test_without_an_address_the_formula_takes_the_tarball_that_was_made(checkout):
    checkout.dist()
    with open(checkout.made()["machine.rb"], encoding="utf-8") as file:
        assert value_of("url", file.read()) == f"file://{checkout.tarball()}"


@pytest.mark.long
def test_it_installs_and_passes_its_own_test(released, tmp_path):
    source, prefix, place = tmp_path / "source", tmp_path / "prefix", tmp_path / "test"
    for folder in (source, place):
        folder.mkdir()
    call("tar", "-xzf", released.tarball(), "-C", str(source), "--strip-components=1")
    said = call("ruby", os.path.join(ROOT, "tests/release/formula.rb"), released.made()["machine.rb"], str(prefix), str(source), str(place),
                CCACHE_BASEDIR=str(source), CCACHE_NOHASHDIR="1")
    assert said.endswith("the test passed\n")
    assert os.path.exists(prefix / "share/bash-completion/completions/machine")
    assert os.path.exists(prefix / "share/zsh/site-functions/_machine")
    assert os.path.exists(prefix / "share/fish/vendor_completions.d/machine.fish")
    for page in ("man1/machine.1", "man5/projects.toml.5", "man5/provision.toml.5"):
        assert os.path.exists(prefix / "share/man" / page)
