"""A second reading of a page: which pages get one, and what it changes in the manifest."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import second_reading
from contract import PREVIEW_MODEL, has_no_second_reading
from results.manifest import Record, read_record
from results.pages import sha256_of
from rig.true_page import in_pixels, true_page
from second_reading import Engine, Opinion, Places, heard
from trust.doubts import Doubt
from trust.judging import MOST, Reader, said_by
from trust.text.reader_witness import Line
from workers.beside import PIECE

OLD = {"kind": "amount", "bbox": [1, 2, 3, 4], "cell": 0, "detail": {"ratio": 0.5}}
SERIOUS = Doubt("reader", (10, 20, 30, 40), 1, 0.6, {"agreement": 0.1, "engine": "x"})
SLIGHT = Doubt("reader", (10, 20, 30, 40), 2, 0.2, {"agreement": 0.9, "digits": 1, "engine": "x"})


def record(**values: Any) -> Record:
    facts: dict[str, Any] = {"status": "ok", "cells": 3, "model": "dots.ocr", "trust": 1.0}
    return Record("a/a", "a.png", None, **facts | values)


@pytest.mark.parametrize(
    ("values", "is_wanted"),
    [
        ({}, True),
        ({"status": "doubtful"}, True),
        ({"status": "partial", "trust": None}, True),
        ({"reader": "PP-OCR"}, False),
        ({"model": PREVIEW_MODEL}, False),
        ({"status": "blank", "cells": 0}, False),
        ({"status": "failed"}, False),
        ({"settings": {"prompt_mode": "layout_only"}}, False),
    ],
)
def test_which_pages_are_read_a_second_time(values: dict[str, Any], is_wanted: bool) -> None:
    assert has_no_second_reading(record(**values)) is is_wanted


@pytest.mark.parametrize(
    ("before", "doubts", "status", "trust", "order"),
    [
        ({}, (), "ok", 1.0, ["old"]),
        ({}, (SLIGHT,), "ok", 0.8, ["old", "slight"]),
        ({}, (SERIOUS, SLIGHT), "doubtful", 0.32, ["serious", "old", "slight"]),
        ({"trust": 0.55}, (SLIGHT,), "doubtful", 0.44, ["old", "slight"]),
        ({"trust": None}, (SERIOUS,), "doubtful", 0.4, ["serious", "old"]),
        ({"trust": 0.0, "status": "doubtful"}, (), "doubtful", 0.0, ["old"]),
        ({"status": "partial"}, (SERIOUS,), "partial", 0.4, ["serious", "old"]),
    ],
)
def test_what_an_opinion_changes(
    before: dict[str, Any], doubts: tuple[Doubt, ...], status: str, trust: float, order: list[str]
) -> None:
    page = record(doubts=[OLD], **before)
    changes = heard(page, Opinion("PP-OCR", doubts))
    names = {"old": OLD, "serious": SERIOUS.line(), "slight": SLIGHT.line()}
    assert changes["doubts"] == [names[name] for name in order]
    assert (changes.get("status", page.status), changes["trust"]) == (status, trust)
    assert ("reason" in changes) is (status == "doubtful" != page.status)
    assert changes.get("read_as", page.status) == page.status
    assert changes["trusted_as"] == page.trust
    changed = read_record(
        json.dumps({"page": "a", "input": "a", "pdf_page": None, "status": status} | changes)
    )
    assert (
        changed is not None and changed.reader == "PP-OCR" and changed.doubts == changes["doubts"]
    )


def test_an_opinion_comes_in_one_piece() -> None:
    """Nobody waits for a second half, because the process computes only now and then."""
    detail = {"agreement": 0.12345, "digits": 123, "engine": "PP-OCR and Tesseract"}
    doubts = [
        Doubt("reader", (1000 + n, 2000 + n, 3000 + n, 4000 + n), 1000 + n, 0.6, {**detail, "n": n})
        for n in range(MOST)
    ]
    assert len(ForkingPickler.dumps(Opinion("PP-OCR and Tesseract", tuple(doubts)))) < PIECE


@pytest.fixture
def place(tmp_path: Path) -> tuple[Record, Places, list[Line]]:
    """A page with results, and the lines of a good reader."""
    picture, cells = true_page(dpi=100)
    placed = [cell | {"bbox": in_pixels(cell, picture.size)} for cell in cells]
    (tmp_path / "a").mkdir()
    (tmp_path / "a/a.json").write_text(json.dumps(placed))
    picture.save(tmp_path / "a.png")
    values = {"sha256": sha256_of(tmp_path / "a.png"), "original_size": list(picture.size)}
    lines = [line_of(str(cell["text"]), *cell["bbox"]) for cell in placed]
    second_reading.hash_of.cache_clear()
    return record(**values), Places(tmp_path, tmp_path, 60.0), lines


def line_of(text: str, *box: float) -> Line:
    left, top, right, bottom = box
    return text, (left, top, right, bottom), 0.99


def read_by(lines: list[Line]) -> Engine:
    return Engine("x", lambda picture: lines)


def test_a_page_that_both_read_alike(place: tuple[Record, Places, list[Line]]) -> None:
    page, places, lines = place
    assert second_reading.second_reading(page, places, read_by(lines)) == Opinion("x")


@pytest.mark.parametrize(
    ("status", "wrong", "length", "is_kept"),
    [
        ("ok", 3, 1, True),
        ("doubtful", 3, 1, True),
        ("doubtful", 0, 1, True),  # the ink doubts it: the reader must judge the next answer, too
        ("ok", 0, 1, False),
        ("partial", 3, 1, False),
        ("ok", 3, PIECE, False),  # in more than one piece
    ],
)
def test_what_was_read_of_a_doubtful_page_is_kept(
    place: tuple[Record, Places, list[Line]], status: str, wrong: int, length: int, is_kept: bool
) -> None:
    page, places, lines = place
    page = replace(page, status=status, trust=0.4 if status == "doubtful" else 1.0)
    other = [line_of("Something else stands here " * 9, *box) for _, box, _ in lines[:wrong]]
    unsure = "x" * length, (1.0, 1.0, 2.0, 2.4), 0.1
    read = [*other, *lines[wrong:], unsure, ("가" * length, (-1.0, 1.0, 2.0, 2.6), 0.1)]
    opinion = second_reading.second_reading(page, places, read_by(read))
    assert (len(opinion.lines) == len(read)) is is_kept
    changes = heard(page, opinion)
    assert changes["reader_lines"] == list(opinion.lines)
    again = read_record(json.dumps(asdict(page) | changes))
    assert again is not None and again.reader_lines == changes["reader_lines"]
    if is_kept:
        assert opinion.lines[-2:] == (
            {"bbox": [1, 1, 2, 2], "text": ""},
            {"bbox": [0, 1, 2, 3], "text": "가"},
        )
        cells = json.loads((places.output / "a/a.json").read_text())
        assert said_by(Reader("x", opinion.lines), cells) == list(opinion.doubts)


@pytest.mark.parametrize("knows_hangul", [True, False])
def test_a_page_with_korean_is_read_by_who_knows_it(
    tmp_path: Path, place: tuple[Record, Places, list[Line]], knows_hangul: bool
) -> None:
    """Completely, or not at all: a page that was half read would count as read."""
    page, places, lines = place
    engine = replace(read_by(lines), knows_hangul=knows_hangul)
    assert second_reading.second_reading(page, places, engine) == Opinion("x")
    cells = json.loads((tmp_path / "a/a.json").read_text())
    picture = {"bbox": [0, 0, 9, 9], "category": "Picture"}
    cells[0]["text"] += "참"
    (tmp_path / "a/a.json").write_text(json.dumps([picture, *cells]))
    found = second_reading.second_reading(page, places, engine)
    assert ("Tesseract" in found.fault, found.reader) == (not knows_hangul, "x" * knows_hangul)


@pytest.mark.parametrize("rotation", [0, 90])
def test_boxes_are_the_pages_own_also_if_it_is_read_smaller(
    tmp_path: Path,
    place: tuple[Record, Places, list[Line]],
    monkeypatch: pytest.MonkeyPatch,
    rotation: int,
) -> None:
    page, places, lines = place
    if rotation:
        with Image.open(tmp_path / "a.png") as picture:
            turned = picture.rotate(rotation, expand=True)
        turned.save(tmp_path / "a.png")
        page = record(sha256=sha256_of(tmp_path / "a.png"), rotation=rotation)
    monkeypatch.setattr(second_reading, "MOST_PIXELS", 300_000)
    sizes = list[tuple[int, int]]()

    def read(picture: Image.Image) -> list[Line]:
        sizes.append(picture.size)
        halves = [line_of(text, *(side / 2 for side in box)) for text, box, _ in lines]
        return [halves[0], line_of("Something else stands here", *halves[1][1]), *halves[2:]]

    found = second_reading.second_reading(page, places, Engine("x", read))
    assert sizes == [(414, 585)] and not found.fault
    (doubt,) = found.doubts
    cells = json.loads((tmp_path / "a/a.json").read_text())
    assert (doubt.cell, list(doubt.bbox), doubt.kind) == (1, cells[1]["bbox"], "reader")


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("a.png", b"another", "changed since it was read"),
        ("a.png", None, "No such file"),
        ("a/a.json", None, "No such file"),
        ("a/a.json", b"[", "not what was written"),
        ("a/a.json", b"[1]", "not what was written"),
        ("a/a.json", b'[{"bbox": [1], "category": "Text", "text": "a"}]', "not what was written"),
    ],
)
def test_what_is_not_as_it_was_is_not_compared(
    tmp_path: Path,
    place: tuple[Record, Places, list[Line]],
    name: str,
    content: bytes | None,
    fault: str,
) -> None:
    page, places, lines = place
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert fault in second_reading.second_reading(page, places, read_by(lines)).fault
