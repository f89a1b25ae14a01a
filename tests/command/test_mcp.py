"""`machine mcp`: the protocol, by raw lines, and what needs no VM. Its tools in a guest: test_mcp_tools.py. By the official client
library: test_mcp_library.py."""

import json
import os
import signal
import subprocess
import threading
import time

import pytest
import records
from mcp_client import MODERN, Client, failure, found, meta
from program import PATIENCE, said

TOOLS = ["list", "status", "up", "run", "read_file", "write_file", "diff", "logs", "egress"]
READERS = {"list", "status", "read_file", "diff", "logs", "egress"}


@pytest.fixture
def client(program):
    """A server that may use two projects without a VM."""
    program.projects("[blog]\n[shop]\n[secret]\n")
    with Client(program, "--allow", "blog", "-a", "shop") as client:
        yield client


# --- what it is started with


def test_without_a_name_and_without_a_checkout_it_does_not_start(program):
    result = program.run("mcp", status=2)
    assert result.out == "" and "machine mcp --allow NAME" in result.err, said(result)


def test_the_vm_default_is_not_meant_by_saying_nothing(program):
    records.write(program.state, "default")
    assert program.run("mcp", status=2).out == ""


def test_a_checkout_that_is_not_trusted_does_not_count(program, checkout):
    result = program.run("mcp", cwd=checkout, status=3)
    assert result.out == "" and "machine trust" in result.err, said(result)


def test_the_project_of_a_trusted_checkout_is_the_one(program, checkout):
    program.run("trust", "--yes", cwd=checkout)
    with Client(program, cwd=checkout) as client:
        assert [vm["name"] for vm in found(client.call("list"))["vms"]] == ["blog"]


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "x" * 41])
def test_a_name_that_can_be_none_is_refused_at_the_start(program, name):
    assert program.run("mcp", f"--allow={name}", status=None).status in (2, 3)


