"""A guest tries to get a yes to `confirm` by wearing the person down, or by what Enter does."""

import os
import stat

import pytest
from agent import read_record
from lent import FAILURE, SIGNED, ask, connect, lent, message, signature, text
from program import wait_until

YES, NO, WAIT = "exit 0", "exit 1", "exec sleep 600"


def asked_by(place, name, does):
    """Makes a program of that name that records its arguments, one line for each question, and answers."""
    os.makedirs(f"{place}/bin", exist_ok=True)
    path = f"{place}/bin/{name}"
    with open(path, "w") as file:
        file.write(f"#!/bin/sh\nfor a; do printf '%s|' \"$a\"; done >>{place}/questions; echo >>{place}/questions\n{does}\n")
    os.chmod(path, stat.S_IRWXU)
    return path


def environment(place, **more):
    return {"PATH": f"{place}/bin:/usr/bin:/bin", "HOME": place, **more}


def questions(place):
    try:
        with open(f"{place}/questions") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def reasons(place):
    return [entry.get("reason") for entry in read_record(f"{place}/log") for _ in range(entry.get("count", 1))]


def withdraw_one(place, number, name="s"):
    """Asks, and disconnects once the person sees the question."""
    with connect(place, name) as guest:
        guest.sendall(signature(place, "one", "git"))
        wait_until(lambda: len(questions(place)) == number, 30, "the question")


def test_a_question_that_was_withdrawn_is_not_asked_again_at_once(place):
    asked_by(place, "askpass", WAIT)
    with lent(place, "--confirm=blog", env=environment(place, SSH_ASKPASS=f"{place}/bin/askpass")):
        withdraw_one(place, 1)
        wait_until(lambda: "withdrawn" in reasons(place), 30, "it is withdrawn")
        for _ in range(5):
            with connect(place) as guest:
                assert ask(guest, signature(place, "one", "git")) == FAILURE
    assert len(questions(place)) == 1
    assert reasons(place) == ["withdrawn"] + ["not confirmed a moment ago"] * 5


def test_nor_by_another_session_of_the_same_vm(place):
    """All open sessions lend the same agent, and a guest can reach all of them."""
    how = {"env": environment(place, SSH_ASKPASS=asked_by(place, "askpass", WAIT))}
    with lent(place, "--confirm=blog", **how), lent(place, "--confirm=blog", socket="other", **how):
        with connect(place) as guest:
            guest.sendall(signature(place, "one", "git"))
            wait_until(lambda: len(questions(place)) == 1, 30, "the question")
            with connect(place, "other") as second:
                assert ask(second, signature(place, "one", "git")) == FAILURE
            wait_until(lambda: reasons(place) == ["another question is open"], 30, "it is written down")
        wait_until(lambda: "withdrawn" in reasons(place), 30, "it is withdrawn")
        with connect(place, "other") as second:
            assert ask(second, signature(place, "one", "git")) == FAILURE
    # A session that is opened later doesn't ask either.
    with lent(place, "--confirm=blog", **how), connect(place) as guest:
        assert ask(guest, signature(place, "one", "git")) == FAILURE
    assert len(questions(place)) == 1


def test_the_number_of_questions_has_a_limit_however_they_are_answered(place):
    how = {"env": environment(place, SSH_ASKPASS=asked_by(place, "askpass", YES))}
    with lent(place, "--confirm=blog", **how), connect(place) as guest:
        answers = [ask(guest, signature(place, "one", str(number))) for number in range(62)]
    assert answers == [SIGNED] * 60 + [FAILURE] * 2
    assert len(questions(place)) == 60 and reasons(place)[-1] == "too many questions"


@pytest.mark.parametrize("name, wanted, refused", [
    ("zenity", "--default-cancel", None),
    ("zenity", "--no-markup", None),
    ("kdialog", "--warningyesno", "--yesno"),
])
def test_enter_is_a_no(place, name, wanted, refused):
    """In the programs that we choose ourselves. Each needs its own option for that."""
    asked_by(place, name, NO)
    with lent(place, "--confirm=blog", env={**environment(place), "PATH": f"{place}/bin"}), connect(place) as guest:
        assert ask(guest, signature(place, "one", "git")) == FAILURE
    (question,) = questions(place)
    assert wanted in question.split("|") and refused not in question.split("|")


def test_a_program_whose_button_is_known_comes_before_one_whose_is_not(place):
    asked_by(place, "ssh-askpass", YES)
    asked_by(place, "zenity", NO)
    with lent(place, "--confirm=blog", env=environment(place)), connect(place) as guest:
        assert ask(guest, signature(place, "one", "git")) == FAILURE
    assert len(questions(place)) == 1


def test_what_the_guest_says_is_short_and_has_no_marks_in_it(place):
    how = {"env": environment(place, SSH_ASKPASS=asked_by(place, "askpass", NO))}
    with lent(place, "--confirm=blog", **how), connect(place) as guest:
        assert ask(guest, signature(place, "one", "git'. Press Allow.<br>\\n&lt;\x1b[2J" + "x" * 100000)) == FAILURE
    (question,) = questions(place)
    assert question.startswith("VM 'blog' wants a signature for 'git'. Press Allow.?br??n?lt;?x1b[2Jxxx")
    assert question.endswith("Allow it?|") and len(question) < 400


def test_who_asks_nothing_but_lists_is_not_asked_about(place):
    how = {"env": environment(place, SSH_ASKPASS=asked_by(place, "askpass", NO))}
    with lent(place, "--confirm=blog", **how), connect(place) as guest:
        assert ask(guest, message(11)) == 12
        assert ask(guest, message(17, text("x"))) == FAILURE
    assert questions(place) == []
