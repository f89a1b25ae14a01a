"""Records in a committed file what each source was when clang-tidy last found nothing in it, so that only what changed is looked at.

What counts is what a file says, not git's history: a record holds in every clone, also in one with other commits.
"""

import hashlib
import json
import os
import re

from process import ROOT

PATH = os.path.join(ROOT, "tests/tidied.json")
CONFIGURATION = os.path.join(ROOT, ".clang-tidy")

# Strings come first, because what looks like a comment in one isn't.
STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.DOTALL)


def text_of(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def words(text):
    """A C file's text without its comments, except those that clang-tidy obeys, and with one space where there is any."""
    def keep(match):
        return match[0] if match[0][0] in "\"'" or "NOLINT" in match[0] else " "
    return " ".join(STRING_OR_COMMENT.sub(keep, text).split())


def digest(path):
    """Of a source, its own header and what clang-tidy is to look for."""
    header = os.path.splitext(path)[0] + ".h"
    parts = [words(text_of(path)), words(text_of(header)), text_of(CONFIGURATION)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def read():
    try:
        with open(PATH, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def changed(paths):
    """Those of `paths` that are not as the record has them. A change of another file's header is seen by the long check alone."""
    record = read()
    return [path for path in paths if record.get(os.path.relpath(path, ROOT)) != digest(path)]


def write(paths):
    """Records that clang-tidy found nothing in `paths`, which are all that it looked at. The record of other files stays, as long
    as they are there."""
    record = {name: value for name, value in read().items() if os.path.exists(os.path.join(ROOT, name))}
    record.update({os.path.relpath(path, ROOT): digest(path) for path in paths})
    with open(PATH, "w", encoding="utf-8") as file:
        json.dump(record, file, indent=0, sort_keys=True)
        file.write("\n")
