"""The data of a report is made again only where something has changed."""

import json
from pathlib import Path
from typing import Any

import pytest

from lib.pages.entries import Entry, read_entries
from lib.report import chunks
from lib.report.chunks import PAGES_PER_CHUNK, SNIPPET, beginning, write_chunks
from lib.report.scripts import write_script
from rig.result_sets import ResultSet, cell


def write(folder: Path, count: int, **texts: str) -> list[Entry]:
    """Write a result set of so many pages; some have these texts (p3="…")."""
    results = ResultSet(folder)
    for number in range(count):
        text = texts.get(f"p{number}", f"text of page {number}")
        results.add(f"p{number}.png", [cell("Text", text, (10, 10, 400, 90))])
    return read_entries(results.finish())


def data(folder: Path, name: str) -> Any:
    """The data that a script passes to dots()."""
    text = (folder / f"{name}.js").read_text(encoding="utf-8")
    start = f'dots("{name}",'
    assert text.startswith(start)
    assert text.endswith(")\n")
    return json.loads(text[len(start) : -2])


@pytest.mark.parametrize(
    ("texts", "begins"),
    [
        (["Title", "", "text"], "Title · text"),
        (["x" * SNIPPET], "x" * SNIPPET),
        (["x" * SNIPPET, "y"], "x" * (SNIPPET - 1) + "…"),
        (["x" * (SNIPPET - 3), "y"], "x" * (SNIPPET - 3) + "…"),
        (["x" * (SNIPPET - 2) + " y", "z"], "x" * (SNIPPET - 2) + "…"),
        ([], ""),
    ],
)
def test_a_text_that_goes_on_says_so(texts: list[str], begins: str) -> None:
    assert beginning(texts) == begins


def test_pages_texts_and_digests(tmp_path: Path) -> None:
    entries = write(tmp_path, PAGES_PER_CHUNK + 3, p52="마지막 **쪽**")
    digests, new = write_chunks(entries, tmp_path, tmp_path / "files")
    assert new == 2
    assert len(digests) == len(entries)
    assert digests[52].snippet == "마지막 쪽"
    assert sum(digests[52].counts) == 1
    assert data(tmp_path / "files", "text/1") == ["text of page 50", "text of page 51", "마지막 쪽"]
    (found,) = data(tmp_path / "files", "data/1")[2]["cells"]
    assert found == [9, 1.21, 0.86, 47.16, 6.84, "<p>마지막 <strong>쪽</strong></p>\n"]


def test_only_what_changed_is_written_again(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    first = write_chunks(write(tmp_path, 120), tmp_path, folder)
    assert first[1] == 3
    entries = read_entries(tmp_path)
    assert write_chunks(entries, tmp_path, folder) == (first[0], 0)
    (tmp_path / "p60/p60.json").write_text("[]")
    digests, new = write_chunks(entries, tmp_path, folder)
    assert new == 1
    assert digests[60].snippet == ""
    (folder / "text/0.js").unlink()
    assert write_chunks(entries, tmp_path, folder)[1] == 1


def test_a_shorter_report_leaves_no_chunks_of_the_longer(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    write_chunks(write(tmp_path, 120), tmp_path, folder)
    write_chunks(read_entries(tmp_path)[:30], tmp_path, folder)
    assert [path.name for path in (folder / "data").iterdir()] == ["0.js"]


@pytest.mark.parametrize("state", ["", "[", "{}", "3", "[3]", '[{"key": 1}]'])
def test_a_damaged_state_costs_time_and_nothing_else(tmp_path: Path, state: str) -> None:
    entries = write(tmp_path, 3)
    expected = write_chunks(entries, tmp_path, tmp_path / "files")
    (tmp_path / "files" / chunks.STATE).write_text(state)
    assert write_chunks(entries, tmp_path, tmp_path / "files") == expected


def test_halves_of_surrogate_pairs_are_replaced(tmp_path: Path) -> None:
    write_script(tmp_path, "index", "a\ud800b")
    assert data(tmp_path, "index") == "a?b"
