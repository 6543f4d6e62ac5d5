"""Catch what libtiff says about a TIFF on the error output, where Pillow does not see it.

After an error in a fax (CCITT group 3 and 4), libtiff goes on and returns a picture, though all
rows below the error may be wrong. So its warnings are evidence.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from picture.damaged import MOST_MISSING
from picture.images import UnreadablePage

WIDTH, HEIGHT, COMPRESSION, STRIP_ROWS, TILE_WIDTH, TILE_ROWS = 256, 257, 259, 278, 322, 323
GROUP_4 = 4  # each row is coded by the row above it
AT = re.compile(r"Fax\w+: (.+?) at (?:line|scanline) ([0-9]{1,9}) of (?:strip|tile) ([0-9]{1,9})")
LONGEST = 100  # characters of what it says


@contextlib.contextmanager
def heard() -> Iterator[list[str]]:
    """Catch the lines written on the error output, without showing them.

    The list is filled at the end. This catches the lines of all threads: only one computes.
    """
    said = list[str]()
    with tempfile.TemporaryFile() as file, contextlib.ExitStack() as after:
        try:
            kept = os.dup(2)
        except OSError:  # it is closed
            after.callback(os.close, 2)
        else:
            after.callback(os.close, kept)
            after.callback(os.dup2, kept, 2)
        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            after.close()
            file.seek(0)
            said += dict.fromkeys(file.read(1 << 20).decode("utf-8", "replace").splitlines())


def remark(said: Sequence[str], tags: Mapping[int, Any]) -> str:
    """Return the note for a picture about which libtiff said this; tags describe its strips.

    Raises UnreadablePage if more than MOST_MISSING of it may be wrong.
    """
    share = part_in_doubt(said, tags)
    if share > MOST_MISSING:
        raise UnreadablePage(f"damaged picture: {share:.0%} of it may be wrong{first_of(said)}")
    most = f"up to {share:.1%} of it may be wrong" if share else "its rows are whole"
    return f"the picture's file is damaged, {most}{first_of(said)}"


def first_of(said: Sequence[str]) -> str:
    """Return the first of these lines, for people; empty if there is none."""
    return f" (libtiff: {said[0]:.{LONGEST}})" if said else ""


def part_in_doubt(said: Sequence[str], tags: Mapping[int, Any]) -> float:
    """Return what part of a fax may be wrong: each wrong row; in group 4 also the strip's rest.

    Returns 0 if no line names a row: then the rows are whole, and something else is wrong.
    """
    wide, high = int(tags[WIDTH]), int(tags[HEIGHT])
    across = int(tags.get(TILE_WIDTH, wide))
    rows = min(high, int(tags.get(TILE_ROWS, tags.get(STRIP_ROWS, high))))
    lost, before = 0, (-1, -1)
    for found in filter(None, map(AT.match, said)):
        line, strip = int(found[2]), int(found[3])
        above = strip // -(-wide // across) * rows
        is_below = strip == before[0] and line >= before[1]
        if tags.get(COMPRESSION) != GROUP_4:
            lost += 1
        elif not is_below:
            lost += max(0, min(rows, high - above) - line)  # the last strip may be shorter
        before = strip, line
    return min(1.0, lost * across / (wide * high))
