"""make export: documents of OUTPUT, made in processes of their own."""

import json
from pathlib import Path
from typing import Any

import pytest

from lib.documents.registry import FORMATS
from rig.command import Finished
from rig.result_sets import Cells, ResultSet, cell
from rig.toolkit import Toolkit, files_below

BOX = (80, 60, 700, 100)


def text(words: str) -> Cells:
    return [cell("Text", words, BOX)]


def results(kit: Toolkit, **changed: str) -> Path:
    """Two pictures in a folder, one at the top, and a PDF of three pages; one page failed."""
    found = ResultSet(kit.output)
    for name in ("scans/page10.png", "scans/page2.png", "cover.png"):
        found.add(name, text(changed.get(Path(name).stem, f"in {name}")))
    for number in range(3):
        page = f"book/book_page_{number}"
        status = "failed" if number == 1 else "ok"
        found.add(
            "book.pdf",
            text(changed.get(f"book{number}", f"page {number}")),
            page=page,
            pdf_page=number,
            status=status,
        )
    return found.finish()


def export(kit: Toolkit, formats: str = "jsonl", *options: str, **knobs: str) -> Finished:
    return kit.run_here("export", *options, FORMATS=formats, INPUT="", **knobs)


def said(end: Finished) -> dict[str, Any]:
    assert end.code in (0, 3), end.err
    found: dict[str, Any] = json.loads(end.out)
    return found


def documents(kit: Toolkit) -> list[str]:
    """The files that a person sees in the folder."""
    below = files_below(kit.output / "documents")
    return [name for name in below if not name.startswith(".")]


