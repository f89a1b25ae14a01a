"""`machine paste`, with stand-ins for the programs that read the clipboard."""

import os
import re

import pytest
from fake_guest import FakeGuests
from program import Program, said

PROJECT = 'engine = "lima"\ncpus = 1\nmemory = "1GiB"\ndisk = "6GiB"\nshell = "bash"\n'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4000
WAYLAND, X11 = {"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ""}, {"WAYLAND_DISPLAY": "", "DISPLAY": ":0"}
# Notes its arguments and prints the image.
READER = '#!/bin/sh\necho "$0 $*" >>{calls}\n{what}\n'


@pytest.fixture(scope="module")
def guests():
    program = Program().without_recipe()
    try:
        fake = FakeGuests(program)
        program.projects(f"[blog]\n{PROJECT}")
        # Only what is named here is there, so that this computer's own programs are not asked.
        for name in ("sh", "cat", "head", "sleep"):
            os.symlink(f"/bin/{name}", os.path.join(program.folder("few"), name))
        program.run("up", "blog")
        yield fake
    finally:
        program.run("destroy", "blog", "--yes", "--discard-work", status=None)
        program.clean_up()


@pytest.fixture
def reader(guests):
    """Makes a stand-in that does `what`. Returns the file that says how it was called."""
    program = guests.program
    made = []

    def make(name, what):
        calls = program.write("calls", "")
        made.append(guests.tool(name, READER.format(calls=calls, what=what)))
        return calls
    with open(os.path.join(program.root, "image.png"), "wb") as file:
        file.write(PNG)
    yield make
    for path in made:
        os.remove(path)


def pasted(guests):
    folder = os.path.join(guests.home("blog"), ".cache/machine/paste")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def refused(guests, display, status):
    before = pasted(guests)
    result = guests.program.run("paste", "blog", env=display, status=status)
    assert result.out == "" and pasted(guests) == before, said(result)
    return result.err


@pytest.mark.parametrize("name, display, called", [
    ("wl-paste", WAYLAND, "--no-newline --type image/png"),
    ("wl-paste", {**X11, **{"WAYLAND_DISPLAY": "w"}}, "--no-newline --type image/png"),
    ("xclip", X11, "-selection clipboard -target image/png -out"),
    ("xclip", {**WAYLAND, "DISPLAY": ":0"}, "-selection clipboard -target image/png -out"),
])
def test_the_image_is_a_file_in_the_guest_and_its_path_is_printed(guests, reader, name, display, called):
    calls = reader(name, f"cat {guests.program.root}/image.png")
    path = guests.program.run("paste", "blog", env=display).out.rstrip("\n")
    assert re.fullmatch(r"/home/dev/\.cache/machine/paste/\d{4}-\d\d-\d\d-\d{6}-\d{3}\.png", path)
    with open(path.replace("/home/dev", guests.home("blog")), "rb") as file:
        assert file.read() == PNG
    assert guests.program.read(calls) == f"{guests.program.root}/fake/{name} {called}\n"


def test_each_one_has_a_name_of_its_own(guests, reader):
    reader("xclip", f"cat {guests.program.root}/image.png")
    before = len(pasted(guests))
    value = guests.program.json("paste", "blog", env=X11)
    assert (value["name"], value["bytes"]) == ("blog", len(PNG)) and value["path"].endswith(".png")
    guests.program.run("paste", "blog", env=X11)
    assert len(pasted(guests)) == before + 2


def test_a_stopped_vm_is_started(guests, reader):
    reader("xclip", f"cat {guests.program.root}/image.png")
    guests.program.run("down", "blog")
    assert guests.program.run("paste", "blog", env=X11).out.endswith(".png\n")


@pytest.mark.parametrize("what", ["echo 'Error: target image/png not available' >&2; exit 1", "exit 1", "true"])
def test_no_image_is_said(guests, reader, what):
    reader("xclip", what)
    err = refused(guests, X11, 4)
    assert "the clipboard has no image" in err and "take a screenshot" in err
    assert ("target image/png not available" in err) == ("target" in what)


def test_what_is_no_png_is_refused(guests, reader):
    reader("wl-paste", "echo '<svg/>'")
    assert "what 'wl-paste' gave is not a PNG image" in refused(guests, WAYLAND, 1)


def test_too_large_an_image_is_refused(guests, reader):
    reader("wl-paste", f"head -c 9 {guests.program.root}/image.png; head -c 33554432 /dev/zero")
    assert "more than 32 MiB" in refused(guests, WAYLAND, 1)


def test_a_clipboard_that_does_not_answer_is_given_up(guests, reader):
    reader("wl-paste", "exec sleep 600")
    assert "has not given the image within 10 seconds" in refused(guests, WAYLAND, 1)


@pytest.mark.parametrize("display, words, hint", [
    (WAYLAND, "'wl-paste', which reads the clipboard, is not installed", "apt install wl-clipboard"),
    (X11, "'xclip', which reads the clipboard, is not installed", "apt install xclip"),
    ({"WAYLAND_DISPLAY": "", "DISPLAY": ""}, "there is no clipboard here", "a terminal of your desktop"),
])
def test_a_missing_program_is_named_with_its_package(guests, display, words, hint):
    few = {**display, "PATH": f"{guests.program.root}/few"}
    err = refused(guests, few, 1)
    assert words in err and hint in err


def test_without_an_image_no_vm_is_started(guests, reader):
    guests.program.run("down", "blog")
    reader("xclip", "exit 1")
    refused(guests, X11, 4)
    assert guests.program.json("status", "blog")["state"] == "stopped"


def test_an_unknown_vm_is_an_error(guests, reader):
    reader("xclip", f"cat {guests.program.root}/image.png")
    assert "no project or VM 'blo'" in guests.program.run("paste", "blo", env=X11, status=4).err
