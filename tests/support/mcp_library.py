"""Python with the official client library of the Model Context Protocol, in an environment of its own below the build folder.

pip installs it the first time, with the hashes in mcp-requirements.txt, and it is kept. Where it can't be had, tests are skipped.
"""

import os
import shutil
import subprocess
import sys

import pytest
from program import BUILD

FOLDER = os.path.join(BUILD, "mcp-library")
REQUIREMENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mcp-requirements.txt")


def call(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines() or ["it said nothing"]
        pytest.skip(f"the client library of MCP can't be installed: {lines[-1]}")


def python():
    """The path of that Python."""
    stamp = os.path.join(FOLDER, "requirements.txt")
    with open(REQUIREMENTS, encoding="utf-8") as file:
        wanted = file.read()
    if not os.path.exists(stamp) or open(stamp, encoding="utf-8").read() != wanted:
        shutil.rmtree(FOLDER, ignore_errors=True)
        call(sys.executable, "-m", "venv", FOLDER)
        call(os.path.join(FOLDER, "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:",
             "--require-hashes", "--requirement", REQUIREMENTS)
        shutil.copyfile(REQUIREMENTS, stamp)
    return os.path.join(FOLDER, "bin/python")
