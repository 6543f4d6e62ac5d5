"""Pages that a person has corrected: on the lines of OUTPUT's manifest, and when they come again.

The machine knows nothing of it. What was corrected stays, until the page is another, is read in
another way, or is to be read again whatever it is (--force).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from checks import reading_of
from contract import AUTO, CORRECTED, DONE, DOUBTFUL, is_read
from lib.results import Line

IMPOSTOR = {"status": DOUBTFUL, "reason": "the machine says that a person corrected it"}


def corrected(line: Line, cells: int, at: float, pictures: Mapping[str, Any]) -> Line:
    """The line of a page that a person has given so many cells: their word is trusted.

    pictures is what a line says of the pictures that it has now.
    """
    said = {"status": CORRECTED, "reason": "", "trust": 1.0, "doubts": []}
    return line.changed({**said, **pictures, "cells": cells, "corrected_at": at})


def stays(ours: Line, theirs: Line) -> bool:
    """Whether a page that is corrected here stays so when the machine tells this of it.

    The same reading was what was corrected. Of one that failed there is nothing to put in its
    place. And a machine that lost its results reads a page again that nobody asked for.
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
    """Lines that come from the machine; of pages that stay corrected ours, as it was.

    stands() tells whether a page's files are here, whole.
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
