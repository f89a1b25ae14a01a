"""The program as it is built for macOS on this machine. It can't be run here: what can be known without is looked at."""

import os
import subprocess

import pytest
from macho import Executable

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ARCHITECTURES = ["aarch64", "x86_64"]


class Cross:
    """What tools/darwin/build makes, and says."""

    def __init__(self, build):
        self.folder = os.path.join(build, "darwin")
        done = subprocess.run([os.path.join(ROOT, "tools/darwin/build"), "--build", build], capture_output=True, text=True)
        self.said = done.stdout + done.stderr
        self.programs = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)

    def zig(self):
        found = [os.path.join(folder, "zig") for folder, _, names in os.walk(os.path.join(self.folder, "zig")) if "zig" in names]
        assert len(found) == 1, found
        return found[0]

    def compile(self, architecture, source, *arguments):
        """By the arguments that the program is built with. The finished process."""
        target = f"{architecture}-macos.13.0"
        cache = os.path.join(self.folder, "cache")
        return subprocess.run([self.zig(), "cc", "-target", target, "-x", "c", "-", *arguments], input=source, text=True,
                              env=dict(os.environ, ZIG_GLOBAL_CACHE_DIR=cache, ZIG_LOCAL_CACHE_DIR=cache), capture_output=True)


@pytest.fixture(scope="session")
def cross():
    return Cross(os.environ["MACHINE_TEST_BUILD"])


@pytest.fixture(params=ARCHITECTURES)
def architecture(request):
    return request.param


@pytest.fixture
def program(cross, architecture):
    assert architecture in cross.programs, f"there is no program for {architecture}"
    return Executable(cross.programs[architecture])
