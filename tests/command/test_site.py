"""The sessions that the site shows are what the program says: those on the commands' pages, and the recordings that need no VM.

A session is site/examples/COMMAND.txt: lines that begin with "$ " are commands, the others what they print. Surroundings are made by the
function of that name here. To write the files anew after a change: MACHINE_WRITE_EXAMPLES=1 make test T=on_the_page_of_a_command
"""

import json
import os
import re
import subprocess

import pytest
import records
from program import MACHINE, ROOT

FOLDER = os.path.join(ROOT, "site/examples")
PROJECTS = """[blog]
repos = ["https://example.org/jane/blog.git"]
profiles = ["web"]
cpus = 2
memory = "4GiB"
ports = [3000]
"""
RECIPE = '[apt]\npackages = ["build-essential", "jq"]\n'
PROFILE = """[profile]
summary = "what the web projects need"

[npm_global]
packages = ["typescript"]

[[shell]]
name = "settings"
cmd = "echo EDITOR=hx >>/etc/environment"
"""


def projects(jane):
    jane.write("home/.config/machine/projects.toml", PROJECTS)
    jane.write("home/.config/machine/provision.toml", RECIPE)
    jane.write("home/.config/machine/profiles/web/profile.toml", PROFILE)


def stopped_vm(jane):
    projects(jane)
    records.write(jane.state, "blog", shell="zsh", profiles=["web"], repos=["https://example.org/jane/blog.git"],
                  ports=[{"host": 8000, "guest": 8000}])


def checkout(jane):
    jane.git("init", "--quiet", "shop", cwd=jane.home)
    jane.write("home/shop/go.mod", "module shop\n")


def trusted(jane):
    checkout(jane)
    jane.write("home/shop/.machine.toml", 'repos = ["."]\nprofiles = ["go"]\n')


def mistakes(jane):
    jane.write("home/.config/machine/projects.toml",
               '[blog]\nrepo = ["https://example.org/jane/blog.git"]\nmemory = "4 gigs"\nports = [3000, 70000]\n')


# Command -> (what makes its surroundings, the folder in which it runs, below the home)
SESSIONS = {
    "audit": (projects, ""), "down": (stopped_vm, ""), "init": (checkout, "shop"), "list": (stopped_vm, ""), "lock": (projects, ""),
    "plan": (projects, ""), "profile": (projects, ""), "rename": (stopped_vm, ""), "status": (stopped_vm, ""), "trust": (trusted, "shop"),
    "up": (projects, ""), "validate": (mistakes, ""),
}


@pytest.fixture
def jane(program):
    """The program with its folders where they are for everybody: below the home."""
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "MACHINE_SSH_DIR"):
        program.environment.pop(name)
    program.state = os.path.join(program.home, ".local/state")
    program.environment["NO_COLOR"] = "1"
    return program


def session(jane, text, folder):
    """Runs the commands of a session, one after the other, and returns what a terminal would have shown."""
    out = []
    for command in re.findall(r"(?m)^\$ (.*)$", text):
        done = subprocess.run(["/bin/sh", "-c", command], cwd=os.path.join(jane.home, folder), env=jane.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        out.append(f"$ {command}\n{done.stdout}")
    said = "".join(out).replace(jane.home, "/home/jane")
    return re.sub(r"(?m)[ \t]+$", "", said)


def test_each_session_has_its_surroundings():
    assert {name.removesuffix(".txt") for name in os.listdir(FOLDER)} == set(SESSIONS)


@pytest.mark.parametrize("command", SESSIONS)
def test_the_session_on_the_page_of_a_command_is_what_it_says(jane, command):
    path = os.path.join(FOLDER, f"{command}.txt")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    make, folder = SESSIONS[command]
    make(jane)
    said = session(jane, text, folder)
    assert f"$ machine {command}" in said
    if os.environ.get("MACHINE_WRITE_EXAMPLES"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(said)
    assert said == text or os.environ.get("MACHINE_WRITE_EXAMPLES")


def recorded(path, folder):
    """What a recording shows, without its times and the folder it was made in."""
    with open(path, encoding="utf-8") as file:
        header, *events = [json.loads(line) for line in file]
    text = "".join(event[2] for event in events)
    times = [event[0] for event in events]
    assert times == sorted(times) and header["version"] == 2
    return header["title"], text.replace(folder, "FOLDER")


def test_the_recording_of_a_refused_checkout_is_what_the_program_says(program):
    folder = os.path.join(program.root, "cast")
    made = program.run(os.path.join(ROOT, "tools/site/cast"), "--root", os.path.dirname(os.path.dirname(MACHINE)), "--out", program.root,
                       "--folder", folder, "refused-checkout").out.strip()
    now = recorded(made, folder)
    assert "it names a program that git would run" in now[1]
    assert not os.path.exists(folder)
    assert now == recorded(os.path.join(ROOT, "site/casts/refused-checkout.cast"), "/tmp/machine-cast")


def test_a_recording_leaves_a_folder_alone_that_is_not_its_own(program):
    program.write("mine/file", "text\n")
    result = program.run(os.path.join(ROOT, "tools/site/cast"), "--root", os.path.dirname(os.path.dirname(MACHINE)), "--out", program.root,
                         "--folder", os.path.join(program.root, "mine"), "refused-checkout", status=1)
    assert "was not made for a recording" in result.err
    assert program.read("mine/file") == "text\n"
