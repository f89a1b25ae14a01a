"""Which files of the project are pages of the site, and links between them.

A link in a document names a file relative to that document, as a forge follows it. On the site the same file may be a page elsewhere, or
none: then the link goes to the project's forge, or is left out when there is no address for that.
"""

import os
import posixpath
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Files that become a page, or a part of one, other than docs/NAME.md, which is NAME.md. The README's parts are on the first page.
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "bench/results.md": "measured.md",
    "bench/network.md": "measured.md",
    "bench/recipes.md": "measured.md",
    "man/machine.1.scd": "manual/machine.1.md",
    "man/projects.toml.5.scd": "manual/projects.toml.5.md",
    "man/provision.toml.5.scd": "manual/provision.toml.5.md",
}

# A block of code, or a link, or code in a line: whichever begins first. Only links are changed.
PIECE = re.compile(r"(?ms)^(?P<indent> *)```.*?^(?P=indent)```$"
                   r"|(?P<image>!?)\[(?P<text>(?:[^\[\]`]|`[^`]*`)*)\]\((?P<target>[^()\s]+)\)"
                   r"|`[^`]+`")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def documents():
    """The names of docs/*.md."""
    return sorted(name for name in os.listdir(os.path.join(ROOT, "docs")) if name.endswith(".md"))


def page_of(path):
    """The page that the project's file `path` is on; None = it is on none."""
    folder, name = posixpath.split(path)
    if folder == "docs" and name.endswith(".md"):
        return name
    return PAGES.get(path)


class Links:
    """`project_url`: the forge's address of the project, or nothing."""

    def __init__(self, project_url):
        self.forge = project_url.rstrip("/")

    def source(self, path):
        """The address of a file that is no page; None = there is none."""
        return f"{self.forge}/blob/HEAD/{path}" if self.forge else None

    def target(self, source, target, page):
        """Where a link to `target` in the file `source` leads from the page `page`; None = nowhere."""
        if re.match(r"[a-z]+:", target):
            return target
        path, _, anchor = target.partition("#")
        anchor = f"#{anchor}" if anchor else ""
        if not path:
            return anchor
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if not os.path.exists(os.path.join(ROOT, path)):
            raise ValueError(f"{source}: a link leads to '{target}', which is not there")
        there = page_of(path)
        if there:
            return posixpath.relpath(there, posixpath.dirname(page) or ".") + anchor
        return self.source(path)

    def rewrite(self, text, source, page):
        """The Markdown `text` of the file `source`, with its links as they are on `page`."""
        def replace(match):
            if match["target"] is None:
                return match[0]
            there = self.target(source, match["target"], page)
            inside = match["text"]
            return inside if there is None else f"{match['image']}[{inside}]({there})"

        return PIECE.sub(replace, text)
