"""Cases: the results of a check, and how they are read."""

import collections
import os
import xml.etree.ElementTree as xml

# outcome: "passed", "failed" or "skipped"; text: the output of a failure, or the reason for a skip; counts: how many
# guests the test booted or restored (counts.py).
Case = collections.namedtuple("Case", "stage name outcome text seconds counts", defaults=[{}])

OUTPUT_SHOWN = 200  # lines of a failure's output, from its end


def outcome_of(item):
    """(outcome, text) of a <testcase>."""
    outcome, text = "passed", ""
    for child in item:
        if child.tag in ("failure", "error"):
            said = [child.get("message") or "", child.text or "", item.findtext("system-out") or "", item.findtext("system-err") or ""]
            outcome, text = "failed", "\n".join(part for part in said if part)
        elif child.tag == "skipped" and outcome == "passed":
            outcome, text = "skipped", child.get("message") or child.text or "no reason given"
    return outcome, text


def read_junit(path, status, output, stage, none=False):
    """Returns the cases of a JUnit file. If there is no file, or none of its cases explains why the run failed, there is one failed
    case with the whole output. With `none` a file without cases is all right."""
    try:
        suites = xml.parse(path).getroot()
    except (OSError, xml.ParseError):
        return [Case(stage, stage, "failed", output or f"exit status {status}", 0)]
    cases = []
    for item in suites.iter("testcase"):
        name = ".".join(part for part in (item.get("classname"), item.get("name")) if part)
        counts = {entry.get("name"): int(entry.get("value")) for entry in item.iter("property")}
        cases.append(Case(stage, name, *outcome_of(item), float(item.get("time") or 0), counts))
    if status != 0 and not any(case.outcome == "failed" for case in cases):
        cases.append(Case(stage, stage, "failed", output or f"exit status {status}", 0))
    if not cases and not none:
        cases.append(Case(stage, stage, "failed", "there are no such tests", 0))
    return cases


def count(cases, outcome):
    return sum(case.outcome == outcome for case in cases)


def show(cases):
    """Prints each skipped case with its reason, and each failed one with its output."""
    for case in cases:
        if case.outcome == "skipped":
            print(f"    skipped {case.name}: {' '.join(case.text.split())}")
    for case in cases:
        if case.outcome == "failed":
            lines = case.text.rstrip().splitlines()
            print(f"    FAILED {case.name}")
            if len(lines) > OUTPUT_SHOWN:
                print(f"        ({len(lines) - OUTPUT_SHOWN} lines above)")
            for line in lines[-OUTPUT_SHOWN:]:
                print(f"        {line}")


def forget(path):
    if os.path.exists(path):
        os.unlink(path)
