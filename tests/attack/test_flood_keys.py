"""A guest floods machine-keys. What it asked for before stays in the record, and no file grows without limit."""

import fcntl
import json
import os
import time

import records
from agent import make_key, read_record, ssh_agent
from lent import FAILURE, SIGNED, answer, ask, connect, extension, lent, signature
from program import Program, wait_until

MANY = 12000
FULL = 4 << 20


def flood(place, names):
    with connect(place) as guest:
        names = list(names)
        while names:
            batch, names = names[:200], names[200:]
            guest.sendall(b"".join(extension(name) for name in batch))
            assert [answer(guest) for _ in batch] == [FAILURE] * len(batch)


def sizes(place):
    return sum(os.path.getsize(f"{place}/{name}") for name in os.listdir(place) if name.startswith("log"))


def test_refusals_do_not_push_out_what_was_signed(place):
    """Each refusal has a different name, of the length that takes the most room."""
    with lent(place):
        with connect(place) as guest:
            assert ask(guest, signature(place, "one", "git")) == SIGNED
        flood(place, (f"{number}".ljust(120, "x") for number in range(MANY)))
    record = read_record(f"{place}/log")
    assert [(entry["request"], entry["what"]) for entry in record if entry["verdict"] == "done"] == [("signature", "git")]
    assert sum(entry.get("count", 1) for entry in record if entry["verdict"] == "refused") == MANY
    assert sizes(place) < 600 << 10


def test_what_repeats_is_counted(place):
    with lent(place):
        flood(place, ["same"] * MANY)
    first, again = read_record(f"{place}/log")
    assert "count" not in first and again["count"] == MANY - 1 and again["since"][:19] <= first["time"][:19]
    assert first["reason"] == again["reason"] == "no such extension here"


def test_a_name_of_any_length_is_a_short_line(place):
    with lent(place), connect(place) as guest:
        assert ask(guest, extension("x" * 200000)) == FAILURE
    assert sizes(place) < 1000


def test_a_full_record_of_refusals_begins_anew_and_keeps_the_one_before(place):
    with open(f"{place}/log.refused", "w") as file:
        file.write('{"time":"2026-01-02T03:04:05Z","verdict":"refused","request":"other"}\n' * 4000)
    with lent(place), connect(place) as guest:
        assert ask(guest, extension("next")) == FAILURE
    assert len(read_record(f"{place}/log")) == 4001
    assert os.path.getsize(f"{place}/log.refused") < 1000


def fill(path, age_in_days=0):
    line = '{"time":"2026-01-02T03:04:05Z","verdict":"done","request":"signature"}\n'
    with open(path, "w") as file:
        file.write(line * (FULL // len(line) + 1))
    then = time.time() - age_in_days * 24 * 60 * 60
    os.utime(path, (then, then))


def test_what_was_signed_a_week_ago_makes_room(place):
    fill(f"{place}/log")
    fill(f"{place}/log.old", 8)
    with lent(place), connect(place) as guest:
        # A full file is noticed when the next line is written. That line begins a new file.
        assert ask(guest, signature(place, "one", "git")) == SIGNED
    assert os.path.getsize(f"{place}/log") < 1000 and os.path.getsize(f"{place}/log.old") >= FULL


def test_nothing_is_signed_that_the_record_has_no_room_for(place):
    fill(f"{place}/log")
    fill(f"{place}/log.old", 6)
    before = sizes(place)
    with lent(place), connect(place) as guest:
        # machine-keys' inner process hears that the record is full as soon as it is ready, but not by the guest's connection.
        for number in range(50):
            if ask(guest, signature(place, "one", str(number))) == FAILURE:
                break
        assert ask(guest, signature(place, "one", "git")) == FAILURE
    assert read_record(f"{place}/log")[-1]["reason"] == "the record of what was signed is full"
    assert sizes(place) < before + 20000


def test_the_record_is_followed_while_it_is_rotated():
    """The VM is only a record and the lock that QEMU would hold. Its sessions are only machine-keys."""
    program = Program()
    try:
        folder = records.write(program.state, "box")
        os.mkdir(f"{folder}/logs")
        place = program.folder("k")
        with ssh_agent(f"{place}/agent", make_key(f"{place}/one", "one")), open(f"{folder}/run.lock", "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            for name in ("log", "log.refused"):
                with open(f"{folder}/logs/keys.{name}", "w") as file:
                    file.write("")
            with lent(place, f"--log={folder}/logs/keys.log"):
                follow_through_a_rotation(program, place, folder)
    finally:
        program.clean_up()


def follow_through_a_rotation(program, place, folder):
    child = program.start("keys", "box", "--follow", "--json", text=True)
    try:
        with connect(place) as guest:
            ask(guest, extension("before"))
            assert json.loads(child.stdout.readline())["what"] == "before"
            # Written at once, so that it all falls between two looks of the follower. What came before the rotation is in the old file.
            with open(f"{folder}/logs/keys.log.refused", "a") as file:
                file.write('{"time":"2026-01-02T03:04:05Z","request":"other","verdict":"refused","what":"filling"}\n' * 3500)
            ask(guest, extension("after"))
        wait_until(lambda: os.path.exists(f"{folder}/logs/keys.log.refused.old"), 10, "it is rotated")
        lines = [child.stdout.readline() for _ in range(3501)]
        assert sum("filling" in line for line in lines) == 3500 and sum("after" in line for line in lines) == 1
    finally:
        child.kill()
        child.communicate()
    assert len(program.json("keys", "box")) == 3502
