"""The processes beside a VM's QEMU are killed, and the files that they and QEMU are reached by are removed, one after the other. The
next command finds it, puts it right and says so once. The guest goes on meanwhile, behind the same line."""

import glob
import os
import shutil
import signal

import lab as lab_module
import pytest
from choice import long_unless
from conftest import SMALL, Vm, program_of
from program import said, wait_until

LOST_NETWORK = "had lost its network"


@pytest.fixture(scope="module")
def program(program):
    """The guest may reach one public address, and no private one."""
    program.projects(f"[box]\n{SMALL}egress = \"allow\"\nallow = ['{lab_module.PUBLIC}:8000']\n")
    return program


def supervisor(box):
    """machine-net's first process: the one that is no child of another."""
    pids = [pid for pid in box.program.processes("machine-net") if program_of(pid) == "machine-net"]
    return [pid for pid in pids if parent(pid) not in pids]


def parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def logger(box):
    """machine-log's process, by its lock on the console's log."""
    path = os.path.join(box.folder(), "logs/console.log")
    found = []
    for link in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            if os.readlink(link) == path and program_of(link.split("/")[2]) == "machine-log":
                found.append(int(link.split("/")[2]))
        except OSError:
            pass
    return sorted(set(found))


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not program_of(pid), 10, "it has ended")


def kill_network(box):
    (pid,) = supervisor(box)
    box.program.workers_killed += 1
    kill(pid)
    wait_until(lambda: not supervisor(box), 10, "its workers have ended with it")


