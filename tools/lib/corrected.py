"""Pages that a person has corrected: their lines in OUTPUT's manifest, also when they come again.

The machine does not know about corrections. A correction stays until the page's file has other
content, the page is read in another way, or all pages are read again (--force).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from checks import reading_of
from contract import AUTO, CORRECTED, DONE, DOUBTFUL, is_read
from lib.results import Line

IMPOSTOR = {"status": DOUBTFUL, "reason": "the machine says that a person corrected it"}


def corrected(line: Line, cells: int, at: float, pictures: Mapping[str, Any]) -> Line:
    """Return the line of a page to which a person gave so many cells; their word is trusted.

    pictures: a line's values for the pictures that the page has now.
    """
    said = {"status": CORRECTED, "reason": "", "trust": 1.0, "doubts": []}
    return line.changed({**said, **pictures, "cells": cells, "corrected_at": at})


def stays(ours: Line, theirs: Line) -> bool:
    """Whether a page that is corrected here stays so when the machine sends this line.

    It stays if the person corrected this same reading. It stays if the new reading failed, because
    then there is nothing to put in its place. And it stays if a machine that lost its results has
    read the page again in the same way, although nobody asked for that.
    """
    if ours.status != CORRECTED or ours.page != theirs.page:
        return False
    if reading_of(ours) == reading_of(theirs):
        return True
    if theirs.status not in DONE:
        return theirs.sha256 in ("", ours.sha256)
    wanted = {"rotate": AUTO, **ours.settings, "model": ours.model}
    return not theirs.forced and is_read(theirs, ours.sha256, wanted)


def kept(
    arriving: Iterable[Line], ours: Iterable[Line], stands: Callable[[Line], bool]
) -> list[Line]:
    """Return the machine's lines; for a page that stays corrected, our own line.

    stands() tells whether a page's files are here and complete.
    """
    before = {line.key: line for line in ours if line.status == CORRECTED and stands(line)}
    return [
        before[line.key].as_said
        if line.key in before and stays(before[line.key], line)
        else line.changed(IMPOSTOR)
        if line.status == CORRECTED
        else line
        for line in arriving
    ]
