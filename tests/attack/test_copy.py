"""`machine cp` with a hostile guest: it tries to get more written here than was asked for, or elsewhere, or left behind. Where the guest
has to lie, the test's own program runs in place of ssh and speaks as copy.sh would (src/guest/copy-stream.h)."""

import os
import signal

import pytest
from program import wait_until

GIB = 1 << 30

LIAR = """#!/usr/bin/python3
import os, struct, sys, time
def put(letter, content=b""):
    os.write(1, letter.encode() + struct.pack(">I", len(content)) + content)
def folder(name=b""):
    put("D", struct.pack(">I", 0o755) + name)
def file(size, name=b""):
    put("F", struct.pack(">IQ", 0o644, size) + name)
def data(at, content):
    put("B", struct.pack(">Q", at) + content)
"""


@pytest.fixture
def here(program):
    """An empty folder on this computer, in which the copy commands run."""
    folder = program.folder("home", "here")
    yield folder
    program.run("/bin/rm", "-rf", folder)


@pytest.fixture
def lie(program):
    """Makes an environment in which these lines of Python give the guest's answer."""
    def lie(lines):
        path = program.write("bin/ssh", LIAR + lines)
        program.run("/bin/chmod", "755", path)
        return {"PATH": f"{program.root}/bin:{program.environment['PATH']}"}
    return lie


def used(path):
    return os.stat(path).st_blocks * 512 if os.path.exists(path) else 0


def nests(folder):
    return [name for name in os.listdir(folder) if name.startswith(".machine-cp.")]


def test_holes_stay_holes_both_ways(program, box, here):
    box.sh("truncate -s 3G big && printf middle | dd of=big bs=1 seek=1G conv=notrunc status=none")
    program.run("cp", "box:big", ".", cwd=here, timeout=100)
    assert os.path.getsize(f"{here}/big") == 3 * GIB and used(f"{here}/big") < 1 << 20
    with open(f"{here}/big", "rb") as file:
        file.seek(GIB)
        assert file.read(7) == b"middle\0"
    program.run("cp", "big", "box:back", cwd=here, timeout=100)
    size, blocks = box.sh("stat -c '%s %b' back").split()
    assert int(size) == 3 * GIB and int(blocks) * 512 < 1 << 20
    assert box.sh("tail -c +1073741825 back | head -c 6") == "middle"


def test_a_file_larger_than_allowed_is_refused_and_leaves_nothing(program, box, here):
    box.sh("truncate -s 11G large; head -c 3000000 /dev/urandom >small; mkdir -p two; cp small two/a; cp small two/b")
    result = program.run("cp", "box:large", ".", cwd=here, status=1, timeout=60)
    assert "cannot copy 'large' from VM 'box': it is larger than 10 GiB" in result.err and "--max-size" in result.err
    for how in (["box:small"], ["-r", "box:two"]):
        assert "larger than 1.0 MiB" in program.run("cp", "--max-size", "1MiB", *how, ".", cwd=here, status=1).err
    assert os.listdir(here) == []
    program.run("cp", "--max-size", "12GiB", "box:large", "box:small", ".", cwd=here, timeout=60)
    assert os.path.getsize(f"{here}/large") == 11 * GIB and os.path.getsize(f"{here}/small") == 3000000
    assert "is not a size" in program.run("cp", "--max-size", "much", "box:small", ".", cwd=here, status=2).err


def test_a_guest_that_lies_about_a_size_or_a_name_gets_nothing_written(program, box, here, lie):
    before = set(os.listdir("/tmp")) | set(os.listdir(program.home))
    for lines, said in (
            ("file(1)\nwhile True: data(0, b'x' * 100000)", "is not a copy"),
            ("folder()\nfile(4, b'../outside')\ndata(0, b'evil')", "is not a copy"),
            ("folder()\nfile(4, b'/tmp/machine-cp-outside')\ndata(0, b'evil')", "is not a copy"),
            ("folder()\nwhile True: folder(b'x')", "nested too deep"),
            ("folder()\nn = 0\nwhile True: n += 1; file(0, b'%d' % n)", "larger than 16 MiB"),
            ("folder()\nfile(0, b'a\\x1b[2Jb')", "control characters"),
            ("while True: os.write(1, b'y' * 65536)", "record that is not valid")):
        result = program.run("cp", "-r", "--max-size", "16MiB", "box:x", ".", cwd=here, status=None, env=lie(lines), timeout=60)
        assert result.status != 0 and said in result.err and "VM 'box'" in result.err and "\033" not in result.err
        assert os.listdir(here) == []
    assert not any("outside" in name for name in (set(os.listdir("/tmp")) | set(os.listdir(program.home))) - before)


def test_what_a_killed_copy_leaves_is_removed_by_the_next(program, box, here, lie):
    hanging = lie("file(1000000)\ndata(0, b'x' * 50000)\ntime.sleep(600)")
    copies = []
    for _ in range(2):
        copies.append(program.start("cp", "box:x", "x", cwd=here, env=hanging))
        wait_until(lambda: len(nests(here)) == len(copies) and all(used(f"{here}/{nest}/copy") for nest in nests(here)), 60, "it copies")
    copies[0].kill()
    copies[0].communicate()
    box.sh("echo new >new")
    program.run("cp", "box:new", ".", cwd=here)
    # The copy that is still running has kept its folder. Ctrl-C leaves nothing of it.
    assert len(nests(here)) == 1
    copies[1].send_signal(signal.SIGINT)
    result = program.finish(copies[1], timeout=30)
    assert result.status == 130 and "Stopping." in result.err and "stopped before it was done" in result.err
    assert os.listdir(here) == ["new"]


def test_a_repository_is_no_part_of_a_copy_unless_it_was_asked_for(program, box, here):
    """If a shell's prompt ran `git status` in the copy, git would run what the copy's configuration names."""
    box.sh("mkdir -p job/bare && cd job && echo text >file && git init -q . && git config core.fsmonitor 'touch /tmp/crossed' && "
           "git init -q --bare bare/x")
    result = program.run("cp", "-r", "box:job", ".", cwd=here, status=1)
    assert "it has a repository" in result.err and "'.git'" in result.err and "--repos" in result.err
    result = program.run("cp", "-r", "box:job/bare", ".", cwd=here, status=1)
    assert "it has a repository" in result.err
    assert os.listdir(here) == []
    program.run("cp", "-r", "--repos", "box:job", ".", cwd=here)
    assert os.path.exists(f"{here}/job/.git/config")


def test_links_of_the_guest_bring_only_what_is_in_the_guest(program, box, here):
    box.sh("mkdir -p l && ln -sfn /etc l/etc && ln -sfn ../../../../etc/hostname l/name && ln -sfn nowhere l/gone && echo x >l/file")
    result = program.run("cp", "-r", "box:l", ".", cwd=here)
    assert "2 left out of 'l'" in result.err
    assert sorted(os.listdir(f"{here}/l")) == ["file", "name"]
    assert not os.path.islink(f"{here}/l/name") and program.read("home/here/l/name") == "box\n"
