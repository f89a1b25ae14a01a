"""`make install` and `make uninstall`, from an unpacked tarball, with PREFIX and DESTDIR."""

import os

import pytest
from conftest import VERSION, call

FILES = ["bin/machine", "libexec/machine/machine-keys", "libexec/machine/machine-net", "share/machine/projects.toml",
         "share/machine/guest/identity", "share/man/man1/machine.1", "share/bash-completion/completions/machine",
         "share/zsh/site-functions/_machine", "share/fish/vendor_completions.d/machine.fish"]


class Place:
    """A prefix below a DESTDIR."""

    def __init__(self, source, destdir, prefix="/opt/some where"):
        self.source, self.destdir, self.prefix = source, str(destdir), prefix

    def make(self, target, status=0):
        return call("make", "--no-print-directory", target, f"PREFIX={self.prefix}", f"DESTDIR={self.destdir}", cwd=self.source,
                    status=status)

    def path(self, *parts):
        return os.path.join(f"{self.destdir}{self.prefix}", *parts)

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "a", encoding="utf-8") as file:
            file.write(text)

    def everything(self):
        """All files and folders below DESTDIR."""
        return sorted(os.path.join(folder, name) for folder, folders, names in os.walk(self.destdir) for name in folders + names)


@pytest.fixture
def place(unpacked, tmp_path):
    (tmp_path / "root").mkdir()
    return Place(unpacked, tmp_path / "root")


def test_a_tarball_builds_and_knows_its_version(place):
    place.make("install")
    assert call(place.path("bin/machine"), "--version") == f"machine {VERSION}\n"
    assert [path for path in FILES if not os.path.exists(place.path(path))] == []


def test_what_was_installed_is_removed_and_nothing_is_left(place):
    place.make("install")
    assert len(place.everything()) > 100
    said = place.make("uninstall")
    assert "machine is removed" in said
    assert place.everything() == []


def test_what_others_have_there_stays(place):
    place.write("share/man/man1/other.1", "another program's\n")
    place.write("share/zsh/site-functions/_other", "another program's\n")
    os.makedirs(place.path("bin"))
    before = place.everything()
    place.make("install")
    place.make("uninstall")
    assert place.everything() == before


def test_a_file_that_somebody_put_among_ours_stays_and_is_named(place):
    place.make("install")
    place.write("share/machine/profiles/mine/profile.toml", "mine\n")
    assert f"'{place.path('share/machine/profiles')}' stays, because there is something else in it" in place.make("uninstall")
    assert [path for path in place.everything() if os.path.isfile(path)] == [place.path("share/machine/profiles/mine/profile.toml")]


def test_a_second_install_forgets_no_folder_and_removes_what_only_the_first_had(place):
    place.make("install")
    place.write("share/machine/of-the-last-version", "old\n")
    place.write("share/machine/installed", f"{place.prefix}/share/machine/of-the-last-version\n")
    place.make("install")
    assert not os.path.exists(place.path("share/machine/of-the-last-version"))
    place.make("uninstall")
    assert place.everything() == []


def test_a_list_that_leads_elsewhere_is_not_followed(place, tmp_path):
    place.make("install")
    (tmp_path / "root/precious").write_text("somebody's\n")
    for path in ("/precious", f"{place.prefix}/../../precious"):
        place.write("share/machine/installed", f"{path}\n")
        assert "nothing is removed" in place.make("uninstall", status=2)
    assert (tmp_path / "root/precious").exists() and os.path.exists(place.path("bin/machine"))


def test_nothing_to_uninstall_is_an_error_that_says_where_it_looked(place):
    said = place.make("uninstall", status=2)
    assert f"there is no '{place.path('share/machine/installed')}'" in said and "DESTDIR" in said


def test_a_prefix_that_is_no_absolute_path_is_refused(place):
    place.prefix = "usr"
    assert "not an absolute path" in place.make("install", status=2)
    assert place.everything() == []
