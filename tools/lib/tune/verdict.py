"""What a user wants to know: how much text fewer pixels lose, how much money they save, and what
we would take. The rule is simple; it is in docs/tune.md.
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

LEAST_TEXT, LEAST_TABLES = 0.995, 0.99  # part of the largest's that must agree, of all pages
LEAST_PAGE = 0.95  # part of the text that must agree on each page
FEWEST = 5  # fewer pages say nothing about chance, or about what enlarging is worth
MOST_ERRORS = 0.002  # if the truth is known: so much higher may the CER be than the best one


@dataclass(frozen=True)
class Row:
    """One way of reading: its quality and its price. Tokens, pixels and seconds are per page."""

    variant: Variant
    judged: Judged
    failed: int
    tokens_in: float
    tokens_out: float
    pixels: float
    page_s: float
    whole: Forecast | None
    """What it takes to read all of INPUT in this way, without the start of the machine."""
    errors: float | None = None
    """The part of the characters that is wrong; None if the truth is not known."""

    @property
    def usd(self) -> float:
        """USD for all of INPUT."""
        return self.whole.cost.total if self.whole else 0.0

    @property
    def hours(self) -> float:
        """Hours for all of INPUT."""
        return self.whole.hours if self.whole else 0.0


@dataclass(frozen=True)
class Enlarging:
    """What UPSAMPLE_BELOW is worth, on the pages whose size it changes.

    with_it: as the user has it now; without_it: the other way, with another UPSAMPLE_BELOW.
    """

    other: Variant
    with_it: Judged
    without_it: Judged
    tokens: tuple[float, float]
    """Tokens in, per page: as the user has it now, and the other way."""


@dataclass(frozen=True)
class Verdict:
    """All that make tune found. rows: the most pixels first; the others are compared with it."""

    rows: list[Row]
    again: Judged | None
    """Two readings of the same pictures: how far they differ by chance. None if there are none."""
    enlarging: Enlarging | None
    """None if no page of the sample is small enough."""
    choice: Row | None
    """The way that we would take; None if the figures do not show one."""
    upsample_below: int
    """The UPSAMPLE_BELOW that we would take."""

    @property
    def largest(self) -> Row:
        """The way with the most pixels."""
        return self.rows[0]


def verdict(
    ladder: Sequence[Reading],
    other: Reading | None,
    knobs: Knobs,
    times: Times,
    whole: Left,
    errors_of: Callable[[Reading], float | None],
) -> Verdict:
    """Judge the ladder's readings, the largest first. other: the reading that differs in enlarging.

    errors_of: reading -> the part of its characters that is wrong, None if not known.
    """
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
    """Tokens in, tokens out, and pixels of a page, on average."""
    entries = reading.entries
    if not entries:
        return 0.0, 0.0, 0.0
    return (
        statistics.fmean(entry.tokens_in for entry in entries),
        statistics.fmean(entry.tokens_out for entry in entries),
        statistics.fmean(math.prod(entry.model_size) for entry in entries),
    )


def on_all(page_s: float, reading: Reading, whole: Left, knobs: Knobs) -> Forecast | None:
    """What all pages take at this rate, on the machines of the knobs; None if not known."""
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
    """The fewest pixels that are good enough, among the ways in which the fewest pages failed.

    None if there is only one way. Also None if more pages failed with the most pixels than in
    another way, and none of those with fewer such pages agrees with the largest.
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
    """Whether as much agrees as we want, or as much as in a second reading of the same pictures.

    The second reading counts only with FEWEST pages or more: a few say nothing about chance.
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
    """UPSAMPLE_BELOW: 0 if small pictures are read as well without it; else as it is now."""
    is_known = found is not None and found.with_it.pages >= FEWEST
    if found and is_known and knobs.upsample_below and is_good(found.without_it, again):
        return 0
    return knobs.upsample_below


def lines(found: Verdict, knobs: Knobs) -> list[str]:
    """The lines to write into config.env; only those that differ from the present knobs."""
    wanted = []
    if found.choice and found.choice.variant.max_pixels != knobs.max_pixels:
        wanted.append(f"MAX_PIXELS={found.choice.variant.max_pixels}")
    if found.upsample_below != knobs.upsample_below:
        wanted.append(f"UPSAMPLE_BELOW={found.upsample_below}")
    return wanted
