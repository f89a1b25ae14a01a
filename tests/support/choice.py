"""A plugin of pytest that chooses which tests run: those with MACHINE_TEST_MATCH in their names, and with an empty MACHINE_TEST_LONG
only those that are not marked long. It says at the end how many were left out."""

import os

import pytest

MATCH = os.environ.get("MACHINE_TEST_MATCH", "")
LONG = bool(os.environ.get("MACHINE_TEST_LONG", "by hand") or MATCH)


def long_unless(some, every):
    """Parameters of a test: `some` run in each check, the rest of `every` only in the long one."""
    return [value if value in some else pytest.param(value, marks=pytest.mark.long) for value in every]


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes by its nature, and runs in `make check-long`")


def pytest_collection_modifyitems(config, items):
    wanted = [item for item in items if MATCH in item.nodeid and (LONG or not item.get_closest_marker("long"))]
    left = [item for item in items if item not in wanted]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = wanted
    if not MATCH:
        config.left_to_the_long_check = len(left)


def pytest_terminal_summary(terminalreporter, config):
    if getattr(config, "left_to_the_long_check", 0):
        terminalreporter.write_line(f"left to the long check: {config.left_to_the_long_check}")
