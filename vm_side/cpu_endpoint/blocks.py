"""From lines and layout regions to blocks: which line belongs where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cpu_endpoint.geometry import (
    Box,
    Line,
    Region,
    area,
    share_inside,
    shared_area,
    union,
    width,
    x_overlap,
    y_overlap,
)

# If text covers so much of a "figure", it is a scanned page, and not a picture.
_TEXT_IN_FIGURE = 0.3
_LINES_IN_FIGURE = 6


@dataclass
class Block:
    """A region of the page with its lines; label is a CDLA label, or "" for found lines."""

    box: Box
    label: str
    lines: list[Line] = field(default_factory=list)


def clean(regions: Sequence[Region], lines: Sequence[Line]) -> list[Region]:
    """Drop regions that repeat a better one, and pictures that are full of text."""
    kept: list[Region] = []
    # The model may also see texts inside a table; the table is worth more than those.
    for region in sorted(regions, key=lambda r: -r.score - 0.3 * (r.label == "table")):
        if region.label == "figure" and _full_of_text(region.box, lines):
            continue
        if not any(_same_place(region.box, other.box) for other in kept):
            kept.append(region)
    return kept


def _same_place(a: Box, b: Box) -> bool:
    smaller = min(area(a), area(b))
    return smaller <= 0 or shared_area(a, b) / smaller > 0.6


def _full_of_text(box: Box, lines: Sequence[Line]) -> bool:
    inside = [line for line in lines if share_inside(line.box, box) > 0.5]
    covered = sum(shared_area(line.box, box) for line in inside)
    return len(inside) >= _LINES_IN_FIGURE and covered > _TEXT_IN_FIGURE * area(box)


def assemble(regions: Sequence[Region], lines: Sequence[Line]) -> list[Block]:
    """Give each line to the region it lies in; gather the rest into blocks of their own."""
    blocks = [Block(region.box, region.label) for region in regions]
    orphans = []
    for line in lines:
        best = max(blocks, key=lambda b: belongs(line, b), default=None)
        if best is not None and belongs(line, best) >= 0.5:
            best.lines.append(line)
        else:
            orphans.append(line)
    found = [
        Block(union(line.box for line in group), "", group)
        for group in group_lines(orphans)
        if not _adopt(group, blocks)
    ]
    result = []
    for block in blocks + found:
        if block.label in ("table", "figure") or not block.lines:
            result.append(block)
            continue
        for part in part_columns(block.lines):
            result.append(Block(union(line.box for line in part), block.label, part))
    return result


def part_columns(lines: list[Line]) -> list[list[Line]]:
    """Split a block's lines at an empty strip that runs through it: two columns taken for one."""
    if len(lines) < 6 or any(line.vertical for line in lines):
        return [lines]
    parts: list[list[Line]] = []
    end = 0.0
    for line in sorted(lines, key=lambda item: item.box[0]):
        rim = 0.15 * line.size
        if parts and line.box[0] + rim <= end:
            parts[-1].append(line)
        else:
            parts.append([line])
        end = max(end, line.box[2] - rim)
    # A column has several wide lines: numbers or bullets beside a text are not a column.
    wide = all(width(union(line.box for line in part)) > 5 * part[0].size for part in parts)
    return parts if wide and all(len(part) >= 3 for part in parts) else [lines]


def belongs(line: Line, block: Block) -> float:
    """Return how much of a line lies in a block, 0 to 1. Lines come too large: ignore their rim."""
    rim = 0.15 * line.size
    x1, y1, x2, y2 = line.box
    share = share_inside((x1 + rim, y1 + rim, x2 - rim, y2 - rim), block.box)
    if block.label not in ("table", "figure") and share_inside(block.box, line.box) > 0.8:
        return max(share, 0.6)  # the model saw only a part of the line
    return share


def _adopt(group: Sequence[Line], blocks: Sequence[Block]) -> bool:
    """Give a paragraph its first or last line back, which layout boxes often cut off.

    Return whether a block took the lines.
    """
    box = union(line.box for line in group)
    if len(group) > 2:
        return False
    for block in blocks:
        if block.label not in ("text", "reference") or not block.lines:
            continue
        size = block.lines[0].size
        gap = max(block.box[1] - box[3], box[1] - block.box[3])
        alike = max(line.size for line in group) < 1.3 * size < 1.7 * group[0].size
        touching = -0.6 * size < gap < 0.35 * size
        if alike and touching and x_overlap(box, block.box) > 0.9:
            block.lines.extend(group)
            return True
    return False


def group_lines(lines: Sequence[Line]) -> list[list[Line]]:
    """Gather lines that touch and have the same size into paragraphs."""
    group = list(range(len(lines)))

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for i, line in enumerate(lines):
        for j in range(i):
            if root(i) != root(j) and neighbours(line, lines[j]):
                group[root(i)] = root(j)
    found: dict[int, list[Line]] = {}
    for i, line in enumerate(lines):
        found.setdefault(root(i), []).append(line)
    return _merge_inner(list(found.values()))


def neighbours(a: Line, b: Line) -> bool:
    """Whether two lines belong to one paragraph."""
    size = min(a.size, b.size)
    if a.vertical != b.vertical or max(a.size, b.size) > 1.45 * size:
        return False
    if a.vertical:
        x_gap = max(a.box[0], b.box[0]) - min(a.box[2], b.box[2])
        return x_gap < 0.8 * size and y_overlap(a.box, b.box) > 0.5
    if y_overlap(a.box, b.box) > 0.6:
        # Newspaper columns are less than one letter apart, and lines are detected too large.
        return max(a.box[0], b.box[0]) - min(a.box[2], b.box[2]) < 0.25 * size
    upper, lower = (a, b) if a.box[1] < b.box[1] else (b, a)
    if not -0.5 * size < lower.box[1] - upper.box[3] < 0.45 * size:
        return False
    shared = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    if shared > 0.6 * max(width(a.box), width(b.box)):
        return True
    # A paragraph's last line may be short. Its first may not: that would be a heading.
    return abs(upper.box[0] - lower.box[0]) < 1.2 * size and width(lower.box) < width(upper.box)


def _merge_inner(groups: list[list[Line]]) -> list[list[Line]]:
    """Merge groups into the larger one that they lie in: they are pieces of rows with wide gaps."""
    merged: list[tuple[Box, list[Line]]] = []
    boxed = [(union(line.box for line in group), group) for group in groups]
    for box, group in sorted(boxed, key=lambda item: -area(item[0])):
        for outer, lines in merged:
            if share_inside(box, outer) > 0.8:
                lines.extend(group)
                break
        else:
            merged.append((box, list(group)))
    return [group for _, group in merged]
