"""From doubts to a judgement: how far to trust an answer, and why, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from PIL import Image

from answer.cells import Cell
from answer.judgement import Judgement
from contract import DOUBT_KINDS
from prompts import PROMPTS
from trust import witnesses
from trust.doubts import Doubt
from trust.judging import (
    HEARD,
    MOST,
    REASONS,
    Reader,
    gathered,
    judge,
    reason_of,
    said_by,
    with_reader,
)

BOX = (10, 20, 30, 40)
SIZE = (280, 392)


def doubt(kind: str = "missed", weight: float = 0.6, **detail: Any) -> Doubt:
    return Doubt(kind, BOX, None, weight, detail)


@pytest.mark.parametrize(
    ("doubts", "reason"),
    [
        ([doubt()], "text in one place was not read"),
        ([doubt()] * 3, "text in 3 places was not read"),
        (
            [doubt("empty"), doubt(), doubt("empty")],
            "2 cells have nothing under them; text in one place was not read",
        ),
        ([doubt("text_layer", words=9)], "one place differs from the PDF's text"),
        ([doubt("amount", why="nothing read"), doubt()], "almost nothing was read"),
    ],
)
def test_a_reason_says_what_is_wrong_the_heaviest_first(doubts: list[Doubt], reason: str) -> None:
    assert reason_of(doubts) == reason


def test_every_kind_has_words_and_every_prompt_has_witnesses() -> None:
    assert REASONS.keys() == set(DOUBT_KINDS)
    assert HEARD.keys() == PROMPTS.keys()
    for kind in DOUBT_KINDS:
        assert reason_of([doubt(kind)]) != reason_of([doubt(kind)] * 2)


@pytest.mark.parametrize(
    ("weights", "trust", "is_doubtful"),
    [([], 1.0, False), ([0.5], 0.5, False), ([0.51], 0.49, True), ([0.2] * 4, 0.41, True)],
)
def test_trust_is_what_doubts_leave(
    monkeypatch: pytest.MonkeyPatch, weights: list[float], trust: float, is_doubtful: bool
) -> None:
    doubts = [doubt(weight=weight) for weight in weights]
    monkeypatch.setattr(witnesses, "doubts_of", lambda evidence, cells: doubts)
    evidence = witnesses.evidence_of(Image.new("L", SIZE, "white"))
    found = judge(evidence, [], SIZE, SIZE, "layout_all")
    assert (found.trust, bool(found.reason)) == (trust, is_doubtful)


def test_boxes_come_in_any_pixels_and_go_in_the_page_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A witness gets boxes in its own picture's pixels. Of very many doubts only some are kept."""
    seen: list[Any] = []

    def doubts_of(evidence: witnesses.Evidence, cells: Sequence[Cell]) -> list[Doubt]:
        seen.extend(cell["bbox"] for cell in cells)
        return [doubt()] * (MOST + 1)

    monkeypatch.setattr(witnesses, "doubts_of", doubts_of)
    evidence = witnesses.evidence_of(Image.new("L", SIZE, "white"))
    cells = [{"bbox": [20, "40", 60.0, 80], "category": "Text", "text": "a"}]
    found = judge(evidence, cells, (560, 784), (1120, 1568), "layout_all")
    assert seen == [[10.0, 20.0, 30.0, 40.0]] and cells[0]["bbox"] == [20, "40", 60.0, 80]
    assert len(found.doubts) == MOST and found.reason.startswith(f"text in {MOST + 1} places")
    assert found.doubts[0] == {
        "kind": "missed",
        "bbox": [40, 80, 120, 160],
        "cell": None,
        "detail": {},
    }


def test_a_page_without_a_text_layer_has_its_evidence_too() -> None:
    found = gathered(Image.new("L", SIZE, 255))
    assert found is not None and (found.size, found.words) == (SIZE, ())


LINES = [{"bbox": [40, 80, 600, 100], "text": "Nobody on the island has counted herons"}]


@pytest.mark.parametrize(
    ("ink", "text", "trust", "reason", "kinds"),
    [
        ([], LINES[0]["text"], 1.0, "", []),
        ([], "The ferry leaves the harbour at seven", 0.4, "one cell is read", ["reader"]),
        ([0.4], "The ferry leaves the harbour at seven", 0.24, "one cell is", ["reader", "missed"]),
        ([0.4], "Nobody on the island has", 0.51, "", ["missed", "reader"]),  # half of it
        ([0.45], "Nobody on the island has", 0.468, "one cell is", ["missed", "reader"]),
        ([0.6], LINES[0]["text"], 0.4, "text in one place was not read", ["missed"]),
        ([0.6], "The ferry leaves the harbour at seven", 0.16, "text in", ["reader", "missed"]),
    ],
)
def test_a_second_reader_is_heard_behind_the_others(
    monkeypatch: pytest.MonkeyPatch,
    ink: list[float],
    text: str,
    trust: float,
    reason: str,
    kinds: list[str],
) -> None:
    """The reader works in the page's own pixels. Its heavy doubts come before all others."""
    doubts = [doubt(weight=weight) for weight in ink]
    monkeypatch.setattr(witnesses, "doubts_of", lambda evidence, cells: doubts)
    evidence = witnesses.evidence_of(Image.new("L", SIZE, "white"))
    cells = [{"bbox": [20, 40, 300, 50], "category": "Text", "text": text}]
    answered = evidence, cells, (560, 784), (1120, 1568), "layout_all"
    alone = judge(*answered)
    assert (alone.reader, alone.trusted_as) == ("", None)
    found = judge(*answered, Reader("x", LINES))
    assert found.trust == pytest.approx(trust) and found.reason.startswith(reason)
    assert bool(found.reason) is bool(reason)
    assert (found.reader, found.trusted_as) == ("x", alone.trust)
    assert [one["kind"] for one in found.doubts] == kinds
    for one in found.doubts:
        assert one["kind"] == "missed" or (one["cell"], one["bbox"]) == (0, [40, 80, 600, 100])


def test_of_very_many_doubts_of_a_second_reader_the_heaviest_are_heard() -> None:
    cells = [
        {
            "bbox": [40, 20 * n, 600, 20 * n + 12],
            "category": "Text",
            "text": f"The ferry of {1000 + n} leaves",
        }
        for n in range(MOST + 1)
    ]
    lines = [{"bbox": cell["bbox"], "text": "Herons on the island"} for cell in cells]
    lines[0]["text"] = "The ferry of 1009 leaves"  # only a digit differs
    assert [said.cell for said in said_by(Reader("x", lines), cells)] == [*range(1, MOST + 1)]


def test_what_a_second_reader_says_of_a_page_that_no_other_has_judged() -> None:
    found = with_reader(Judgement(), [doubt("reader", 0.5), doubt("reader", 0.6)], "x")
    assert (found.trust, found.trusted_as) == (0.2, None)


def test_a_doubt_of_a_second_reader_is_told_once_before_or_behind_the_others() -> None:
    heavy, light = doubt("reader", 0.51, agreement=0.4), doubt("reader", 0.5, agreement=0.6)
    other = doubt().line()
    found = with_reader(Judgement(0.9, doubts=(other,)), [light, heavy], "x")
    assert found.doubts == (heavy.line(), other, light.line())
