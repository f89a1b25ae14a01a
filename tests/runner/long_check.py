"""Records in a committed file when `make check-long` last passed, and tells what has changed since."""

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
    # Git ignores what is built. The record itself may be from an earlier run.
    if git("status", "--porcelain", "--", ".", ":!tests/long-check.json") != "":
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


def code(text, suffix):
    """A C file's words without its comments, except the comments that clang-tidy obeys. None if the file can't be preprocessed."""
    language = "c++" if suffix == ".cc" else "c"
    done = subprocess.run(["cc", "-fpreprocessed", "-dD", "-E", "-P", "-x", language, "-"], input=text, capture_output=True, text=True)
    return (done.stdout.split(), [line for line in text.splitlines() if "NOLINT" in line]) if done.returncode == 0 else None


def only_comments(name, commit):
    """Does the file differ from that commit only in comments?"""
    suffix = os.path.splitext(name)[1]
    before = git("show", f"{commit}:{name}")
    try:
        with open(os.path.join(ROOT, name), encoding="utf-8") as file:
            now = file.read()
    except OSError:
        return False
    if before is None or suffix not in (".c", ".h", ".cc"):
        return False
    was = code(before, suffix)
    return was is not None and was == code(now, suffix)


def changed(paths):
    """Those of `paths` that changed since the long check passed, or whose header changed, comments aside. All, if that isn't known.
    Only the long check sees what another file's changed header does to an unchanged file."""
    record = read()
    names = git("diff", "--name-only", record["commit"]) if record else None
    new = git("ls-files", "--others", "--exclude-standard")
    if names is None or new is None:
        return paths
    names = names.splitlines() + new.splitlines()
    if any(os.path.basename(name) == ".clang-tidy" for name in names):
        return paths
    touched = {os.path.join(ROOT, name) for name in names if not only_comments(name, record["commit"])}
    return [path for path in paths if touched & {path, os.path.splitext(path)[0] + ".h"}]
