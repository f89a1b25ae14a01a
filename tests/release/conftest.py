"""Releases and packages, made from a commit of this tree as it is now, committed or not."""

import os
import shutil
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/support"))
sys.path.insert(0, os.path.join(ROOT, "tests/structure"))

import tree  # noqa: E402

COMMITTED = "2026-01-02T03:04:05+00:00"
PROJECT = "https://forge.example/jane/machine"
VERSION = tree.text("VERSION").strip()


def call(*argv, cwd=None, status=0, input=None, **more):
    """Runs argv and checks its exit status; None = any. Returns everything that it said."""
    environment = dict(os.environ, LC_ALL="C.UTF-8", **more)
    done = subprocess.run(argv, cwd=cwd, env=environment, input=input, stdin=None if input else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    assert status is None or done.returncode == status, f"{' '.join(argv)}\n{done.stdout}(exit status {done.returncode})"
    return done.stdout


class Checkout:
    """A git repository with one commit, which has the files of this tree."""

    def __init__(self, folder):
        self.folder = str(folder)
        for path in tree.files():
            target = os.path.join(self.folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(os.path.join(ROOT, path), target, follow_symlinks=False)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()

    def git(self, *arguments):
        who = ["-c", "user.name=Jane", "-c", "user.email=jane@example.org", "-c", "commit.gpgsign=false"]
        return call("git", *who, *arguments, cwd=self.folder, GIT_AUTHOR_DATE=COMMITTED, GIT_COMMITTER_DATE=COMMITTED,
                    GIT_CONFIG_GLOBAL="/dev/null")

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", "everything")

    def write(self, path, text):
        with open(os.path.join(self.folder, path), "w", encoding="utf-8") as file:
            file.write(text)

    def dist(self, *settings, status=0, **more):
        """`make dist`. Returns what it said."""
        return call("make", "--no-print-directory", "dist", *settings, cwd=self.folder, status=status, **more)

    def made(self):
        """The names of the release's files, and their paths."""
        folder = os.path.join(self.folder, "build/dist")
        return {name: os.path.join(folder, name) for name in sorted(os.listdir(folder))}

    def tarball(self):
        found = [path for name, path in self.made().items() if name.endswith(".tar.gz")]
        assert len(found) == 1
        return found[0]


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "checkout")


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """A checkout whose commit has the tag of its version, and its release. Tests leave it as it is."""
    checkout = Checkout(tmp_path_factory.mktemp("released") / "checkout")
    checkout.git("tag", f"v{VERSION}")
    checkout.dist(f"PROJECT_URL={PROJECT}")
    return checkout


@pytest.fixture(scope="session")
def unpacked(released, tmp_path_factory):
    """The folder of an unpacked release, which is in no git repository. Tests may build in it and change no file."""
    folder = tmp_path_factory.mktemp("unpacked")
    call("tar", "-xzf", released.tarball(), "-C", str(folder))
    return str(folder / f"machine-{VERSION}")
