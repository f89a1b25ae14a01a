"""A guest makes machine-keys keep as much as it can."""

import contextlib
import os
import socket
import struct

import pytest
from agent import read_record
from lent import FAILURE, LIST, SIGNED, answer, ask, connect, extension, inner_of, lent, message, signature
from program import wait_until

CLIENTS = 64
LONGEST = 256 << 10
KEPT = 2 << 20
KEYS = 12


def memory(pid):
    """The process's private memory."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("RssAnon"))


def is_served(place):
    """Is an ordinary client served?"""
    with contextlib.suppress(OSError), connect(place) as guest:
        return ask(guest, message(LIST)) == KEYS and ask(guest, signature(place, "one", "git")) == SIGNED
    return False


def send_unfinished(guest):
    """Sends all but the last byte of the longest message. Returns False if it was not accepted."""
    try:
        guest.sendall(struct.pack(">I", LONGEST) + b"\x1b" * (LONGEST - 1))
        return True
    except OSError:
        return False


def test_unfinished_messages_on_all_connections_stay_within_one_budget(place):
    with lent(place) as child:
        assert is_served(place)
        inner, before = inner_of(child), memory(inner_of(child))
        guests = [connect(place) for _ in range(CLIENTS)]
        try:
            for guest in guests:
                send_unfinished(guest)
            assert memory(inner) - before < KEPT + (1 << 20)
        finally:
            for guest in guests:
                guest.close()
        wait_until(lambda: is_served(place), 30, "others are served")
        assert memory(inner) - before < 1 << 20
    assert any(entry.get("reason") == "too much is kept for other requests" for entry in read_record(f"{place}/log"))


def test_a_long_message_that_was_answered_is_not_kept(place):
    """One byte of the next message takes no more than one byte."""
    with lent(place) as child:
        assert is_served(place)
        inner, before = inner_of(child), memory(inner_of(child))
        with contextlib.ExitStack() as stack:
            for _ in range(CLIENTS - 1):
                guest = stack.enter_context(connect(place))
                assert ask(guest, extension("x" * (LONGEST - 100))) == FAILURE
                guest.sendall(b"\0")
            assert memory(inner) - before < 1 << 20
            assert is_served(place)


def test_who_does_not_read_what_it_asked_for_is_let_go(place):
    with lent(place) as child, connect(place) as guest:
        guest.setblocking(False)
        inner, before = inner_of(child), memory(inner_of(child))
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            for _ in range(100000):
                guest.send(message(LIST) * 100)
        assert memory(inner) - before < 1 << 20
        wait_until(lambda: is_served(place), 30, "others are served")


def test_more_connections_than_it_has_are_closed(place):
    with lent(place) as child, contextlib.ExitStack() as stack:
        guests = [stack.enter_context(connect(place)) for _ in range(CLIENTS)]
        assert ask(guests[-1], message(LIST)) == KEYS
        with connect(place) as late:
            assert answer(late) is None
        assert len(os.listdir(f"/proc/{child.pid}/fd")) < 16


@pytest.mark.parametrize("length", [0, LONGEST + 1, (1 << 32) - 1])
def test_a_length_that_no_message_has_ends_the_connection(place, length):
    with lent(place), connect(place) as guest:
        guest.sendall(struct.pack(">I", length))
        assert guest.recv(1) == b""
        assert is_served(place)


def test_while_it_waits_for_the_person_it_may_send_one_message_more(place):
    with open(f"{place}/ask", "w") as file:
        file.write("#!/bin/sh\nexec sleep 600\n")
    os.chmod(f"{place}/ask", 0o700)
    with lent(place, "--confirm=blog", env={**os.environ, "SSH_ASKPASS": f"{place}/ask"}) as child, connect(place) as guest:
        before = memory(inner_of(child))
        guest.sendall(signature(place, "one", "git"))
        guest.settimeout(30)
        with pytest.raises((BrokenPipeError, ConnectionResetError, socket.timeout)):
            for _ in range(100):
                guest.sendall(b"x" * LONGEST)
        assert memory(inner_of(child)) - before < 2 << 20
