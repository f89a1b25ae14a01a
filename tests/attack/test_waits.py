"""A guest answers without end, or a little at a time for ever. The command that asked still ends within a limit, and says which VM it
was. The test's own program runs in place of ssh and sends such an answer faster than any guest."""

import re
import signal
import time

import pytest
from program import wait_until

FLOOD = "exec yes 'x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x'"
DRIP = "trap '' HUP INT TERM PIPE; while :; do echo x; sleep 0.2; done"
# What watch.sh sends to `egress --learn --follow`.
TELL = "echo ready; exec yes \"$(printf 'name\\tevil\\tevil.example.org\\nconnect\\tevil\\t198.51.100.9:443')\""
TELL_SLOWLY = "trap '' HUP INT TERM PIPE; echo ready; while :; do printf 'name\\tevil\\tevil.example.org\\n'; sleep 0.2; done"


@pytest.fixture
def answer(program, box):
    """Makes an environment in which a shell script answers whatever the guest is asked."""
    def answer(script):
        path = program.write("bin/ssh", f"#!/bin/sh\n{script}\n")
        program.run("/bin/chmod", "755", path)
        return {"PATH": f"{program.root}/bin:{program.environment['PATH']}"}
    return answer


def of_status(child, name):
    with open(f"/proc/{child.pid}/status") as status:
        return re.search(rf"{name}:\s+(\w+)", status.read()).group(1)


def catches(child, number):
    """A thread waits for the signal, and all others have it blocked."""
    return int(of_status(child, "SigBlk"), 16) >> (number - 1) & 1


@pytest.mark.parametrize("tell", [TELL, TELL_SLOWLY], ids=["a flood", "a drip"])
def test_ctrl_c_ends_the_watching_of_a_guest_that_tells_without_end(program, answer, tell):
    child = program.start("egress", "box", "--learn", "--follow", "--quiet", env=answer(tell))
    wait_until(lambda: catches(child, signal.SIGINT), 60, "it watches")
    time.sleep(2)
    memory = int(of_status(child, "VmHWM")) << 10
    child.send_signal(signal.SIGINT)
    result = program.finish(child, timeout=30)
    assert result.status == 0 and result.out.startswith("egress = \"allow\""), result
    assert len(result.out) < 100_000 and memory < 64 << 20


@pytest.mark.parametrize("argv", [["agent", "box", "--list"], ["audit", "box"], ["secrets", "box", "--clear"], ["destroy", "box"]],
                         ids=lambda argv: argv[0])
def test_an_answer_without_end_is_an_error(program, box, answer, argv):
    result = program.run(*argv, status=None, timeout=60, env=answer(FLOOD))
    assert result.status != 0 and "VM 'box'" in result.err and "more than 8388608 bytes" in result.err
    assert box.state() == "running"


def test_an_answer_that_drips_has_its_time_and_no_more(program, answer):
    result = program.run("agent", "box", "--list", status=None, timeout=60, env=answer(DRIP))
    assert result.status != 0 and "VM 'box'" in result.err and "within 30 s" in result.err
