"""Ctrl-C in a command that builds: what it says, what it ends, and what it leaves. The builder is a stand-in."""

import json
import os
import signal
import time

import pytest
import records
from builder import Builder
from program import said, wait_until

# A quiet machine takes less than two seconds; the half minute of mmdebstrap's own tidying must not come into it.
AT_ONCE = 10


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def layers_in(program):
    folder = os.path.join(program.environment["XDG_DATA_HOME"], "machine/layers")
    return [name for name in os.listdir(folder) if not name.endswith(".lock")]


@pytest.fixture
def builder(program):
    program.without_recipe().projects('[blog]\nengine = "qemu"\ncold = true\n')
    return Builder(program)


def start_building(builder, *args):
    child = builder.program.start(*args)
    wait_until(builder.is_at_work, 60, "the image is being built")
    return child


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["INT", "TERM", "HUP"])
def test_up_says_what_it_does_ends_its_children_and_says_what_goes_on(program, builder, number):
    child = start_building(builder, "up", "blog")
    apt, began = builder.child(), time.monotonic()
    child.send_signal(number)
    result = program.finish(child)
    assert time.monotonic() - began < AT_ONCE, said(result)
    assert result.status == 130, said(result)
    lines = result.err.splitlines()
    assert "Stopping. Ctrl-C again ends it at once." in lines
    assert lines[-2:] == ["machine: stopped before it was done", "  hint: 'machine up blog' goes on from there"], said(result)
    assert any(line.startswith("[base] stopped after ") for line in lines), said(result)
    assert not any("warning" in line or "mmdebstrap" in line for line in lines[lines.index("[base] building the base image"):]), said(result)
    assert os.path.exists(builder.told), "the builder was asked first"
    assert not lives(apt)
    assert layers_in(program) == []


def test_the_next_up_says_what_it_really_does(program, builder):
    child = start_building(builder, "up", "blog")
    child.send_signal(signal.SIGINT)
    program.finish(child)
    os.remove(builder.pid)
    assert [step["step"] for step in program.json("plan", "blog")][:2] == ["discard", "create"]
    child = start_building(builder, "up", "blog")
    child.send_signal(signal.SIGINT)
    result = program.finish(child)
    assert "removing VM" not in result.err and "clearing away the unfinished VM 'blog'" in result.err, said(result)


def test_a_second_ctrl_c_ends_it_at_once(program, builder):
    child = start_building(builder, "up", "blog", "--json")
    apt = builder.child()
    child.send_signal(signal.SIGINT)
    # The builder takes its time to end, so the second comes while the first is still being followed.
    assert any("Stopping." in json.loads(line).get("text", "") for line in child.stdout)
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=60) in (-signal.SIGINT, 130)
    wait_until(lambda: not lives(apt), 20, "apt has ended")


@pytest.mark.parametrize("args, again", [(["bake"], "machine bake"), (["rebuild", "--yes", "blog"], "machine up blog")],
                         ids=lambda value: value[0] if isinstance(value, list) else "")
def test_other_commands_that_build_are_stopped_in_the_same_way(program, builder, args, again):
    child = start_building(builder, *args, "--json")
    child.send_signal(signal.SIGINT)
    result = program.finish(child)
    assert result.status == 130, said(result)
    last = [json.loads(line) for line in result.out.splitlines()][-1]
    assert (last["event"], last["kind"], last["hint"]) == ("error", "interrupted", f"'{again}' goes on from there")
    ends = [event for event in map(json.loads, result.out.splitlines()) if event["event"] == "end"]
    assert ends and all(event["outcome"] == "stopped" for event in ends), said(result)


def test_waiting_for_another_command_is_stopped_too(program, builder):
    first = start_building(builder, "up", "blog")
    second = program.start("up", "blog")
    assert b"busy" in second.stderr.readline()
    second.send_signal(signal.SIGINT)
    result = program.finish(second)
    assert result.status == 130 and result.seconds < AT_ONCE, said(result)
    assert first.poll() is None
    first.send_signal(signal.SIGINT)
    program.finish(first)


def test_what_is_ignored_stays_ignored(program, builder):
    """As under nohup: the build goes on when the terminal is closed."""
    child = start_building(builder, "/bin/sh", "-c", "trap '' HUP; exec machine bake")
    child.send_signal(signal.SIGHUP)
    time.sleep(1)
    assert child.poll() is None
    builder.let_go()
    result = program.finish(child)
    assert result.status == 0, said(result)
    assert len(layers_in(program)) == 1


# --- what others see meanwhile

def test_a_vm_that_is_being_made_is_said_to_be(program, builder):
    child = start_building(builder, "up", "blog")
    entry, = program.json("list")
    assert entry["state"] == "creating"
    assert " creating " in program.run("list").out
    assert program.json("status", "blog")["state"] == "creating"
    shown = program.run("status", "blog").out
    assert shown.startswith("blog: creating (") and "another 'machine' command is making it" in shown and "half" not in shown
    check, = [check for check in program.json("doctor", status=None) if check["name"] == "VM blog"]
    assert check["status"] == "ok" and "another 'machine' command is making it" in check["detail"], check
    child.send_signal(signal.SIGKILL)
    program.finish(child)
    wait_until(lambda: program.json("list")[0]["state"] == "absent", 60, "nobody makes it any more")
    check, = [check for check in program.json("doctor", status=None) if check["name"] == "VM blog"]
    assert check["status"] == "warning" and check["detail"] == "half made", check


def test_a_layer_that_is_being_built_is_said_to_be_and_never_taken(program, builder):
    child = start_building(builder, "bake")
    layer, = program.json("layers")
    assert (layer["kind"], layer["about"], layer["needed"]) == ("building", "being built", True)
    result = program.run("prune", "--all", "--yes")
    assert "is being built, and stays" in result.err, said(result)
    assert program.json("prune", "--all", "--dry-run") == []
    assert [layer["kind"] for layer in program.json("layers")] == ["building"]
    builder.let_go()
    result = program.finish(child)
    assert result.status == 0, said(result)
    layer, = program.json("layers")
    assert layer["kind"] == "base"


def test_a_lock_file_alone_says_nothing(program):
    """Files outlive their commands. Only a lock that is held counts."""
    records.write(program.state, "blog", intent="create")
    program.write("state/machine/vms/blog.lock", "")
    program.write(f"data/machine/layers/{'d' * 64}.tmp-1/disk.qcow2", "x")
    program.write(f"data/machine/layers/{'d' * 64}.lock", "")
    assert program.json("list")[0]["state"] == "absent"
    layer, = program.json("layers")
    assert (layer["kind"], layer["about"]) == ("unfinished", "left by a build that was interrupted")
    program.run("prune", "--yes")
    assert program.json("layers") == []
