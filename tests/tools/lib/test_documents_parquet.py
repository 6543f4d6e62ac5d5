"""parquet has the records of jsonl, value for value."""

import json
from pathlib import Path
from typing import Any

import pytest
from pyarrow.parquet import read_table

from lib.documents.formats import coco, jsonl, parquet
from rig.small_documents import document, written

PAGES: tuple[list[tuple[str, str]], ...] = (
    [("Title", "# 제목 \ud800\x00"), ("Table", "<table><tr><td>1"), ("Picture", "")],
    [],
)


@pytest.mark.parametrize(
    "values", [{}, {"pdf_page": None, "trust": 0.25, "rotation": 90}, {"size": (0.0, 0.0)}]
)
def test_the_records_are_those_of_jsonl(values: dict[str, Any], tmp_path: Path) -> None:
    what = document(*PAGES, **values)
    for module in (jsonl, parquet):
        assert written(module.write, what, tmp_path) == []
    lines = (tmp_path / "report.jsonl").read_text(encoding="utf-8").splitlines()
    assert read_table(tmp_path / "report.parquet").to_pylist() == list(map(json.loads, lines))


def test_a_page_has_the_same_number_in_all_data(tmp_path: Path) -> None:
    for module in (coco, jsonl):
        written(module.write, document(*PAGES), tmp_path)
    rows = map(json.loads, (tmp_path / "report.jsonl").read_text(encoding="utf-8").splitlines())
    images = json.loads((tmp_path / "report.coco.json").read_text(encoding="utf-8"))["images"]
    assert [row["source_page"] for row in rows] == [image["source_page"] for image in images]


def test_more_pages_than_are_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROWS_AT_ONCE", 2)
    written(parquet.write, document(*[[("Text", str(number))] for number in range(5)]), tmp_path)
    found = read_table(tmp_path / "report.parquet").column("number").to_pylist()
    assert found == [1, 2, 3, 4, 5]
