"""machine-keys between a real ssh-agent with three keys and OpenSSH's own clients and servers."""

import contextlib
import getpass
import os
import signal
import socket
import struct
import subprocess

import pytest
from agent import make_key, read_record, ssh_agent
from program import MACHINE, wait_until

KEYS = os.path.join(os.path.dirname(MACHINE), "../libexec/machine/machine-keys")


@pytest.fixture
def place(program):
    """A folder with a short path: a socket's path has at most 107 bytes."""
    return program.folder("k")


@pytest.fixture
def agent(program, place):
    """The socket of an agent with the keys one, two and three."""
    keys = [make_key(f"{place}/{name}", f"{name} key") for name in ("one", "two", "three")]
    with ssh_agent(f"{place}/agent", *keys) as path:
        for key in keys:
            os.unlink(key)
        yield path


def mark(place, name):
    return subprocess.run(["ssh-keygen", "-l", "-f", f"{place}/{name}.pub"], check=True, capture_output=True, text=True).stdout.split()[1]


def through(place, *command, options=(), agent=None, status=0, **how):
    result = subprocess.run([KEYS, f"--agent={agent or place + '/agent'}", f"--socket={place}/s", f"--log={place}/log", *options, "--", *command],
                            capture_output=True, text=True, timeout=60, **how)
    assert status is None or result.returncode == status, result
    return result


def log(place):
    return read_record(f"{place}/log")


def shown(place, **how):
    return sorted(line.split(" ", 2)[2].rsplit(" ", 1)[0] for line in through(place, "ssh-add", "-l", **how).stdout.splitlines())


def test_without_a_selection_all_keys_are_there(place, agent):
    assert shown(place) == ["one key", "three key", "two key"]


def test_only_the_selected_ones_are_seen(place, agent):
    assert shown(place, options=[f"--key={mark(place, 'two')}"]) == ["two key"]
    assert shown(place, options=["--comment=three key", f"--key={mark(place, 'one')}"]) == ["one key", "three key"]
    assert "no identities" in through(place, "ssh-add", "-l", options=["--key=none"], status=1).stdout


def sign(place, name, **how):
    with open(f"{place}/text", "w") as file:
        file.write("text\n")
    if os.path.exists(f"{place}/text.sig"):
        os.unlink(f"{place}/text.sig")
    return through(place, "ssh-keygen", "-Y", "sign", "-n", "git", "-f", f"{place}/{name}.pub", f"{place}/text", **how)


def test_a_selected_key_signs_and_another_does_not(place, agent):
    only = [f"--key={mark(place, 'one')}"]
    sign(place, "one", options=only)
    with open(f"{place}/signers", "w") as file, open(f"{place}/one.pub") as key:
        file.write(f"jane {key.read()}")
    with open(f"{place}/text") as text:
        subprocess.run(["ssh-keygen", "-Y", "verify", "-n", "git", "-I", "jane", "-f", f"{place}/signers", "-s", f"{place}/text.sig"],
                       stdin=text, check=True, capture_output=True)
    assert sign(place, "two", options=only, status=None).returncode != 0
    entries = [entry for entry in log(place) if entry["request"] == "signature"]
    assert entries[0]["key"] == mark(place, "one") and entries[0]["what"] == "git" and entries[0]["verdict"] == "done"
    assert all(entry["verdict"] != "done" for entry in log(place) if entry.get("key") == mark(place, "two"))


@pytest.mark.parametrize("command", [["-D"], ["-d", "one.pub"], ["-x"], ["-X"], ["new"], ["-s", "/usr/lib/x.so"]])
def test_nothing_changes_the_agent(place, agent, command):
    make_key(f"{place}/new", "new")
    with open(f"{place}/askpass", "w") as file:
        file.write("#!/bin/sh\necho secret\n")
    os.chmod(f"{place}/askpass", 0o700)
    environment = {**os.environ, "SSH_ASKPASS": f"{place}/askpass", "SSH_ASKPASS_REQUIRE": "force"}
    assert through(place, "ssh-add", *command, cwd=place, env=environment, status=None, input="").returncode != 0
    assert shown(place) == ["one key", "three key", "two key"]
    assert any(entry["verdict"] == "refused" for entry in log(place))


def test_it_lives_as_long_as_its_program_and_ends_with_its_status(place, agent):
    assert through(place, "sh", "-c", "test -S $SSH_AUTH_SOCK && stat -c %a $SSH_AUTH_SOCK", status=0).stdout == "600\n"
    through(place, "sh", "-c", "exit 7", status=7)
    assert not os.path.exists(f"{place}/s")
    child = subprocess.Popen([KEYS, f"--agent={place}/agent", f"--socket={place}/s", f"--log={place}/log", "--", "sleep", "600"])
    wait_until(lambda: os.path.exists(f"{place}/s"), 10, "the socket")
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=30) == 128 + signal.SIGTERM
    assert not os.path.exists(f"{place}/s")


