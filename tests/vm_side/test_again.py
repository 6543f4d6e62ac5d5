"""A doubtful page that is read again: who judges the new answer, and which answer stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import second_reading
from again import is_better, reader_of, said_of
from answer.cells import Answer
from answer.judgement import Judgement
from answer.ladder import Outcome
from checks import check_of
from contract import NO_BETTER
from results.manifest import Record, load
from rig.command import Batch, files_in
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.replies import Reply
from rig.true_page import in_pixels, misread, told
from rig.two_scans import CELLS, is_larger, run, two_scans
from second_reading import Engine, Places, heard
from trust.judging import Reader

TEXTS = [cell["text"] for cell in CELLS]
WRONG = misread(CELLS)
LINES = [{"bbox": [1, 2, 3, 4], "text": "a"}]
READER = Reader("x", LINES)
FOUND: dict[str, Any] = {"reader_lines": LINES, "trust": 0.4, "trusted_as": 0.9}


@pytest.fixture
def batch(tmp_path: Path) -> Iterator[tuple[Batch, ModelServer]]:
    """Two pages, both read wrongly."""
    with two_scans(tmp_path) as (found, server):
        server.script = lambda request: Reply(told(WRONG, request.size))
        yield found, server


def check(batch: Batch, to: Path) -> None:
    """Write what a good second reader finds at home; the manifest does not have it."""

    def read(picture: Any) -> Any:
        boxes = [in_pixels(cell, picture.size) for cell in CELLS]
        return [(text, box, 0.99) for text, box in zip(TEXTS, boxes, strict=True)]

    second_reading.hash_of.cache_clear()
    places, engine = Places(batch.input, batch.output, 60.0), Engine("x", read)
    with to.open("w") as file:
        for record in load(batch.output).values():
            opinion = second_reading.second_reading(record, places, engine)
            file.write(check_of(record, heard(record, opinion)))


def test_a_second_reader_hears_the_new_answer_too(
    batch: tuple[Batch, ModelServer], either: str, tmp_path: Path
) -> None:
    """An answer that it agrees with replaces the one that it doubted; no other answer does."""
    found, server = batch
    assert run(found).code == 0
    first = {record["input"]: record for record in found.records}
    assert [record["status"] for record in first.values()] == ["ok", "ok"]
    checks = tmp_path / "checks.jsonl"
    check(found, checks)
    stood = files_in(found.output / "b")
    server.reset()

    def reads_a_well(request: Request) -> Reply:
        return Reply(told(CELLS if is_larger(request) else WRONG, request.size))

    server.script = reads_a_well
    assert run(found, DOUBTFUL="1", CHECKS=str(checks)).code == 0
    better, same = found.records
    assert (better["status"], better["trust"], better["doubts"]) == ("ok", 1.0, [])
    assert (better["reader"], better["read_as"], better["reader_lines"]) == ("x", "", [])
    assert (better["trusted_as"], better["notes"], better["attempts"]) == (1.0, [], 1)
    texts = [cell["text"] for cell in json.loads((found.output / "a/a.json").read_text())]
    assert texts == TEXTS

    assert (same["status"], same["read_as"], same["notes"]) == ("doubtful", "ok", [NO_BETTER])
    assert same["reason"] == "2 cells are read differently by the second reader"
    assert (same["reader"], same["trusted_as"]) == ("x", first["b.png"]["trust"])
    assert [line["text"] for line in same["reader_lines"]] == TEXTS
    assert files_in(found.output / "b") == stood
    assert found.summary["doubts"] == {"reader": 2} and found.summary["doubtful"] == 1

    asked = len(server.requests)
    assert run(found, DOUBTFUL="1", CHECKS=str(checks)).code == 0
    assert (len(server.requests), found.records) == (asked, [better, same])


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ({}, READER),
        ({"reader_lines": []}, None),
        ({"rotation": 90}, None),
        ({"original_size": [9, 8]}, None),
    ],
)
def test_who_hears_it(before: dict[str, Any], expected: Reader | None) -> None:
    """Not a reader that saw the page in another position: its lines would be in other places."""
    assert reader_of(doubted(**before), {"rotation": 0, "original_size": [8, 9]}) == expected
    assert reader_of(None, {}) is None


@pytest.mark.parametrize(
    ("before", "trust", "reader", "expected"),
    [
        ({}, 0.4, "x", False),
        ({}, 0.401, "x", True),
        ({}, 0.9, "", False),  # the reader has not judged it; the other witnesses see no change
        ({}, 0.95, "", True),
        ({"reader": "", "trusted_as": None}, 0.401, "", True),
    ],
)
def test_like_is_compared_with_like(
    before: dict[str, Any], trust: float, reader: str, expected: bool
) -> None:
    judgement = Judgement(trust, reader=reader, trusted_as=0.9)
    assert is_better(outcome("ok", judgement), doubted(**before)) is expected


@pytest.mark.parametrize(
    ("status", "judgement", "well_formed", "expected"),
    [
        ("ok", Judgement(1.0), True, {}),
        ("ok", Judgement(1.0, "", (), "x", 1.0), True, {"reader": "x", "trusted_as": 1.0}),
        ("partial", Judgement(0.2, "", (), "x", 1.0), True, {"reader": "x", "trusted_as": 1.0}),
        *(
            (
                "doubtful",
                Judgement(0.2, "", (), "x", trusted_as),
                well_formed,
                {"reader": "x", "reader_lines": LINES, "trusted_as": trusted_as} | read_as,
            )
            for trusted_as, well_formed, read_as in (
                (0.5, True, {"read_as": "ok"}),
                (0.5, False, {"read_as": "repaired"}),
                (0.499, True, {}),
            )
        ),
    ],
)
def test_what_is_said_of_the_new_one(
    status: str, judgement: Judgement, well_formed: bool, expected: dict[str, Any]
) -> None:
    """As if the reader had judged it after it was read."""
    said = said_of(outcome(status, judgement, well_formed), READER)
    assert said == {"trust": judgement.trust, "doubts": []} | expected


def doubted(**changes: Any) -> Record:
    record = Record("a/a", "a.png", None, "doubtful", original_size=[8, 9], reader="x")
    return replace(record, **FOUND | changes)


def outcome(status: str, judgement: Judgement, well_formed: bool = True) -> Outcome:
    answer = Answer((), well_formed=well_formed)
    return Outcome(answer, status, "", "stop", (8, 9), judgement, 1, 1, 1, 0)
