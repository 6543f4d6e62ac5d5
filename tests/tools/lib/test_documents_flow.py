"""The flow of a document: what continues on the next page is joined, and nothing else."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.joins import errors_in
from lib.documents.breaks import breaks_of, is_next
from lib.documents.document import Document, Page
from lib.documents.flow import blocks_of
from lib.documents.table_joins import joined
from lib.documents.tables import read_table
from lib.pages.entries import read_cells, read_entries
from rig.author import make_document
from rig.page_layout import HEIGHT, WIDTH, html
from rig.result_sets import Cells, ResultSet, cell

LEFT, RIGHT, TOP, BOTTOM = 80, 747, 100, 1060
KNOWN = "wrong: a table of that header"
HEAD, ROWS = ["Name", "One"], [["a", "1.5"], ["b", "2.5"]]
MORE = [["c", "3.5"], ["c", "4.5"]]


def document(
    folder: Path, *pages: Cells, step: int = 1, statuses: Sequence[str] = ("ok",) * 9
) -> Document:
    """A document of a PDF; these are every step-th of its pages."""
    results = ResultSet(folder)
    for number, (cells, status) in enumerate(zip(pages, statuses, strict=False)):
        size = [WIDTH, HEIGHT]
        values = {"page": f"b/b_page_{number}", "status": status, "original_size": size}
        results.add("b.pdf", cells, pdf_page=number * step, **values)
    entries = read_entries(results.finish())
    return Document("b", tuple(Page(entry, tuple(read_cells(folder, entry))) for entry in entries))


def text(words: str, top: int, bottom: int, left: int = LEFT, right: int = RIGHT) -> Cells:
    return [cell("Text", words, (left, top, right, bottom))]


def said(found: Document) -> list[tuple[str, str]]:
    """The texts of a document's blocks, without the blocks that begin a page."""
    return [(block.kind, block.text) for block in blocks_of(found) if block.kind != "Page"]


def wide(category: str, words: str, top: int, bottom: int) -> Cells:
    return [cell(category, words, (LEFT, top, RIGHT, bottom))]


OPEN, REST = "the first page ends in", "the middle."
FULL, NEXT = text(OPEN, TOP, BOTTOM), text(REST, TOP, TOP + 12, right=200)
LEFT_COLUMN = text(OPEN, TOP, BOTTOM, LEFT, 400)
BODY = text("A page like any other.", TOP, BOTTOM)
NOTE = wide("Footnote", "A note.", BOTTOM - 20, BOTTOM)
FOOT = [cell("Page-footer", "7", (400, 1100, 420, 1116))]
PICTURE = [*wide("Picture", "", TOP, 300), *wide("Caption", "A picture", 305, 320)]
TABLE = wide("Table", html([HEAD, *ROWS], True), TOP, 200)
ONE = ("Text", f"{OPEN} {REST}")


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([FULL, NEXT], [ONE]),
        ([[*text(OPEN, TOP, 1030), *NOTE, *FOOT], NEXT], [ONE, ("Footnote", "A note.")]),
        ([FULL, [*PICTURE, *text(REST, 330, 342, right=200)]],
         [ONE, ("Picture", ""), ("Caption", "A picture")]),
        ([FULL, text("a page that goes on in", TOP, BOTTOM), NEXT],
         [("Text", f"{OPEN} a page that goes on in {REST}")]),
        # two columns
        ([[*LEFT_COLUMN, *text(REST, TOP, 112, 420, 600), *text("More.", 130, 142, 420, RIGHT)]],
         [ONE, ("Text", "More.")]),
        # one paragraph that was read as two cells
        ([[*text(OPEN, 300, 340), *text(REST, 344, 400), *text("More.", 420, 432)]],
         [ONE, ("Text", "More.")]),
    ],
)  # fmt: skip
def test_what_goes_on_is_one(
    tmp_path: Path, pages: list[Cells], expected: list[tuple[str, str]]
) -> None:
    assert said(document(tmp_path, *pages)) == expected


