"""`machine race` without guests: what it shows of the forks that there are, and what it asks before it removes them."""

import json
import os

import pexpect
import records


def race_of_two(program):
    """Two forks of a race of `blog`: of the second one nothing is known, as after a kill."""
    records.write(program.state, "blog")
    for number in (1, 2):
        records.write(program.state, f"blog-race-{number}", fork_of="blog", race=True)
    known = {"branch": "try-1", "tree": "abc", "log": "/logs/race.log", "trouble": None, "command": 0, "test": 1, "compared": True,
             "files": 2, "added": 30, "removed": 4, "took_ms": 2500}
    program.write("state/machine/vms/blog-race-1/race.json", json.dumps(known))


def test_the_table_and_the_list_have_what_is_known(program):
    race_of_two(program)
    lines = program.run("race", "blog").out.splitlines()
    assert lines[0].split() == ["FORK", "BRANCH", "EXIT", "TEST", "FILES", "LINES", "TIME", "LOG"]
    assert lines[1].split() == ["blog-race-1", "try-1", "0", "failed", "2", "+30", "-4", "2.5", "s", "/logs/race.log"]
    assert lines[2].split() == ["blog-race-2", "-", "-", "-", "-", "-", "-", "-"]
    known, unknown = program.json("race", "blog")
    assert known == {"name": "blog-race-1", "number": 1, "branch": "try-1", "exit": 0, "test": 1, "files": 2, "added": 30,
                     "removed": 4, "seconds": 2.5, "log": "/logs/race.log", "reason": None}
    assert unknown == {"name": "blog-race-2", "number": 2, **dict.fromkeys(list(known)[2:])}


def test_what_a_branch_is_called_can_not_drive_the_terminal(program):
    race_of_two(program)
    program.write("state/machine/vms/blog-race-2/race.json", json.dumps({"branch": "a\x1b]0;b"}))
    assert "a\\x1b]0;b" in program.run("race", "blog").out


def test_list_says_what_a_vm_is_a_fork_of(program):
    race_of_two(program)
    assert {entry["name"]: entry["fork_of"] for entry in program.json("list")} == {
        "blog": None, "blog-race-1": "blog", "blog-race-2": "blog"}
    assert program.run("list").out.count("fork of blog") == 2


def test_the_race_of_a_vm_that_is_gone_is_still_found(program):
    race_of_two(program)
    for name in ("vm.json", "vm.json.copy"):
        os.remove(os.path.join(program.state, "machine/vms/blog", name))
    os.rmdir(os.path.join(program.state, "machine/vms/blog"))
    assert len(program.json("race", "blog")) == 2


def test_nothing_is_removed_without_a_yes(program):
    race_of_two(program)
    assert "machine race blog --yes --drop" in program.run("race", "blog", "--drop", status=2).err
    assert "machine race blog --yes --keep try-1" in program.run("race", "blog", "--keep", "try-1", status=2).err
    child = pexpect.spawn(program.machine, ["race", "blog", "--drop"], cwd=program.home, env=program.environment, timeout=60,
                          encoding="utf-8")
    child.expect("Remove 2 forks of VM 'blog', with all work in them\\?")
    child.sendline("n")
    child.expect("the race of VM 'blog' was left as it is")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    assert len(program.json("race", "blog")) == 2
