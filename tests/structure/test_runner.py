"""The runner's table of what was tried, and the page that it is kept in."""

import os
import sys

import pytest
import tree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../runner"))

import reliability  # noqa: E402
from cases import Case  # noqa: E402

CASES = [Case("fault", "one", "passed", "", 1, {"tried: `up` killed": 3, "held: `up` killed": 3, "boots": 1}),
         Case("fault", "two", "failed", "", 1, {"tried: `up` killed": 2, "held: `up` killed": 1, "tried: a clock moved": 1, "held: a clock moved": 1}),
         Case("vm", "three", "passed", "", 1, {"boots": 2})]


def test_tries_are_added_up():
    assert reliability.lines(CASES) == [
        "| what is done | tried | held | lost |", "| --- | --- | --- | --- |",
        "| `up` killed | 5 | 4 | 1 |", "| a clock moved | 1 | 1 | 0 |", "| all | 6 | 5 | 1 |"]
    assert reliability.lines(CASES[2:]) == []


def test_the_page_gets_the_table_and_stays_as_it_is_around_it(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{reliability.BEGIN}\nold\n{reliability.END}\nafter\n")
    reliability.write(CASES[:1], page)
    assert page.read_text() == ("before\n<!-- tried -->\n| what is done | tried | held | lost |\n| --- | --- | --- | --- |\n"
                                "| `up` killed | 3 | 3 | 0 |\n| all | 3 | 3 | 0 |\n<!-- /tried -->\nafter\n")
    reliability.write(CASES[2:], page)
    assert "`up` killed" in page.read_text()


def test_the_page_has_a_place_for_it():
    assert reliability.replaced(tree.text("docs/reliability.md"), ["x"]).count("\nx\n") == 1
    with pytest.raises(ValueError, match="<!-- tried -->"):
        reliability.replaced("no place", ["x"])
