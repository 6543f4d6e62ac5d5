"""The findings of a second reader, on the lines of a manifest."""

import json
from typing import Any

import pytest

from checks import read_checks, reading_of
from contract import NO_BETTER, PREVIEW_MODEL, has_no_second_reading
from lib.checked import kept, laid_on, recounted, told
from lib.corrected import corrected
from lib.results import Line, read_lines
from rig.toolkit import line

CHANGES: dict[str, Any] = {
    "status": "doubtful",
    "read_as": "ok",
    "reason": "x",
    "trust": 0.2,
    "trusted_as": 1.0,
    "doubts": [{"kind": "reader"}],
    "reader": "PP-OCR",
    "reader_lines": [{"bbox": [1, 2, 3, 4], "text": "a"}],
}
BROUGHT = {"brought": {"of": "1"}}


def entry(name: str = "a", **more: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {"sha256": "s", "finished_at": 1.5, "model": "dots", "odd": "\udcff 한"}
    return line(f"{name}/{name}", f"{name}.png", **facts | more)


def lines_of(*entries: dict[str, Any]) -> list[Line]:
    return read_lines("\n".join(map(json.dumps, entries)))


def check_of(found: dict[str, Any], changes: dict[str, Any]) -> str:
    which = {name: found[name] for name in ("input", "pdf_page", "sha256", "finished_at")}
    return json.dumps({**which, "changes": changes})


@pytest.mark.parametrize("more", [{}, BROUGHT])
def test_a_line_is_changed_and_all_else_of_it_stays(more: dict[str, Any]) -> None:
    before = lines_of(entry() | more, entry("b"))
    checks = read_checks(f"{check_of(entry(), CHANGES)}\nnone\n{check_of(entry(), CHANGES)[:30]}")
    after = laid_on(before, checks)
    assert after[1] is before[1]
    assert json.loads(after[0].text) == entry() | CHANGES | more
    assert list(json.loads(after[0].text))[-1] == ("brought" if more else "reader_lines")
    assert after == read_lines("\n".join(one.text for one in after)), "as it will be read"
    after[0].text.encode()


def test_a_second_reader_says_nothing_of_what_a_person_corrected() -> None:
    """An old finding does not come back either, as if the machine had corrected the page."""
    (before,) = lines_of(entry() | CHANGES)
    by_person = corrected(before, 1, 2.0, {})
    checks = read_checks(check_of(entry(), CHANGES))
    assert laid_on([by_person], checks) == [by_person], "corrected while it was read"
    arriving = lines_of(entry())
    assert kept(arriving, [by_person]) == arriving, "the correction was taken back"


@pytest.mark.parametrize(
    ("more", "is_kept"),
    [({}, True), ({"finished_at": 2.5}, False), ({"sha256": "t"}, False), ({"odd": "y"}, True)],
)
def test_of_another_reading_it_says_nothing(more: dict[str, Any], is_kept: bool) -> None:
    ours = lines_of(entry() | CHANGES | BROUGHT)
    (arrived,) = kept(lines_of(entry(**more)), ours)
    assert json.loads(arrived.text) == entry(**more) | (CHANGES if is_kept else {})


@pytest.mark.parametrize(
    ("more", "is_told"),
    [
        ({}, True),
        (BROUGHT, True),
        ({"read_as": ""}, True),  # the ink also doubts it: both must judge the new answer
        ({"status": "ok"}, False),
        ({"status": "corrected"}, False),
        ({"notes": [NO_BETTER]}, False),
        ({"reader_lines": []}, False),
        ({"reader_lines": [1]}, False),  # a manifest may have any origin
        ({"reader_lines": [{"bbox": [1, 2, 3, 10**400], "text": "a"}]}, False),
        ({"reader_lines": [{"bbox": [1, 2, 3, 4], "text": "a" * 1001}]}, False),
        ({"reader_lines": CHANGES["reader_lines"] * 1001}, False),
    ],
)
def test_the_machine_is_told_of_pages_that_it_is_to_read_again(
    more: dict[str, Any], is_told: bool
) -> None:
    (found,) = lines_of(entry() | CHANGES | more)
    expected = {reading_of(found): CHANGES | {n: v for n, v in more.items() if n in CHANGES}}
    assert read_checks(told([found])) == (expected if is_told else {})
    told([found]).encode()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, True),
        ({"status": "doubtful"}, True),
        ({"status": "failed"}, False),
        ({"reader": "x"}, False),
        ({"model": PREVIEW_MODEL}, False),
        ({"cells": 0}, False),
        ({"settings": {"prompt_mode": "layout_only"}}, False),
    ],
)
def test_what_is_waiting(more: dict[str, Any], expected: bool) -> None:
    (found,) = lines_of(entry(**{"cells": 3} | more))
    assert has_no_second_reading(found) is expected


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ({"ok": 2, "doubtful": 0, "doubts": {}}, {"ok": 1, "doubtful": 1, "doubts": {"reader": 1}}),
        (
            {"ok": 2, "doubts": {"amount": 3}},
            {"ok": 1, "doubtful": 1, "doubts": {"amount": 3, "reader": 1}},
        ),
        ({"ok": 2}, {"ok": 1, "doubtful": 1, "doubts": {"reader": 1}}),
        ([], []),
        ({"doubts": 7}, {"doubts": 7}),
    ],
)
def test_a_summary_knows_it_or_stays(summary: Any, expected: Any) -> None:
    old = [{"kind": "amount"}]
    before = lines_of(entry(doubts=old), entry("b"))
    changes = CHANGES | {"doubts": [*old, *CHANGES["doubts"]]}
    after = laid_on(before, read_checks(check_of(entry(), changes)))
    assert json.loads(recounted(json.dumps(summary), before, after)) == expected
    assert recounted("{", before, after) == "{"
    odd = lines_of(entry(doubts=[{}]), entry("b"))
    assert recounted(json.dumps(summary), odd, after) == json.dumps(summary), "of no kind"
    assert recounted(json.dumps(summary), before, before) == json.dumps(summary)
