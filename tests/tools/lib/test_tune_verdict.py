"""The verdict on a sample's readings: seconds, agreement, and the way that we would take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib.knobs import Knobs
from lib.plan.left import Left
from lib.tune.judging import Judged, Page, Reading, judge, left_out, read
from lib.tune.timing import Times, steady_s, times_of
from lib.tune.variants import LADDER, Variant, folder_of, knobs_for, variants_for
from lib.tune.verdict import Row, choice, is_good, lines, verdict
from lib.tune.words import Told, all_lines, as_json
from rig.result_sets import SETTINGS, ResultSet, cell

BOX, LOWER = (80, 60, 700, 100), (80, 200, 700, 400)
TABLE = "<table><tr><td>one</td><td>two</td></tr><tr><td>three</td><td>four</td></tr></table>"
WORDS = [f"word{n}" for n in range(100)]


def test_the_ladder_has_what_is_set_and_one_other_way() -> None:
    found, other = variants_for(Knobs(max_pixels=1_800_000), LADDER)
    assert [one.max_pixels for one in found] == sorted({*LADDER, 1_800_000}, reverse=True)
    assert {one.upsample_below for one in found} == {1_200_000}
    assert other == Variant(1_800_000, 0)
    assert variants_for(Knobs(upsample_below=0), LADDER)[1] == Variant(2_000_000, 1_200_000)


def test_a_way_touches_nothing_of_the_users(tmp_path: Path) -> None:
    knobs = Knobs(output=str(tmp_path), input="/mine", workers=8, take=True, pages="3")
    own = knobs_for(knobs, Variant(1_000_000, 0))
    assert Path(own.input).parent == Path(own.output).parent == folder_of(knobs)
    assert (own.workers, own.take, own.pages, own.doubtful) == (0, False, "", False)


# ---- seconds ----


def times(count: int, every_s: float, start: float = 100.0) -> list[float]:
    return [start + every_s * n for n in range(count)]


@pytest.mark.parametrize(
    ("finished", "in_flight", "wanted"),
    [
        (times(50, 2.0), 2.0, 2.0),
        (times(30, 2.0) + times(30, 2.0, 9_000.0), 4.0, 2.0),  # a pause: the run was interrupted
        # many pages begin together and end together
        ([100.0] * 8 + times(40, 0.5, 101.0) + [150.0, 190.0], 8.0, 0.5),
        (times(50, 2.0), 48.0, None),  # all in flight together
        (times(8, 2.0), 2.0, None),
        (times(50, 2.0), 0.0, None),
        ([0.0] * 50, 2.0, None),  # a manifest without times
        ([], 0.0, None),
    ],
)
def test_seconds_of_a_page(finished: list[float], in_flight: float, wanted: float | None) -> None:
    assert steady_s(finished, in_flight) == (wanted and pytest.approx(wanted))


# ---- agreement ----


class Ways:
    """Made-up readings of a sample."""

    def __init__(self, folder: Path) -> None:
        self.knobs = Knobs(output=str(folder), target="gcp", max_pixels=2_000_000)

    def add(self, variant: Variant, *texts: str | None, **values: Any) -> Reading:
        """Read each page with this text; None: it failed."""
        own = ResultSet(folder_of(self.knobs) / variant.name)
        recipe = {"max_pixels": variant.max_pixels, "upsample_below": variant.upsample_below}
        side = round(min(variant.max_pixels, 4_000_000) ** 0.5)
        facts: dict[str, Any] = {"settings": SETTINGS | recipe, "model_size": [side, side]}
        facts["tokens_in"] = variant.max_pixels // 784
        for number, text in enumerate(texts):
            cells = [cell("Text", text or "", BOX), cell("Table", TABLE, LOWER)]
            status = "failed" if text is None else "ok"
            own.add(f"p{number}.png", cells, **{**facts, "status": status, **values})
        own.finish()
        return read(self.knobs, variant, [record.input for record in own.records])


@pytest.fixture
def ways(tmp_path: Path) -> Ways:
    return Ways(tmp_path)


LARGE, SMALL = Variant(4_000_000, 1_200_000), Variant(1_000_000, 1_200_000)
WHOLE, MOST = " ".join(WORDS), " ".join(WORDS[:80])


def test_text_tables_and_lost_pages(ways: Ways) -> None:
    largest = ways.add(LARGE, WHOLE, WHOLE, WHOLE, None)
    found = judge(ways.add(SMALL, WHOLE, MOST, None, WHOLE), largest)
    assert found.pages == 3, "what the largest cannot read is no measure"
    assert [page.name for page in found.worst] == ["p2/p2", "p1/p1"]
    assert (found.lost, found.worst_text) == (1, 0.0)
    assert found.tables == pytest.approx(2 / 3, abs=0.001)
    assert 0.5 < found.text < 0.7
    same = judge(largest, largest)
    assert (same.text, same.boxes, same.tables, same.worst, same.lost) == (1, 1, 1, (), 0)


def test_what_was_read_otherwise_does_not_count(ways: Ways) -> None:
    largest = ways.add(LARGE, WHOLE)
    other = ways.add(SMALL, MOST, settings=SETTINGS)  # an interrupted run of another way
    assert (other.tried, judge(other, largest).pages) == (0, 0)
    assert read(ways.knobs, LARGE, ["p1.png"]).tried == 0, "of another sample"


def test_a_way_without_an_answer_is_no_measure(ways: Ways) -> None:
    none, part = ways.add(LARGE, None, None), ways.add(SMALL, WHOLE)
    whole, poor = Variant(2_000_000, 0), Variant(1_500_000, 0)
    readings = [none, ways.add(whole, WHOLE, None), part, ways.add(poor)]
    assert left_out(readings) == {
        LARGE: "no page has an answer",
        SMALL: "1 of 2 pages were read",
        poor: "0 of 2 pages were read",
    }


# ---- what we would take ----

GOOD = Judged(50, text=0.996, worst=(Page("a", 0.97, 3),), tables=0.995)


@pytest.mark.parametrize(
    ("judged", "again", "wanted"),
    [
        (GOOD, None, True),
        (Judged(50, text=0.99), None, False),
        (Judged(50, text=0.99), Judged(50, text=0.985), True),  # chance alone causes more
        (Judged(50, text=0.99), Judged(5, text=0.985), True),
        (Judged(50, text=0.99), Judged(4, text=0.985), False),  # nobody knows what chance causes
        (Judged(50, text=0.999, worst=(Page("a", 0.9, 9),)), None, False),
        (Judged(50, text=1.0, tables=0.9), None, False),
        (Judged(50, text=1.0, lost=1), None, False),
    ],
)
def test_what_is_good_enough(judged: Judged, again: Judged | None, wanted: bool) -> None:
    assert is_good(judged, again) == wanted


def row(
    pixels: int, text: float = 1.0, errors: float | None = None, failed: int = 0, pages: int = 50
) -> Row:
    variant, judged = Variant(pixels, 0), Judged(pages, text=text)
    return Row(variant, judged, failed, 1.0, 1.0, 1.0, 1.0, None, errors)


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([row(4), row(2, 0.999), row(1, 0.9)], 2),
        ([row(4), row(2, 0.9), row(1, 0.8)], 4),
        ([row(4), row(2, 0.9), row(1, 0.999)], 1),
        ([row(4, errors=0.02), row(2, 0.9, 0.01), row(1, 0.9, 0.011)], 1),  # the truth decides
        ([row(4, errors=0.01), row(2, errors=0.02)], 4),
        ([row(4)], None),
        ([row(4, failed=30), row(2), row(1, 0.9)], 2),
        # 4 loses pages, and no other agrees with it
        ([row(4, failed=30), row(2, 0.9), row(1, 0.9)], None),
        ([row(4), row(2, failed=1), row(1, failed=1)], 4),
        ([row(4, errors=0.01), row(2, errors=0.01, failed=1)], 4),
        ([row(4, failed=5, pages=0), row(1, pages=0)], None),  # nothing was compared
    ],
)
def test_the_fewest_pixels_that_are_good_enough(rows: list[Row], wanted: int | None) -> None:
    found = choice(rows, None)
    assert (found and found.variant.max_pixels) == wanted


def test_where_nothing_follows_that_is_said(ways: Ways) -> None:
    """The most pixels lose a page, and the way without a loss does not agree with them."""
    ladder = [ways.add(LARGE, WHOLE, None), ways.add(SMALL, MOST, WHOLE)]
    seconds = Times({reading.variant: 1.0 for reading in ladder}, None)
    found = verdict(ladder, None, ways.knobs, seconds, Left(2), lambda reading: None)
    said = "\n".join(all_lines(Told(found, ways.knobs, seconds, 2, {}, "dots.ocr")))
    assert (
        "no choice is possible: at 4,000,000 pixels, pages failed" in said and "enough" not in said
    )


def test_the_whole(ways: Ways) -> None:
    """Money comes from a page's seconds; chance and enlarging come from the other way."""
    ladder = [
        ways.add(LARGE, *[WHOLE] * 12),
        ways.add(Variant(2_000_000, 1_200_000), *[WHOLE] * 12),
        ways.add(SMALL, *[MOST] * 12),
    ]
    other = ways.add(Variant(2_000_000, 0), *[WHOLE] * 12)
    readings = [*ladder, other]
    seconds = {reading.variant: 4 * reading.variant.max_pixels / 4e6 for reading in readings}
    knobs, whole = ways.knobs, Left(36_000, size_bytes=10**9)
    found = verdict(ladder, other, knobs, Times(seconds, None), whole, lambda reading: None)
    assert found.choice and found.choice.variant.max_pixels == 2_000_000
    assert found.again and (found.again.pages, found.again.text) == (12, 1.0)
    assert found.enlarging is None and lines(found, knobs) == []
    assert found.largest.hours == pytest.approx(40)
    machine = knobs.price_per_hour
    assert found.largest.usd - found.choice.usd == pytest.approx(20 * machine, rel=0.05)
    told = Told(found, knobs, Times(seconds, None), whole.pages, {}, "dots.ocr")
    said = "\n".join(all_lines(told))
    assert "2,000,000: 100 % of the text of 4,000,000 at 0.50 of the time; 22." in said
    assert "USD less on this input" in said and "change nothing" in said
    assert "of 36,000 pages" in said and "agreement with the largest picture does not prove" in said
    assert as_json(told)["choice"] == 2_000_000


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        (1, "(pages: 1, and fewer than 5 are too few to judge; the worst 100 %)"),
        (5, "(pages: 5; the worst 100 %)"),
    ],
)
def test_chance_on_a_few_pages_is_told_as_that(ways: Ways, pages: int, told: str) -> None:
    ladder = [ways.add(Variant(2_000_000, 1_200_000), *[WHOLE] * pages)]
    other = ways.add(Variant(2_000_000, 0), *[WHOLE] * pages)
    seconds = Times({reading.variant: 1.0 for reading in (*ladder, other)}, None)
    found = verdict(ladder, other, ways.knobs, seconds, Left(9), lambda reading: None)
    said = "\n".join(all_lines(Told(found, ways.knobs, seconds, 9, {}, "dots.ocr")))
    assert f"two readings of the same picture agree to 100 % {told}" in said


