"""Debian's package: its control files agree with the rest of the tree; it builds, installs into a clean Debian, works and goes."""

import glob
import json
import os
import re
import shutil

import pytest
import tree
from clean_root import CleanRoot
from conftest import PROJECT, ROOT, VERSION, call

CONTROL = tree.text("packaging/debian/control")
CHANGELOG = os.path.join(ROOT, "packaging/debian/changelog")


def packages_of(field):
    """The names in one field of debian/control, without versions, processors, profiles and variables."""
    text = re.search(rf"(?ms)^{field}: (.*?)^(?=\S|$)", CONTROL).group(1)
    return {re.match(r"[\w.+-]+", entry.strip()).group(0) for entry in text.split(",") if not entry.strip().startswith("$")}


def packages_installed_for(name):
    """A set of tools/install-dependencies."""
    words = re.search(rf'(?ms)^{name}="(.*?)"', tree.text("tools/install-dependencies")).group(1).split()
    return {word for word in words if not word.startswith("$")}


def test_the_changelog_has_the_version_of_the_tree():
    version = call("dpkg-parsechangelog", "-l", CHANGELOG, "-S", "Version").strip()
    assert version.rpartition("-")[0] == VERSION


def test_the_changelog_is_well_formed():
    assert call("dpkg-parsechangelog", "-l", CHANGELOG, "--all", "-S", "Source") == "machine\n"
    said = call("dpkg-parsechangelog", "-l", CHANGELOG, "--all")
    assert "warning" not in said and "Distribution: unstable" in said


def test_what_the_program_calls_is_depended_on_or_recommended():
    assert packages_installed_for("run") <= packages_of("Depends") | packages_of("Recommends")
    assert {"qemu-system-x86", "qemu-system-arm"} <= packages_of("Depends")


def test_what_it_is_built_with_is_in_its_build_dependencies():
    part_of_every_build = {"gcc", "g++"}
    by_another_name = {"pkg-config": "pkgconf", "ninja-build": "meson"}
    wanted = {by_another_name.get(name, name) for name in packages_installed_for("build") - part_of_every_build}
    assert wanted <= packages_of("Build-Depends")


def test_the_licence_is_the_trees():
    def words(text):
        return re.sub(r"(?m)^ \.?", "", text).split()

    licence = tree.text("LICENSE").split("\n\n", 2)[2]
    assert words(tree.text("packaging/debian/copyright").split("\nLicense: Expat\n")[-1]) == words(licence)


# --- the package itself

@pytest.fixture(scope="module")
def built(released):
    """The folder with the built packages. The unit tests are run by `make check` in a tree of the same commit, so not here."""
    call("make", "--no-print-directory", "deb", f"PROJECT_URL={PROJECT}", cwd=released.folder, DEB_BUILD_OPTIONS="nocheck")
    return os.path.join(released.folder, "build/deb")


def the_file(built, suffix):
    [path] = [path for path in glob.glob(os.path.join(built, f"machine_*{suffix}"))]
    return path


@pytest.mark.long
def test_it_is_built_with_the_version_of_the_tarball(built):
    assert call("dpkg-deb", "-f", the_file(built, ".deb"), "Package", "Version") == f"Package: machine\nVersion: {VERSION}-1\n"


@pytest.mark.long
def test_lintian_finds_nothing(built):
    said = call("lintian", "--allow-root", "--info", "--fail-on", "error,warning,info", "--display-info", the_file(built, ".changes"))
    assert said == ""


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("only root can make a clean Debian to install the package in")
    root = CleanRoot(tmp_path_factory.mktemp("debian") / "root")
    yield root
    root.remove()


@pytest.mark.long
def test_it_installs_works_and_leaves_nothing_in_a_clean_debian(built, clean):
    package = the_file(built, ".deb")
    shutil.copy(package, clean.path("/tmp/machine.deb"))
    clean.run("useradd", "--create-home", "--shell", "/bin/bash", "jane")
    clean.apt("update")
    clean.apt("satisfy", call("dpkg-deb", "-f", package, "Depends").strip())
    before = clean.everything()

    assert "1 newly installed" in clean.apt("install", "/tmp/machine.deb"), "its dependencies are not all of what it depends on"
    assert clean.as_user("jane", "machine --version") == f"machine {VERSION}\n"
    doctor_finds_what_the_package_depends_on(clean)
    its_completions_and_manual_are_there(clean)
    used_without_a_vm(clean)

    clean.apt("purge", "machine")
    clean.run("test", "-e", "/usr/bin/machine", status=1)
    assert sorted(clean.everything() - before - homes(clean)) == []
    assert sorted(before - clean.everything()) == []


def homes(clean):
    """What a user made in their own home stays theirs."""
    return {path for path in clean.everything() if path.startswith("/home/jane/")}


def doctor_finds_what_the_package_depends_on(clean):
    # What it finds bad is after the list, and depends on what the kernel here lets a container do.
    text = clean.as_user("jane", "machine doctor --json 2>/dev/null", status=None).splitlines()[0]
    found = {check["name"]: check for check in json.loads(text)}
    for name in ("ssh", "ssh-keygen", "git", "qemu-img", "mmdebstrap", "mke2fs", "machine-keys", "machine-net", "machine-shim"):
        assert found[name]["status"] == "ok", found[name]
    assert found["machine-net"]["detail"].endswith("/libexec/machine/machine-net")
    assert found["qemu"]["detail"].startswith("QEMU ")
    # These are only recommended.
    assert found["bwrap"]["status"] == found["newuidmap"]["status"] == "warning"
    assert found["bwrap"]["hint"] == "sudo apt-get install bubblewrap"


def its_completions_and_manual_are_there(clean):
    for path in ("bash-completion/completions/machine", "zsh/vendor-completions/_machine", "fish/vendor_completions.d/machine.fish",
                 "man/man1/machine.1.gz", "man/man5/projects.toml.5.gz", "man/man5/provision.toml.5.gz",
                 "doc/machine/README.md.gz", "doc/machine/copyright"):
        assert os.path.exists(clean.path(f"/usr/share/{path}")), path
    said = clean.as_user("jane", ". /usr/share/bash-completion/completions/machine && complete -p machine")
    assert said == "complete -F _machine machine\n"


def used_without_a_vm(clean):
    clean.as_user("jane", "machine init && machine validate")
    assert json.loads(clean.as_user("jane", "machine list --json")) == []
    assert "rust" in clean.as_user("jane", "machine profile list")
