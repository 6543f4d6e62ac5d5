"""Which pages make a document, and its name."""

from pathlib import Path

import pytest

from lib.documents.gathering import FILES, FOLDERS, gather
from lib.pages.entries import read_entries
from rig.result_sets import ResultSet

Page = tuple[str, str, int | None]  # input, result page, page number in its file


def picture(name: str, page: str = "") -> Page:
    path = Path(name)
    return name, page or str(path.with_suffix("") / path.stem), None


def pdf(name: str, count: int = 2) -> list[Page]:
    path = Path(name)
    return [
        (name, f"{path.with_suffix('')}/{path.stem}_page_{number}", number)
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("what", "pages", "documents"),
    [
        (FILES, [picture("a/p.png"), *pdf("b.pdf")], ["a/p 1", "b 2"]),
        (FOLDERS, [picture("a/p.png"), picture("a/q.png"), *pdf("a/b.pdf")], ["a/b 2", "a 2"]),
        (FOLDERS, [picture("p.png"), picture("q.png")], ["pages 2"]),
        # a PDF that could not be opened does not join the pictures of its folder
        (FOLDERS, [picture("a/p.png"), picture("a/b.pdf")], ["a/b 1", "a 1"]),
        # names that collide, as those of results or of documents
        (FILES, [picture("p.png", "p.png/p.png"), picture("p.tif", "p.tif/p.tif")],
         ["p.png 1", "p.tif 1"]),
        (FOLDERS, [picture("a/p.png"), *pdf("a.pdf")], ["a.pdf 2", "a_pages 1"]),
        (FOLDERS, [picture("A/p.png"), *pdf("a.pdf")], ["A_pages 1", "a.pdf 2"]),
        (FOLDERS, [picture("p.png"), picture("pages/q.png")], ["top_pages 1", "pages_pages 1"]),
        # a result that is in documents/
        (FILES, [picture("documents/x.png"), picture("x/x.png")], ["documents/x 1", "x/x.png 1"]),
        # a manifest with paths that lead elsewhere
        (FOLDERS, [picture("../../p.png", "p/p")], ["p 1"]),
    ],
)  # fmt: skip
def test_documents(tmp_path: Path, what: str, pages: list[Page], documents: list[str]) -> None:
    results = ResultSet(tmp_path)
    for name, page, number in pages:
        results.add(name, page=page, pdf_page=number, status="failed")
    found, faults = gather(read_entries(results.finish()), what)
    assert [f"{one.path} {len(one.entries)}" for one in found] == documents
    assert faults == {}


def test_a_document_whose_names_are_all_taken_is_told(tmp_path: Path) -> None:
    results = ResultSet(tmp_path)
    for name in ("x/x.png", "documents/x.png", "documents/x/x.png.png"):
        results.add(name, page="x/x" if name == "x/x.png" else str(Path(name).with_suffix("")))
    found, faults = gather(read_entries(results.finish()), FILES)
    assert [one.path for one in found] == ["documents", "documents/x"]
    assert list(faults) == ["x/x.png"]


def test_a_name_that_leads_out_is_none(tmp_path: Path) -> None:
    results = ResultSet(tmp_path)
    results.add("/etc/p.png", page="p/p", status="failed")
    results.add("q.png", page="p/q", status="failed")
    found, faults = gather(read_entries(results.finish()), FILES)
    assert ([one.path for one in found], list(faults)) == (["q.png"], ["/etc/p.png"])


def test_natural_order(tmp_path: Path) -> None:
    results = ResultSet(tmp_path)
    for name in ("v/page10.png", "v/page2.png", "v/Page1.png"):
        results.add(name)
    (found,), _ = gather(read_entries(results.finish()), FOLDERS)
    assert [entry.name for entry in found.entries] == ["Page1.png", "page2.png", "page10.png"]