@pytest.mark.parametrize(
    "pages",
    [
        # space left below, or above
        [text(OPEN, TOP, 900), NEXT, BODY],
        [FULL, text(REST, 250, 262), BODY],
        # something between
        [FULL, [*wide("Section-header", "A", TOP, 120), *text(REST, 125, 140)]],
        [[*text(OPEN, TOP, 1020), *wide("Formula", "x", 1025, 1050)], NEXT],
        [FULL, wide("List-item", "- an item", TOP, 120)],
        [FULL, [*TABLE, *text(REST, 205, 220)]],
        # another width: a box beside the text, or a narrow last line before it
        [FULL, text(REST, TOP, 300, right=400)],
        [[*text("A text above.", TOP, 800), *text("the sign of", 820, BOTTOM, right=300)], NEXT],
        # beside it, but not at the top of the next column
        [[*LEFT_COLUMN, *text(REST, 800, 812, 420, 600)]],
        # below it, but after a blank line, or indented, or as two labels of a form
        [[*text(OPEN, 300, 340), *text(REST, 360, 400)]],
        [[*text(OPEN, 300, 340), *text(REST, 344, 400, left=160)]],
        [[*text(OPEN, 300, 312, right=200), *text(REST, 314, 326, right=200)]],
        [[*text(OPEN, 300, 340), *NOTE, *text(REST, 344, 400)]],
    ],
)  # fmt: skip
def test_what_only_looks_so_stays_apart(tmp_path: Path, pages: list[Cells]) -> None:
    assert list(breaks_of(document(tmp_path, *pages))) == []


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("status", ["failed", "left", "partial"])
def test_nothing_is_put_together_over_a_page_that_is_not_whole(
    tmp_path: Path, status: str, place: int
) -> None:
    statuses = ("ok", status) if place else (status, "ok")
    found = document(tmp_path, FULL, NEXT, statuses=statuses)
    assert list(breaks_of(found)) == []
    assert [kind for kind, _ in said(found) if kind != "Text"] == ["Missing"]


def test_nor_over_pages_that_are_not_asked_for(tmp_path: Path) -> None:
    assert list(breaks_of(document(tmp_path, FULL, NEXT, step=2))) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("a.pdf", 0), ("a.pdf", 1), True),
        (("a.pdf", 0), ("a.pdf", 2), False),
        (("a.pdf", 1), ("b.pdf", 2), False),
        (("s/p9.png", None), ("s/p10.png", None), True),
        (("s/p1.png", None), ("s/p3.png", None), False),
        (("s/p1.png", None), ("t/p2.png", None), False),
        (("s/1-1.png", None), ("s/2-2.png", None), False),
        (("s/a.png", None), ("s/b.png", None), False),
        (("s/p1.png", None), ("s/p1.jpg", None), False),
    ],
)
def test_the_next_page(
    tmp_path: Path, one: tuple[str, int | None], other: tuple[str, int | None], expected: bool
) -> None:
    results = ResultSet(tmp_path)
    for name, number in (one, other):
        results.add(name, pdf_page=number, page=f"{name}/{number}")
    assert is_next(*read_entries(results.finish())) is expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (html([HEAD, *ROWS], True), html([["c", "3.5"]], False), [HEAD, *ROWS, ["c", "3.5"]]),
        (html([HEAD, *ROWS], True), html([HEAD, ["c", "3.5"]], True), [HEAD, *ROWS, ["c", "3.5"]]),
        (html([HEAD, *ROWS], False), html([HEAD, *MORE], False), [HEAD, *ROWS, *MORE]),
        (html([HEAD, *MORE], True), html(MORE, False), [HEAD, *MORE, *MORE]),
        ("<table><th>Name<th>One</table>", html([HEAD, ["a", "w"]], False), [HEAD, ["a", "w"]]),
    ],
)
def test_tables_in_one(before: str, after: str, expected: list[list[str]]) -> None:
    whole = joined(before, after)
    assert whole is not None
    assert read_table(whole).texts() == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (html([HEAD, *ROWS], True), html([["Other", "One"], *ROWS], True)),
        (html([HEAD, *ROWS], True), html([["c", "3.5", "4.5"]], False)),
        (html([HEAD, *ROWS], True), html([HEAD, *ROWS], True)),
        (html([HEAD, *ROWS], False), html([HEAD, *ROWS], False)),
        (html(ROWS, False), html(ROWS, False)),
        (html([["x", "y"], ["z", "w"]], False), html([["u", "v"]], False)),
        (html([["A"], ["1"]], True), html([["2"]], False)),
        (html([HEAD, *ROWS], True), html([HEAD], True)),
        (html([HEAD, *ROWS], True), html([["1.5", "word"], ["2.5", "word"]], False)),
        (html([HEAD, *ROWS], True), "<table><caption>B</caption><td>c<td>1</table>"),
        (html([HEAD, *ROWS], True), "no table"),
        ("", ""),
    ],
)  # fmt: skip
def test_two_tables(before: str, after: str) -> None:
    assert joined(before, after) is None


def test_errors_on_documents_with_traps() -> None:
    """No paragraph is joined wrongly; only tables with a repeated header of another table are."""
    found = Counter[str]()
    for seed in range(4):
        for traps in (False, True):
            found += errors_in(make_document(random.Random(seed), 12, traps))
    wrong = {what for what in found if what.startswith("wrong")}
    assert wrong <= {KNOWN}
    assert sum(count for what, count in found.items() if what.startswith("traps")) > 20
    assert found["missed: Text"] < found["put together: Text"] / 2
    assert found["missed: Table"] == 0 < found["put together: Table"]
