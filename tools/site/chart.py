"""The chart of what people wait for, as SVG from the table in bench/results.md."""

import html
import math
import re
import textwrap

WIDTH, LEFT, LABEL, BAR, GAP = 440, 4, 19, 14, 14
SCALE = WIDTH - LEFT - 78  # from the least to the most; the rest is for the values
LEAST, MOST = 0.1, 100.0   # seconds at the two ends of the scale
LINE = 56                  # characters of a label in one line


def rows(text):
    """(what, seconds, goal in seconds or None) of each row of the table that is measured in seconds."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        measured = re.fullmatch(r"([\d.]+) s", cells[1]) if len(cells) == 3 else None
        if measured and float(measured[1]) >= LEAST:
            goal = re.fullmatch(r"([\d.]+) s", cells[2])
            found.append((cells[0].replace("`", ""), float(measured[1]), float(goal[1]) if goal else None))
    if not found:
        raise ValueError("bench/results.md has no row with seconds")
    return found


def place(seconds):
    """How far from the left a time is. The scale is logarithmic."""
    part = math.log(min(max(seconds, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return LEFT + part * SCALE


def bar(what, seconds, goal, top):
    """The label, bar and value of one row, and its height."""
    lines = textwrap.wrap(what, LINE)
    y = top + len(lines) * LABEL + 5
    out = [f'<text x="{LEFT}" y="{top + LABEL * (number + 1) - 3}">{html.escape(line)}</text>' for number, line in enumerate(lines)]
    out.append(f'<rect class="bar" x="{LEFT}" y="{y}" width="{place(seconds) - LEFT:.1f}" height="{BAR}" rx="2"/>')
    end = place(seconds)
    if goal:
        x = place(goal)
        out.append(f'<line class="goal" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 4}" y2="{y + BAR + 4}"/>')
        end = x if end < x < end + 60 else end
    out.append(f'<text class="value" x="{end + 7:.1f}" y="{y + BAR - 2}">{seconds:g} s</text>')
    return out, y + BAR + GAP - top


def svg(text):
    """The chart of the table in `text`."""
    body, top = [], 0
    for what, seconds, goal in rows(text):
        out, height = bar(what, seconds, goal, top)
        body += out
        top += height
    grid = []
    for seconds in (0.1, 1, 10, 100):
        x = f"{place(seconds):.1f}"
        grid.append(f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="{top}"/>')
        anchor = "start" if seconds == LEAST else "middle"
        grid.append(f'<text class="small" x="{x}" y="{top + 18}" text-anchor="{anchor}">{seconds:g} s</text>')
    head = f'<svg class="chart" role="img" viewBox="0 0 {WIDTH} {top + 26}" aria-label="Seconds that people wait, on a logarithmic scale">'
    return "\n".join([head, *grid, *body]) + "\n</svg>"
