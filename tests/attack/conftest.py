"""Ways across the line that were once found, each tried again: with real VMs (tests/support/guests.py), hostile checkouts and the
helpers' own sockets."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support"))

import pytest  # noqa: E402
from agent import make_key, ssh_agent  # noqa: E402
from guests import *  # noqa: E402, F403
from program import Program  # noqa: E402


@pytest.fixture
def place():
    """A folder with an agent that has one key."""
    program = Program()
    place = program.folder("k")
    with ssh_agent(f"{place}/agent", make_key(f"{place}/one", "one")):
        yield place
    program.clean_up()
