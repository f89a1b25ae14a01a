"""The shipped recipe and profiles: they are valid for both architectures, have what they need, and are in the documentation."""

import os
import re

import pytest
from program import ROOT

PROFILES = sorted(os.listdir(os.path.join(ROOT, "share/profiles")))


def read(path):
    with open(os.path.join(ROOT, path)) as file:
        return file.read()


def steps(program, name):
    return [step for step in program.json("plan", name) if step["step"] == "recipe"]


def test_the_base_recipe_counts_where_there_is_no_other(program):
    program.projects("[blog]\n")
    found = steps(program, "blog")
    assert {step["part"] for step in found} == {"base"}
    assert {step["origin"] for step in found} == {"shipped"}
    packages = {package for step in found for package in step["packages"]}
    assert {"docker.io", "gh", "ripgrep"} <= packages
    assert any(package.startswith("@anthropic-ai/claude-code@") for package in packages)


def test_the_agents_are_optional_each_by_itself_and_nothing_else_is(program):
    program.projects("[blog]\n")
    optional = [[package.rsplit("@", 1)[0].split("==")[0] for package in step["packages"]]
                for step in steps(program, "blog") if step["optional"]]
    assert sorted(optional) == [["@anthropic-ai/claude-code"], ["@openai/codex"], ["aider-chat"]]


def test_an_empty_recipe_of_the_users_takes_its_place(program):
    program.without_recipe().projects("[blog]\n")
    assert steps(program, "blog") == []


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_stands_alone_and_on_the_base(program, name):
    program.projects(f'[blog]\nprofiles = ["{name}"]\n')
    mine = [step for step in steps(program, "blog") if step["part"] == name]
    assert [step["id"] for step in mine][-1] == "verify"
    for step in mine:
        for download in step["downloads"]:
            # Fly.io publishes no hash; a signing key is recorded at its first use.
            assert download["state"] == "pinned" or "flyctl" in download["url"] or download["url"].endswith(".pub"), download


def test_all_of_them_stack(program):
    program.projects("[blog]\nprofiles = [%s]\n" % ", ".join(f'"{name}"' for name in PROFILES))
    assert sorted({step["part"] for step in steps(program, "blog")}) == sorted([*PROFILES, "base"])


@pytest.mark.parametrize("name", PROFILES)
def test_what_is_pinned_is_pinned_for_both_architectures(name):
    text = read(f"share/profiles/{name}/profile.toml")
    for block in re.findall(r"\[release\.sha256\]\n((?:.+\n)+)", text):
        assert set(re.findall(r"^(\w+) = \"[0-9a-f]{64}\"$", block, re.M)) == {"amd64", "arm64"}


def test_every_version_that_is_not_debians_is_pinned():
    for path in ["share/provision.toml"] + [f"share/profiles/{name}/profile.toml" for name in PROFILES]:
        for kind, packages in re.findall(r"^\[+(uv_tool|npm_global)\]+\n(?:.+\n)*?packages = \[([^\]]*)\]", read(path), re.M):
            for package in re.findall(r'"([^"]+)"', packages):
                assert ("==" if kind == "uv_tool" else "@") in package[1:], (path, package)


def test_the_documentation_lists_exactly_these_profiles():
    rows = re.findall(r"^\| `([a-z]+)` \| .+ \| .+ \|$", read("docs/profiles.md"), re.M)
    assert rows == PROFILES
