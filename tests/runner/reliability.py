"""What the tests did to the program, and what it withstood: the table in docs/reliability.md.

A test counts by the fixture `tally` (tests/fault/conftest.py), which puts "tried: ROW" and "held: ROW" into the report as properties.
Rows are in the order in which their names sort.
"""

import collections
import os

from process import ROOT
from table import row

PATH = os.path.join(ROOT, "docs/reliability.md")
BEGIN, END = "<!-- tried -->", "<!-- /tried -->"
TRIED, HELD = "tried: ", "held: "


def summed(cases):
    """{row: (tried, held)}"""
    total = collections.Counter()
    for case in cases:
        total.update({name: value for name, value in case.counts.items() if name.startswith((TRIED, HELD))})
    names = {name.removeprefix(TRIED) for name in total if name.startswith(TRIED)}
    return {name: (total[TRIED + name], total[HELD + name]) for name in sorted(names)}


def lines(cases):
    """The table; nothing if no test counted."""
    rows = summed(cases)
    if not rows:
        return []
    tried, held = (sum(numbers) for numbers in zip(*rows.values()))
    return [row(["what is done", "tried", "held", "lost"]), row(["---"] * 4),
            *(row([name, *numbers, numbers[0] - numbers[1]]) for name, numbers in rows.items()),
            row(["all", tried, held, tried - held])]


def replaced(text, table):
    """The page with the table between the two comments. Fails if it doesn't have both."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest or not after:
        raise ValueError(f"'{PATH}' has no '{BEGIN}' with a '{END}' after it")
    return "\n".join([before + BEGIN, *table, END + after])


def write(cases, path=PATH):
    table = lines(cases)
    if not table:
        return
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(replaced(text, table))
