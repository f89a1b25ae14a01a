"""The program as it is built for macOS on this machine. It can't be run here, so the tests check what can be known without running it."""

import glob
import os
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/support"))

from choice import LONG, long_unless  # noqa: E402
from macho import Executable  # noqa: E402

ARCHITECTURES = ["aarch64", "x86_64"]
ALWAYS = ["aarch64"]  # compiled in each check; the long one also links, for both


class Cross:
    """What tools/darwin/build makes and prints."""

    def __init__(self, build):
        self.folder = os.path.join(build, "darwin")
        done = subprocess.run([os.path.join(ROOT, "tools/darwin/build"), "--build", build]
                              + (ARCHITECTURES if LONG else ["--compile-only"] + ALWAYS), capture_output=True, text=True)
        self.said = done.stdout + done.stderr
        self.built = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)

    def zig(self):
        found = glob.glob(os.path.join(self.folder, "zig/lib/python3*/site-packages/ziglang/zig"))
        assert len(found) == 1, self.said
        return found[0]

    def compile(self, architecture, source, *arguments):
        """Compiles a C program with the arguments that ours is built with. Returns the finished process."""
        argv = [self.zig(), "cc", "-target", f"{architecture}-macos.13.0", "-nostdlib", "-lc", "-x", "c", "-", *arguments]
        cache = os.path.join(self.folder, "cache")
        return subprocess.run(argv, input=source, text=True, capture_output=True, cwd=self.folder,
                              env=dict(os.environ, ZIG_GLOBAL_CACHE_DIR=cache, ZIG_LOCAL_CACHE_DIR=cache))


@pytest.fixture(scope="session")
def cross():
    return Cross(os.environ["MACHINE_TEST_BUILD"])


@pytest.fixture(params=long_unless(ALWAYS, ARCHITECTURES))
def architecture(request):
    return request.param


@pytest.fixture
def program(cross, architecture):
    assert architecture in cross.built, f"there is no program for {architecture}"
    return Executable(cross.built[architecture])
