"""An archive of `destroy --save` is checked as a whole before `up --from` makes or starts anything."""

import hashlib
import os

import pytest

BODY = b"\x28\xb5\x2f\xfd" + bytes(range(256)) * 40


def archive(body=BODY, mark=b"machine work 1 ", checksum=None, magic=b"\x50\x2a\x4d\x18"):
    content = mark + (checksum or hashlib.sha256(body).hexdigest().encode())
    return body + magic + len(content).to_bytes(4, "little") + content


WHOLE = archive()
BAD = {
    "empty": (b"", "is not an archive"),
    "short": (b"\x28\xb5\x2f\xfd", "is not an archive"),
    "another format": (archive(b"\x1f\x8b\x08\x00" + BODY), "is not an archive"),
    "text": (b"not an archive at all\n" * 100, "is not an archive"),
    "no frame": (BODY, "is cut off"),
    "cut by a byte": (WHOLE[:-1], "is cut off"),
    "cut in the frame": (WHOLE[:-70], "is cut off"),
    "cut in half": (WHOLE[:len(WHOLE) // 2], "is cut off"),
    "longer": (WHOLE + b"\n", "is cut off"),
    "another frame": (archive(magic=b"\x51\x2a\x4d\x18"), "is cut off"),
    "another version": (archive(mark=b"machine work 2 "), "is cut off"),
    "a changed byte": (WHOLE[:1000] + b"X" + WHOLE[1001:], "its checksum is wrong"),
    "a missing byte": (WHOLE[:1000] + WHOLE[1001:], "its checksum is wrong"),
    "another checksum": (archive(checksum=b"0" * 64), "its checksum is wrong"),
    "control characters for a checksum": (archive(checksum=b"\x1b[2J" * 16), "its checksum is wrong"),
}


@pytest.fixture
def blog(program):
    program.projects("[blog]\n")
    return program


def refused(program, path, says):
    for options in ([], ["--dry-run"]):
        result = program.run("up", "blog", "--from", path, *options, status=1)
        assert says in result.err and "\x1b" not in result.err
    assert program.read_state() == []
    assert program.json("list")[0]["state"] == "absent"


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_archive_is_an_error_before_anything_is_made(blog, kind):
    content, says = BAD[kind]
    path = os.path.join(blog.root, "bad")
    with open(path, "wb") as file:
        file.write(content)
    refused(blog, path, says)


def test_what_is_no_file_is_an_error(blog):
    pipe = os.path.join(blog.root, "pipe")
    os.mkfifo(pipe)
    refused(blog, pipe, "is not a file")
    refused(blog, blog.home, "is not a file")
    refused(blog, os.path.join(blog.root, "missing"), "No such file")


def test_a_whole_archive_is_none(blog):
    path = os.path.join(blog.root, "good")
    with open(path, "wb") as file:
        file.write(WHOLE)
    assert "create" in blog.run("up", "blog", "--from", path, "--dry-run").out