def test_it_ends_with_its_input_and_says_nothing(program):
    result = program.run("mcp", "--allow", "blog", input="")
    assert (result.out, result.err) == ("", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(program, number):
    with Client(program, "--allow", "blog") as client:
        client.ask("server/discover")
        client.child.send_signal(number)
        assert client.child.wait(timeout=10 * PATIENCE) == 0


def test_it_ends_when_nobody_reads(program):
    child = program.start("mcp", "--allow", "blog", stdin=subprocess.PIPE)
    child.stdout.close()
    child.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": meta()}).encode() + b"\n")
    child.stdin.flush()
    assert child.wait(timeout=10 * PATIENCE) == 0
    child.stdin.close()
    child.stderr.close()


# --- the revision without sessions


def test_discover_says_what_there_is(client):
    result = client.ask("server/discover")
    assert result["supportedVersions"] == [MODERN] and result["resultType"] == "complete"
    assert result["capabilities"] == {"tools": {}} and result["cacheScope"] == "private" and result["ttlMs"] > 0
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "machine"
    assert "blog, shop" in result["instructions"]


def test_each_request_stands_for_itself(client):
    """Nothing has to come before it."""
    assert client.ask("tools/list")["resultType"] == "complete"
    assert client.refused("ping")["code"] == -32601
    assert client.refused("frobnicate")["code"] == -32601


@pytest.mark.parametrize("params, code", [
    ({}, -32602),
    ({"_meta": {}}, -32602),
    ({"_meta": {"io.modelcontextprotocol/protocolVersion": 7, "io.modelcontextprotocol/clientCapabilities": {}}}, -32602),
    ({"_meta": {"io.modelcontextprotocol/protocolVersion": MODERN}}, -32602),
    (meta("1900-01-01"), -32022),
    (meta("2025-11-25"), -32022),
])
def test_a_request_without_its_revision_is_refused(client, params, code):
    client.send({"jsonrpc": "2.0", "id": "a", "method": "tools/list", "params": params})
    error = client.response("a")["error"]
    assert error["code"] == code
    if code == -32022:
        version = params["_meta"]["io.modelcontextprotocol/protocolVersion"]
        assert error["data"] == {"supported": [MODERN], "requested": version}


def test_a_subscription_is_acknowledged_as_empty_and_over(client):
    number = client.request("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
    told = client.message()
    key = "io.modelcontextprotocol/subscriptionId"
    assert told["method"] == "notifications/subscriptions/acknowledged"
    assert told["params"] == {"_meta": {key: number}, "notifications": {}}
    assert client.response(number)["result"]["_meta"][key] == number


# --- the revisions with sessions


def initialize(client, version):
    return client.ask("initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}, modern=False)


@pytest.mark.parametrize("version", ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])
def test_a_session_follows_the_revision_that_was_asked_for(client, version):
    result = initialize(client, version)
    assert result["protocolVersion"] == version and result["capabilities"] == {"tools": {}}
    assert result["serverInfo"]["name"] == "machine" and "resultType" not in result
    client.notify("notifications/initialized")
    assert client.ask("ping", modern=False) == {}
    listed = client.ask("tools/list", modern=False)
    assert [tool["name"] for tool in listed["tools"]] == TOOLS and "ttlMs" not in listed
    assert client.refused("server/discover", modern=False)["code"] == -32601


@pytest.mark.parametrize("version", [MODERN, "1900-01-01", "x"])
def test_a_session_gets_the_newest_revision_when_it_asks_for_another(client, version):
    assert initialize(client, version)["protocolVersion"] == "2025-11-25"


def test_both_eras_are_served_side_by_side(client):
    initialize(client, "2025-06-18")
    assert "resultType" in client.ask("tools/list") and "resultType" not in client.ask("tools/list", modern=False)


def test_a_list_of_messages_is_answered_by_a_list_where_there_are_lists(client):
    batch = [{"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"jsonrpc": "2.0", "method": "notifications/initialized"}, 7,
             {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "list"}}]
    client.send(batch)
    assert client.message()["error"]["code"] == -32600
    initialize(client, "2025-03-26")
    client.send(batch)
    answers = {answer["id"]: answer for answer in client.message()}
    assert set(answers) == {1, 2, None} and answers[1]["result"] == {} and not answers[2]["result"]["isError"]
    client.send([])
    assert client.message()["error"]["code"] == -32600


# --- lines


@pytest.mark.parametrize("line, code", [
    ("{", -32700), ("no JSON", -32700), ('{"a": "\\u0000"}', -32700), ("[" * 3000, -32700), (b'{"a": "\xff"}', -32700),
    ('{"a": 1, "a": 2}', -32700), ("{}", -32600), ("7", -32700), ("[]", -32600), ('{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600),
    ('{"jsonrpc": "2.0", "id": 1}', -32600), ('{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
    ('{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', -32600), ('{"jsonrpc": "2.0", "id": 1, "method": 7}', -32600),
    ('{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', -32602),
])
def test_a_line_that_is_no_message_is_answered_and_the_next_one_is_too(client, line, code):
    client.write((line if isinstance(line, bytes) else line.encode()) + b"\n")
    assert client.message()["error"]["code"] == code
    assert client.ask("server/discover")


@pytest.mark.parametrize("line", ["", "  \r", '{"jsonrpc": "2.0", "id": 1, "result": {}}', '{"jsonrpc": "2.0", "id": 1, "error": {}}',
                                  '{"jsonrpc": "2.0", "method": "frobnicate"}',
                                  '{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}}',
                                  '{"jsonrpc": "2.0", "method": "notifications/cancelled"}'])
def test_a_line_that_asks_for_nothing_is_not_answered(client, line):
    client.write(f"{line}\n")
    number = client.request("server/discover")
    assert client.message()["id"] == number


def test_a_line_that_comes_in_pieces_is_one_message(client):
    text = json.dumps({"jsonrpc": "2.0", "id": 5, "method": "ping"}).encode() + b"\r\n"
    for byte in text:
        client.write(bytes([byte]))
    assert client.message() == {"jsonrpc": "2.0", "id": 5, "result": {}}


def test_a_line_without_an_end_is_skipped(client):
    for _ in range(9):
        client.write(b"x" * (1 << 20))
    client.write(b"\n")
    error = client.message()["error"]
    assert error["code"] == -32600 and "8388608 bytes" in error["message"]
    assert client.ask("server/discover")


def test_a_flood_is_answered_line_by_line(client):
    """Its answers are read only later: the server waits, and does not grow."""
    count = 2000
    text = "".join(json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/list", "params": meta()}) + "\n" for number in range(count))
    writer = threading.Thread(target=client.write, args=(text,))
    writer.start()
    time.sleep(1)
    with open(f"/proc/{client.child.pid}/statm") as file:
        before = int(file.read().split()[1])
    seen = {client.message()["id"] for _ in range(count)}
    writer.join()
    assert seen == set(range(count)) and before * os.sysconf("SC_PAGESIZE") < 600 << 20


# --- tools


def test_the_tools_say_what_they_do(client):
    tools = {tool["name"]: tool for tool in client.ask("tools/list")["tools"]}
    assert list(tools) == TOOLS
    for name, tool in tools.items():
        hints, schema = tool["annotations"], tool["inputSchema"]
        assert tool["title"] and len(tool["description"]) > 60 and tool["outputSchema"]["type"] == "object"
        assert hints["readOnlyHint"] == (name in READERS) and hints["destructiveHint"] == (name in ("run", "write_file"))
        assert hints["openWorldHint"] == (name in ("run", "up"))
        assert schema["additionalProperties"] is False and all(entry.get("description") for entry in schema["properties"].values())
        if name != "list":
            assert schema["properties"]["vm"]["enum"] == ["blog", "shop"] and "vm" in schema["required"]


def test_no_tool_is_about_what_only_a_person_may_do(client):
    names = " ".join(tool["name"] for tool in client.ask("tools/list")["tools"])
    assert not any(word in names for word in ("destroy", "rebuild", "secret", "trust", "allow", "key", "rule", "config", "ssh"))


def test_an_unknown_tool_is_an_error_of_the_protocol(client):
    error = client.refused("tools/call", {"name": "destroy", "arguments": {}})
    assert error["code"] == -32602 and ", ".join(TOOLS) in error["message"]
    assert client.refused("tools/call", {})["code"] == -32602
    assert client.refused("tools/call", {"name": "list", "arguments": []})["code"] == -32602
    assert client.refused("tools/list", {"cursor": "x"})["code"] == -32602


@pytest.mark.parametrize("tool, arguments, words", [
    ("status", {}, "'vm' is missing"),
    ("status", {"vm": 7}, "'vm' must be a text"),
    ("status", {"vm": "secret"}, "may not use a VM 'secret'"),
    ("run", {"vm": "\x1b[31m", "command": "true"}, "'\\x1b[31m'"),
    ("status", {"vm": "blog", "deep": True}, "no argument 'deep'"),
    ("list", {"vm": "blog"}, "no argument 'vm'"),
    ("run", {"vm": "blog", "command": 7}, "'command' must be a text"),
    ("run", {"vm": "blog", "argv": []}, "'argv' must be a list"),
    ("run", {"vm": "blog", "argv": ["a", 1]}, "'argv' must be a list of texts"),
    ("run", {"vm": "blog", "command": "x" * 40000}, "at most 32768"),
    ("run", {"vm": "blog", "command": "true", "timeout_seconds": 0}, "from 1 to 86400"),
    ("run", {"vm": "blog", "command": "true", "timeout_seconds": "10"}, "from 1 to 86400"),
    ("run", {"vm": "blog"}, "either 'command' or 'argv'"),
    ("run", {"vm": "blog", "command": "true", "argv": ["true"]}, "not both"),
    ("read_file", {"vm": "blog"}, "'path' is missing"),
    ("logs", {"vm": "blog", "previous": "yes"}, "'previous' must be true or false"),
    ("write_file", {"vm": "blog", "path": "x"}, "either 'content' or 'content_base64'"),
    ("write_file", {"vm": "blog", "path": "x", "content_base64": "?"}, "not base64"),
    ("logs", {"vm": "blog"}, "no VM 'blog'"),
    ("egress", {"vm": "blog"}, "no VM 'blog'"),
    ("run", {"vm": "blog", "command": "true"}, "no VM 'blog'"),
])
def test_a_wrong_argument_is_told_to_the_model(client, tool, arguments, words):
    assert words in failure(client.call(tool, **arguments))


def test_list_shows_the_named_vms_and_no_other(program):
    records.write(program.state, "blog")
    records.write(program.state, "secret")
    records.without_copy(program.state, "torn")
    program.write("state/machine/vms/torn/vm.json", "{")
    program.projects("[secret-too]\n")
    with Client(program, "--allow", "nothing", "--allow", "blog") as client:
        result = client.call("list")
    assert [(vm["name"], vm["state"]) for vm in found(result)["vms"]] == [("nothing", "absent"), ("blog", "absent")]
    assert "secret" not in json.dumps(result) and "torn" not in json.dumps(result)
    assert json.loads(result["content"][0]["text"]) == found(result)


def test_without_a_vm_status_says_so(client):
    assert found(client.call("status", vm="blog"))["state"] == "absent"


def test_two_clients_have_their_own_vms(program):
    program.projects("[blog]\n[shop]\n")
    with Client(program, "--allow", "blog") as one, Client(program, "--allow", "shop") as two:
        assert [vm["name"] for vm in found(one.call("list"))["vms"]] == ["blog"]
        assert [vm["name"] for vm in found(two.call("list"))["vms"]] == ["shop"]
        assert "may not use" in failure(one.call("status", vm="shop"))


def test_a_worker_that_dies_takes_no_other_with_it(program, client):
    program.projects("[blog]\n[shop]\n")
    lock = program.start("mcp-tool", "status", stdin=subprocess.PIPE)
    number = client.begin("list")
    assert not client.response(number)["result"]["isError"]
    lock.kill()
    lock.communicate()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"vms": ["blog"]}', '{"arguments": {}}'])
def test_a_worker_by_hand_says_who_starts_it(program, text):
    result = program.run("mcp-tool", "list", input=text, status=1)
    assert "machine mcp" in result.err and result.out == "", said(result)


def test_a_worker_takes_no_request_without_an_end(program):
    result = program.run("mcp-tool", "list", input=" " * (20 << 20), status=None)
    assert result.status == 1 and "the request is longer than" in result.err and result.out == "", said(result)


def test_a_worker_checks_for_itself_which_vms_it_may_use(program):
    program.projects("[blog]\n[shop]\n")
    result = program.run("mcp-tool", "status", input='{"vms": ["blog"], "arguments": {"vm": "shop"}}')
    assert "may not use" in failure(json.loads(result.out)["result"])
