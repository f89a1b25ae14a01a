"""Every error of the source is in the catalogue, with a test that makes it happen or the reason why none does; hints name commands that
are there and that a shell doesn't take apart; docs/errors.md is in step."""

import json
import os
import re
import subprocess
import sys

import pytest
import tree

sys.path.insert(0, os.path.join(tree.ROOT, "tests/support"))

import catalogue  # noqa: E402
import inventory  # noqa: E402

ERRORS, HINTS = inventory.read()
SAYS = {error.says: error for error in ERRORS}
ROWS = catalogue.rows()
HERE = catalogue.brought_about()
# Words after "machine" in texts that are no commands.
PROSE = {"that", "as", "doctor"}
SHELL = r"\b(?:mv|less|git|chmod|chown|df|touch|fuser --kill) "


@pytest.fixture(scope="module")
def commands():
    text = subprocess.run([os.environ["MACHINE"], "help", "--json"], check=True, capture_output=True, timeout=30).stdout
    return {name: {option["name"] for option in command["options"]}
            for command in json.loads(text) for name in [command["name"], *command["aliases"]]}


# --- the reading of the source

def read_text(text):
    """What the tokenizer makes of a text."""
    reader = inventory.Reader.__new__(inventory.Reader)
    reader.path, reader.known = "src/x.c", {"FILE": ".machine.toml", "PRId64": "jd"}
    reader.found = list(inventory.tokens(text))
    reader.errors, reader.hints, reader.commands, reader.function, reader.newest = [], [], [], "", None
    return reader.read()


def test_strings_that_go_on_over_lines_and_macros_are_joined():
    made = read_text('int f(void)\n{\n        error_set(err, ERROR_USAGE, "one "\n                  "two %" PRId64 " " FILE, /* "no" */ g(a, b), c);\n}\n').errors
    assert [(error.says, error.kind, error.arguments, error.line, error.function) for error in made] == [
        ("one two %jd .machine.toml", "USAGE", ["g(a,b)", "c"], 3, "f")]


def test_a_hint_belongs_to_the_last_error_of_its_function():
    made = read_text('int f(void)\n{\n        error_set(err, ERROR_USAGE, "one");\n        return near ? error_hint(err, "a %s", x) : error_hint(err, "b");\n'
                     '}\nint g(void)\n{\n        return error_hint(err, "c");\n}\n')
    assert [hint.says for hint in made.errors[0].hints] == ["a %s", "b"]
    assert [hint.says for hint in made.hints] == ["a %s", "b", "c"]


def test_both_branches_of_a_choice_are_sentences():
    made = read_text('int f(void)\n{\n        error_set(err, ERROR_USAGE, yes ? "one" : "two", x);\n        error_wrap(err, "%s", "three");\n}\n').errors
    assert [(error.says, error.sort) for error in made] == [("one", "set"), ("two", "set"), ("%s", "context")]


def test_hints_that_are_no_calls_are_read():
    hints = read_text('int f(void)\n{\n        out->hint = xstrdup(streq(a, "no") ? "one" : "two");\n        set_string(&out->hint, xasprintf("three %s", x));\n'
                      '        doctor_say(doctor, BAD, "name", "four", "%s", x);\n}\n').hints
    assert [hint.says for hint in hints] == ["one", "two", "three %s", "four"]


def test_no_call_is_missed():
    """A plain search counts the same calls."""
    counted = 0
    for path in inventory.source():
        if path in inventory.DEFINERS:
            continue
        code = "\n".join(line for _, line in tree.code_lines(path))
        counted += len(re.findall(r"\berror_(?:set|errno|at|wrap)\(", code))
    read = {(error.path, error.line) for error in ERRORS if error.maker.startswith("error_")}
    assert counted == len(read) > 600


# --- the catalogue

def test_every_error_is_in_the_catalogue():
    known = {row.says for row in ROWS}
    tree.none([f"{error.path}:{error.line}: not in tests/errors: {error.says}" for error in ERRORS
               if error.says not in known and (error.sort == "set" or (error.sort == "context" and error.hints))])


def test_the_catalogue_has_nothing_else_and_nothing_twice():
    tree.none([f"tests/errors/{row.area}.toml: nothing says this any more: {row.says}" for row in [*ROWS, *catalogue.tested_system_calls()]
               if row.says not in SAYS])
    says = [row.says for row in ROWS]
    tree.none(sorted({f"tests/errors: twice: {each}" for each in says if says.count(each) > 1}))
    tree.none([f"tests/command: nothing says this any more: {each}" for each in HERE if each not in SAYS])


