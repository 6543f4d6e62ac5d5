"""What make tune has found, for people at a terminal, and for scripts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from contract import PREVIEW_MODEL
from lib.console import aligned
from lib.knobs import Knobs
from lib.pages.values import clean
from lib.plan.forecast import own_way
from lib.plan.words import duration, usd
from lib.tune.judging import Judged
from lib.tune.sampling import Place, rarest
from lib.tune.timing import Times
from lib.tune.verdict import FEWEST, LEAST_PAGE, Row, Verdict, lines

TEXT_HEAD = ("text", "worst page", "boxes", "tables", "doubtful", "failed")
TIME_HEAD = ("tokens", "s a page", "of time")
MOST_NAMES = 5


@dataclass(frozen=True)
class Told:
    """The verdict, and what is told with it: the knobs, the times, and the pages of the sample."""

    verdict: Verdict
    knobs: Knobs
    times: Times
    pages: int
    """How many pages INPUT has."""
    sample: Mapping[str, Place]
    """The pages of the sample, by the names of their results."""
    model: str

    @property
    def per_hour(self) -> float:
        """USD for an hour of all machines."""
        return own_way(self.knobs).per_hour


def table(told: Told) -> list[str]:
    """A table with a line for each way of reading."""
    money = ("USD for all",) if told.per_hour else ("h for all",)
    truth = ("CER",) if told.verdict.largest.errors is not None else ()
    head = (*TEXT_HEAD, *TIME_HEAD, *truth, *money, "MAX_PIXELS")
    return aligned([cells(row, told) for row in told.verdict.rows], head)


def cells(row: Row, told: Told) -> tuple[str, ...]:
    """The cells of one line."""
    found, largest = row.judged, told.verdict.largest
    whole = (f"{row.usd:,.2f}" if told.per_hour else f"{row.hours:,.2f}") if row.whole else "·"
    mark = "  ← enough" if row is told.verdict.choice else ""
    return (
        percent(found.text),
        percent(found.worst_text),
        percent(found.boxes),
        "·" if found.tables is None else percent(found.tables),
        str(found.doubtful),
        str(row.failed),
        f"{row.tokens_in:,.0f}+{row.tokens_out:,.0f}",
        f"{row.page_s:.3g}",
        f"{of_time(row, largest):.2f}",
        *(() if row.errors is None else (f"{100 * row.errors:.2f} %",)),
        whole,
        f"{row.variant.max_pixels:,}{mark}",
    )


def of_time(row: Row, largest: Row) -> float:
    """Its time a page, as a part of that of the largest."""
    return row.page_s / largest.page_s if largest.page_s else 1.0


def sentences(told: Told) -> Iterator[str]:
    """What follows from the figures, in sentences."""
    found = told.verdict
    largest = found.largest
    for row in found.rows[1:]:
        yield f"{row.variant.max_pixels:,}: {in_words(row, largest, told)}"
    if again := found.again:
        yield (
            f"two readings of the same picture agree to {percent(again.text)}"
            f" (pages: {again.pages}{few(again)}; the worst {percent(again.worst_text)})"
        )
    if found.enlarging:
        yield enlarging(told)
    if found.choice:
        yield from chosen(told)
    elif len(found.rows) > 1:
        yield (
            f"no choice is possible: at {largest.variant.max_pixels:,} pixels, pages failed, and no"
            " way with fewer such pages agrees with it; make tune again, or leave it out of LADDER"
        )


def in_words(row: Row, largest: Row, told: Told) -> str:
    """One way compared with the largest, in words."""
    kept = f"{percent(row.judged.text)} of the text of {largest.variant.max_pixels:,}"
    time = f"{of_time(row, largest):.2f} of the time"
    if row.whole is None:
        return f"{kept} at {time}"
    if told.per_hour:
        return f"{kept} at {time}; {more_or_less(largest.usd - row.usd, usd)} on this input"
    return f"{kept} at {time}; {more_or_less(largest.hours - row.hours, duration)} on this input"


def few(found: Judged) -> str:
    """A remark if there are too few pages to judge by; else ""."""
    return f", and fewer than {FEWEST} are too few to judge" if found.pages < FEWEST else ""


def more_or_less(saved: float, unit: Any) -> str:
    """The difference in words, such as "31 USD less"."""
    return f"{unit(abs(saved))} {'less' if saved >= 0 else 'more'}"


def enlarging(told: Told) -> str:
    """What UPSAMPLE_BELOW is worth, in words."""
    found = told.verdict.enlarging
    assert found
    pixels = f"{told.verdict.largest.variant.max_pixels:,}"
    ways = (told.knobs.upsample_below, found.other.upsample_below)
    parts = [
        f"UPSAMPLE_BELOW={below} keeps {percent(judged.text)} (the worst page"
        f" {percent(judged.worst_text)}) at {tokens:,.0f} tokens"
        for below, judged, tokens in zip(
            ways, (found.with_it, found.without_it), found.tokens, strict=True
        )
    ]
    count = f"small pictures: {found.with_it.pages}{few(found.with_it)}"
    return f"{count}; of their text at {pixels} pixels, {'; '.join(parts)}"


def chosen(told: Told) -> Iterator[str]:
    """Which way we would take, and what to write into config.env."""
    row = told.verdict.choice
    assert row
    wanted = lines(told.verdict, told.knobs)
    if wanted:
        yield f"enough: {row.variant.max_pixels:,}. For config.env: {' '.join(wanted)}"
    else:
        yield f"enough: {row.variant.max_pixels:,}, which is what you have: change nothing"


def look_at(told: Told) -> Iterator[str]:
    """The pages that a person should look at: those that differ most in the way we would take."""
    row = told.verdict.choice
    worst = row.judged.worst if row else ()
    for page in worst[:MOST_NAMES]:
        yield (
            f"look at {told.sample.get(page.name, page.name)}: {percent(page.text)} of its text,"
            f" words that differ: {page.words:,}"
        )
    if len(worst) > MOST_NAMES:
        yield f"… and {len(worst) - MOST_NAMES} more pages whose text differs"


def remarks(told: Told) -> Iterator[str]:
    """What the user must know besides the figures."""
    count = len(told.sample)
    if told.verdict.largest.errors is None:
        yield (
            "agreement with the largest picture does not prove that a text is right:"
            " TRUTH=folder compares with the truth"
        )
    if told.pages > count:
        yield (
            f"{count} of {told.pages:,} pages: a kind of page that is rarer than one in"
            f" {rarest(count)} may not be among them"
        )
    if told.times.card:
        yield (
            f"the sample is too short to measure a rate: seconds are computed, for an always busy"
            f" {told.times.card.name}, from the tokens that were counted"
        )
    if told.model == PREVIEW_MODEL:
        yield "this was the CPU preview: only a run with dots.ocr shows what dots.ocr needs"


def file_and_number(page: str, told: Told) -> tuple[str, int | None]:
    """A page of the sample for people: its file, and its number in it, from 1."""
    place = told.sample.get(page, Place(page))
    return clean(place.name), None if place.page is None else place.page + 1


def percent(part: float) -> str:
    """A part in percent. Only a whole gives 100: smaller parts are never rounded up to it."""
    return "100 %" if part == 1 else f"{min(part * 100, 99.99):.2f} %"


def as_json(told: Told) -> dict[str, Any]:
    """All that was found, as data for scripts and for the page."""
    found = told.verdict
    return {
        "pages": told.pages,
        "sample": [clean(str(place)) for place in told.sample.values()],
        "seconds_by": told.times.card.name if told.times.card else None,
        "usd_per_hour": told.per_hour,
        "model": told.model,
        "preview": PREVIEW_MODEL,
        "max_pixels": told.knobs.max_pixels,
        "upsample_below": told.knobs.upsample_below,
        "rows": [row_json(row, told) for row in found.rows],
        "again": found.again and judged_json(found.again, told),
        "enlarging": found.enlarging
        and {
            "upsample_below": found.enlarging.other.upsample_below,
            "as_it_is": judged_json(found.enlarging.with_it, told),
            "other": judged_json(found.enlarging.without_it, told),
            "tokens": [round(tokens, 1) for tokens in found.enlarging.tokens],
        },
        "choice": found.choice and found.choice.variant.max_pixels,
        "config": lines(found, told.knobs),
        "rarest": rarest(len(told.sample)),
        "least_page": LEAST_PAGE,
    }


def row_json(row: Row, told: Told) -> dict[str, Any]:
    """One way of reading, as data."""
    return {
        **asdict(row.variant),
        "name": row.variant.name,
        **judged_json(row.judged, told),
        "failed": row.failed,
        "tokens_in": round(row.tokens_in, 1),
        "tokens_out": round(row.tokens_out, 1),
        "pixels": round(row.pixels),
        "page_s": round(row.page_s, 4),
        "of_time": round(of_time(row, told.verdict.largest), 4),
        "hours": round(row.hours, 4),
        "usd": round(row.usd, 4),
        "errors": row.errors,
    }


def judged_json(found: Judged, told: Told) -> dict[str, Any]:
    """How far a reading agrees with the largest, as data."""
    return {
        "compared": found.pages,
        "text": found.text,
        "worst_text": round(found.worst_text, 4),
        "boxes": found.boxes,
        "tables": found.tables,
        "lost": found.lost,
        "doubtful": found.doubtful,
        "new_doubts": found.new_doubts,
        "differ": [
            [page.name, *file_and_number(page.name, told), round(page.text, 4), page.words]
            for page in found.worst
        ],
    }


def all_lines(told: Told) -> Sequence[str]:
    """The table, and all lines below it."""
    below = [*sentences(told), *look_at(told), *remarks(told)]
    return [*table(told), "", *below]
