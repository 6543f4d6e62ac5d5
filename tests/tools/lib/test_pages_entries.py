"""Reading a result set: any content of its files becomes an Entry or nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from lib.console import Failure
from lib.pages.entries import (
    Cell,
    read_cell,
    read_cells,
    read_entries,
)
from lib.pages.values import number
from lib.results import read_summary
from rig.result_sets import ResultSet, cell


def test_reads_what_was_written(tmp_path: Path) -> None:
    results = ResultSet(tmp_path)
    results.add("책/page1.png", [cell("Text", "가나다", (100, 100, 200, 200))], tokens_out=7)
    results.add("a.pdf", page="a/a_page_0", pdf_page=0, status="failed", reason="no answer")
    results.finish()
    first, second = read_entries(tmp_path)
    assert (first.folder, first.name, first.tokens_out) == ("책", "page1.png", 7)
    assert (second.folder, second.name, second.reason) == ("", "a_page_0", "no answer")
    assert [c.text for c in read_cells(tmp_path, first)] == ["가나다"]
    assert read_cells(tmp_path, second) == []
    assert first.picture != second.picture
    assert read_summary(tmp_path)["pages"] == 2


def test_the_pictures_of_a_page(tmp_path: Path) -> None:
    """A finished page has its pictures, but none outside of the results."""
    results = ResultSet(tmp_path)
    results.add("책/page1.png", pictures=["1.png", "../../../etc/2.png", "page_0_3.png", "11.jpg"])
    results.add("a.pdf", page="a/a_page_0", pdf_page=0, pictures=["page_0_1.png"])
    results.add("b.png", status="failed", pictures=["1.png"])
    assert [entry.pictures for entry in read_entries(results.finish())] == [
        ("책/page1/pictures/1.png", "책/page1/pictures/11.jpg"),
        ("a/pictures/page_0_1.png",),
        (),
    ]


def test_values_of_other_kinds_are_as_none(tmp_path: Path) -> None:
    line = {"page": "a/a", "input": "a.png", "pdf_page": None, "status": "ok", "seconds": "x"}
    wrong = {"tokens_out": None, "original_size": [1], "notes": 3, "reason": None, "sha256": 5}
    unknown = {**line, "input": "b.png", "page": "b/b", "status": "new"}
    text = "\n".join(map(json.dumps, ({**line, **wrong}, unknown, [1], "x")))
    (tmp_path / "manifest.jsonl").write_text(text + "\n{")
    (entry,) = read_entries(tmp_path)
    assert (entry.seconds, entry.tokens_out, entry.size, entry.notes) == (0, 0, (0, 0), ())
    assert read_cells(tmp_path, entry) == []  # its file does not exist


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((3, 3), (2.5, 2.5), (-1, 0), (True, 0), ("7", 0), (None, 0), (float("nan"), 0)),
        *((1e999, 0), (10**401, 0), (-(10**401), 0), (1e300, 0)),
    ],
)
def test_a_number_is_finite_and_not_negative(value: Any, expected: float) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    "candidate",
    [None, 3, [], {}, {"bbox": 3}, {"bbox": [1, 2, 3]}, {"category": "Text", "text": "a"}],
)
def test_what_is_no_cell_is_none(candidate: Any) -> None:
    assert read_cell(candidate, (100, 100)) is None


def test_boxes_are_parts_of_the_page_and_stay_on_it() -> None:
    def box(*values: Any) -> tuple[float, ...]:
        found = read_cell({"bbox": list(values), "category": "Table"}, (200, 100))
        assert isinstance(found, Cell)
        return found.box

    assert box(50, 50, 100, 100) == (0.25, 0.5, 0.5, 1)
    assert box(-5, 0, 900, 50) == (0, 0, 1, 0.5)
    assert box(100, 50, 0, 0) == (0.5, 0.5, 0.5, 0.5)
    assert box("x", None, 100, 50) == (0, 0, 0.5, 0.5)


def test_a_damaged_file_has_no_cells(tmp_path: Path) -> None:
    results = ResultSet(tmp_path)
    results.add("a.png", [])
    results.finish()
    (entry,) = read_entries(tmp_path)
    for content in (b"[", b"\xff\xfe", b"3", b"[" * 100_000, b'[{"bbox": 1}, null]'):
        (tmp_path / "a/a.json").write_bytes(content)
        assert read_cells(tmp_path, entry) == []


def test_one_number_that_nobody_can_mean_ends_nothing(tmp_path: Path) -> None:
    huge = int("9" * 401)
    results = ResultSet(tmp_path)
    box = [cell("Text", "a", (0, 0, 1, 1)) | {"bbox": [0, 0, huge, huge]}]
    results.add("a.png", box, tokens_in=huge, finished_at=huge, pdf_page=huge)
    (entry,) = read_entries(results.finish())
    assert (entry.tokens_in, entry.finished_at) == (0, 0)
    assert read_cells(tmp_path, entry)[0].box == (0, 0, 0, 0)


@pytest.mark.parametrize("depth", [*range(900, 1010, 3), 991, 992, 100_000])
def test_nesting_of_any_depth_ends_nothing(tmp_path: Path, depth: int) -> None:
    results = ResultSet(tmp_path)
    results.add("good.png", [])
    results.finish()
    deep = "[" * depth + "]" * depth
    bad = f'{{"page":"a/a","input":"a","pdf_page":null,"status":"ok","doubts":{deep},"reason":""}}'
    with (tmp_path / "manifest.jsonl").open("a") as file:
        file.write(bad + "\n")
    (tmp_path / "summary.json").write_text(f'{{"settings": {deep}, "run": 3}}')
    assert read_entries(tmp_path)[0].name == "good.png"
    assert read_summary(tmp_path).get("run") in (None, 3)


def test_cells_that_are_a_folder_are_none(tmp_path: Path) -> None:
    results = ResultSet(tmp_path)
    results.add("a.png", [])
    (tmp_path / "a" / "a.json").unlink()
    (tmp_path / "a" / "a.json").mkdir()
    (entry,) = read_entries(results.finish())
    assert read_cells(tmp_path, entry) == []


@pytest.mark.parametrize("form", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_page_that_an_editor_saved_in_another_form_has_its_cells(
    tmp_path: Path, form: str
) -> None:
    results = ResultSet(tmp_path)
    results.add("a.png", [cell("Text", "가나다", (100, 100, 200, 200))])
    (entry,) = read_entries(results.finish())
    path = tmp_path / "a/a.json"
    path.write_bytes(path.read_text(encoding="utf-8").encode(form))
    assert [found.text for found in read_cells(tmp_path, entry)] == ["가나다"]


def test_a_mark_before_the_manifest_takes_no_page_away(tmp_path: Path) -> None:
    results = ResultSet(tmp_path)
    results.add("a.png", [])
    path = results.finish() / "manifest.jsonl"
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8-sig", newline="\r\n")
    assert [entry.name for entry in read_entries(tmp_path)] == ["a.png"]


def test_the_pages_of_damaged_lines_are_not_missing_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = ResultSet(tmp_path)
    for name in ("a.png", "b.png", "c.png", "d.png"):
        results.add(name, [])
    path = results.finish() / "manifest.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    newer = lines[3].replace('"ok"', '"of a newer version"')
    path.write_text("\n".join([lines[0], lines[1][:90], lines[2], newer, ""]), encoding="utf-8")
    assert [entry.name for entry in read_entries(tmp_path)] == ["a.png", "c.png"]
    said = capsys.readouterr().err
    assert f"{path} is damaged: 2 of its lines cannot be read; their pages are left out" in said
    assert "make all" in said
    path.write_text("\n".join(lines), encoding="utf-16")
    with pytest.raises(Failure, match="none of its lines can be read"):
        read_entries(tmp_path)
