"""The chart of what people wait for, as SVG from the table in bench/results.md."""

import html
import math
import re

WIDTH, LEFT, ROW, BAR = 620, 4, 46, 14
LEAST, MOST = 0.1, 100.0  # seconds at the two ends of the scale


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
    return LEFT + part * (WIDTH - LEFT - 90)


def svg(text):
    """The chart of the table in `text`."""
    there = rows(text)
    height = len(there) * ROW + 34
    out = [f'<svg class="chart" role="img" viewBox="0 0 {WIDTH} {height}" aria-label="Seconds that people wait, on a logarithmic scale">']
    for seconds in (0.1, 1, 10, 100):
        x = f"{place(seconds):.1f}"
        out.append(f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="{height - 26}"/>')
        anchor = "start" if seconds == LEAST else "middle"
        out.append(f'<text class="small" x="{x}" y="{height - 8}" text-anchor="{anchor}">{seconds:g} s</text>')
    for number, (what, seconds, goal) in enumerate(there):
        top = number * ROW
        out.append(f'<text x="{LEFT}" y="{top + 17}">{html.escape(what)}</text>')
        out.append(f'<rect class="bar" x="{LEFT}" y="{top + 24}" width="{place(seconds) - LEFT:.1f}" height="{BAR}" rx="2"/>')
        out.append(f'<text class="value" x="{place(seconds) + 7:.1f}" y="{top + 36}">{seconds:g} s</text>')
        if goal:
            out.append(f'<line class="goal" x1="{place(goal):.1f}" x2="{place(goal):.1f}" y1="{top + 20}" y2="{top + 42}"/>')
    return "\n".join(out) + "\n</svg>"
