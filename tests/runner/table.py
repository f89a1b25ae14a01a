"""Where the time went: a table by stage, and the slowest tests."""

import collections

SLOWEST = 30
NAME_MOST = 110
COUNTS = ["boots", "restores", "templates", "fillings"]


def row(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def summed(cases):
    total = collections.Counter()
    for case in cases:
        total.update(case.counts)
    return [total[name] for name in COUNTS]


def by_stage(cases, order):
    """Seconds are the sum over the tests; three jobs run at once."""
    yield row(["stage", "tests", "seconds", *COUNTS])
    yield row(["---"] * (3 + len(COUNTS)))
    for stage in order:
        own = [case for case in cases if case.stage == stage]
        if own:
            yield row([stage, len(own), f"{sum(case.seconds for case in own):.0f}", *summed(own)])
    yield row(["all", len(cases), f"{sum(case.seconds for case in cases):.0f}", *summed(cases)])


def slowest(cases):
    yield row(["seconds", "slowest tests", *COUNTS])
    yield row(["---"] * (2 + len(COUNTS)))
    for case in sorted(cases, key=lambda case: -case.seconds)[:SLOWEST]:
        yield row([f"{case.seconds:.1f}", f"{case.stage}: {case.name.removeprefix('tests.')[:NAME_MOST]}", *summed([case])])


def lines(cases, order):
    return [*by_stage(cases, order), "", *slowest(cases)]
