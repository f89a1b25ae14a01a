"""projects.toml(5) and provision.toml(5) have every key, in the words of the schemas: those of the tables in docs/configuration.md and
docs/recipes.md, which tests/unit/config/test_documentation.c compares with the schemas."""

import re
import textwrap

import pytest
import tree

PROJECTS, RECIPES = "man/projects.toml.5.scd", "man/provision.toml.5.scd"
HEAD = "| key | value | without it | meaning |"
# Keys of every entry of a recipe have a section of their own in the manual.
EVERY_ENTRY = ("when", "verify", "optional")


def tables(path):
    """Yields (title of the section, rows) for each table of keys. A row: key, value, without it, meaning."""
    title, rows = "", None
    for _, line in [*tree.lines(path), (0, "")]:
        if line.startswith("#"):
            title = line.lstrip("#").strip()
        if line == HEAD:
            rows = []
        elif rows is not None and not line.startswith("|"):
            yield title, rows
            rows = None
        elif rows is not None and not line.startswith("| ---"):
            rows.append([cell.strip() for cell in re.split(r"(?<!\\) \| ", line.strip("| "))])


def scdoc(text):
    """Markdown's `code` as scdoc's underlined text."""
    return "".join(f"_{part.replace('*', chr(92) + '*')}_" if i % 2 else part for i, part in enumerate(text.split("`")))


def entry(row):
    """A key as the manual has it."""
    key, value, without, meaning = row[0].strip("`"), *map(scdoc, row[1:])
    without = "required" if without == "(required)" else f"without it: {without}"
    text = f"{meaning[0].upper()}{meaning[1:]}. Value: {value}; {without}."
    return f"*{key}*\n" + textwrap.indent(textwrap.fill(text, 124, break_long_words=False, break_on_hyphens=False), "\t") + "\n"


def sections(path):
    """Title of a section of the manual -> its text."""
    found, title = {}, ""
    for _, line in tree.lines(path):
        if re.match(r"##? ", line):
            title = line.lstrip("#").strip()
        found[title] = found.get(title, "") + line + "\n"
    return found


def documented():
    """Yields (page, section of the page, row) for each key."""
    places = {"The top of projects.toml": ["THE TOP OF PROJECTS.TOML"], "A project": ["A PROJECT", "ONLY IN PROJECTS.TOML"],
              "config.toml": ["CONFIG.TOML"]}
    for title, rows in tables("docs/configuration.md"):
        section = places[title].pop(0)
        for row in rows:
            yield PROJECTS, ".MACHINE.TOML" if row[0] == "`name`" else section, row
    for title, rows in tables("docs/recipes.md"):
        for row in rows:
            key = row[0].strip("`")
            if title == "[profile]" and key in ("arch", "suite"):
                yield RECIPES, "EVERY ENTRY", row
            elif title != "[profile]" and key in EVERY_ENTRY:
                yield RECIPES, "EVERY ENTRY", row
            else:
                yield RECIPES, title, row


def test_there_are_keys_to_compare():
    found = list(documented())
    assert len([row for page, _, row in found if page == PROJECTS]) > 25
    assert len([row for page, _, row in found if page == RECIPES]) > 60


def test_every_key_has_its_entry_in_the_words_of_the_schema():
    found = []
    for page, section, row in documented():
        if entry(row) not in sections(page).get(section, ""):
            found.append(f"{page}:1: '{section}' has to have this entry:\n{entry(row)}")
    tree.none(found)


def test_no_key_is_made_up():
    known = {(page, section, row[0].strip("`")) for page, section, row in documented()}
    found = []
    for page in (PROJECTS, RECIPES):
        for section, text in sections(page).items():
            if any(there[:2] == (page, section) for there in known):
                found += [f"{page}:1: '{section}' has no key '{key}'" for key in re.findall(r"^\*([^*]+)\*$", text, flags=re.M)
                          if (page, section, key) not in known]
    tree.none(found)


@pytest.mark.parametrize("page, reference", [(PROJECTS, "docs/configuration.md"), (RECIPES, "docs/recipes.md")])
def test_each_page_says_where_the_whole_reference_is(page, reference):
    assert reference.removeprefix("docs/") in tree.text(page)
