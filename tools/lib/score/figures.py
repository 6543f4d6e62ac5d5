"""The figures of a page, or of many pages. They are kept as sums, so that they can be added up.

docs/score.md says what each figure is, and where it comes from.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lib.score.texts import Edits

PAGE, TEXT, TABLE = "page", "text", "table"  # for what could not be computed
NOTHING = Edits()


@dataclass(frozen=True)
class Mean:
    """A mean, as the total and the number of its values."""

    total: float = 0.0
    count: int = 0

    def __add__(self, other: "Mean") -> "Mean":
        return Mean(self.total + other.total, self.count + other.count)

    @property
    def value(self) -> float | None:
        """The mean; None if there are no values."""
        return self.total / self.count if self.count else None


OF_NONE = Mean()


def mean_of(values: Iterable[float | None]) -> Mean:
    """The mean of the values that are known (not None)."""
    known = [value for value in values if value is not None]
    return Mean(sum(known), len(known))


@dataclass(frozen=True)
class Kind:
    """The blocks of one category: how many there are, and how well they were read."""

    true: int = 0
    """Blocks that the truth has."""
    told: int = 0
    """Cells that the answer has."""
    found: int = 0
    """Blocks with a cell of the same category that overlaps them by half or more (IoU)."""
    overlap: Mean = OF_NONE
    """IoU of all blocks that have a matching cell, of any category."""
    characters: Edits = NOTHING
    """Edits of the texts of matched blocks, with their pieces joined."""

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
        """The part of the answer's cells that is true; None if the answer has no such cells."""
        return self.found / self.told if self.told else None

    @property
    def recall(self) -> float | None:
        """The part of the true blocks that is in the answer; None if there are no such blocks."""
        return self.found / self.true if self.true else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall; None if neither side has such blocks."""
        both = self.true + self.told
        return 2 * self.found / both if both else None


@dataclass(frozen=True)
class Score:
    """How well a page, or many pages, were read."""

    pages: int = 0
    characters: Edits = NOTHING
    """Edits of the whole text in reading order. Their rate is the CER."""
    words: Edits = NOTHING
    """The same for its words. Their rate is the WER."""
    teds: Mean = OF_NONE
    """TEDS of all true tables; 0 for a table that is missing in the answer."""
    disorder: Mean = OF_NONE
    """disorder() of the pages that have blocks in both."""
    kinds: dict[str, Kind] = field(default_factory=dict)
    """By category."""
    not_computed: tuple[str, ...] = ()
    """What could not be computed: "page", "text" or "table". No figure includes it."""

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
