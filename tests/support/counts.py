"""Counts what a test started: VMs that boot, are restored from a template, or fill a layer or a template.

QEMU is started in bubblewrap. A stand-in for bubblewrap writes one word for each start into the file that MACHINE_TEST_COUNTS names,
and then becomes the real bubblewrap. As a plugin of pytest, this module puts each test's counts into its report.

Except in the long check, the stand-in also has QEMU emulate an older processor, on which a guest boots with a seventh less work. None
of these tests runs anything that needs a newer one. The program doesn't know of it, so its templates have a folder of their own (DATA):
a guest that was saved on the newer processor uses instructions that the older one lacks, and runs in circles when it is restored there.
"""

import collections
import os
import shutil

import pytest
from choice import LONG

FILE = os.environ.get("MACHINE_TEST_COUNTS")
OLDER = bool(FILE) and not LONG
BUILD = os.environ.get("MACHINE_TEST_BUILD", os.path.join(os.path.dirname(__file__), "../../build"))
# Where layers are kept between runs, for programs that emulate the same processor
DATA = os.path.abspath(os.environ.get("MACHINE_TEST_CACHE", os.path.join(BUILD, "test-data"))) + ("-older" if OLDER else "")

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
        file.write(SCRIPT.format(file=FILE, real=real, cheaper=CHEAPER if OLDER else ""))
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
