"""Tables as HTML: cells from a structure model, or from the places of the lines."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence

from cpu_endpoint.geometry import Box, Line, median, rows, width

# (lines with boxes relative to the table) -> HTML, or None if the model failed.
Structure = Callable[[Sequence[Line]], str | None]
_TAG = re.compile(r"<[^>]+>")
_LEAST_KEPT = 0.97


def table_html(lines: Sequence[Line], structure: Structure | None = None) -> str:
    """Return a table's HTML. Falls back to rows and columns of lines if the model loses text."""
    if structure is not None and lines:
        markup = structure(lines)
        if markup is not None and text_kept(markup, lines) >= _LEAST_KEPT:
            return markup
    return from_lines(lines)


def text_kept(markup: str, lines: Sequence[Line]) -> float:
    """Return the part of the lines' characters that is in the markup, 0 to 1."""
    wanted = sum(len(line.text.replace(" ", "")) for line in lines)
    if not wanted:
        return 1.0
    return len(re.sub(r"\s", "", html.unescape(_TAG.sub("", markup)))) / wanted


def from_lines(lines: Sequence[Line]) -> str:
    """Make a table from the lines alone: rows by height, columns by the gaps between them."""
    columns = column_spans(lines)
    parts = ["<table>"]
    for row in rows(lines):
        parts.append("<tr>" + "".join(_row_cells(row, columns)) + "</tr>")
    parts.append("</table>")
    return "".join(parts)


def column_spans(lines: Sequence[Line]) -> list[tuple[float, float]]:
    """Return the x ranges of the columns. Much wider lines are headings over several columns."""
    if not lines:
        return []
    limit = 3.0 * median([width(line.box) for line in lines])
    spans: list[tuple[float, float]] = []
    for box in sorted(line.box for line in lines if width(line.box) <= limit):
        # Detected boxes are a little too large: in a tight table, neighbours would touch.
        inset = 0.1 * (box[3] - box[1])
        low, high = box[0] + inset, box[2] - inset
        if spans and low < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], high))
        else:
            spans.append((low, high))
    return spans


def _row_cells(row: Sequence[Line], columns: Sequence[tuple[float, float]]) -> list[str]:
    cells: list[str] = []
    at = 0
    pending: list[str] = []
    reach = 1
    for line in row:
        first, last = _columns_of(line.box, columns)
        if pending and first < at + reach:
            pending.append(line.text)
            reach = max(reach, last - at + 1)
            continue
        if pending:
            cells.append(_cell(pending, reach))
            at += reach
        cells += ["<td></td>"] * (first - at)
        at, pending, reach = first, [line.text], last - first + 1
    if pending:
        cells.append(_cell(pending, reach))
        at += reach
    return cells + ["<td></td>"] * (len(columns) - at)


def _columns_of(box: Box, columns: Sequence[tuple[float, float]]) -> tuple[int, int]:
    shares = [min(box[2], high) - max(box[0], low) for low, high in columns]
    touched = [
        i
        for i, (low, high) in enumerate(columns)
        if shares[i] > 0.5 * min(high - low, box[2] - box[0])
    ]
    if touched:
        return touched[0], touched[-1]
    best = max(range(len(columns)), key=lambda i: shares[i])
    return best, best


def _cell(texts: Sequence[str], columns: int) -> str:
    span = f' colspan="{columns}"' if columns > 1 else ""
    return f"<td{span}>{html.escape(' '.join(filter(None, texts)), quote=False)}</td>"