def test_one_a_file_or_one_a_folder_and_the_pages_in_their_order(kit: Toolkit) -> None:
    results(kit)
    end = export(kit)
    assert (end.code, end.err) == (
        0,
        "export: 1 pages are missing in book, or parts of them: failed, not reached, or damaged\n",
    )
    assert documents(kit) == [
        *("book.jsonl", "cover.jsonl", "scans/page10.jsonl", "scans/page2.jsonl")
    ]
    end = export(kit, DOCUMENTS="folders")
    assert end.code == 0
    assert documents(kit) == ["book.jsonl", "pages.jsonl", "scans.jsonl"]
    lines = (kit.output / "documents" / "scans.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["source"] for line in lines] == ["scans/page2.png", "scans/page10.png"]


def test_a_document_without_tables_has_no_file_of_tables(kit: Toolkit) -> None:
    results(kit)
    end = export(kit, "csv")
    assert (end.code, documents(kit)) == (0, []), end.err


def test_only_what_changed_is_made_again(kit: Toolkit) -> None:
    results(kit)
    assert len(said(export(kit, "jsonl", "--json"))["made"]) == 4
    for path in (kit.output / "documents").rglob("*"):  # nobody else may enter the test's folder
        assert path.stat().st_mode & 0o077 == 0, path
    again = said(export(kit, "jsonl", "--json"))
    assert (again["made"], again["unchanged"]) == ([], 4)
    results(kit, book2="read anew")
    again = said(export(kit, "jsonl", "--json"))
    assert ([made["document"] for made in again["made"]], again["unchanged"]) == (["book"], 3)
    (kit.output / "documents" / "cover.jsonl").unlink()
    again = said(export(kit, "jsonl", "--json"))
    assert [made["document"] for made in again["made"]] == ["cover"]
    again = said(export(kit, "jsonl", "--json", PAGE_HEADERS="1"))
    assert len(again["made"]) == 4


def test_what_somebody_changed_or_put_there_is_never_lost(kit: Toolkit) -> None:
    results(kit)
    assert export(kit).code == 0
    folder = kit.output / "documents"
    for name in ("book.jsonl", "cover.jsonl"):
        (folder / name).write_text("by hand")
    (folder / "notes.txt").write_text("mine")
    assert export(kit).code == 0
    assert (folder / "book.jsonl").read_text() == "by hand"  # no newer reading has come
    results(kit, book2="read anew")
    end = export(kit)
    assert "kept next to what is new: book.jsonl.old" in end.err
    assert (folder / "book.jsonl.old").read_text() == "by hand"
    assert "read anew" in (folder / "book.jsonl").read_text(encoding="utf-8")
    fewer = ResultSet(kit.output)
    fewer.add("scans/page2.png", text("in scans/page2.png"))
    fewer.finish()
    end = export(kit)
    assert "kept as changed by hand, though their pages are gone: cover.jsonl" in end.err
    assert documents(kit) == ["book.jsonl.old", "cover.jsonl", "notes.txt", "scans/page2.jsonl"]


def test_a_result_that_is_gone_is_a_page_that_is_missing(kit: Toolkit) -> None:
    results(kit)
    (kit.output / "cover" / "cover.json").unlink()
    end = export(kit)
    assert "2 pages are missing in book and 1 more" in end.err
    row = json.loads((kit.output / "documents" / "cover.jsonl").read_text(encoding="utf-8"))
    assert (row["status"], row["reason"]) == ("failed", "its result is missing")


def test_a_doubtful_page_is_not_trusted_in_silence(kit: Toolkit) -> None:
    found = ResultSet(kit.output)
    found.add("good.png", text("right"))
    found.add("bad.png", text("wrong"), status="doubtful", reason="3 lines were not read")
    found.finish()
    end = export(kit, "md")
    assert (end.code, end.err) == (0, "")
    written = (kit.output / "documents" / "bad.md").read_text(encoding="utf-8")
    assert written.splitlines()[2:] == [
        "> **bad.png is doubtful: 3 lines were not read**",
        *("", "wrong"),
    ]
    assert said(export(kit, "md", "--json"))["doubtful_pages"] == {"bad": 1}


def test_cells_that_cannot_be_read_are_missed(kit: Toolkit) -> None:
    results(kit)
    cells = [*text("whole"), {"category": "Text", "text": "without a box"}, *text("x")]
    cells[2]["text"] = ["not", "a text"]
    (kit.output / "cover" / "cover.json").write_text(json.dumps(cells))
    end = export(kit, "md")
    assert "2 pages are missing in book and 1 more, or parts of them" in end.err
    why = "2 entries of its JSON are not cells, or their text cannot be read"
    said = f"cover.png was read in part: {why}"
    written = (kit.output / "documents" / "cover.md").read_text(encoding="utf-8")
    assert written.splitlines()[2:] == [f"> **{said}**", "", "whole"]


def test_one_document_that_cannot_be_written_does_not_stop_the_others(kit: Toolkit) -> None:
    results(kit)
    (kit.output / "documents" / "cover.jsonl").mkdir(parents=True)
    end = export(kit)
    assert end.code == 3
    assert "export: cover as jsonl: " in end.err
    assert documents(kit) == ["book.jsonl", "scans/page10.jsonl", "scans/page2.jsonl"]


def test_nothing_is_written_outside(kit: Toolkit, tmp_path: Path) -> None:
    results(kit)
    outside = tmp_path / "outside"
    outside.mkdir()
    (kit.output / "documents").mkdir()
    (kit.output / "documents" / "scans").symlink_to(outside)
    end = export(kit)
    assert end.code == 3
    assert "scans/page2 as jsonl: a link in documents/ leads out of it" in end.err
    assert files_below(outside) == []
    (kit.output / "documents" / "scans").unlink()
    (kit.output / "documents").rename(outside / "moved")
    (kit.output / "documents").symlink_to(outside / "moved")
    end = export(kit)
    assert (end.code, "is a link that leads out of OUTPUT" in end.err) == (1, True)


def test_an_input_folder_may_be_called_documents(kit: Toolkit) -> None:
    """The result of documents/x/y.png is where the document of y/y.pdf would be."""
    found = ResultSet(kit.output)
    found.add("documents/x/y.png", text("a picture"))
    found.add("x/y/y.png", text("another"))
    result = found.finish() / "documents/x/y/y.json"
    before = result.read_bytes()
    assert export(kit).code == 0
    assert "documents/x/y/y.png.jsonl" in files_below(kit.output)
    assert result.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "formats", "wrong"),
    [("all", "jsonl,pfd", "pfd"), ("export", "jsonl,pfd", "pfd"), ("export", ",", ",")],
)
def test_an_unknown_format_is_told_before_anything_is_done(
    kit: Toolkit, name: str, formats: str, wrong: str
) -> None:
    end = kit.run(name, FORMATS=formats, EXPORT=formats)
    assert end.code == 2
    assert f"{wrong!r} is not a format of documents; there are {', '.join(FORMATS)}" in end.err


def test_without_results_it_says_what_to_do(kit: Toolkit) -> None:
    end = export(kit)
    assert (end.code, "make download, or give their OUTPUT" in end.err) == (1, True)
