"""The result of a page: a record is a line of the manifest, and says if the page is done."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest

from contract import DONE, STATUSES
from results.kinds import KINDS
from results.manifest import Manifest, Record, is_done, load, read_record, summary
from results.pages import Page
from rig.records import DOUBT, SETTINGS, page, record

ODD_NUMBERS = (10**400, 1e308 * 10, -(10**400), -1, True, "7", None, [7])


# ---- a line ----


def test_a_record_is_a_line_and_a_line_a_record() -> None:
    full = Record(
        page="한글/a/a",
        input="한글/a.pdf",
        pdf_page=3,
        status="partial",
        reason='two\nlines, "quoted"\u2028and\u2029more\x85',
        notes=["1 boxes turned"],
        sha256="0" * 64,
        rotation=90,
        original_size=[827, 1170],
        model_size=[1204, 1652],
        cells=25,
        pictures=["page_3_1.png", "page_3_2.jpg"],
        pictures_as="files",
        tokens_in=2537,
        tokens_out=900,
        doubt_tokens=1000,
        attempts=2,
        seconds=1.5,
        finish_reason="length",
        trust=0.25,
        doubts=[DOUBT, {**DOUBT, "kind": "amount", "cell": 3, "detail": {"ratio": 0.5}}],
        model="dots",
        settings=SETTINGS,
    )
    line = full.line()
    assert line.count("\n") == 1
    assert "한글" in line
    assert read_record(line) == full
    assert set(json.loads(line)) == set(KINDS)


def test_a_name_that_is_no_text_can_be_written_and_read(tmp_path: Path) -> None:
    odd = dataclasses.replace(record(), input=os.fsdecode(b"\xb0\xa1/\xff.png"))
    with Manifest(tmp_path) as manifest:
        manifest.add(odd)
        manifest.finish([Page(odd.input, odd.page)])
    assert load(tmp_path) == {odd.key: odd}
    assert os.fsencode(load(tmp_path)[odd.key].input) == b"\xb0\xa1/\xff.png"


@pytest.mark.parametrize(
    "line",
    [
        "",
        " ",
        "null",
        "7",
        "[]",
        "[" * 100_000,
        '"text"',
        "{}",
        '{"page": "a/a", "input": "a.png"}',
        '{"page": 1, "input": "a.png", "pdf_page": null, "status": "ok"}',
        '{"page": "a/a", "input": ["a"], "pdf_page": null, "status": "ok"}',
        '{"page": "a/a", "input": "a.png", "pdf_page": null, "status": "fine"}',
        record().line()[:-2],
        record().line()[: len(record().line()) // 2],
        record().line()[:-1] * 2,
    ],
)
def test_what_is_no_record_is_none(line: str) -> None:
    assert read_record(line) is None


def test_fields_of_a_newer_version_are_ignored_and_of_an_older_one_filled_in() -> None:
    newer = json.dumps({**json.loads(record().line()), "colour": "blue"})
    assert read_record(newer) == record()
    older = '{"page": "a/a", "input": "a.png", "pdf_page": null, "status": "ok"}'
    assert read_record(older) == Record("a/a", "a.png", None, "ok")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, v) for name in ("seconds", "tokens_in", "pdf_pages") for v in ODD_NUMBERS),
        *(("rotation", v) for v in (*ODD_NUMBERS, 45, 90.0)),
        ("tokens_out", 1.5),
        ("original_size", 7),
        ("model_size", [1, 10**400]),
        ("notes", "one"),
        ("notes", [1]),
        ("reason", None),
        ("sha256", 7),
        ("model", ["dots"]),
        ("settings", ["dots"]),
        *(("pictures", v) for v in ("1.png", {"1.png": 1}, [1], ["../1.png"], ["1.png", "a.png"])),
        *(("pictures_as", v) for v in ("links", None, ["files"], 1)),
        *(("trust", value) for value in (1.01, -0.1, True, "1", [1])),
        ("doubts", {}),
        *(("doubts", [value]) for value in (None, "missed", {}, {**DOUBT, "more": 1})),
        *(("doubts", [DOUBT, {**DOUBT, "kind": kind}]) for kind in ("else", ["missed"])),
        *(("doubts", [{**DOUBT, "bbox": box}]) for box in ([1, 2, 3], [1, 2, 3, "4"], [0.5] * 4)),
        *(("doubts", [{**DOUBT, "cell": cell}]) for cell in (-1, 1.0, True, "1")),
        *(("doubts", [{**DOUBT, "detail": detail}]) for detail in (7, {"a": None}, {"a": [1]})),
    ],
)
def test_an_odd_value_is_left_out_and_its_page_is_not(name: str, value: Any) -> None:
    """A record is later added up, compared and written; all of this must work."""
    line = json.dumps({**json.loads(record().line()), name: value})
    found = read_record(line)
    assert found is not None and found.key == record().key
    assert getattr(found, name) == getattr(Record("a/a", "a.png", None, "ok"), name)
    json.dumps(summary([found], [found], 7.0, 1.0, 1))
    assert not is_done(found, page(), "0" * 64, {"model": "dots", **SETTINGS})
    assert read_record(found.line()) == found


@pytest.mark.parametrize("value", [-1, 1.5, True, "1", 10**400])
def test_an_odd_page_number_names_no_page(value: Any) -> None:
    assert read_record(json.dumps({**json.loads(record().line()), "pdf_page": value})) is None


# ---- done ----


@pytest.mark.parametrize("status", STATUSES)
def test_a_page_is_done_unless_it_failed_or_was_not_reached(status: str) -> None:
    wanted = {"model": "dots", **SETTINGS}
    assert is_done(record(status=status), page(), "5" * 64, wanted) == (status in DONE)
    assert set(STATUSES) - set(DONE) == {"failed", "left"}


@pytest.mark.parametrize(
    ("change", "sha256", "wanted"),
    [
        ({}, "6" * 64, {}),
        ({}, "", {}),
        ({}, "5" * 64, {"model": "other"}),
        ({}, "5" * 64, {"max_pixels": 1_000_000}),
        ({}, "5" * 64, {"prompt_mode": "ocr"}),
        ({}, "5" * 64, {"upsample_below": 0}),
        ({}, "5" * 64, {"a_new_setting": 1}),
        ({"page": "a.png/a.png"}, "5" * 64, {}),
        ({"settings": {}}, "5" * 64, {}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_other_content_settings_model_or_place_is_not_done(
    change: dict[str, Any], sha256: str, wanted: dict[str, Any]
) -> None:
    before = dataclasses.replace(record(), **change)
    assert not is_done(before, page(), sha256, {"model": "dots", **SETTINGS, **wanted})
    assert not is_done(None, page(), sha256, {"model": "dots", **SETTINGS})
