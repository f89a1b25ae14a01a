"""The project's texts are about the project, and name no single computer."""

import re

import pytest
import tree

TEXT = [path for path in tree.files() if not re.match(r"tests/fuzz/[a-z]+/corpus/", path)]

# Spelled so that this file doesn't find itself.
WORDS = [
    (r"/(home|Users)/(?!\$|NAME|USER|me\b|you\b|jane\b|x\b|user\b|dev\b)[a-z][a-z0-9_-]*/", "a home folder of somebody"),
    (r"(?<![\w-])/(work|workspace|tmp/build-)\w*/", "a folder of one computer"),
    (r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b", "left for later"),
    (r"(?i)\bis[s]ue ?#?\d+", "a tracker's number"),
    (r"(?i)\bti[c]ket\b", "a tracker's word"),
]
COLUMNS_MOST = 120
# Facts about the world that a test or document has to name.
ALLOWED = {
    "CHANGELOG.md": set(),
}


@pytest.mark.parametrize("pattern, reason", WORDS)
def test_words_that_are_not_said(pattern, reason):
    found = []
    for path in TEXT:
        for number, line in tree.lines(path):
            match = re.search(pattern, line)
            if match and match.group(0) not in ALLOWED.get(path, ()):
                found.append(f"{path}:{number}: '{match.group(0)}' is {reason}")
    tree.none(found)


def test_text_is_clean():
    found = []
    for path in TEXT:
        text = tree.text(path)
        if "\0" in text:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if line != line.rstrip():
                found.append(f"{path}:{number}: white space at the end")
            if "\t" in line and not path.endswith(("Makefile", "debian/rules")) and not re.search(r"\.(scd|patch)$", path):
                found.append(f"{path}:{number}: a tab")
        if text and not text.endswith("\n"):
            found.append(f"{path}:{text.count(chr(10)) + 1}: no new line at the end")
    tree.none(found)


def test_documents_fit_a_terminal():
    """Table rows and code are checked only in the README, which a stranger reads first."""
    found = []
    for path in [path for path in TEXT if path.endswith(".md")]:
        code = False
        for number, line in tree.lines(path):
            code ^= line.lstrip().startswith("```")
            if len(line) > COLUMNS_MOST and (path == "README.md" or not (code or line.startswith("|"))):
                found.append(f"{path}:{number}: {len(line)} columns")
    tree.none(found)
