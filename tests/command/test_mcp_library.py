"""`machine mcp` as the official client library sees it, in both eras of the protocol. The library checks each message, and each tool's
result against the tool's own schema."""

import json

import mcp_library
import pytest
from fake_guest import FakeGuests
from program import Program

PROJECT = 'engine = "lima"\ncpus = 1\nmemory = "1GiB"\ndisk = "6GiB"\nshell = "bash"\n'

# Arguments: MACHINE MODE. The environment is the server's. Prints what the library made of it, as JSON.
SCRIPT = """
import json, os, sys
import anyio
from mcp import Client, StdioServerParameters

async def main(machine, mode):
    server = StdioServerParameters(command=machine, args=["mcp", "--allow", "blog"], env=dict(os.environ))
    said, told = {}, []
    async with Client(server, mode=mode) as client:
        said["version"] = client.protocol_version
        said["server"] = client.server_info.name
        said["instructions"] = client.instructions
        tools = (await client.list_tools()).tools
        said["tools"] = {tool.name: tool.annotations.read_only_hint for tool in tools}

        async def on_progress(progress, total, message):
            told.append([progress, message])

        async def call(name, **arguments):
            result = await client.call_tool(name, arguments, progress_callback=on_progress)
            said.setdefault("calls", []).append([name, result.is_error, result.structured_content, result.content[0].text])

        await call("list")
        await call("up")
        await call("status")
        await call("run", command="echo out; echo err >&2; exit 3")
        await call("write_file", path="a.txt", content="x")
        await call("read_file", path="a.txt")
        await call("run", command="git init -q . && git add a.txt")
        await call("diff")
        await call("logs")
        await call("egress")
        await call("run", command="true", vm="shop")
        slow = []
        async with anyio.create_task_group() as group:
            async def wait():
                await client.call_tool("run", {"command": "sleep 600"})
                slow.append("answered")
            group.start_soon(wait)
            await anyio.sleep(1)
            await call("run", argv=["echo", "quick"])
            group.cancel_scope.cancel()
        said["slow"] = slow
        said["told"] = told
    print(json.dumps(said))

anyio.run(main, *sys.argv[1:])
"""


@pytest.fixture(scope="module")
def program():
    program = Program().without_recipe()
    try:
        FakeGuests(program)
        program.projects(f"[blog]\n{PROJECT}[shop]\n")
        yield program
    finally:
        program.run("destroy", "blog", "--yes", "--discard-work", status=None)
        program.clean_up()


def ask(program, mode):
    child = program.start(mcp_library.python(), "-c", SCRIPT, program.machine, mode)
    result = program.finish(child, timeout=120)
    assert result.status == 0, result.err
    return json.loads(result.out)


@pytest.mark.parametrize("mode, version", [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
def test_every_tool_is_called(program, mode, version):
    said = ask(program, mode)
    assert (said["version"], said["server"]) == (version, "machine") and "blog" in said["instructions"]
    assert len(said["tools"]) == 9 and said["tools"]["list"] and not said["tools"]["run"]
    calls = said["calls"]
    assert [(name, failed) for name, failed, _, _ in calls if failed] == [("run", True)], calls
    values = {name: value for name, _, value, _ in calls[:-2]}
    assert values["list"]["vms"][0]["name"] == "blog" and values["up"]["how"] in ("created", "running")
    assert calls[3][2]["exit_status"] == 3 and (calls[3][2]["stdout"], calls[3][2]["stderr"]) == ("out\n", "err\n")
    assert values["read_file"]["content"] == "x" and "a.txt" in values["diff"]["diff"] and values["logs"]["lines"]
    assert "may not use a VM 'shop'" in calls[-2][3] and calls[-1][2]["stdout"] == "quick\n"
    assert said["slow"] == [] and any("out" in message for _, message in said["told"])


def test_after_all_that_no_process_is_left(program):
    program.run("down", "blog")
    program.assert_no_processes()
