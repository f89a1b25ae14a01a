"""How a repo is set up. The guest's own script runs here, in a temporary home, with tools that only record how they were called."""

import os
import subprocess

import pytest
from program import ROOT

PARTS = [os.path.join(ROOT, "guest/session", name) for name in ("setup-find.sh", "setup.sh")]
TOOLS = ["npm", "npx", "pnpm", "yarn", "bun", "uv"]


@pytest.fixture
def home(tmp_path):
    (tmp_path / "code/blog").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    return tmp_path


def install(home, *tools):
    for tool in tools:
        path = home / "bin" / tool
        path.write_text(f'#!/bin/sh\necho "{tool} $*" >>"$HOME/ran"\n')
        path.chmod(0o755)


def set_up(home, *commands, status=0):
    # A login shell resets PATH; this profile sets it back.
    (home / ".profile").write_text(f"PATH={home}/bin:/usr/bin:/bin\n")
    script = ""
    for part in PARTS:
        with open(part) as file:
            script += file.read()
    result = subprocess.run(["sh", "-s", "--", "blog", *commands], input=script, capture_output=True, text=True,
                            env={"HOME": str(home), "PATH": f"{home}/bin:/usr/bin:/bin"})
    assert result.returncode == status, result
    return result


def ran(home):
    return (home / "ran").read_text().splitlines() if (home / "ran").exists() else []


CLASSIC = "# yarn lockfile v1\n"


@pytest.mark.parametrize("files, expected", [
    ({"package-lock.json": "{}"}, ["npm ci"]),
    ({"npm-shrinkwrap.json": "{}"}, ["npm ci"]),
    ({"pnpm-lock.yaml": ""}, ["pnpm install --frozen-lockfile"]),
    ({"yarn.lock": "__metadata:\n"}, ["yarn install --immutable"]),
    ({"yarn.lock": CLASSIC}, ["npx --yes yarn@1.22.22 install --frozen-lockfile"]),
    ({"bun.lock": ""}, ["bun install --frozen-lockfile"]),
    ({"bun.lockb": ""}, ["bun install --frozen-lockfile"]),
    ({"uv.lock": ""}, ["uv sync --locked"]),
    ({"requirements.txt": ""}, ["uv venv", "uv pip install -r requirements.txt"]),
    ({"uv.lock": "", "requirements.txt": "", "package-lock.json": "{}"}, ["npm ci", "uv sync --locked"]),
    ({"package-lock.json": "{}", "yarn.lock": ""}, ["npm ci"]),
    ({"package.json": "{}", "pyproject.toml": ""}, []),
    ({}, []),
])
def test_lock_files_say_what_runs(home, files, expected):
    install(home, *TOOLS)
    for name, text in files.items():
        (home / "code/blog" / name).write_text(text)
    result = set_up(home)
    assert ran(home) == expected
    assert all(line.startswith("command ") for line in result.stdout.splitlines())


def test_the_projects_own_commands_run_in_the_repo_and_nothing_else(home):
    install(home, *TOOLS)
    (home / "code/blog/package-lock.json").write_text("{}")
    result = set_up(home, "pwd", "echo two words")
    assert result.stdout.splitlines() == ["command pwd", str(home / "code/blog"), "command echo two words", "two words"]
    assert ran(home) == []


def test_the_first_command_that_fails_is_the_last(home):
    result = set_up(home, "echo one", "exit 4", "echo three", status=4)
    assert result.stdout.splitlines() == ["command echo one", "one", "command exit 4"]


def test_a_tool_that_is_not_there_is_named(home):
    (home / "code/blog/bun.lock").write_text("")
    result = set_up(home, status=127)
    assert result.stdout.splitlines() == ["command bun install --frozen-lockfile"]
    assert "bun is not installed" in result.stderr