def test_too_short_a_run_is_computed_by_a_card(ways: Ways) -> None:
    found = times_of([ways.add(LARGE, WHOLE), ways.add(SMALL, WHOLE)], ways.knobs)
    assert found.card and found.card.name == "NVIDIA L4"
    assert found.page_s[SMALL] < found.page_s[LARGE] / 2


def test_enlarging_is_judged_on_the_pages_that_it_concerns(ways: Ways) -> None:
    as_it_is = Variant(2_000_000, 1_200_000)
    ladder = [ways.add(LARGE, *[WHOLE] * 5), ways.add(as_it_is, *[WHOLE] * 5)]
    other = ways.add(Variant(2_000_000, 0), *[MOST] * 5, model_size=[827, 1169])
    seconds = Times({r.variant: 1.0 for r in (*ladder, other)}, None)
    found = verdict(ladder, other, ways.knobs, seconds, Left(2), lambda reading: None)
    assert found.again is None and found.enlarging
    assert found.enlarging.with_it.text == 1.0 > found.enlarging.without_it.text
    assert found.upsample_below == 1_200_000
    for pages, wanted in ((5, ["UPSAMPLE_BELOW=0"]), (4, [])):  # so few pages prove nothing
        same = ways.add(Variant(2_000_000, 0), *[WHOLE] * pages, model_size=[827, 1169])
        found = verdict(ladder, same, ways.knobs, seconds, Left(2), lambda reading: None)
        assert lines(found, ways.knobs) == wanted
        said = " ".join(all_lines(Told(found, ways.knobs, seconds, 2, {}, "dots.ocr")))
        assert ("fewer than 5 are too few to judge" in said) == (pages < 5)
