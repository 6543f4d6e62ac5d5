"""What a terminal showed, as one animated SVG: no script, no font, nothing from outside.

Each text of a line is drawn once. The picture is what the terminal shows at the end. The rest
appears and disappears by CSS, unless the reader asked for less motion.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

WIDE, HIGH, MARGIN = 9, 20, 18  # size of a character, and margin around all, in pixels
FONT_SIZE = 15  # in most terminal fonts a character is 0.6 times as wide as high
FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace"
BASELINE, BAR_MARGIN = 14.5, 3.5
TIMES = 3  # it is played three times, then it rests

BLOCKS = "▏▎▍▌▋▊▉█"  # an eighth of a character, two eighths …
PART = re.compile(rf"[{BLOCKS}]+|[^\s{BLOCKS}]+(?: [^\s{BLOCKS}]+)*")

STYLE = """
svg{{--paper:#f6f8fa;--edge:#d1d9e0;--ink:#1f2328;--typed:#0550ae;--bar:#2da44e}}
@media(prefers-color-scheme:dark){{
svg{{--paper:#151b23;--edge:#3d444d;--ink:#d1d7e0;--typed:#79c0ff;--bar:#3fb950}}}}
text{{fill:var(--ink);font:{size}px {fonts}}}.typed{{fill:var(--typed);font-weight:600}}
.bar{{fill:var(--bar)}}.gone{{visibility:hidden}}
@media(prefers-reduced-motion:no-preference){{g{{animation:{length:.2f}s step-end {times}}}}}
"""


class Frame(NamedTuple):
    """What the screen shows from this time on."""

    at_s: float
    lines: Sequence[str]


class Shown(NamedTuple):
    """A line's text between two times; without an end it stays."""

    row: int
    text: str
    from_s: float
    to_s: float | None


def lines_of(frames: Iterable[Frame]) -> list[Shown]:
    """Each text of each line, once for each time that it appears."""
    there: dict[int, Shown] = {}
    found = []
    for frame in frames:
        for row, text in enumerate(frame.lines):
            before = there.get(row)
            if before is not None and before.text == text:
                continue
            if before is not None:
                found.append(before._replace(to_s=frame.at_s))
            there[row] = Shown(row, text, frame.at_s, None)
    return [shown for shown in (*found, *there.values()) if shown.text.strip()]


def svg(frames: Sequence[Frame], length_s: float, columns: int, title: str, told: str) -> str:
    """The picture; `told` says in words what it shows."""
    groups, rows = defaultdict(list), 1
    for shown in lines_of(frames):
        groups[shown.from_s, shown.to_s].append(shown)
        rows = max(rows, shown.row + 1)
    width, height = columns * WIDE + 2 * MARGIN, rows * HIGH + 2 * MARGIN
    style = STYLE.format(size=FONT_SIZE, fonts=FONTS, length=length_s, times=TIMES)
    drawn = []
    for number, (moments, lines) in enumerate(groups.items()):
        style += keyframes(f"f{number}", *moments, length_s)
        gone = "" if moments[1] is None else ' class="gone"'
        drawn.append(f'<g{gone} style="animation-name:f{number}">')
        drawn += [part for line in lines for part in parts(line)]
        drawn.append("</g>")
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-labelledby="title told">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="told">{escape(told)}</desc>',
            f"<style>{style}</style>",
            f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8" '
            'fill="var(--paper)" stroke="var(--edge)"/>',
            *drawn,
            "</svg>\n",
        )
    )


def keyframes(name: str, from_s: float, to_s: float | None, length_s: float) -> str:
    """The CSS for when it is visible, in percent of the whole time."""
    steps = {0.0: "hidden", from_s / length_s: "visible"}
    if to_s is not None:
        steps[to_s / length_s] = "hidden"
    inner = "".join(f"{100 * at:.2f}%{{visibility:{what}}}" for at, what in steps.items())
    return f"@keyframes {name}{{{inner}}}\n"


def parts(line: Shown) -> list[str]:
    """Draw a line's words in their columns with any font, and its bars as rectangles."""
    top = MARGIN + line.row * HIGH
    kind = ' class="typed"' if line.text.startswith("$ ") else ""
    found = []
    for part in PART.finditer(line.text):
        text, x = part[0], MARGIN + part.start() * WIDE
        if text[0] in BLOCKS:
            wide = sum(BLOCKS.index(block) + 1 for block in text) / len(BLOCKS) * WIDE
            found.append(
                f'<rect class="bar" x="{x}" y="{top + BAR_MARGIN}" width="{wide:g}" '
                f'height="{HIGH - 2 * BAR_MARGIN:g}" rx="1"/>'
            )
        else:
            found.append(
                f'<text{kind} x="{x}" y="{top + BASELINE}" textLength="{len(text) * WIDE}">'
                f"{escape(text)}</text>"
            )
    return found
