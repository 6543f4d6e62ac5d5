"""The sample of INPUT: count the pages, draw some of them, and put them into their own folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contract import PICTURES
from lib.console import Failure
from lib.inputs import Inputs
from lib.knobs import Knobs, pdf_password
from lib.plan.counting import count_all
from lib.plan.left import Left, size_of
from lib.tune.bringing import bring, measured
from lib.tune.sampling import Place, candidates, choose, order
from lib.tune.variants import SAMPLE, folder_of
from wanted_pages import Selection, selection_from

MOST_LINES = 5


@dataclass(frozen=True)
class Sample:
    """root: its folder; files: the page in each of its files; whole: the pages of all of INPUT.

    left_out says why some pages are not in it.
    """

    root: Path
    files: Mapping[str, Place]
    left_out: Sequence[str]
    whole: Left

    @property
    def inputs(self) -> Inputs:
        """The sample in the form of an INPUT."""
        return Inputs(self.root, tuple(sorted(self.files)))


def draw(inputs: Inputs, knobs: Knobs) -> Sample:
    """Draw the sample, and put it into its folder. Raises Failure."""
    password, selection = pdf_password(knobs), selection_from(knobs.pages)
    counts = counts_of(inputs, password)
    whole = whole_of(inputs, counts, selection)
    if not whole.pages:
        raise Failure(
            f"PAGES={knobs.pages} names no page below {inputs.root}",
            f"SAMPLE sets how many pages are read: make tune SAMPLE={knobs.sample} PAGES=",
        )
    sizes, unread = measured(inputs.root, candidates(counts, selection, knobs.sample), password)
    root = folder_of(knobs) / SAMPLE
    root.mkdir(parents=True, exist_ok=True)
    files, lost = bring(inputs.root, choose(sizes, knobs.sample), root, password)
    told = told_of(unread | lost)
    if not files:
        said = "\n".join([f"no page below {inputs.root} can be read", *told])
        raise Failure(said, "look at what is in INPUT")
    return Sample(root, files, told, whole)


def told_of(lost: Mapping[Place, str]) -> list[str]:
    """Which files are left out, and why, for people: a line for each file, but only a few lines."""
    by_file = {
        place.name: f"{place} was left out: {lost[place]}" for place in sorted(lost, key=order)
    }
    lines = list(by_file.values())
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"… and {more} more files were left out"] if more > 0 else [])]


def counts_of(inputs: Inputs, password: str) -> dict[str, int]:
    """How many pages each file has; 1 if they cannot be counted."""
    many = [inputs.root / n for n in inputs.files if not n.lower().endswith(PICTURES)]
    counted = count_all(many, password)
    return {name: counted.get(inputs.root / name, 1) for name in inputs.files}


def whole_of(inputs: Inputs, counts: Mapping[str, int], selection: Selection) -> Left:
    """All of INPUT, as what is left to read if nothing has been read."""
    wanted = [name for name in inputs.files if selection.count(counts[name])]
    pages = sum(selection.count(counts[name]) for name in wanted)
    return Left(pages, size_bytes=sum(size_of(inputs.root / name) for name in wanted))