def test_no_agent_and_one_that_was_started_again(place, agent):
    assert through(place, "ssh-add", "-l", agent=f"{place}/none", status=None).returncode != 0
    # One connection, before and after the agent is started again.
    script = """
import os, socket, struct
def ask(s):
    s.sendall(struct.pack(">IB", 1, 11))
    head = s.recv(4, socket.MSG_WAITALL)
    return s.recv(struct.unpack(">I", head)[0], socket.MSG_WAITALL)[0]
s = socket.socket(socket.AF_UNIX); s.connect(os.environ["SSH_AUTH_SOCK"])
print(ask(s), flush=True)
input()
print(ask(s), flush=True)
print(ask(s), flush=True)
"""
    child = subprocess.Popen([KEYS, f"--agent={place}/link", f"--socket={place}/s", f"--log={place}/log", "--", "python3", "-c", script],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    # The link leads first to no agent, then to one.
    assert child.stdout.readline() == "5\n"
    os.symlink(agent, f"{place}/link")
    child.stdin.write("\n")
    child.stdin.flush()
    assert child.stdout.readline() == "12\n"
    assert child.wait(timeout=30) == 0


def test_a_guest_that_means_harm_is_let_go_and_others_are_served(place, agent):
    child = subprocess.Popen([KEYS, f"--agent={place}/agent", f"--socket={place}/s", f"--log={place}/log", "--", "sleep", "600"])
    try:
        wait_until(lambda: os.path.exists(f"{place}/s"), 10, "the socket")

        def connect():
            client = socket.socket(socket.AF_UNIX)
            client.connect(f"{place}/s")
            client.settimeout(30)
            return client

        with connect() as client:
            client.sendall(struct.pack(">I", 1 << 20))
            assert client.recv(1) == b""
        slow = connect()
        slow.sendall(b"\0\0")
        for _ in range(1000):
            connect().close()
        held = [connect() for _ in range(100)]
        for client in held:
            client.close()

        def is_served():
            with connect() as client, contextlib.suppress(ConnectionError):
                client.sendall(struct.pack(">IB", 1, 11))
                return client.recv(5)[4:] == b"\x0c"

        # This works as soon as machine-keys has seen that the others have gone.
        wait_until(is_served, 30, "another is served")
        # The slow client's message is still accepted when it comes.
        slow.sendall(b"\0\1\x0b")
        assert slow.recv(5)[4] == 12
        slow.close()
    finally:
        child.terminate()
        child.wait(timeout=30)


@pytest.fixture
def asked(place):
    """A stand-in for the program that asks a person: it records each question, and answers with what is in a file."""
    with open(f"{place}/ask", "w") as file:
        file.write(f"#!/bin/sh\necho $$ >{place}/pid\nprintf '%s %s\\n' \"$SSH_ASKPASS_PROMPT\" \"$1\" >>{place}/asked\ncat {place}/wait 2>/dev/null && exec sleep 600\nexit $(cat {place}/decision)\n")
    os.chmod(f"{place}/ask", 0o700)

    def decide(status):
        with open(f"{place}/decision", "w") as file:
            file.write(str(status))

    decide(0)
    return decide


def questions(place):
    try:
        with open(f"{place}/asked") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def confirming(place, *command, options=(), **how):
    return through(place, *command, options=["--confirm=blog", *options], env={**os.environ, "SSH_ASKPASS": f"{place}/ask", "PATH": "/usr/bin:/bin"}, **how)


def sign_confirmed(place, name, **how):
    if os.path.exists(f"{place}/text.sig"):
        os.unlink(f"{place}/text.sig")
    with open(f"{place}/text", "w") as file:
        file.write("text\n")
    return confirming(place, "ssh-keygen", "-Y", "sign", "-n", "git", "-f", f"{place}/{name}.pub", f"{place}/text", **how)


def test_a_yes_signs_and_says_for_what(place, agent, asked):
    sign_confirmed(place, "one")
    (question,) = questions(place)
    assert question == f"confirm VM 'blog' wants a signature for 'git', using the key {mark(place, 'one')}. Allow it?"
    assert os.path.exists(f"{place}/text.sig")


def test_a_list_asks_nobody(place, agent, asked):
    assert "one key" in confirming(place, "ssh-add", "-l").stdout
    assert questions(place) == []


@pytest.mark.parametrize("status", [1, 255])
def test_a_no_signs_nothing_and_holds_for_a_while(place, agent, asked, status):
    asked(status)
    script = f"for i in 1 2 3; do ssh-keygen -Y sign -n git -f {place}/one.pub {place}/text; done"
    with open(f"{place}/text", "w") as file:
        file.write("text\n")
    confirming(place, "sh", "-c", script, status=None)
    assert not os.path.exists(f"{place}/text.sig")
    assert len(questions(place)) == 1
    reasons = [(entry["reason"], entry.get("count")) for entry in log(place) if entry["request"] == "signature"]
    assert reasons == [("not confirmed", None), ("not confirmed a moment ago", None), ("not confirmed a moment ago", 1)]


def test_without_a_program_to_ask_by_nothing_is_signed(place, agent):
    with open(f"{place}/text", "w") as file:
        file.write("text\n")
    through(place, "ssh-keygen", "-Y", "sign", "-n", "git", "-f", f"{place}/one.pub", f"{place}/text", options=["--confirm=blog"],
            env={**os.environ, "SSH_ASKPASS": "/nowhere/askpass"}, status=None)
    assert [entry["reason"] for entry in log(place)] == ["no program to ask with: set SSH_ASKPASS"]


def test_a_question_goes_with_who_asked_and_another_is_not_opened_beside_it(place, agent, asked):
    """Two ask at once, then the first goes away."""
    with open(f"{place}/wait", "w"):
        pass
    with open(f"{place}/text", "w") as file:
        file.write("text\n")
    with open(f"{place}/text2", "w") as file:
        file.write("text\n")
    script = (f"ssh-keygen -Y sign -n git -f {place}/one.pub {place}/text & first=$!; while [ ! -e {place}/asked ]; do sleep 0.1; done; "
              f"ssh-keygen -Y sign -n git -f {place}/two.pub {place}/text2; kill $first; wait; while kill -0 $(cat {place}/pid) 2>/dev/null; do sleep 0.1; done")
    result = confirming(place, "sh", "-c", script, status=None)
    assert len(questions(place)) == 1
    assert [entry["reason"] for entry in log(place) if entry["verdict"] == "refused"] == ["another question is open", "withdrawn"]
    assert not os.path.exists(f"{place}/text2.sig") and result.returncode == 0


@contextlib.contextmanager
def sshd(place, name, kind=("ed25519",)):
    """Runs a server with its own host key, where the key `two` may log in, and yields its port."""
    make_key(f"{place}/{name}", name, kind)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True) if os.geteuid() == 0 else None
    child = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", "none", "-p", str(port), "-h", f"{place}/{name}", "-o", "ListenAddress=127.0.0.1",
                              "-o", f"AuthorizedKeysFile={place}/two.pub", "-o", "StrictModes=no", "-o", "PidFile=none", "-o", "UsePAM=no",
                              "-o", "AllowAgentForwarding=yes"], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port), 20, f"the server {name}")
        yield port
    finally:
        child.kill()
        child.wait()


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


