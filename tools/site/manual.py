"""The manual's pages, from scdoc's format to Markdown with HTML in it. Knows what the files in man/ use, see scdoc(5)."""

import html
import re

# A term or a word in bold or underlined, or an escaped character.
MARKED = re.compile(r"\\(?P<plain>.)|\*(?P<bold>(?:\\.|[^*\\])+)\*|(?<!\w)_(?P<under>(?:\\.|[^_\\]|_(?=\w))+)_(?!\w)")


def unescaped(text):
    return re.sub(r"\\(.)", r"\1", text)


def inline(text):
    """One paragraph's text as HTML."""
    def replace(match):
        if match["plain"]:
            return match["plain"]
        tag, inside = ("strong", match["bold"]) if match["bold"] else ("em", match["under"])
        return f"<{tag}>{unescaped(inside)}</{tag}>"

    return MARKED.sub(replace, html.escape(text, quote=False))


def paragraphs(lines):
    """Lines to paragraphs of HTML. A line that ends in "++" is the end of a row."""
    out, row = [], []
    for line in [*lines, ""]:
        if line.strip():
            row.append(inline(line.strip().removesuffix("++")) + ("<br>" if line.endswith("++") else ""))
        elif row:
            out.append("\n".join(row))
            row = []
    return out


def blocks(text):
    """Yields ("heading", level, text), ("text", HTML), ("entry", HTML of the term, [HTML of its paragraphs]) and ("code", text)."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        start, line = at, lines[at]
        at += 1
        if re.match(r"#+ ", line):
            yield "heading", line.index(" "), line.lstrip("#").strip()
        elif line == "```":
            at = lines.index("```", at) + 1
            yield "code", "\n".join(lines[start + 1:at - 1])
        elif line.strip():
            while at < len(lines) and lines[at].strip() and not lines[at].startswith("\t"):
                at += 1
            if at < len(lines) and lines[at].startswith("\t"):
                term = lines[start:at]
                begin = at
                while at < len(lines) and (lines[at].startswith("\t") or not lines[at] and lines[at + 1:at + 2] and lines[at + 1].startswith("\t")):
                    at += 1
                yield "entry", " ".join(paragraphs(term)), paragraphs(lines[begin:at])
            else:
                for paragraph in paragraphs(lines[start:at]):
                    yield "text", paragraph


def as_html(block):
    """A block that is no heading, to stand in Markdown between empty lines."""
    if block[0] == "text":
        return f"<p>{block[1]}</p>"
    if block[0] == "code":
        return f"<pre><code>{html.escape(block[1], quote=False)}</code></pre>"
    return f"<dl><dt>{block[1]}</dt><dd>{''.join(f'<p>{each}</p>' for each in block[2])}</dd></dl>"


def no_empty_lines(text):
    """HTML whose empty lines don't end it for Markdown."""
    return text.replace("\n\n", "\n&#10;")


def linked(text, folder):
    """HTML in which the names of our own pages lead to them, from a page beside the folder `folder`."""
    return re.sub(r"<strong>(machine|projects\.toml|provision\.toml)</strong>\((\d)\)", rf'<a href="{folder}\1.\2.html">\1(\2)</a>', text)


def page(text):
    """A whole page of the manual as Markdown."""
    first, rest = text.split("\n", 1)
    out = [f"# {first}"]
    for block in blocks(rest):
        out.append(f"{'#' * (block[1] + 1)} {heading(block[2])}" if block[0] == "heading" else linked(no_empty_lines(as_html(block)), ""))
    return "\n\n".join(out) + "\n"


def heading(text):
    """A heading's text, in which Markdown must find no mark-up of its own."""
    text = text.capitalize() if text.isupper() and "." not in text else text
    return re.sub(r"([\[\]*_<>`|])", r"\\\1", unescaped(text))


def section(text, name):
    """The blocks of the subsection of COMMANDS whose heading begins with `name`."""
    found, inside = [], False
    for block in blocks(text.split("# COMMANDS", 1)[1]):
        if block[0] == "heading":
            inside = block[1] == 2 and block[2].split()[0] == name
        elif inside:
            found.append(block)
    return found
