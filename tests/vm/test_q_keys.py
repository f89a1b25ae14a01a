"""A guest and the ssh agent: a real one with three keys, of which the project lends one."""

import os

import pytest
from agent import make_key, ssh_agent
from conftest import SMALL, surroundings
from program import wait_until


@pytest.fixture(scope="module")
def program(data):
    with surroundings(data=data) as program:
        folder = program.folder("k")
        with ssh_agent(f"{folder}/agent", *[make_key(f"{folder}/{name}", f"{name} key") for name in ("one", "two", "three")]) as agent:
            program.environment["SSH_AUTH_SOCK"] = agent
            program.projects(f"[box]\nforward_agent = true\nkeys = [\"{folder}/two.pub\"]\n{SMALL}")
            yield program


def public(program, name):
    return program.read(f"k/{name}.pub").strip()


def test_the_guest_sees_the_one_key(program, box):
    assert box.sh("ssh-add -L") == public(program, "two") + "\n"


def sign(box, key, **how):
    return box.run("sh", "-c", f"cd && rm -f t.sig && echo t >t && echo '{key}' >k.pub && ssh-keygen -Y sign -n git -f k.pub t && cat t.sig", **how)


def test_it_signs_by_that_one_and_by_no_other(program, box):
    assert "BEGIN SSH SIGNATURE" in sign(box, public(program, "two")).out
    assert "BEGIN SSH SIGNATURE" not in sign(box, public(program, "one"), status=None).out
    seen = program.json("keys", "box")
    assert [(entry["request"], entry["what"]) for entry in seen if entry["verdict"] == "done" and entry["request"] != "bind"] == [("signature", "git")]
    assert "signature" in program.run("keys", "box").out


@pytest.mark.parametrize("command", ["ssh-add -D", "ssh-add -d k.pub", "ssh-keygen -q -t ed25519 -N '' -f new && ssh-add new"])
def test_it_changes_nothing(program, box, command):
    box.run("sh", "-c", f"cd && rm -f new new.pub && {command}", status=None)
    assert box.sh("ssh-add -L") == public(program, "two") + "\n"
    assert any(entry["verdict"] == "refused" for entry in program.json("keys", "box"))


def test_a_log_in_is_made_by_that_key_alone(program, box):
    """The guest logs in to itself: an sshd is all that this takes."""
    box.sh("sudo sh -c 'cat >>/etc/ssh/authorized_keys/$0' $(id -un)", input=public(program, "two") + "\n")
    ssh = "ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes 127.0.0.1 echo in"
    assert box.sh(ssh) == "in\n"
    done = [entry for entry in program.json("keys", "box") if entry["request"] == "login" and entry["verdict"] == "done"]
    assert done and done[-1]["what"] == box.sh("id -un").strip() and done[-1]["host"].startswith("SHA256:")


def test_without_a_session_nothing_answers(program, box):
    """What a session leaves running has no agent once that has ended."""
    box.sh("(sleep 2; ssh-add -l >~/later 2>&1; echo $? >>~/later) >/dev/null 2>&1 &")
    wait_until(lambda: len(box.sh("cat ~/later 2>/dev/null || true").split("\n")) > 2, 60, "the guest's try")
    assert box.sh("tail -n 1 ~/later").strip() == "2"
    assert not [name for name in os.listdir(f"{program.runtime}/machine/box") if name.startswith("keys-")]


def test_ones_own_ssh_lends_no_agent_then(program, box):
    with open(f"{program.ssh}/config.d/machine") as file:
        assert "ForwardAgent no" in file.read()
