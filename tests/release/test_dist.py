"""`make dist`: the tarball, its version, and what docs/verifying.md says about checking it."""

import os
import re
import shutil
import tarfile

import pytest
import tree
from conftest import PROJECT, VERSION, Checkout, call


def read(path):
    with open(path, "rb") as file:
        return file.read()


# --- the tarball

def test_two_builds_of_a_commit_are_equal_wherever_and_however_they_are_made(released, tmp_path):
    other = Checkout(tmp_path / "a folder with another name")
    other.git("tag", f"v{VERSION}")
    os.chmod(other.folder, 0o700)
    other.git("config", "core.autocrlf", "true")
    call("sh", "-c", "umask 077 && make --no-print-directory dist", cwd=other.folder, TZ="Asia/Tokyo", HOME=str(tmp_path), GZIP="",
         PROJECT_URL=PROJECT)
    assert sorted(other.made()) == sorted(released.made())
    assert read(other.made()["SHA256SUMS"]) == read(released.made()["SHA256SUMS"])
    assert read(other.tarball()) == read(released.tarball())


def test_another_commit_makes_another_tarball(released, checkout):
    checkout.write("README.md", "changed\n")
    checkout.commit()
    checkout.git("tag", f"v{VERSION}")
    checkout.dist()
    assert read(checkout.tarball()) != read(released.tarball())


def test_the_tarball_has_every_file_in_one_folder_with_modes_and_times_of_its_own(released):
    with tarfile.open(released.tarball()) as tar:
        entries = {entry.name.removeprefix(f"machine-{VERSION}/"): entry for entry in tar}
    assert sorted(entries) == sorted(tree.files())
    assert {entry.mtime for entry in entries.values()} == {1767323045}
    assert {(entry.uname, entry.gname, entry.uid, entry.gid) for entry in entries.values()} == {("root", "root", 0, 0)}
    assert {entry.mode for entry in entries.values()} == {0o644, 0o755}
    assert entries["tools/dist"].mode == 0o755 and entries["README.md"].mode == 0o644


def test_what_is_not_committed_is_not_in_it_and_that_is_said(released, checkout):
    checkout.git("tag", f"v{VERSION}")
    checkout.write("README.md", "changed\n")
    assert "not committed" in checkout.dist()
    assert read(checkout.tarball()) == read(released.tarball())


def test_a_release_leaves_nothing_of_the_one_before(checkout):
    checkout.dist()
    checkout.git("tag", f"v{VERSION}")
    checkout.dist()
    assert [name for name in checkout.made() if name.endswith(".tar.gz")] == [f"machine-{VERSION}.tar.gz"]


# --- the version

def test_a_commit_without_a_tag_has_a_version_that_comes_before_the_release(checkout):
    checkout.dist()
    commit = checkout.git("rev-parse", "HEAD")[:10]
    version = f"{VERSION}~git20260102030405.{commit}"
    assert os.path.basename(checkout.tarball()) == f"machine-{version}.tar.gz"
    with tarfile.open(checkout.tarball()) as tar:
        assert tar.extractfile(f"machine-{version}/VERSION").read().decode() == f"{version}\n"
    call("dpkg", "--compare-versions", version, "lt", VERSION)


def test_a_tag_that_disagrees_with_the_tree_is_refused(checkout):
    checkout.git("tag", "v99.0.0")
    said = checkout.dist(status=2)
    assert "VERSION:1:1:" in said and "v99.0.0" in said and VERSION in said
    assert not os.path.exists(os.path.join(checkout.folder, "build/dist"))


@pytest.mark.parametrize("text", ["", "1.2", "v1.2.3", "1.2.3-rc1", "1.2.3\n4"])
def test_a_version_that_is_none_is_refused(checkout, text):
    checkout.write("VERSION", text)
    checkout.commit()
    assert "is not a version like 1.2.3" in checkout.dist(status=2)


def test_a_tarball_cannot_be_made_of_a_tarball(unpacked):
    assert "is not a git checkout" in call("make", "--no-print-directory", "dist", cwd=unpacked, status=2)


# --- signatures, and the page about them

def commands_of(heading):
    """The commands that docs/verifying.md shows below a heading."""
    section = tree.text("docs/verifying.md").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"(?m)^```sh\n(.*?)^```$", section, flags=re.S)
    assert len(found) == 1
    return found[0].replace("VERSION.", f"{VERSION}.").replace("vVERSION", f"v{VERSION}")


def as_shown(heading, folder, status=0):
    return call("sh", "-e", "-c", commands_of(heading), cwd=str(folder), status=status)


@pytest.fixture
def key(tmp_path):
    path = str(tmp_path / "key with a space")
    call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path)
    return path


