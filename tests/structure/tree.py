"""Access to the project's files, for the checks in this folder."""

import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LEFT_OUT = {".git", "__pycache__", ".pytest_cache"}


def files(*tops, suffixes=("",)):
    """Paths relative to the project's folder. Build folders (build…/) are not part of the project."""
    for top in tops or (".",):
        for folder, folders, names in os.walk(os.path.join(ROOT, top)):
            folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
            if folder == os.path.join(ROOT, "."):
                folders[:] = [name for name in folders if not name.startswith("build")]
            for name in sorted(names):
                if name not in LEFT_OUT and name.endswith(tuple(suffixes)):
                    yield os.path.relpath(os.path.join(folder, name), ROOT)


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def lines(path):
    return enumerate(text(path).splitlines(), 1)


def code_lines(path):
    """Lines of C with comments and the insides of strings blanked out, so that only code is left."""
    def blank(match):
        kept = match.group(0)
        if kept.startswith(("//", "/*")):
            return re.sub(r"[^\n]", " ", kept)
        return kept[0] + re.sub(r"[^\n]", " ", kept[1:-1]) + kept[-1]

    return enumerate(
        re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text(path), flags=re.S).splitlines(), 1)


def none(found):
    """Fails if anything was found, and lists each place as file:line on a row of its own."""
    assert not found, "\n" + "\n".join(found)
