"""What editors do with the host machine-NAME, replayed. The editors themselves can't be run here.

Real are ssh's options and what goes through the connection, as the editors' logs and sources have them:

- VS Code's Remote-SSH logs `ssh -v -T -D PORT -o ConnectTimeout=15 HOST`, and without its local server `ssh -T -D PORT HOST bash`
  ("Running ssh connection command"); `-F FILE` where remote.SSH.configFile is set. It writes a script to stdin, which downloads and
  starts a server on 127.0.0.1, prints "listeningOn==…==" and stays. The window then connects to that port through the SOCKS proxy.
- Zed starts a master (crates/remote/src/transport/ssh.rs): `ssh -N -o ControlPersist=no -o ControlMaster=yes -o ControlPath=S HOST`,
  and everything else over it with `-o ControlMaster=no`: `cd; uname -sm`, an upload by sftp, and its server's stdin and stdout.

Replayed are the servers: a few lines of Perl and sh that the test serves. paramiko and asyncssh are the libraries of scripts and of
smaller editors; they get the files that `machine` writes, and nothing else."""

import contextlib
import gzip
import json
import os
import socket
import subprocess

import lab as lab_module
import pytest
from agent import make_key, ssh_agent
from conftest import SMALL, Vm, surroundings
from program import free_port, wait_until

NAME = "my-editor"
HOST = f"machine-{NAME}"
TIMEOUT = "ConnectTimeout=15"

SERVER = """use strict; use warnings; use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 5) or die;
$| = 1;
print "Extension host agent listening on ", $server->sockport, "\\n";
while (my $client = $server->accept) {
        while (my $line = <$client>) { last if $line =~ /^\\r?\\n$/ }
        print $client "HTTP/1.0 200 OK\\r\\nContent-Length: 7\\r\\n\\r\\nserver\\n";
        close $client;
}
"""

BOOTSTRAP = f"""
folder=$HOME/.vscode-server
mkdir -p "$folder"
echo 'abc123: running'
[ -e "$folder/server" ] || curl -fsS -o "$folder/server" http://{lab_module.PUBLIC}:8000/vscode-server || exit 25
if [ ! -e "$folder/pid" ] || ! kill -0 "$(cat "$folder/pid")" 2>/dev/null; then
        perl "$folder/server" >"$folder/log" 2>&1 </dev/null &
        echo $! >"$folder/pid"
        until grep -q listening "$folder/log"; do sleep 0.1; done
fi
echo 'abc123: start'
echo "listeningOn==127.0.0.1:$(sed -n 's/.*listening on //p' "$folder/log")=="
echo 'abc123: end'
while read -r line; do echo "got $line"; done
"""


@pytest.fixture(scope="module")
def editor(data, lab):
    """A VM that may reach its repos and the server's download, and nothing else. ssh's files are in ~/.ssh, as a user has them."""
    urls = [lab.repo("editor-one"), lab.repo("editor.two")]
    with open(os.path.join(lab.folder, "web/vscode-server"), "w") as file:
        file.write(SERVER)
    with surroundings(data=data) as program:
        program.environment["MACHINE_SSH_DIR"] = program.folder("home/.ssh")
        program.projects(f"[{NAME}]\nrepos = {urls}\negress = 'allow'\nallow = ['@git', '{lab_module.PUBLIC}/32:8000']\n{SMALL}")
        vm = Vm(program, NAME)
        vm.up()
        yield vm


@pytest.fixture
def vm(editor):
    editor.up()
    return editor


def config(vm):
    """What ~/.ssh/config includes. ssh takes ~ from passwd, so the tests name the file, as remote.SSH.configFile does."""
    return os.path.join(vm.program.home, ".ssh/config.d/machine")


