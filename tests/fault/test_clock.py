"""A guest's clock that stood still, or was set wrong, is right before the next session sees it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest
from program import ROOT

RIGHT = 0.1  # seconds
HOURS = 3 * 3600


def guest_is_right(box, by=0, **how):
    """Is the time that a session sees at most RIGHT before the session began or after it ended? `by`: what this computer's clock is
    said to be ahead."""
    before = time.time() + by
    result = box.run("date", "+%s.%N", **how)
    after = time.time() + by
    seen = float(result.out)
    return before - RIGHT <= seen <= after + RIGHT, result.err


def set_clock(box, change):
    box.run("sudo", "date", "-s", change)


CHANGES = [("-1 minute", "behind"), ("-3 hours", "behind"), ("+3 hours", "ahead"), ("-1 second", "behind"), ("+1 second", "ahead")]


@pytest.mark.parametrize("change, said", [pytest.param(*each, marks=[] if "hours" in each[0] else pytest.mark.long) for each in CHANGES])
def test_a_clock_that_is_wrong_is_set_and_that_is_said(box, tally, change, said):
    set_clock(box, change)
    right, err = guest_is_right(box)
    tally("the guest's clock is wrong", right)
    # It was set while date ran, so it may be off by a little less than a second.
    assert change.endswith("second") or f"s {said}: it is set" in err
    right, err = guest_is_right(box)
    assert right and err == ""


def test_a_pause_of_the_vm(box, tally):
    with qmp(box) as ask:
        ask("stop")
        time.sleep(2)
        ask("cont")
    tally("the VM was paused", guest_is_right(box)[0])


@pytest.mark.long
def test_a_pause_of_two_minutes_of_the_process(box, tally):
    pause(box, 120)
    tally("QEMU was stopped by a signal", guest_is_right(box)[0])


@pytest.mark.long
def test_a_pause_of_the_process(box, tally):
    pause(box, 3)
    tally("QEMU was stopped by a signal", guest_is_right(box)[0])


def pause(box, seconds):
    (pid,) = box.qemu()
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


class qmp:
    """QEMU's own protocol, as any program of its user may speak it."""

    def __init__(self, box):
        self.place = os.path.join(box.folder(), "qemu")

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        before = os.open(".", os.O_RDONLY)
        os.chdir(self.place)
        try:
            self.socket.connect("qmp.sock")
        finally:
            os.fchdir(before)
            os.close(before)
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.ask("qmp_capabilities")
        return self.ask

    def ask(self, command):
        self.file.write(json.dumps({"execute": command}) + "\n")
        self.file.flush()
        while "return" not in (answer := json.loads(self.file.readline())):
            assert "error" not in answer, answer

    def __exit__(self, *error):
        self.file.close()
        self.socket.close()


@pytest.fixture(scope="module")
def skew(tmp_path_factory):
    if not shutil.which("cc"):
        pytest.skip("no C compiler")
    path = str(tmp_path_factory.mktemp("skew") / "skew.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", path, os.path.join(ROOT, "tests/fault/skew.c"), "-ldl"], check=True)
    return path


def test_this_computers_clock_is_set_by_three_hours(box, tally, skew):
    """Only for the program: what it says is what counts."""
    for by in (HOURS, -HOURS):
        tally("this computer's clock was set", guest_is_right(box, by, env={"LD_PRELOAD": skew, "SKEW_SECONDS": str(by)})[0])
    tally("this computer's clock was set", guest_is_right(box)[0])


def test_a_clock_that_is_a_little_ahead_is_not_set_back(box, tally):
    """It is slowed down: no program sees it go back."""
    guest_is_right(box)
    move = "open(my $f, '<', '/dev/null'); my $t = pack('L x4 q x56 q q', 0x0100, 0, 0, 70000) . \"\\0\" x 120; exit(syscall({number}, $t) < 0)"
    number = 171 if os.uname().machine == "aarch64" else 159
    since_boot = "perl -e 'sub now { my $t = pack(\"q q\", 0, 0); syscall({number}, $_[0], $t); my ($s, $n) = unpack(\"q q\", $t); return $s * 1e3 + $n / 1e6 } printf \"%.3f\", now(0) - now(1)'"
    since_boot = since_boot.replace("{number}", "113" if number == 171 else "228")
    # All in one session: the look at the clock belongs to the next one.
    before = float(box.sh(f"sudo perl -e {quoted(move.replace('{number}', str(number)))} && {since_boot}"))
    after = float(box.sh(since_boot))
    tally("the guest's clock is a little ahead", before - 30 < after <= before + 5)
    assert guest_is_right(box)[0]


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.mark.long
def test_an_agent_that_is_silent_is_said_once_and_costs_no_session(box, tally):
    box.sh("sudo systemctl kill -s STOP qemu-guest-agent")
    try:
        first, second = box.run("echo", "here"), box.run("echo", "here")
        tally("the guest's agent is silent", first.out == second.out == "here\n" and "can't be checked" in first.err and second.err == "")
    finally:
        box.sh("sudo systemctl kill -s CONT qemu-guest-agent")
    set_clock(box, "-1 minute")
    box.run("true")
    tally("the guest's agent is silent", guest_is_right(box)[0])


def test_up_and_ssh_see_it_right_too(box, tally):
    set_clock(box, "-1 minute")
    assert "behind: it is set" in box.up().err
    tally("the guest's clock is wrong", guest_is_right(box) == (True, ""))
    set_clock(box, "-1 minute")
    config = os.path.join(box.program.ssh, "config.d/machine")
    before = time.time()
    seen = float(box.program.run("/usr/bin/ssh", "-F", config, "machine-box", "date", "+%s.%N").out)
    tally("the guest's clock is wrong", before - RIGHT <= seen <= time.time() + RIGHT)


@pytest.mark.long
def test_a_start_leaves_it_right(box, tally):
    box.machine("down")
    box.up()
    tally("the VM was started", guest_is_right(box) == (True, ""))
