"""Records in a committed file when `make check-long` last passed."""

import datetime
import json
import os
import subprocess

from process import ROOT

PATH = os.path.join(ROOT, "tests/long-check.json")


def git(*argv):
    """What git says, or None."""
    done = subprocess.run(["git", "-C", ROOT, *argv], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def read():
    try:
        with open(PATH, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def write(passed, skipped, seconds):
    """Returns why nothing was written, or None."""
    # Git ignores what is built. The long check's own records may be from an earlier run.
    if git("status", "--porcelain", "--", ".", ":!tests/long-check.json", ":!tests/tidied.json", ":!docs/reliability.md") != "":
        return "the working tree has uncommitted changes, so tests/long-check.json stays as it was"
    record = {"commit": git("rev-parse", "HEAD"), "at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
              "passed": passed, "skipped": skipped, "seconds": round(seconds), "processors": os.cpu_count()}
    with open(PATH, "w", encoding="utf-8") as file:
        json.dump(record, file, indent=4)
        file.write("\n")
    return None


def ago(moment):
    seconds = (datetime.datetime.now(datetime.timezone.utc) - moment).total_seconds()
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"


def sentence():
    record = read()
    if not record:
        return "make check-long has not passed yet, or tests/long-check.json is missing"
    moment = datetime.datetime.fromisoformat(record["at"].replace("Z", "+00:00"))
    behind = git("rev-list", "--count", f"{record['commit']}..HEAD")
    commits = "a commit that is not in this history" if behind is None else f"{behind} commits before this one"
    return f"make check-long last passed {ago(moment)}, at {record['commit'][:10]} ({commits})"
