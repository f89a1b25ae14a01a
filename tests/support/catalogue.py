"""The catalogue of errors: tests/errors/*.toml, beside what tests/support/inventory.py reads out of the source.

A sentence is in a row of an area, which docs/errors.md prints, or in a group, of which it prints one row. Sentences of system calls
(error_errno()) and of context (error_wrap(), which goes in front of another error) need no row.
"""

import collections
import os
import re
import sys
import tomllib

import inventory

FOLDER = os.path.join(inventory.ROOT, "tests/errors")
AREAS = ("commands", "projects", "code", "recipes", "vms", "computer")
COMMAND_TESTS = "command/test_errors.py"
LEFT = "left: "
UNREAD = "unread: "

# `proof` is a test's file below tests/; or "unread: FILE", if that test makes the error happen and looks at something else than its
# sentence; or "left: REASON". `part`: by which a test's file tells that it is about the sentence.
Row = collections.namedtuple("Row", "area says when proof part")
Group = collections.namedtuple("Group", "says when hint rows")


def load(name):
    with open(os.path.join(FOLDER, f"{name}.toml"), "rb") as file:
        return tomllib.load(file)


def areas():
    """Yields (title, rows)."""
    for name in AREAS:
        text = load(name)
        yield text["title"], [Row(name, says, when, *(rest or [COMMAND_TESTS])[:1], rest[1] if len(rest) > 1 else inventory.distinctive(says))
                              for says, when, *rest in text["said"]]


def groups():
    for group in load("inside")["group"]:
        yield Group(group["says"], group["when"], group["hint"],
                    [Row("inside", says, "", proof, part[0] if part else inventory.distinctive(says)) for says, proof, *part in group["said"]])


def reasons():
    return load("inside")["left"]


def tested_system_calls():
    """Sentences of error_errno() and error_wrap() that a test brings about."""
    return [Row("system", says, "", proof, inventory.distinctive(says)) for says, proof in load("system")["said"]]


def rows():
    return [row for _, area in areas() for row in area] + [row for group in groups() for row in group.rows]


def table():
    """The rows of tests/command/test_errors.py."""
    sys.path.insert(0, os.path.join(inventory.ROOT, "tests/command"))
    import errors_commands
    import errors_projects
    import errors_recipes
    import errors_vms
    return [row for module in (errors_commands, errors_projects, errors_recipes, errors_vms) for row in module.ROWS]


def brought_about():
    """The sentences in those rows."""
    return {row.says for row in table()}


# --- for people

# What an argument is called in a sentence that people read, by how it is called in the source. The first that fits counts.
WORDS = [
    (r"key->name|member->key|^key$", "KEY"), (r"->line$|^line$", "LINE"), (r"column$", "COLUMN"), (r"->file$|->path$", "FILE"),
    (r"(?:->|\.)name$|^name$|near$", "NAME"),
    (r"step|called$|id$", "STEP"), (r"engine", "ENGINE"), (r"url$|origin|source$", "URL"), (r"key->low|key->high|\blow$|\bhigh$", "N"),
    (r"key->name|member->key|\bkey$", "KEY"), (r"profile|part->name|part$", "PROFILE"), (r"option|letters|\bword$", "OPTION"),
    (r"names$|list$|\ball$", "NAMES"), (r"->folder$|folder|owner|checkout|top$|layers$", "FOLDER"), (r"\bname$|near$|renamed$|instance|\bto$", "NAME"),
    (r"port\b|->host|->guest|^other$|^guest$|^free$|^forwarded$", "PORT"), (r"bytes$|\bsize|^have$|^want$|^had$|limit|MIB", "SIZE"), (r"path|file|disk|\blog|lock|socket|console|sums|target|final|from$|aside|shown_", "FILE"),
    (r"hash|sha256|^locked$", "SHA256"), (r"why|reason|\bhow\b|status|said|refusal|complaint|note", "REASON"), (r"count|number|MOST|lacks|failures|bad$|not_set_up", "N"),
    (r"command|again|init$", "COMMAND"), (r"program", "PROGRAM"), (r"owner|holder", "PROGRAM"), (r"value|given|version|text|shown|action|label|what", "TEXT"),
]
NUMBERS = "diujxzo"


COUNTED = {"PORT", "LINE", "COLUMN"}


def word(argument, letter):
    for pattern, found in WORDS:
        if re.search(pattern, argument):
            return found if letter not in NUMBERS or found in COUNTED else "N"
    return "N" if letter in NUMBERS else "…"


def readable(says, arguments):
    """A sentence with words in place of its placeholders."""
    left = list(arguments)

    def put(match):
        if match.group(0) == "%%":
            return "%"
        for _ in range(match.group(0).count("*")):
            left.pop(0)
        argument = left.pop(0) if left else ""
        if re.search(r'\?"[^"]*":"[^"]*"$', argument) and "%" not in argument:
            choices = [choice for choice in re.findall(r'"([^"]*)"', argument.split("?", 1)[1]) if choice]
            return "/".join(choices) if len(choices) > 1 or not choices[0].isalpha() else f"({choices[0]})"
        return word(argument, match.group(1))

    return inventory.PLACE.sub(put, says).replace("\\n", " ").strip()


def hints_of(says, hints):
    """The hints of a sentence, as people read them. Where the source has only a variable, a row of the table has what is said."""
    written = [readable(hint.says, hint.arguments) for hint in hints]
    said = [re.sub(r"@[A-Z]+(?:/[^ ']*)?", "FILE", row.hint).replace("FILE's $HOME", "FILE") for row in table() if row.says == says and row.hint]
    if said and any(re.search(r"COMMAND$|COMMAND;|…|^[A-Z]+$|^FILE, ", hint) for hint in written):
        written = [hint for hint in said if r"'\''" not in hint]
    return list(dict.fromkeys(hint for hint in written if not re.fullmatch(r"[A-Z]+|…", hint)))


def cell(text):
    return text.replace("|", "\\|")


def code(text):
    return f"`{cell(text)}`"