def sandbox(pid):
    """What holds a process back, and what it was told to do."""
    with open(f"/proc/{pid}/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    with open(f"/proc/{pid}/cmdline") as file:
        words = [word for word in file.read().split("\0") if word and word != "--goes-on"]
    return {name: status[name] for name in ("Uid", "NoNewPrivs", "Seccomp", "Seccomp_filters", "CapEff", "CapBnd")}, words


def walls(box):
    with open(os.path.join(box.folder(), "logs/net.log")) as file:
        return [line.split(" ", 1)[1] for line in file if "note walls:" in line]


def said_once(box, what):
    """The next command says it, and works; the one after that has nothing to say. Both are in the same guest."""
    first, second = box.run("cat", "/run/mark"), box.run("cat", "/run/mark")
    assert first.out == second.out == "the same guest\n"
    assert second.err == ""
    return first.err.count(what) == 1


@pytest.fixture
def box(box):
    """The guest has a mark that no restart would leave."""
    box.up()
    box.sh("echo the same guest | sudo tee /run/mark >/dev/null")
    return box


def checks(box):
    return [check for check in box.program.checks() if check["name"] == "VM box"]


def test_the_network_killed_is_found_and_put_right(box, tally):
    before = box.qemu()
    (one,) = supervisor(box)
    held_back = sandbox(one)
    written = walls(box)
    kill_network(box)
    tally("machine-net killed: doctor finds it", any(check["status"] == "failed" and "lost its network" in check["detail"] and
                                                     check["hint"] == "machine up box" for check in checks(box)))
    tally("machine-net killed: the next command puts it right", said_once(box, LOST_NETWORK))
    (other,) = supervisor(box)
    assert other != one
    assert sandbox(other) == held_back
    assert walls(box) == written * 2
    assert box.qemu() == before
    assert [check["status"] for check in checks(box)] == ["ok"]


@pytest.mark.long
def test_up_puts_it_right_too(box, tally):
    before = box.qemu()
    kill_network(box)
    tally("machine-net killed: up puts it right", box.up().err.count(LOST_NETWORK) == 1 and box.qemu() == before)
    assert LOST_NETWORK not in box.up().err


@pytest.mark.long
def test_eight_commands_at_once_start_one_network(box, tally):
    kill_network(box)
    children = [box.program.start("run", "box", "--", "cat", "/run/mark") for _ in range(8)]
    results = [box.program.finish(child) for child in children]
    assert [(result.status, result.out) for result in results] == [(0, "the same guest\n")] * 8, results
    tally("machine-net killed: many commands at once", sum(LOST_NETWORK in result.err for result in results) == 1)
    assert len(supervisor(box)) == 1


@pytest.mark.parametrize("name", long_unless(["."], ["ssh.sock", "ready", "master", "silent", "."]))
def test_a_file_of_the_runtime_folder_is_gone(box, tally, name):
    """"." is the folder itself: who logs out loses it."""
    box.run("true")
    before = box.qemu()
    place = os.path.join(box.program.runtime, "machine/box")
    path = os.path.join(place, name)
    if name == ".":
        shutil.rmtree(box.program.runtime)
        box.program.folder("r")
    elif os.path.exists(path):
        os.remove(path)
    result = box.run("cat", "/run/mark")
    cut_off = name in ("ssh.sock", ".")
    held = result.out == "the same guest\n" and result.err.count(LOST_NETWORK) == cut_off and box.qemu() == before
    tally("a file of the runtime folder removed", held)
    assert box.run("true").err == ""
    assert len(supervisor(box)) == 1


def test_the_log_killed_is_started_again(box, tally):
    path = os.path.join(box.folder(), "logs/console.log")
    box.sh("echo BEFORE | sudo tee /dev/console >/dev/null")
    wait_until(lambda: "BEFORE" in open(path, errors="replace").read(), 60, "the console is logged")
    (pid,) = logger(box)
    kill(pid)
    box.program.checks()
    tally("machine-log killed: doctor finds it", any("the log of its console" in check["detail"] for check in checks(box)))
    tally("machine-log killed: the next command puts it right", said_once(box, "logs the console"))
    box.sh("echo AFTER | sudo tee /dev/console >/dev/null")
    wait_until(lambda: "AFTER" in open(path, errors="replace").read(), 60, "the console is logged again")
    assert "BEFORE" in open(f"{path}.1", errors="replace").read()


def test_nothing_is_reached_without_rules_while_it_is_replaced(box, lab, tally):
    """A program in the guest tries all the time. What is refused before is refused after, and never reached; what is allowed is
    reached before and after. The account goes on from what was written, which can be a second old."""
    tries = "while :; do for to in {}; do curl -s -o /dev/null --noproxy '*' --max-time 2 http://$to:8000/ && echo $to >>/run/user/1000/reached; done; done"
    box.sh(f"systemd-run -q --user --unit=tries sh -c {quoted(tries.format(f'{lab_module.PRIVATE} {lab_module.PUBLIC} 10.0.2.2 127.0.0.1'))}")
    try:
        for _ in range(3):
            wait_until(lambda: both_in_account(box), 60, "the account has both")
            reached = count(box, "reached")
            written = both_in_account(box)
            kill_network(box)
            assert sum(both_in_account(box)) >= sum(written), "the killed one took the account with it"
            box.run("true")
            wait_until(lambda: count(box, "reached") > reached, 60, "the allowed one is reached again")
            wait_until(lambda: min(now - then for now, then in zip(both_in_account(box), written)) > 0, 60, "the account goes on")
    finally:
        box.run("systemctl", "--user", "stop", "tries")
    reached = box.sh("sort -u /run/user/1000/reached").split()
    tally("machine-net killed: nothing is reached without rules", reached == [lab_module.PUBLIC])


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def count(box, name):
    return int(box.sh(f"touch /run/user/1000/{name}; wc -l </run/user/1000/{name}"))


def both_in_account(box):
    """How often the account says that the allowed address was reached and the other refused; [] before it says so of both."""
    lines = box.program.json("egress", "box")
    wanted = [("reached", lab_module.PUBLIC), ("refused", lab_module.PRIVATE)]
    counts = [sum(line["count"] for line in lines if (line["verdict"], line["address"]) == one) for one in wanted]
    return counts if all(counts) else []


@pytest.mark.long
def test_a_guest_that_sends_all_the_time_goes_on(box, tally):
    """The guest's device has a frame on its way when its wire breaks."""
    box.sh("systemd-run -q --user --unit=flood sh -c 'while :; do head -c 60000 /dev/zero | timeout 5 nc -u -w 1 10.0.2.2 9 || "
           "cat /dev/zero >/dev/udp/10.0.2.2/9; done'; systemd-run -q --user --unit=flood2 bash -c 'while :; do cat /dev/zero >/dev/udp/10.0.2.2/9; done'")
    try:
        for _ in range(3):
            kill_network(box)
            tally("machine-net killed while the guest sends", said_once(box, LOST_NETWORK))
    finally:
        box.run("sh", "-c", "systemctl --user stop flood flood2; systemctl --user reset-failed; true")


def test_work_is_found_behind_a_broken_network(box, tally):
    box.sh("mkdir -p ~/code/mine && cd ~/code/mine && git init -q . && git -c user.name=j -c user.email=j@x commit -q --allow-empty -m mine")
    kill_network(box)
    result = box.machine("destroy", "--yes", status=7)
    tally("machine-net killed: destroy looks for work", "mine" in result.err and "cannot find out" not in result.err)
    box.sh("rm -rf ~/code/mine")


@pytest.mark.long
def test_without_any_socket_it_is_stopped_in_order_and_started(box, tally):
    """QEMU can't be given another network, nor be asked to shut down by its own protocol. The guest's agent asks it, so nothing that
    a program has written is lost."""
    before = box.qemu()
    place = os.path.join(box.folder(), "qemu")
    os.remove(os.path.join(place, "qmp.sock"))
    assert box.run("true").err == ""
    tally("QMP's socket removed: doctor finds it", any("a socket that it is controlled by" in check["detail"] for check in checks(box)))
    box.sh("echo not synced >~/written")
    os.remove(os.path.join(place, "frames.sock"))
    kill_network(box)
    result = box.run("sh", "-c", "cat ~/written")
    assert "killed" not in result.err, said(result)
    tally("nothing left to put it right by: stopped and started, once",
          result.out == "not synced\n" and result.err.count("is stopped and started") == 1)
    assert box.qemu() != before
    assert box.run("true").err == ""
    journal = box.sh("sudo journalctl -q -b -1 -n 200 -o cat 2>/dev/null || true")
    assert not journal or "System is powering down" in journal
    assert [check["status"] for check in checks(box)] == ["ok"]


@pytest.mark.parametrize("becomes", long_unless(["gone"], ["gone", "another file"]))
def test_a_lock_file_that_is_lost_hides_no_vm(box, tally, becomes):
    """QEMU's own lock on the disk still says that it runs: nothing may take the disk away or start another QEMU on it."""
    lock = os.path.join(box.folder(), "run.lock")
    os.remove(lock)
    if becomes == "another file":
        open(lock, "w").close()
    (qemu,) = box.qemu()
    tally("run.lock lost", box.state() == "running" and box.run("cat", "/run/mark").out == "the same guest\n" and box.qemu() == [qemu])
    tally("run.lock lost", "is up" in box.up().err and box.qemu() == [qemu])
    box.machine("down")
    tally("run.lock lost", box.qemu() == [] and box.state() == "stopped")