class Download:
    """A release, and beside it the line that `make dist` said is needed to verify it."""

    def __init__(self, checkout, key, folder):
        said = checkout.dist(f"SIGN_KEY={key}")
        shutil.copytree(os.path.join(checkout.folder, "build/dist"), folder)
        self.folder = folder
        self.tarball = folder / os.path.basename(checkout.tarball())
        [line] = re.findall(r"(?m)^dist: +(machine namespaces=.*)$", said)
        (folder / "allowed_signers").write_text(f"{line}\n")

    def change(self, name):
        """Changes one bit of a file, in its middle."""
        content = bytearray((self.folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (self.folder / name).write_bytes(content)


@pytest.fixture
def download(checkout, key, tmp_path):
    checkout.git("tag", f"v{VERSION}")
    return Download(checkout, key, tmp_path / "download")


def test_a_release_is_verified_as_the_page_says(download):
    said = as_shown("With ssh-keygen", download.folder)
    assert 'Good "file" signature for machine with ED25519 key' in said
    assert f"{download.tarball.name}: OK" in said


def test_a_changed_tarball_is_refused(download):
    download.change(download.tarball.name)
    assert f"{download.tarball.name}: FAILED" in as_shown("With ssh-keygen", download.folder, status=1)


def test_changed_hashes_are_refused(download):
    download.change(download.tarball.name)
    sums = call("sha256sum", download.tarball.name, cwd=str(download.folder))
    (download.folder / "SHA256SUMS").write_text(sums)
    said = as_shown("With ssh-keygen", download.folder, status=255)
    assert "Signature verification failed" in said and "OK" not in said


def test_another_key_is_refused(download, tmp_path):
    other = str(tmp_path / "other")
    call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", other)
    (download.folder / "SHA256SUMS.sig").unlink()
    call("ssh-keygen", "-Y", "sign", "-q", "-f", other, "-n", "file", "SHA256SUMS", cwd=str(download.folder))
    assert "Could not verify signature" in as_shown("With ssh-keygen", download.folder, status=255)


def test_a_signature_made_for_something_else_is_refused(download, key):
    (download.folder / "SHA256SUMS.sig").unlink()
    call("ssh-keygen", "-Y", "sign", "-q", "-f", key, "-n", "git", "SHA256SUMS", cwd=str(download.folder))
    as_shown("With ssh-keygen", download.folder, status=255)


def test_the_agent_signs_when_the_public_key_is_named(checkout, key):
    agent = call("ssh-agent", "-s")
    values = dict(re.findall(r"(SSH_AUTH_SOCK|SSH_AGENT_PID)=([^;]+);", agent))
    try:
        call("ssh-add", "-q", key, **values)
        os.unlink(key)
        checkout.dist(f"SIGN_KEY={key}.pub", **values)
    finally:
        call("ssh-agent", "-k", **values)
    assert "SHA256SUMS.sig" in checkout.made()


def test_without_a_key_nothing_is_signed_and_that_is_said(checkout):
    assert "no key is named, so nothing is signed" in checkout.dist()
    assert not [name for name in checkout.made() if name.startswith("SHA256SUMS.")]


def test_a_key_that_is_not_there_ends_without_a_release(checkout, tmp_path):
    assert "no public key beside it" in checkout.dist(f"SIGN_KEY={tmp_path}/nowhere", status=2)
    assert not os.path.exists(os.path.join(checkout.folder, "build/dist"))


@pytest.fixture
def minisign(tmp_path):
    """A key of minisign's without a password."""
    call("minisign", "-G", "-W", "-p", str(tmp_path / "machine.pub"), "-s", str(tmp_path / "minisign.key"))
    return tmp_path


def test_minisign_verifies_as_the_page_says(checkout, minisign):
    checkout.git("tag", f"v{VERSION}")
    checkout.dist(f"MINISIGN_KEY={minisign}/minisign.key")
    folder = os.path.join(checkout.folder, "build/dist")
    shutil.copy(minisign / "machine.pub", folder)
    assert "Signature and comment signature verified" in as_shown("With minisign", folder)
    with open(os.path.join(folder, "SHA256SUMS"), "a") as file:
        file.write("0\n")
    assert "Signature verification failed" in as_shown("With minisign", folder, status=1)


def test_a_key_for_minisign_without_minisign_is_an_error(checkout, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("make", "git", "gzip", "python3", "sh"):
        (tools / name).symlink_to(shutil.which(name))
    said = checkout.dist("MINISIGN_KEY=key", status=2, PATH=str(tools))
    assert "minisign is not installed" in said
    assert not os.path.exists(os.path.join(checkout.folder, "build/dist"))


def test_the_same_tarball_is_made_as_the_page_says(released, checkout):
    checkout.git("tag", f"v{VERSION}")
    said = as_shown("Making the same tarball", checkout.folder)
    assert call("sha256sum", released.tarball()).split()[0] in said
