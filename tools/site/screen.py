"""A recorded session (asciicast, version 2) as HTML: what the terminal showed at the end as text, and its changes for assets/cast.js."""

import html
import json

import pyte

SMALLEST_STEP = 0.08  # seconds; what comes faster is shown as one change


def load(path):
    """The header and the output events (seconds, text) of a recording."""
    with open(path, encoding="utf-8") as file:
        header, *events = [json.loads(line) for line in file]
    return header, [(when, text) for when, kind, text in events if kind == "o"]


def classes(character):
    names = [f"c-{character.fg}"] if character.fg != "default" else []
    return " ".join(names + (["c-bold"] if character.bold else []))


def row_html(row, columns):
    """One row of the screen, without the blanks at its end."""
    pieces, style, run = [], "", ""
    text = [row[at] for at in range(columns)]
    while text and text[-1].data == " ":
        text.pop()
    for character in [*text, None]:
        wanted = classes(character) if character else None
        if wanted != style and run:
            escaped = html.escape(run, quote=False)
            pieces.append(f'<span class="{style}">{escaped}</span>' if style else escaped)
            run = ""
        if character:
            style, run = wanted, run + character.data
    return "".join(pieces)


def changes(header, events):
    """[seconds, {row: HTML}] for each moment at which rows changed."""
    screen = pyte.Screen(header["width"], header["height"])
    stream = pyte.Stream(screen)
    shown, found = {}, []
    for at, (when, text) in enumerate(events):
        stream.feed(text)
        following = events[at + 1][0] if at + 1 < len(events) else None
        if following is not None and following - (found[-1][0] if found else -1) < SMALLEST_STEP:
            continue
        now = {number: row_html(screen.buffer[number], header["width"]) for number in range(header["height"])}
        changed = {number: row for number, row in now.items() if row != shown.get(number, "")}
        if changed:
            found.append([round(when, 2), changed])
        shown = now
    last = max((number for number, row in shown.items() if row), default=-1)
    return found, [shown[number] for number in range(last + 1)]


def figure(path):
    """The recording as a figure. Without JavaScript it is the text at the end."""
    header, events = load(path)
    found, rows = changes(header, events)
    data = json.dumps(found, separators=(",", ":")).replace("<", "\\u003c")
    text = "\n".join(rows).replace("\n\n", "\n&#8203;\n")
    return (f'<figure class="cast"><figcaption>{html.escape(header["title"])}</figcaption>\n<pre tabindex="0">{text}</pre>\n'
            f'<script type="application/json">{data}</script></figure>')
