"""What happens when something dies, fills up, freezes or is damaged, with real VMs (tests/support/guests.py). docs/reliability.md has
a table of what was tried; `tally` counts for it."""

import collections
import os
import signal
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from guests import *  # noqa: E402, F403

# Whoever started this may have had hang-ups ignored (nohup(1)), and so would all that is started here: then no terminal that is closed
# would end anything.
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def tally(record_property):
    """tally(row, held) counts one more try for a row of the table. A test that goes on after a try that did not hold fails at its end."""
    tried, held = collections.Counter(), collections.Counter()

    def count(row, this_one_held=True):
        tried[row] += 1
        held[row] += bool(this_one_held)

    yield count
    for row in tried:
        record_property(f"tried: {row}", tried[row])
        record_property(f"held: {row}", held[row])
    assert held == tried
