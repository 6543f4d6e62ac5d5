"""The figures of a page, or of many: kept as what they add up from, so that folders add up, too.

docs/score.md says what each is, and where it comes from.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lib.score.texts import Edits

PAGE, TEXT, TABLE = "page", "text", "table"  # what could not be computed
NOTHING = Edits()


@dataclass(frozen=True)
class Mean:
    """The mean of so many values."""

    total: float = 0.0
    count: int = 0

    def __add__(self, other: "Mean") -> "Mean":
        return Mean(self.total + other.total, self.count + other.count)

    @property
    def value(self) -> float | None:
        """None of nothing."""
        return self.total / self.count if self.count else None


OF_NONE = Mean()


def mean_of(values: Iterable[float | None]) -> Mean:
    """The mean of those that are known."""
    known = [value for value in values if value is not None]
    return Mean(sum(known), len(known))


@dataclass(frozen=True)
class Kind:
    """What became of the blocks of one category."""

    true: int = 0
    """Blocks that the truth has."""
    told: int = 0
    """Cells that the answer has."""
    found: int = 0
    """Blocks with a cell of their category whose box overlaps theirs by half or more (IoU)."""
    overlap: Mean = OF_NONE
    """IoU of all blocks that a cell is matched with, of any category."""
    characters: Edits = NOTHING
    """Of the texts of matched blocks, pieces joined."""

    def __add__(self, other: "Kind") -> "Kind":
        return Kind(
            self.true + other.true,
            self.told + other.told,
            self.found + other.found,
            self.overlap + other.overlap,
            self.characters + other.characters,
        )

    @property
    def precision(self) -> float | None:
        """How many of the answer's are true; None where it has none."""
        return self.found / self.told if self.told else None

    @property
    def recall(self) -> float | None:
        """How many of the true ones are in the answer; None where there is none."""
        return self.found / self.true if self.true else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of the two; None where there is nothing on either side."""
        both = self.true + self.told
        return 2 * self.found / both if both else None


@dataclass(frozen=True)
class Score:
    """How good a page is, or many."""

    pages: int = 0
    characters: Edits = NOTHING
    """Of the whole text in order of reading: its rate is the CER."""
    words: Edits = NOTHING
    """The same of its words: the WER."""
    teds: Mean = OF_NONE
    """Of all true tables; 0 of one that is missing."""
    disorder: Mean = OF_NONE
    """Of the pages that have something in both."""
    kinds: dict[str, Kind] = field(default_factory=dict)
    """By category."""
    not_computed: tuple[str, ...] = ()
    """What took too long: "page", "text", "table"; it is in none of the figures."""

    def __add__(self, other: "Score") -> "Score":
        names = self.kinds.keys() | other.kinds.keys()
        return Score(
            self.pages + other.pages,
            self.characters + other.characters,
            self.words + other.words,
            self.teds + other.teds,
            self.disorder + other.disorder,
            {n: self.kinds.get(n, Kind()) + other.kinds.get(n, Kind()) for n in names},
            self.not_computed + other.not_computed,
        )

    @property
    def boxes(self) -> Kind:
        """All categories together."""
        return sum(self.kinds.values(), Kind())
