"""`machine mcp` with a real guest: what only a real one has. The rest: tests/command/test_mcp_tools.py."""

import os
import time

import mcp_library
import pytest
from agent import make_key, ssh_agent
from mcp_client import Client, failure, found, meta
from program import wait_until

LIBRARY = """
import os, sys
import anyio
from mcp import Client, StdioServerParameters

async def main(machine):
    async with Client(StdioServerParameters(command=machine, args=["mcp", "--allow", "blog"], env=dict(os.environ))) as client:
        result = await client.call_tool("run", {"argv": ["hostname"]})
        print(client.protocol_version, result.structured_content["stdout"].strip())

anyio.run(main, sys.argv[1])
"""


@pytest.fixture
def client(blog):
    with Client(blog.program, "--allow", "blog") as client:
        yield client


@pytest.fixture
def mark():
    """A time to sleep that no other test has."""
    return f"600.{os.getpid()}{time.monotonic_ns()}"


def sleepers(vm, mark):
    return vm.sh(f"pgrep -fx 'sleep {mark}' || true").split()


def test_the_official_library_runs_a_command(blog):
    result = blog.program.run(mcp_library.python(), "-c", LIBRARY, blog.program.machine)
    assert result.out == "2026-07-28 blog\n"


def test_a_command_runs_in_the_guest_and_in_the_projects_folder(blog, client):
    result = found(client.call("run", command="hostname; pwd; id -un; sudo id -un; echo err >&2; exit 3"))
    folder = "/home/dev/code/blog" if blog.sh("ls -d ~/code/blog 2>/dev/null || true") else "/home/dev"
    assert result["stdout"].split() == ["blog", folder, "dev", "root"]
    assert (result["exit_status"], result["stderr"]) == (3, "err\n")


def test_much_output_is_cut_in_its_middle(client):
    result = found(client.call("run", command="seq 1000000; echo end", max_output_bytes=4096))
    assert result["stdout"].startswith("1\n2\n") and result["stdout"].endswith("1000000\nend\n")
    left_out = result["stdout_left_out"]
    first, last = result["stdout"].split(f"\n[… {left_out} bytes are left out here …]\n")
    assert len(first) + left_out + len(last) == 6888896 + 4


def test_files_are_written_and_read_and_no_link_leads_out(client):
    client.call("run", command="git init -q probe && git -C probe commit -q --allow-empty -m first")
    assert found(client.call("write_file", path="probe/x/y.txt", content="Grüße\n"))["created"]
    assert found(client.call("read_file", path="probe/x/y.txt"))["content"] == "Grüße\n"
    client.call("run", folder="probe", command="ln -s /etc/passwd out; ln -s /etc out.d")
    for path in ("probe/out", "probe/out.d/passwd", "/etc/passwd", "../../../etc/passwd"):
        assert "is not in the folder" in failure(client.call("read_file", path=path))
    assert found(client.call("run", command="git add -A && git status --short", folder="probe"))["stdout"].count("A  ") == 3
    client.call("run", command="rm -rf probe")


def test_a_cancelled_command_ends_in_the_guest(blog, client, mark):
    number = client.begin("run", command=f"trap '' HUP TERM; (trap '' HUP TERM; sleep {mark}; true) & sleep {mark}")
    wait_until(lambda: len(sleepers(blog, mark)) == 2, 60, "the command runs")
    client.notify("notifications/cancelled", requestId=number)
    wait_until(lambda: not sleepers(blog, mark), 20, "it has ended in the guest")
    assert not blog.program.processes("mcp-tool") and found(client.call("run", command="true"))["exit_status"] == 0


def test_a_command_whose_time_is_up_ends_in_the_guest(blog, client, mark):
    assert found(client.call("run", command=f"sleep {mark}", timeout_seconds=2))["timed_out"]
    wait_until(lambda: not sleepers(blog, mark), 20, "it has ended in the guest")


def test_what_a_command_left_behind_ends_with_it_when_its_end_is_that_nobody_reads(blog, client, mark):
    assert found(client.call("run", command=f"sleep {mark} & yes", timeout_seconds=2))["timed_out"]
    wait_until(lambda: not sleepers(blog, mark), 20, "it has ended in the guest")


@pytest.mark.parametrize("how", ["close", "kill"])
def test_the_end_of_the_server_ends_its_commands_in_the_guest(blog, mark, how):
    client = Client(blog.program, "--allow", "blog")
    client.begin("run", command=f"sleep {mark}")
    wait_until(lambda: sleepers(blog, mark), 60, "the command runs")
    if how == "kill":
        client.child.kill()
    client.close()
    wait_until(lambda: not sleepers(blog, mark) and not blog.program.processes("mcp-tool"), 20, "it has ended in the guest")


def test_what_is_left_in_the_background_lives_on_after_the_call(blog, client, mark):
    client.call("run", command=f"nohup sleep {mark} >/dev/null 2>&1 </dev/null & true")
    assert len(sleepers(blog, mark)) == 1
    blog.sh(f"pkill -fx 'sleep {mark}'")


def test_no_call_lends_the_agent(make):
    """Also where the project says that sessions do."""
    box = make("box", "forward_agent = true\n")
    key = make_key(f"{box.program.root}/key", "a key")
    with ssh_agent(f"{box.program.root}/agent", key) as path:
        box.program.environment["SSH_AUTH_SOCK"] = path
        box.up()
        assert box.sh("ssh-add -l").count("\n") == 1
        with Client(box.program, "--allow", "box") as client:
            result = found(client.call("run", command="ssh-add -l; echo \"[$SSH_AUTH_SOCK]\""))
    assert result["stdout"] == "[]\n"


def test_a_vm_is_made_by_a_call(make):
    box = make("box")
    with Client(box.program, "--allow", "box") as client:
        number = client.request("tools/call", {"name": "up", **meta(progressToken=7)})
        assert found(client.response(number, 300)["result"])["how"] in ("restored", "created")
        assert [message for message in client.kept if message.get("method") == "notifications/progress"]
        assert found(client.call("run", argv=["hostname"]))["stdout"] == "box\n"
        assert found(client.call("status"))["state"] == "running"


def test_what_was_refused_is_shown(client):
    def is_there():
        return any(line["verdict"] == "refused" and line["address"] == "192.168.77.7" for line in found(client.call("egress"))["connections"])
    client.call("run", command="curl -s --max-time 5 http://192.168.77.7/")
    wait_until(is_there, 20, "it is written down")
