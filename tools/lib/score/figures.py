"""The figures of a page, or of many: kept as what they add up from, so that folders add up, too.

docs/score.md says what each is, and where it comes from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lib.score.texts import Edits

PAGE, TEXT, TABLE = "page", "text", "table"  # what could not be computed
NOTHING = Edits()


@dataclass(frozen=True)
class Kind:
    """What became of the blocks of one category."""

    true: int = 0
    """Blocks that the truth has."""
    told: int = 0
    """Cells that the answer has."""
    found: int = 0
    """Blocks with a cell of their category whose box overlaps theirs by half or more (IoU)."""
    overlap: float = 0.0
    """The sum of the overlaps (IoU) of all blocks that a cell is matched with, of any category."""
    matched: int = 0
    """How many these are."""
    characters: Edits = NOTHING
    """Of the texts of matched blocks, pieces joined."""

    def __add__(self, other: "Kind") -> "Kind":
        return Kind(
            self.true + other.true,
            self.told + other.told,
            self.found + other.found,
            self.overlap + other.overlap,
            self.matched + other.matched,
            self.characters + other.characters,
        )

    @property
    def iou(self) -> float | None:
        """Mean overlap of the matched ones."""
        return self.overlap / self.matched if self.matched else None

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
    tables: tuple[float, ...] = ()
    """TEDS of each true table; 0 of one that is missing."""
    disorders: tuple[float, ...] = ()
    """Of each page that has something in both."""
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
            self.tables + other.tables,
            self.disorders + other.disorders,
            {n: self.kinds.get(n, Kind()) + other.kinds.get(n, Kind()) for n in names},
            self.not_computed + other.not_computed,
        )

    @property
    def boxes(self) -> Kind:
        """All categories together."""
        return sum(self.kinds.values(), Kind())

    @property
    def teds(self) -> float | None:
        """Mean of the tables; None where there is none."""
        return mean(self.tables)

    @property
    def disorder(self) -> float | None:
        """Mean of the pages."""
        return mean(self.disorders)


def mean(values: Sequence[float]) -> float | None:
    """The mean; None of nothing."""
    return sum(values) / len(values) if values else None