def without_breaks(path):
    """A test's text with its strings joined."""
    return re.sub(r'"\s*\n\s*f?"', "", tree.text(path)).replace('\\"', '"').replace("\\'", "'")


def test_every_error_is_made_to_happen_or_has_a_reason_why_not():
    found, reasons = [], catalogue.reasons()
    for row in [*ROWS, *catalogue.tested_system_calls()]:
        place = f"tests/errors/{row.area}.toml: '{row.says}'"
        if row.says in HERE:
            continue
        if row.proof.startswith(catalogue.LEFT):
            if row.proof.removeprefix(catalogue.LEFT) not in reasons:
                found.append(f"{place}: there is no such reason: {row.proof}")
            continue
        path = f"tests/{row.proof.removeprefix(catalogue.UNREAD)}"
        if not os.path.isfile(os.path.join(tree.ROOT, path)):
            found.append(f"{place}: there is no '{path}'")
        elif not row.proof.startswith(catalogue.UNREAD) and row.part not in without_breaks(path):
            found.append(f"{place}: {path} doesn't have '{row.part}'")
    tree.none(found)


def test_an_error_with_a_hint_is_made_to_happen_unless_another_computer_is_needed():
    left = {row.says: row.proof for row in ROWS if row.says not in HERE and row.proof.startswith(catalogue.LEFT)}
    tree.none([f"{error.path}:{error.line}: has a hint that no test follows: {error.says}" for error in ERRORS
               if error.hints and left.get(error.says, "").removeprefix(catalogue.LEFT) in ("system", "guest", "inside")])


def test_the_page_is_in_step(tmp_path):
    subprocess.run([os.path.join(tree.ROOT, "tools/errors"), str(tmp_path / "errors.md")], check=True, timeout=60)
    assert (tmp_path / "errors.md").read_text(encoding="utf-8") == tree.text("docs/errors.md"), "docs/errors.md:1: is out of date; tools/errors"


# --- hints

def named(text):
    """Yields the words of each command "machine …" in a text."""
    for command in re.findall(r"(?<![\w./~-])(?<!fetch )machine ((?:--)?[a-z][^;,:()]*)", text):
        yield command.rstrip("'.?").split()


def test_commands_that_hints_name_are_there(commands):
    found, seen = [], 0
    for hint in HINTS:
        for words in named(hint.says):
            if words[0] in PROSE - {"doctor"} or "%" in words[0]:
                continue
            seen += 1
            if words[0] not in commands:
                found.append(f"{hint.path}:{hint.line}: no command '{words[0]}': {hint.says}")
                continue
            before = words[:words.index("--")] if "--" in words else words
            found += [f"{hint.path}:{hint.line}: '{words[0]}' has no {word}: {hint.says}" for word in before
                      if word.startswith("--") and word.rstrip("'")[2:] not in commands[words[0]]]
    tree.none(found)
    assert seen > 80


def is_quoted(path, argument):
    """Was it quoted for a shell? An argument that is a name of ours (a VM's, a package's, a user's) needs no quotes."""
    text = tree.text(path)
    if argument.endswith(".buf"):
        return f"text_shell_quote(&{argument[:-4]}," in text
    assigned = rf"\b{re.escape(argument)} = (?:[\w>.-]+ \? )?(?:text_shell_\w+|file_aside_command)\("
    return bool(re.search(assigned, text)) or bool(re.search(r"->name$|^package$|pw_name$|\bname$|\?", argument))


def shell_arguments(hint):
    """Those arguments that are words of a shell's command."""
    left = list(hint.arguments)
    for match in inventory.PLACE.finditer(hint.says):
        argument = left.pop(0) if match.group(0) != "%%" and left else ""
        if argument and match.group(1) == "s" and re.search(SHELL + r"[^;:,]*$", hint.says[:match.start()]):
            yield argument


def test_a_shell_takes_no_hint_apart():
    found = []
    for hint in HINTS:
        if re.search(SHELL + r"[^;]*'%s", hint.says) and "sh -c" not in hint.says:
            found.append(f"{hint.path}:{hint.line}: quotes by hand, which a quote in a name breaks: {hint.says}")
        found += [f"{hint.path}:{hint.line}: '{argument}' is not quoted for a shell: {hint.says}" for argument in shell_arguments(hint)
                  if not is_quoted(hint.path, argument)]
    tree.none(found)


def test_an_error_is_a_sentence_without_its_stop():
    """Lower case, no full stop; a name, a key or an option may come first."""
    tree.none([f"{error.path}:{error.line}: {error.says}" for error in ERRORS if error.says.endswith(".") or re.match(r"[A-Z][a-z]+ [a-z]", error.says)
               and not re.match(r"VM |Lima |QEMU |STEP ", error.says)])