SSH = "ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"


def push(place, port, **how):
    return through(place, "git", "-C", f"{place}/work", "push", "-q", f"ssh://127.0.0.1:{port}{place}/bare.git", "HEAD:main",
                   env={**os.environ, "GIT_SSH_COMMAND": SSH}, **how)


def test_a_log_in_is_asked_about_as_well(place, agent, asked):
    with sshd(place, "forge") as forge:
        def log_in(status, *options):
            confirming(place, "sh", "-c", f"{SSH} -p {forge} 127.0.0.1 true", options=[f"--key={mark(place, 'two')}", *options], status=status)

        log_in(0, f"--host={mark(place, 'forge')}=forge.example.org")
        log_in(0)
        asked(1)
        log_in(255)
    wants = f"confirm VM 'blog' wants to log in as '{getpass.getuser()}' on "
    using = f", using the key {mark(place, 'two')}. Allow it?"
    unnamed = f"{wants}the host with the key {mark(place, 'forge')}{using}"
    assert questions(place) == [f"{wants}forge.example.org{using}", unnamed, unnamed]
    assert [entry["verdict"] for entry in log(place) if entry["request"] == "login"] == ["done", "done", "refused"]


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521", "rsa -b 2048"])
def test_a_key_pushes_to_the_host_it_is_for_and_to_no_other(place, agent, kind):
    subprocess.run(["git", "init", "-q", "--bare", f"{place}/bare.git"], check=True)
    subprocess.run(["git", "init", "-q", f"{place}/work"], check=True)
    subprocess.run(["git", "-C", f"{place}/work", "-c", "user.name=Jane", "-c", "user.email=jane@example.org", "-c", "commit.gpgSign=false",
                    "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    with sshd(place, "forge", kind.split()) as forge, sshd(place, "evil", kind.split()) as evil:
        options = [f"--key={mark(place, 'two')}", f"--host={mark(place, 'forge')}=forge.example.org"]
        push(place, forge, options=options)
        assert push(place, evil, options=options, status=None).returncode != 0
        seen = [entry for entry in log(place) if entry["request"] != "bind"]
        assert [(entry["verdict"], entry.get("name"), entry.get("reason")) for entry in seen] == [
            ("done", "forge.example.org", None), ("refused", None, "not one of its hosts")]
        assert [entry["host"] for entry in seen] == [mark(place, "forge"), mark(place, "evil")]
        # It can't be used from there to log in to the next host either, though that host can be reached.
        there = f"{SSH} -p {evil} 127.0.0.1 true"
        result = through(place, "sh", "-c", f"{SSH} -A -p {forge} 127.0.0.1 '{there}'", options=options, status=None)
        assert result.returncode != 0
        assert log(place)[-1]["verdict"] == "refused"
        # Without --host the key works for all hosts.
        push(place, evil, options=options[:1])
