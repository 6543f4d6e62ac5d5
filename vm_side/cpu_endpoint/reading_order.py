"""Reading order: first what spans the page, then column after column."""

from __future__ import annotations

from collections.abc import Sequence

from cpu_endpoint.geometry import Box, center, height, union, width

# Layout boxes overlap by a few pixels, so boxes are shrunk a little before cuts are searched.
_SHRINK = 0.02
_COLUMN_FILL = 0.6


def order(boxes: Sequence[Box], gutter: float, right_to_left: bool = False) -> list[int]:
    """Return the indices of the boxes in reading order.

    gutter: the least empty width, in pixels, that counts as a gap between columns.
    right_to_left: columns run from the right, as in vertical Chinese or Japanese.
    """
    return _order(list(range(len(boxes))), boxes, gutter, right_to_left)


def _order(items: list[int], boxes: Sequence[Box], gutter: float, rtl: bool) -> list[int]:
    if len(items) < 2:
        return items
    bands = _groups(items, boxes, axis=1, least=0.0)
    if len(bands) == 1:
        columns = _groups(items, boxes, axis=0, least=gutter)
        if len(columns) == 1:
            return _tangled(items, boxes, gutter, rtl)
        if rtl:
            columns.reverse()
        return [i for column in columns for i in _order(column, boxes, gutter, rtl)]
    result: list[int] = []
    start = 0
    while start < len(bands):
        group, columns, used = _widest_group(bands, start, boxes, gutter)
        start += used
        if len(columns) < 2:
            result += _order(group, boxes, gutter, rtl)
            continue
        if rtl:
            columns.reverse()
        for column in columns:
            result += _order(column, boxes, gutter, rtl)
    return result


def _widest_group(
    bands: list[list[int]], start: int, boxes: Sequence[Box], gutter: float
) -> tuple[list[int], list[list[int]], int]:
    """Take bands from `start` on as long as one gap between columns runs through all of them.

    Return their items, these in columns, and how many bands were taken.
    """
    group = list(bands[start])
    columns = _groups(group, boxes, axis=0, least=gutter)
    used = 1
    if len(columns) < 2:
        # A column may begin above its neighbour: check whether the next band continues it.
        if start + 1 == len(bands) or len(_groups(bands[start + 1], boxes, 0, gutter)) < 2:
            return group, columns, used
        merged = _groups(group + bands[start + 1], boxes, axis=0, least=gutter)
        if len(merged) < 2 or not _fills_a_column(group, merged, boxes):
            return group, columns, used
        group, columns, used = group + bands[start + 1], merged, 2
    while start + used < len(bands):
        band = bands[start + used]
        merged = _groups(group + band, boxes, axis=0, least=gutter)
        if len(merged) < 2:
            break
        is_single = len(_groups(band, boxes, axis=0, least=gutter)) < 2
        # A short line under a column may be a heading of what follows.
        short = is_single and not _fills_a_column(band, merged, boxes)
        if short and not _column_goes_on(bands, start + used, group + band, boxes, gutter):
            break
        group, columns, used = group + band, merged, used + 1
    return group, columns, used


def _column_goes_on(
    bands: list[list[int]], at: int, group: list[int], boxes: Sequence[Box], gutter: float
) -> bool:
    """Whether the band after `at` is in columns too, with the same gap."""
    if at + 1 >= len(bands):
        return True
    return len(_groups(group + bands[at + 1], boxes, axis=0, least=gutter)) > 1


def _fills_a_column(band: list[int], columns: list[list[int]], boxes: Sequence[Box]) -> bool:
    band_box = union(boxes[i] for i in band)
    for column in columns:
        if band[0] in column:
            return width(band_box) >= _COLUMN_FILL * width(union(boxes[i] for i in column))
    return False


def _groups(items: Sequence[int], boxes: Sequence[Box], axis: int, least: float) -> list[list[int]]:
    """Split items at every empty gap along the axis (0: x, 1: y) that is wider than `least`."""
    ordered = sorted(items, key=lambda i: (boxes[i][axis], boxes[i][1 - axis]))
    found: list[list[int]] = []
    end = 0.0
    for i in ordered:
        low, high = boxes[i][axis], boxes[i][axis + 2]
        shrink = _SHRINK * (high - low) if axis == 0 else min(0.2 * (high - low), 6.0)
        if found and low + shrink <= end + least:
            found[-1].append(i)
        else:
            found.append([i])
        end = max(end, high - shrink) if len(found[-1]) > 1 else high - shrink
    return found


def _tangled(items: list[int], boxes: Sequence[Box], gutter: float, rtl: bool) -> list[int]:
    """Order items without any straight cut: split at the widest box, or fall back to rows."""
    widest = max(items, key=lambda i: (width(boxes[i]), -boxes[i][1]))
    middle = center(boxes[widest])[1]
    above = [i for i in items if i != widest and center(boxes[i])[1] < middle]
    below = [i for i in items if i != widest and i not in above]
    total = union(boxes[i] for i in items)
    spans = width(boxes[widest]) > 0.6 * width(total)
    if spans and height(boxes[widest]) < 0.5 * height(total):
        return [*_order(above, boxes, gutter, rtl), widest, *_order(below, boxes, gutter, rtl)]
    side = -1 if rtl else 1
    return sorted(items, key=lambda i: (boxes[i][1], side * boxes[i][0]))