@contextlib.contextmanager
def remote_ssh(vm, *command, verbose=()):
    """A window of VS Code: gives ssh's process, its SOCKS port, and the port that the server in the guest has."""
    port = free_port()
    argv = ["/usr/bin/ssh", *verbose, "-T", "-D", str(port), "-F", config(vm), "-o", TIMEOUT, HOST, *command]
    child = vm.program.start(*argv, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        child.stdin.write(BOOTSTRAP.encode())
        child.stdin.flush()
        said = b""
        while b"abc123: end" not in said:
            line = child.stdout.readline()
            assert line, f"ssh has ended after {said}"
            said += line
        yield child, port, int(said.split(b"listeningOn==127.0.0.1:")[1].split(b"==")[0])
    finally:
        child.stdin.close()
        child.wait(timeout=600)


def through_socks(port, guest):
    """Fetches a page from the guest's 127.0.0.1 through the proxy (RFC 1928)."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(b"\5\1\0")
        assert connection.recv(2) == b"\5\0"
        connection.sendall(b"\5\1\0\1\x7f\0\0\1" + guest.to_bytes(2, "big"))
        answer = connection.recv(10)
        assert answer[:2] == b"\5\0", answer
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        page = b""
        while more := connection.recv(4096):
            page += more
        return page


@pytest.mark.parametrize("command, verbose", [((), ["-v"]), (["bash"], []), (["sh"], [])], ids=["local server", "bash", "sh"])
def test_vs_code_starts_its_server_and_reaches_it(vm, command, verbose):
    with remote_ssh(vm, *command, verbose=verbose) as (child, port, guest):
        assert through_socks(port, guest).endswith(b"\r\n\r\nserver\n")
        child.stdin.write(b"ping\n")
        child.stdin.flush()
        assert child.stdout.readline() == b"got ping\n"
    assert child.returncode == 0


def test_two_windows_at_once_share_the_server_and_not_the_connection(vm):
    with remote_ssh(vm, "bash") as (first, port, guest):
        with remote_ssh(vm, "bash") as (second, other_port, same):
            assert same == guest
            assert through_socks(other_port, guest) == through_socks(port, guest)
        assert second.returncode == 0
        # The end of one window ends nothing of the other.
        assert first.poll() is None
        assert through_socks(port, guest).endswith(b"server\n")


def test_an_editor_that_asks_for_the_agent_gets_none(vm):
    """-A counts more than ForwardAgent. Without our IdentityAgent it would be lent."""
    folder = vm.program.folder("k")
    ask = ["-A", "-T", "-F", config(vm), HOST, "ssh-add -l"]
    with ssh_agent(f"{folder}/agent", make_key(f"{folder}/one", "one key")) as agent:
        env = {"SSH_AUTH_SOCK": agent}
        assert vm.program.run("/usr/bin/ssh", *ask, env=env, status=2).out == ""
        assert "one key" in vm.program.run("/usr/bin/ssh", "-o", "IdentityAgent=SSH_AUTH_SOCK", *ask, env=env).out


@pytest.mark.long
def test_a_stopped_vm_is_there_for_an_editor_that_waits_fifteen_seconds(vm):
    """ssh's limit counts from when `machine proxy` has handed it the connection."""
    vm.machine("down")
    with remote_ssh(vm, "bash") as (_, port, guest):
        assert through_socks(port, guest).endswith(b"server\n")
    assert vm.state() == "running"


def test_zed_uploads_its_server_and_talks_to_it(vm, tmp_path):
    binary = "#!/bin/sh\nread -r line\necho \"server got $line\"\n"
    (tmp_path / "server.gz").write_bytes(gzip.compress(binary.encode()))
    control = os.path.join(vm.program.folder("zed"), "ssh.sock")
    master = vm.program.start("/usr/bin/ssh", "-F", config(vm), "-N", "-o", "ControlPersist=no", "-o", "ControlMaster=yes", "-o",
                              f"ControlPath={control}", f"ssh://{HOST}", env={"SSH_ASKPASS_REQUIRE": "force", "SSH_ASKPASS": "/bin/false"})
    try:
        wait_until(lambda: os.path.exists(control), 60, "Zed's master has connected")
        over = ["-F", config(vm), "-o", "ControlMaster=no", "-o", f"ControlPath={control}"]

        def ssh(command, **how):
            return vm.program.run("/usr/bin/ssh", *over, f"ssh://{HOST}", "-T", command, **how).out

        assert ssh("cd; uname -sm").startswith("Linux ")
        assert ssh("cd; sh -c 'echo $SHELL'") == "/bin/bash\n"
        ssh("cd; mkdir -p .zed_server")
        vm.program.run("/usr/bin/sftp", *over, "-b", "-", HOST, input=f"put {tmp_path}/server.gz .zed_server/server.gz\n")
        ssh("cd; sh -c 'gunzip -f .zed_server/server.gz && chmod 755 .zed_server/server'")
        assert ssh("cd; env .zed_server/server proxy --identifier x", input="hello\n") == "server got hello\n"
    finally:
        master.terminate()
        master.communicate(timeout=600)
    assert not os.path.exists(control)


def test_the_command_hands_the_editor_a_host_and_a_folder_that_are_there(vm):
    """A stand-in for VS Code takes its argument apart and looks at the folder by ssh."""
    path = vm.program.write("bin/code", "#!/bin/sh\naddress=${1#--folder-uri=vscode-remote://ssh-remote+}\n"
                            f"exec /usr/bin/ssh -F '{config(vm)}' \"${{address%%/*}}\" \"cd '/${{address#*/}}' && pwd && cat README\"\n")
    os.chmod(path, 0o700)
    env = {"PATH": f"{os.path.dirname(path)}:{vm.program.environment['PATH']}"}
    home = vm.sh("echo $HOME").strip()
    assert vm.machine("code", env=env).out == f"{home}/code/editor-one\neditor-one\n"
    assert vm.machine("code", "--repo", "editor.two", env=env).out == f"{home}/code/editor.two\neditor.two\n"


def python(vm, script, *args, **how):
    return vm.program.run("/usr/bin/python3", "-W", "ignore", "-c", script, HOST, os.path.join(vm.program.home, ".ssh"), *args, **how)


PARAMIKO = """
import sys, paramiko
host, folder, pinned = sys.argv[1:]
config = paramiko.SSHConfig.from_path(f"{folder}/config.d/machine").lookup(host)
client = paramiko.SSHClient()
if pinned == "pinned":
        client.load_host_keys(config["userknownhostsfile"])
client.connect(config["hostname"], username=config["user"], key_filename=config["identityfile"], allow_agent=False, look_for_keys=False,
               sock=paramiko.ProxyCommand(config["proxycommand"]))
print(client.exec_command("hostname")[1].read().decode(), end="")
sftp = client.open_sftp()
with sftp.open("by-paramiko", "w") as file:
        file.write("by paramiko")
print(sftp.stat("by-paramiko").st_size)
client.close()
"""


def test_paramiko_follows_our_file(vm):
    """It knows no Include and no HostKeyAlias: it is given the included file, and finds the host's key by HostName."""
    pytest.importorskip("paramiko", reason="python3-paramiko is not installed")
    assert python(vm, PARAMIKO, "pinned").out == f"{NAME}\n11\n"
    assert vm.sh("cat ~/by-paramiko") == "by paramiko"


def test_paramiko_refuses_a_host_key_that_is_not_pinned(vm):
    pytest.importorskip("paramiko", reason="python3-paramiko is not installed")
    assert f"Server '{HOST}' not found in known_hosts" in python(vm, PARAMIKO, "unpinned", status=1).err


ASYNCSSH = """
import asyncio, sys, asyncssh
host, folder = sys.argv[1:]

async def main():
        async with asyncssh.connect(host, config=[f"{folder}/config"]) as connection:
                print((await connection.run("hostname", check=True)).stdout, end="")
                async with connection.start_sftp_client() as sftp:
                        async with sftp.open("by-asyncssh", "w") as file:
                                await file.write("by asyncssh")
                        print((await sftp.stat("by-asyncssh")).size)

asyncio.run(main())
"""


def test_asyncssh_follows_the_users_file(vm):
    """It knows Include, ProxyCommand, HostKeyAlias and the rest; ~ is HOME."""
    pytest.importorskip("asyncssh", reason="python3-asyncssh is not installed")
    assert python(vm, ASYNCSSH).out == f"{NAME}\n11\n"
    assert vm.sh("cat ~/by-asyncssh") == "by asyncssh"


def test_asyncssh_refuses_another_host_key(vm):
    pytest.importorskip("asyncssh", reason="python3-asyncssh is not installed")
    other = ASYNCSSH.replace("config=[", "known_hosts=asyncssh.import_known_hosts(''), config=[")
    assert "Host key is not trusted" in python(vm, other, status=1).err


def test_what_editors_leave_in_the_guest_is_no_work(vm):
    folders = (".vscode-server", ".cursor-server", ".zed_server", ".local/share/zed")
    vm.sh(f"cd && mkdir -p {' '.join(folders)} && touch mine {' '.join(f'{folder}/x' for folder in folders)}")
    found = [json.loads(line) for line in vm.machine("destroy", "--yes", "--json", status=7).out.splitlines()]
    work = str(next(entry["work"] for entry in found if "work" in entry))
    assert "mine" in work and not [folder for folder in folders if folder in work]
