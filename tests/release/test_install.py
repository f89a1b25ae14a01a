"""`make install` and `make uninstall`, from an unpacked tarball, with PREFIX and DESTDIR."""

import os
import re

import pytest
import shells
from conftest import VERSION, call

FILES = ["bin/machine", "libexec/machine/machine-keys", "libexec/machine/machine-net", "share/machine/projects.toml",
         "share/machine/guest/identity", "share/man/man1/machine.1", "share/man/man5/projects.toml.5",
         "share/man/man5/provision.toml.5", "share/bash-completion/completions/machine",
         "share/zsh/site-functions/_machine", "share/fish/vendor_completions.d/machine.fish"]


class Place:
    """A prefix below a DESTDIR."""

    def __init__(self, source, destdir, prefix="/opt/some where"):
        self.source, self.destdir, self.prefix = source, str(destdir), prefix

    def make(self, target, status=0):
        return call("make", "--no-print-directory", target, f"PREFIX={self.prefix}", f"DESTDIR={self.destdir}", cwd=self.source,
                    status=status)

    def environment(self, home):
        """A user's who has done what install said about PATH."""
        return {"HOME": home, "PATH": f"{self.prefix}/bin:/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}

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


# --- completions: found by the shell, or install says how

WORDS = {"machine profile ": ["list", "new", "show"]}
HINTS = {"bash": r"In ~/.bashrc: (.*)", "zsh": r"In ~/.zshrc, before compinit: (.*)", "fish": r"In ~/.config/fish/config.fish: (.*)"}
LOADS_OTHERS = {"bash": [". /usr/share/bash-completion/bash_completion"], "zsh": [], "fish": []}


@pytest.fixture
def home(unpacked, tmp_path, monkeypatch):
    """A user's home, and no settings of the one who runs this."""
    for name in ("XDG_DATA_HOME", "XDG_DATA_DIRS", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return str(tmp_path / "home")


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("prefix", ["opt/other place", "home/.local"])
def test_shells_find_the_completions_by_themselves_or_as_install_says(unpacked, home, tmp_path, name, prefix):
    place = Place(unpacked, "", str(tmp_path / prefix))
    said = place.make("install")
    assert "PATH does not have the program" in said
    hint = re.findall(HINTS[name], said)
    shell = shells.start(name, hint or LOADS_OTHERS[name], place.environment(home), home)
    try:
        assert shell.all_offers(list(WORDS)) == WORDS
    finally:
        shell.close()
    assert bool(hint) == (prefix != "home/.local" or name == "zsh")


def test_packagers_get_no_advice(place):
    assert "completions" not in place.make("install")
