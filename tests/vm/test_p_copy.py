"""`machine cp`, both ways. What a hostile guest tries is in tests/attack/test_copy.py."""

import os

import pytest

@pytest.fixture
def here(program):
    """An empty folder on this computer, in which the copy commands run."""
    folder = program.folder("home", "here")
    yield folder
    program.run("/bin/rm", "-r", folder)


ODD = "odd [x]* ?'\" \\name"


def test_a_file_goes_in_and_comes_back(program, box, here):
    program.write(f"home/here/{ODD}", "text\n")
    program.run("cp", ODD, "box:", cwd=here)
    assert box.sh("cat ./odd*") == "text\n"
    program.run("cp", f"box:{ODD}", "back", cwd=here)
    assert program.read("home/here/back") == "text\n"
    program.run("cp", "back", "box:~/other", cwd=here)
    program.run("cp", "box:~/other", "box:/etc/hostname", ".", cwd=here)
    assert program.read("home/here/other") == "text\n"
    assert program.read("home/here/hostname") == "box\n"
    assert sorted(os.listdir(here)) == sorted([ODD, "back", "other", "hostname"])
    os.mkdir(f"{here}/co:lon")
    program.run("cp", "box:/etc/hostname", "./co:lon/name", cwd=here)
    program.run("cp", "./co:lon/name", "box:colon", cwd=here)
    assert program.read("home/here/co:lon/name") == "box\n" and box.sh("cat colon") == "box\n"


def test_a_pattern_is_a_name(program, box, here):
    box.sh("touch a1 a2")
    assert "cannot copy 'a*'" in program.run("cp", "box:a*", ".", cwd=here, status=1).err
    assert os.listdir(here) == []


def test_a_folder_goes_in_and_comes_back(program, box, here):
    program.write("home/here/tree/inner/one", "1\n")
    program.folder("home/here/tree/empty")
    assert "machine cp -r" in program.run("cp", "tree", "box:", cwd=here, status=2).err
    program.run("cp", "-r", "tree", "box:copied", cwd=here)
    assert sorted(box.sh("cd copied && find .").split()) == [".", "./empty", "./inner", "./inner/one"]
    program.run("cp", "-r", "box:copied/", ".", cwd=here)
    assert program.read("home/here/copied/inner/one") == "1\n"
    assert os.listdir(f"{here}/copied/empty") == []
    assert "already exists" in program.run("cp", "-r", "box:copied", ".", cwd=here, status=1).err


def test_a_link_in_a_folder_takes_nothing_along(program, box, here):
    program.write("home/secret", "mine\n")
    program.write("home/here/tree/one", "1\n")
    os.symlink(f"{program.home}/secret", f"{here}/tree/link")
    result = program.run("cp", "-r", "tree", "box:links", cwd=here, status=1)
    assert "'tree/link' is a link" in result.err
    assert box.run("test", "-e", "links", status=None).status == 1
    # A link that is named itself is followed.
    program.run("cp", "tree/link", "box:named", cwd=here)
    assert box.sh("cat named") == "mine\n"


def test_a_link_at_the_target_is_replaced(program, box, here):
    program.write("home/kept", "kept\n")
    os.symlink(f"{program.home}/kept", f"{here}/target")
    box.sh("echo new >new")
    program.run("cp", "box:new", "target", cwd=here)
    assert program.read("home/kept") == "kept\n"
    assert not os.path.islink(f"{here}/target") and program.read("home/here/target") == "new\n"


def test_links_in_the_guest_lead_nowhere_here(program, box, here):
    box.sh("mkdir -p l && ln -sfn /etc l/etc && ln -sfn ../../../../tmp l/up && echo x >l/file")
    program.run("cp", "-r", "box:l", ".", cwd=here, status=None)
    assert not any(os.path.islink(os.path.join(top, name)) for top, folders, files in os.walk(here) for name in folders + files)


def test_a_name_that_would_reach_the_terminal_is_refused(program, box, here):
    box.sh("mkdir -p c && touch \"c/a$(printf '\\033')[2Jb\"")
    result = program.run("cp", "-r", "box:c", ".", cwd=here, status=1)
    assert "\\x1b[2J" in result.err and "\033[2J" not in result.err
    assert os.listdir(here) == []
