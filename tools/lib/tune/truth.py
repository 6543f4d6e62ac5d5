"""If the truth of pages is known: how many of their characters are wrong (the CER of make score).

A page that was cut out of a file has another name than its truth, so it cannot be used here.
"""

from collections.abc import Callable
from pathlib import Path

from lib import extras
from lib.console import Failure
from lib.inputs import path_of
from lib.knobs import Knobs
from lib.score import scores
from lib.score.figures import PAGE, TEXT, Score
from lib.tune.judging import Reading

REQUIREMENTS = Path(str(scores.__file__)).with_name("requirements.txt")


def scorer(knobs: Knobs) -> Callable[[Reading], float | None]:
    """Return a function: reading -> part of its characters that is wrong; None if not known.

    Raises Failure if TRUTH is not a folder.
    """
    if not knobs.truth:
        return lambda reading: None
    truth = path_of(knobs.truth)
    if not truth.is_dir():
        raise Failure(f"TRUTH {truth} is not a folder", "make tune TRUTH=folder")
    extras.install(REQUIREMENTS, "score", "make score")

    def errors_of(reading: Reading) -> float | None:
        found = scores.score_all(reading.side.root, list(reading.side.pages.values()), truth)
        return errors_in(found.pages)

    return errors_of


def errors_in(pages: list[scores.Scored]) -> float | None:
    """The CER of the pages that are among the results; None if there are none."""
    known = [page.score for page in pages if page.folder is not None]
    known = [score for score in known if not {PAGE, TEXT} & {*score.not_computed}]
    return sum(known, Score()).characters.rate if known else None
