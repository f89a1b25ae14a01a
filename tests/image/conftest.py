"""Real VMs: see tests/support/guests.py."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from guests import *  # noqa: E402, F403
