"""What a user wants to know: what fewer pixels cost in text, and what they save; and what we would
take. The rule is simple, and stands in docs/tune.md.
"""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lib.knobs import Knobs
from lib.plan.forecast import Basis, Forecast, forecast, own_way
from lib.plan.left import Left
from lib.plan.runs import Run, place_of
from lib.tune.judging import Judged, Reading, enlarged, judge
from lib.tune.timing import Times
from lib.tune.variants import Variant

LEAST_TEXT, LEAST_TABLES = 0.995, 0.99  # of the largest's, all pages together
LEAST_PAGE = 0.95  # of any page's
FEWEST = 5  # pages by which chance, and what enlarging is worth, are judged: fewer tell nothing
MOST_ERRORS = 0.002  # more of the characters than the best has wrong, where the truth is known


@dataclass(frozen=True)
class Row:
    """One way of reading: how good, and how dear. Tokens, pixels and seconds are a page's."""

    variant: Variant
    judged: Judged
    failed: int
    tokens_in: float
    tokens_out: float
    pixels: float
    page_s: float
    whole: Forecast | None
    """All of INPUT read so, without the start."""
    errors: float | None = None
    """Characters that are wrong, by their truth; None: it is not known."""

    @property
    def usd(self) -> float:
        """For all of INPUT."""
        return self.whole.cost.total if self.whole else 0.0

    @property
    def hours(self) -> float:
        """The same."""
        return self.whole.hours if self.whole else 0.0


@dataclass(frozen=True)
class Enlarging:
    """What UPSAMPLE_BELOW is worth, on the pages that it concerns: as it is, and the other way."""

    other: Variant
    with_it: Judged
    without_it: Judged
    tokens: tuple[float, float]
    """A page's, in: with it, and the other way."""


@dataclass(frozen=True)
class Verdict:
    """All that make tune has found. rows: the most pixels first, which the others are judged by."""

    rows: list[Row]
    again: Judged | None
    """Two readings of the same pictures: so far do they differ by chance. None: there are none."""
    enlarging: Enlarging | None
    """None: no page of the sample is small enough."""
    choice: Row | None
    """None: nothing follows."""
    upsample_below: int
    """What we would take for it."""

    @property
    def largest(self) -> Row:
        """The one with the most pixels."""
        return self.rows[0]


def verdict(
    ladder: Sequence[Reading],
    other: Reading | None,
    knobs: Knobs,
    times: Times,
    whole: Left,
    errors_of: Callable[[Reading], float | None],
) -> Verdict:
    """Of the ladder's readings, the largest first; other is the one that differs in enlarging."""
    largest = ladder[0]
    rows = [
        Row(
            reading.variant,
            judge(reading, largest),
            reading.failed,
            *means(reading),
            times.page_s[reading.variant],
            on_all(times.page_s[reading.variant], reading, whole, knobs),
            errors_of(reading),
        )
        for reading in ladder
    ]
    twin = next((one for one in ladder if one.variant.max_pixels == knobs.max_pixels), None)
    again, found = None, None
    if other and twin:
        small = enlarged(twin, other)
        alike = other.side.pages.keys() - small
        again = judge(other.only(alike), twin) if alike else None
        again = again if again and again.pages else None
        if small:
            pair = twin.only(small), other.only(small)
            judgements = [judge(one, largest) for one in pair]
            tokens = means(pair[0])[0], means(pair[1])[0]
            found = Enlarging(other.variant, judgements[0], judgements[1], tokens)
    return Verdict(rows, again, found, choice(rows, again), upsampling(found, again, knobs))


def means(reading: Reading) -> tuple[float, float, float]:
    """Tokens in and out, and pixels, of a page."""
    entries = reading.entries
    if not entries:
        return 0.0, 0.0, 0.0
    return (
        statistics.fmean(entry.tokens_in for entry in entries),
        statistics.fmean(entry.tokens_out for entry in entries),
        statistics.fmean(math.prod(entry.model_size) for entry in entries),
    )


def on_all(page_s: float, reading: Reading, whole: Left, knobs: Knobs) -> Forecast | None:
    """What all pages come to at this rate, on the machines that the knobs name."""
    if not whole.pages or not page_s:
        return None
    seconds = page_s * whole.pages
    settings: Mapping[str, object] = {}
    run = Run(
        knobs.target,
        place_of(knobs),
        knobs.target == "gcp" and bool(knobs.bucket),
        *(1, "", settings, whole.pages, means(reading)[1], whole.size_bytes, seconds, time.time()),
    )
    return forecast(Basis(run, None), whole, knobs, own_way(knobs))


def choice(rows: Sequence[Row], again: Judged | None) -> Row | None:
    """The fewest pixels that are good enough, of the ways in which the fewest pages failed.

    None: there is but one way, or pages failed with the most pixels, and no other agrees with it.
    """
    if len(rows) < 2:
        return None
    fewest = min(row.failed for row in rows)
    whole = [row for row in rows if row.failed == fewest]
    known = [row.errors for row in whole if row.errors is not None]
    if len(known) == len(whole):
        good = [row for row in whole if (row.errors or 0.0) <= min(known) + MOST_ERRORS]
    else:
        good = [row for row in whole if row.judged.pages and is_good(row.judged, again)]
    return min(good, key=lambda row: row.variant.max_pixels, default=None)


def is_good(judged: Judged, again: Judged | None) -> bool:
    """Whether as much is kept as we want, or as a second reading of the same pictures keeps.

    One or two of these tell nothing of chance.
    """
    by_chance = again if again and again.pages >= FEWEST else Judged(0)
    tables = 1.0 if by_chance.tables is None else by_chance.tables
    return (
        judged.text >= min(LEAST_TEXT, by_chance.text)
        and judged.worst_text >= min(LEAST_PAGE, by_chance.worst_text)
        and (judged.tables is None or judged.tables >= min(LEAST_TABLES, tables))
        and not judged.lost
    )


def upsampling(found: Enlarging | None, again: Judged | None, knobs: Knobs) -> int:
    """UPSAMPLE_BELOW: 0 where small pictures are read as well without. Else it stays as it is."""
    is_known = found is not None and found.with_it.pages >= FEWEST
    if found and is_known and knobs.upsample_below and is_good(found.without_it, again):
        return 0
    return knobs.upsample_below


def lines(found: Verdict, knobs: Knobs) -> list[str]:
    """What to write into config.env; nothing where that is what stands there."""
    wanted = []
    if found.choice and found.choice.variant.max_pixels != knobs.max_pixels:
        wanted.append(f"MAX_PIXELS={found.choice.variant.max_pixels}")
    if found.upsample_below != knobs.upsample_below:
        wanted.append(f"UPSAMPLE_BELOW={found.upsample_below}")
    return wanted
