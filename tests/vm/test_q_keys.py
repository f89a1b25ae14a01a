"""A guest and the ssh agent: a real agent with three keys; the project lends one of them. The git servers are real sshds in the test's
network namespace, at addresses that stand for public ones."""

import json
import os

import lab as lab_module
import pytest
from agent import make_key, ssh_agent
from conftest import SMALL, Vm, surroundings
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
    """The guest logs in to itself: any sshd will do."""
    box.sh("sudo sh -c 'cat >>/etc/ssh/authorized_keys/$0' $(id -un)", input=public(program, "two") + "\n")
    ssh = "ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes 127.0.0.1 echo in"
    assert box.sh(ssh) == "in\n"
    done = [entry for entry in program.json("keys", "box") if entry["request"] == "login" and entry["verdict"] == "done"]
    assert done and done[-1]["what"] == box.sh("id -un").strip() and done[-1]["host"].startswith("SHA256:")


def test_without_a_session_nothing_answers(program, box):
    """A process that a session leaves running has no agent after the session has ended."""
    box.sh("(sleep 2; ssh-add -l >~/later 2>&1; echo $? >>~/later) >/dev/null 2>&1 &")
    wait_until(lambda: len(box.sh("cat ~/later 2>/dev/null || true").split("\n")) > 2, 60, "the guest's try")
    assert box.sh("tail -n 1 ~/later").strip() == "2"
    assert not [name for name in os.listdir(f"{program.runtime}/machine/box") if name.startswith("keys-")]


def test_ones_own_ssh_lends_no_agent_then(program, box):
    with open(f"{program.ssh}/config.d/machine") as file:
        assert "ForwardAgent no" in file.read()


@pytest.fixture(scope="module")
def pusher(data, lab):
    """A VM that may log in only to the lab's git server, by the one key of three that this server accepts; and the port of another
    server."""
    lab.repo("pushed")
    with surroundings(data=data) as program:
        folder = program.folder("k")
        keys = [make_key(f"{folder}/{name}", name) for name in ("one", "three")] + [lab.user_key]
        program.write("ssh/known_hosts", lab.known_hosts)
        with ssh_agent(f"{folder}/agent", *keys) as agent:
            program.environment["SSH_AUTH_SOCK"] = agent
            program.projects(f"[pusher]\nrepos = []\nforward_agent = true\nkeys = ['{lab.user_key}.pub']\n"
                             f"key_hosts = ['{lab_module.PUBLIC}:2222']\n{SMALL}")
            vm = Vm(program, "pusher")
            vm.up()
            yield vm, lab.start_stranger()


def push_to(vm, lab, port):
    ssh = "ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
    script = (f"export GIT_SSH_COMMAND='{ssh}'; rm -rf pushed && git init -q pushed && cd pushed && "
              "git -c user.name=Jane -c user.email=jane@example.org -c commit.gpgSign=false commit -q --allow-empty -m from-the-guest && "
              f"git push -q ssh://{lab.login}@{lab_module.PUBLIC}:{port}{lab.repos}/pushed.git HEAD:refs/heads/port-{port}")
    return vm.run("sh", "-c", script, status=None)


def test_a_push_works_to_the_host_the_key_is_for_fails_to_another_and_both_are_logged(pusher, lab):
    vm, stranger = pusher
    assert push_to(vm, lab, 2222).status == 0
    refused = push_to(vm, lab, stranger)
    assert refused.status != 0 and "Permission denied" in refused.err
    logins = [entry for entry in vm.program.json("keys", "pusher") if entry["request"] in ("login", "refused", "other") and "key" in entry]
    assert (logins[0]["verdict"], logins[0]["name"]) == ("done", f"[{lab_module.PUBLIC}]:2222")
    assert (logins[-1]["verdict"], logins[-1]["reason"]) == ("refused", "not one of its hosts")
    shown = vm.program.run("keys", "pusher").out
    assert f"[{lab_module.PUBLIC}]:2222" in shown and "not one of its hosts" in shown


def test_what_comes_is_followed(pusher, lab):
    vm, _ = pusher
    child = vm.program.start("keys", "pusher", "--follow", "--json", text=True)
    try:
        while json.loads(child.stdout.readline()).get("reason") != "not one of its hosts":
            pass
        push_to(vm, lab, 2222)
        entry = json.loads(child.stdout.readline())
        while entry["request"] != "login":
            entry = json.loads(child.stdout.readline())
        assert entry["verdict"] == "done" and entry["name"] == f"[{lab_module.PUBLIC}]:2222"
    finally:
        child.kill()
        child.wait()


def test_once_the_session_is_over_nothing_is_pushed(pusher, lab):
    vm, _ = pusher
    vm.sh(f"(sleep 2; cd ~/pushed; GIT_SSH_COMMAND='ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null' "
          f"git push ssh://{lab.login}@{lab_module.PUBLIC}:2222{lab.repos}/pushed.git HEAD:refs/heads/later >~/later 2>&1; echo $? >>~/later) "
          ">/dev/null 2>&1 &")
    wait_until(lambda: vm.sh("tail -n 1 ~/later 2>/dev/null || true").strip().isdigit(), 60, "the guest's try")
    assert "Permission denied" in vm.sh("cat ~/later")


def findings(program, name):
    result = program.run("audit", name, "--json")
    return {entry["id"]: (entry["verdict"], entry["detail"]) for entry in json.loads(next(
        line for line in result.out.splitlines() if line.startswith("[")))}


def test_the_audit_tries_a_hidden_key_and_a_strange_host(pusher):
    vm, _ = pusher
    seen = findings(vm.program, "pusher")
    assert seen["lent-keys"] == ("held", "1 of the agent's 3 keys are shown, a signature by another is refused")
    assert seen["key-hosts"][0] == "held" and "refused, with a forged proof and without" in seen["key-hosts"][1]


def test_what_the_configuration_opens_is_said_to_be_open(program, box):
    seen = findings(program, "box")
    assert seen["lent-keys"][0] == "held"
    assert seen["key-hosts"][0] == "open"
