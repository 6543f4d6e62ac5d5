"""docling: docling-core loads it, and it contains what was read.

Loading docling-core takes a second and a half. So only the tests that need it load it, and not each
process that collects them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from lib.documents.document import Document, Page
from lib.documents.pictures import NO_PICTURES
from rig.hostile import PAYLOADS
from rig.small_documents import document, written

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument

TABLE = (
    "<table><tr><th colspan=2>a</th></tr><tr><th>b</th><td>1</td></tr><tr><th>c</th><td>2</td></tr>"
    "</table>"
)


def loaded(what: Document, folder: Path, remarks: tuple[str, ...] = ()) -> DoclingDocument:
    from docling_core.types.doc import DoclingDocument  # noqa: PLC0415 - see above

    from lib.documents.formats import docling  # noqa: PLC0415 - the same

    assert written(docling.write, what, folder) == list(remarks)
    text = (folder / "report.docling.json").read_text(encoding="utf-8")
    return DoclingDocument.model_validate_json(text)


def labels(whole: DoclingDocument) -> list[tuple[str, str]]:
    """(label, text) of all in the body, in order."""
    from docling_core.types.doc import DocItem  # noqa: PLC0415 - see above

    items = (item for item, _ in whole.iterate_items() if isinstance(item, DocItem))
    return [(str(item.label.value), getattr(item, "text", "")) for item in items]


def test_each_category_has_its_label_and_each_item_its_place(tmp_path: Path) -> None:
    whole = loaded(
        document(
            [
                ("Page-header", "top"),
                ("Title", "# A **title**"),
                ("Section-header", "## 1. One"),
                ("Text", "**bold** $x$"),
                ("List-item", "- a\n  more\n- b"),
                ("List-item", "7. c"),
                ("Formula", "$$x^2$$"),
                ("Footnote", "note"),
                ("Page-footer", "1"),
            ],
            [("Section-header", "1.1 Two")],
        ),
        tmp_path,
    )
    assert labels(whole) == [
        ("title", "A title"),
        ("section_header", "1. One"),
        ("text", "bold $x$"),
        ("list_item", "a more"),
        ("list_item", "b"),
        ("list_item", "c"),
        ("formula", "x^2"),
        ("footnote", "note"),
        ("section_header", "1.1 Two"),
    ]
    levels = [text.level for text in whole.texts if hasattr(text, "level")]
    assert levels == [1, 2]
    furniture = [t.text for t in whole.texts if t.content_layer.value == "furniture"]
    assert furniture == ["top", "1"] and len(whole.groups) == 1
    title = next(text for text in whole.texts if text.label.value == "title")
    assert title.orig == "A **title**"
    (place,) = title.prov
    box = place.bbox
    assert (place.page_no, box.l, box.t, box.r, box.b) == (1, 100, 110, 900, 150)
    assert box.coord_origin.value == "TOPLEFT"
    sizes = [(number, page.size.width, page.size.height) for number, page in whole.pages.items()]
    assert sizes == [(1, 1000, 1400), (2, 1000, 1400)]
    assert whole.origin and (whole.origin.mimetype, whole.origin.filename) == (
        *("application/pdf", "report.pdf"),
    )


def test_a_table_with_spans_headers_and_caption(tmp_path: Path) -> None:
    cells = [("Caption", "Table 1"), ("Table", TABLE), ("Text", "a"), ("Caption", "no table's")]
    whole = loaded(document(cells), tmp_path)
    (table,) = whole.tables
    found = [(c.text, c.col_span, c.column_header, c.row_header) for c in table.data.table_cells]
    assert found == [
        ("a", 2, True, False),
        ("b", 1, False, True),
        ("1", 1, False, False),
        ("c", 1, False, True),
        ("2", 1, False, False),
    ]
    assert table.caption_text(whole) == "Table 1"
    assert labels(whole)[-1] == ("caption", "no table's")
    assert [[cell.text for cell in row] for row in table.data.grid] == [
        *(["a", "a"], ["b", "1"], ["c", "2"])
    ]


def test_a_picture_with_what_is_in_it_and_the_caption_behind_it(tmp_path: Path) -> None:
    (tmp_path / "report/pictures").mkdir(parents=True)
    Image.new("RGB", (30, 20)).save(tmp_path / "report/pictures/page_0_1.png")
    what = document([("Picture", ""), ("Caption", "Figure 1"), ("Picture", "")])
    page = what.pages[0]
    entry = replace(page.entry, pictures=("report/pictures/page_0_1.png",))
    whole = loaded(
        replace(what, pages=(Page(entry, page.cells),)), tmp_path / "out", (NO_PICTURES,)
    )
    first, second = whole.pictures
    assert first.caption_text(whole) == "Figure 1" and second.caption_text(whole) == ""
    assert first.image and first.image.pil_image and first.image.pil_image.size == (30, 20)
    assert second.image is None


def test_pages_of_several_files_and_one_that_is_not_here(tmp_path: Path) -> None:
    what = document([("Text", "a")], [("Text", "b")])
    one, other = what.pages
    failed = replace(other.entry, input="b.png", status="failed", size=(0.0, 0.0))
    whole = loaded(replace(what, pages=(one, Page(failed, ()))), tmp_path)
    assert whole.origin is None
    notes = [t.text for t in whole.texts if t.content_layer.value == "notes"]
    assert notes == ["report_page_1 is not here: failed"]


@pytest.mark.parametrize("payload", [*PAYLOADS, "1. <b>", "\x00\x1f\ufffe", "$$\\bad$$", ""])
def test_whatever_it_holds_docling_loads_and_exports_it(payload: str, tmp_path: Path) -> None:
    kinds: tuple[Any, ...] = ("Title", "Text", "List-item", "Formula", "Caption", "Table")
    cells = [(kind, payload) for kind in kinds]
    cells.append(("Table", f"<table><tr><td rowspan=3>{payload}<td>b</table>"))
    whole = loaded(document(cells), tmp_path)
    assert whole.export_to_markdown() and whole.export_to_html()
    assert json.loads(whole.model_dump_json())
