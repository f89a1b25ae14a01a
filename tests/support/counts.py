"""Counts what a test started: VMs that boot, are restored from a template, or fill a layer or a template.

QEMU is started in bubblewrap. A stand-in for bubblewrap writes one word for each start into the file that MACHINE_TEST_COUNTS names,
and then becomes the real bubblewrap. As a plugin of pytest, this module puts each test's counts into its report.

Except in the long check, the stand-in also has QEMU emulate an older processor, on which a guest boots with a seventh less work. None
of these tests runs anything that needs a newer one.
"""

import collections
import os
import shutil

import pytest
from choice import LONG

FILE = os.environ.get("MACHINE_TEST_COUNTS")

# tests/unit/qemu and the long check test what a user gets.
CHEAPER = """
for word; do
        shift
        case $word in
        max,la57=off) word=qemu64 ;;
        esac
        set -- "$@" "$word"
done
"""

SCRIPT = """#!/bin/sh
case " $* " in
*,share=on,mem-path=*) kind=templates ;;
*" -incoming "*) kind=restores ;;
*"/qemu-system-"*" -kernel "*.tmp-*) kind=fillings ;;
*"/qemu-system-"*" -kernel "*) kind=boots ;;
*) kind= ;;
esac
[ -z "$kind" ] || echo $kind >>'{file}'{cheaper}
exec {real} "$@"
"""


def stand_in(folder):
    """Puts the stand-in for bubblewrap into `folder`. Returns False if nothing is counted."""
    real = shutil.which("bwrap")
    if not FILE or not real:
        return False
    path = os.path.join(folder, "bwrap")
    with open(path, "w", encoding="utf-8") as file:
        file.write(SCRIPT.format(file=FILE, real=real, cheaper="" if LONG else CHEAPER))
    os.chmod(path, 0o755)
    with open(FILE, "a", encoding="utf-8"):
        os.chmod(FILE, 0o666)
    return True


def counted():
    if not FILE or not os.path.exists(FILE):
        return collections.Counter()
    with open(FILE, encoding="utf-8") as file:
        return collections.Counter(file.read().split())


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    item.counted_before = counted()
    yield


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    if call.when == "teardown":
        item.user_properties += sorted((counted() - item.counted_before).items())
    yield
