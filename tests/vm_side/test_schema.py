"""What our JSON may contain: the check, the schemas in docs/schema/, and what is written."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from contract import CATEGORIES, RESULT_ENDINGS, STATUSES
from lib.corrected import corrected
from lib.corrections.file import CORRECTION
from lib.results import AT_HOME, read_lines
from results.kinds import LINE, SUMMARY
from results.manifest import Manifest, Record
from results.pages import Page
from rig.command import Batch, batch_of
from rig.hostile import NUMBERS, nested
from schema import CELLS, DOUBT, KEYWORDS, Schema, check
from schemas.write import FOLDER, docstrings, schemas, text_of

DOUBT_HERE: dict[str, Any] = {"kind": "missed", "bbox": [1, 2, 3, 4], "cell": None, "detail": {}}
CELL_HERE: dict[str, Any] = {"bbox": [1, 2, 3, 4], "category": "Text", "text": "x"}
NO_JSON = NUMBERS[:3]  # nan and the infinities
VALUES: list[Any] = [
    *(value for value in NUMBERS if value not in NO_JSON),
    *("", "x" * 1_000_001, *STATUSES, *CATEGORIES, 0, 1, 90, 90.5, 1.5, 10**15 - 1, False),
    *([""], [1, 2], [1, 2, 3, 4], ["a", 1], [None], {"a": "b"}, {"a": 1.5}, {"a": None}, nested(9)),
    *([DOUBT_HERE], DOUBT_HERE, DOUBT_HERE | {"more": 1}, DOUBT_HERE | {"cell": -1}),
    *(DOUBT_HERE | {"detail": {"why": "x", "ratio": 0.5}}, DOUBT_HERE | {"detail": {"why": []}}),
    *([CELL_HERE], [CELL_HERE, None], [CELL_HERE | {"bbox": [1, 2, 3]}], [CELL_HERE | {"b": 1}]),
    *([CELL_HERE | {"category": "text"}], [CELL_HERE | {"text": None}], [CELL_HERE] * 10_001),
]
EACH: dict[str, Schema] = {**LINE, **AT_HOME, "all cells": CELLS, "doubt": DOUBT}
EACH |= {
    "summary": SUMMARY,
    "correction": CORRECTION,
    "its cells": CORRECTION["properties"]["cells"],
}


@pytest.mark.parametrize("name", EACH)
def test_our_check_says_what_a_json_schema_says(name: str) -> None:
    """Except for 1.0, which JSON Schema calls a whole number."""
    fits, validator = check(EACH[name]), Draft202012Validator(EACH[name])
    for value in VALUES:
        if not (isinstance(value, float) and value.is_integer()):
            assert fits(value) is validator.is_valid(value), f"{value!r:.80}"


def keywords_in(schema: Any) -> set[str]:
    """All keywords of a schema and the schemas inside it, without descriptive ones."""
    if isinstance(schema, list):
        return set().union(*map(keywords_in, schema))
    if not isinstance(schema, dict):
        return set()
    inner = [value for name, value in schema.items() if name not in ("properties", "enum")]
    inner += schema.get("properties", {}).values()
    return set(schema).union(*map(keywords_in, inner)) - {"description", "title", "$schema"}


@pytest.mark.parametrize("name", schemas())
def test_the_files_are_what_the_code_gives(name: str) -> None:
    made = schemas()[name]
    Draft202012Validator.check_schema(made)
    assert keywords_in(made) <= KEYWORDS.keys(), "the check knows all that they ask for"
    assert (FOLDER / name).read_text(encoding="utf-8") == text_of(made), "make schema"
    assert {path.name for path in FOLDER.iterdir()} == schemas().keys()


def test_all_that_a_record_has_is_told() -> None:
    fields = [field.name for field in dataclasses.fields(Record)]
    assert LINE.keys() == set(fields)
    assert len(docstrings(Path(__file__).parents[2] / "vm_side/results/manifest.py", "Record")) > 10


# ---- what is really written ----


def validated(name: str, value: Any) -> None:
    Draft202012Validator(schemas()[name]).validate(value)


def test_what_a_batch_writes_is_of_this_form(tmp_path: Path) -> None:
    """Pages that are doubtful, ok, blank, failed and left; their cells, and the totals."""
    with batch_of(tmp_path, 2) as (batch, _):
        Image.new("L", (60, 80), "white").save(batch.input / "blank.png")
        (batch.input / "failed.png").write_bytes(b"none")
        assert batch.run_here("--images", environment={"WITNESS": "ink"}).code == 3
        seen = all_valid(batch)
        assert batch.run_here("--force").code == 3
        seen |= all_valid(batch)
    assert seen == {"doubtful", "ok", "blank", "failed"}


def all_valid(batch: Batch) -> set[str]:
    """Validate all that a batch has written; return the statuses of its pages."""
    for record in batch.records:
        validated("manifest-line.json", record)
        if record["status"] not in ("failed", "left"):
            path = batch.output / f"{record['page']}{RESULT_ENDINGS[0]}"
            validated("page.json", json.loads(path.read_text()))
    validated("summary.json", batch.summary)
    return set(batch.statuses().values())


def test_what_is_added_at_home_is_of_this_form(tmp_path: Path) -> None:
    """Also the line of a page that was not reached."""
    with Manifest(tmp_path) as manifest:
        manifest.finish([Page("a.png", "a/a"), Page("b.pdf", "b/b_page_0", 0, pdf_pages=3)])
    lines = read_lines((tmp_path / "manifest.jsonl").read_text())
    for line in lines:
        validated("manifest-line.json", json.loads(line.text))
        brought = line.with_brought({"of": "1", ".md": "0123456789abcdef"})
        validated("manifest-line.json", json.loads(corrected(brought, 3, 9.5, {}).text))
    assert [line.status for line in lines] == ["left", "left"]
