"""docling: a DoclingDocument as JSON, <name>.docling.json, for docling's exporters and chunkers.

Boxes are in the page's pixels, from its top left corner. Texts are plain, without Markdown's signs;
orig has them as they were read. Page headers and footers are docling's furniture.
"""

import base64
import json
import mimetypes
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from docling_core.types.doc import (
    BoundingBox,
    ContentLayer,
    CoordOrigin,
    DocItem,
    DocItemLabel,
    DoclingDocument,
    DocumentOrigin,
    FloatingItem,
    ImageRef,
    ListGroup,
    ProvenanceItem,
    Size,
    TableCell,
    TableData,
)
from pydantic import AnyUrl

from lib.documents.breaks import Place
from lib.documents.document import Document, Sources
from lib.documents.flow import FURNITURE, HEADINGS, MISSING, PAGE, Block, blocks_of, page_number
from lib.documents.shown_pictures import ShownPictures
from lib.documents.tables import Grid, read_table
from lib.pages.entries import Cell
from lib.pages.markup import bare_formula, plain_text
from lib.pages.values import clean

LABELS = {
    "Caption": DocItemLabel.CAPTION,
    "Footnote": DocItemLabel.FOOTNOTE,
    "Page-footer": DocItemLabel.PAGE_FOOTER,
    "Page-header": DocItemLabel.PAGE_HEADER,
}
FLOATING = ("Table", "Picture")
ITEM = re.compile(r"[ \t]*(?:[-*•]|([0-9]{1,9}[.)]))[ \t]+(.*)")
DPI = 72  # of pictures: docling requires a value, and the pictures do not have one


def write(document: Document, sources: Sources, folder: Path) -> list[str]:
    """Write <name>.docling.json."""
    pictures = ShownPictures(document, sources)
    made = Docling(document, pictures).whole
    text = clean(json.dumps(made.export_to_dict(), ensure_ascii=False))
    (folder / f"{document.name}.docling.json").write_text(text, encoding="utf-8")
    return list(pictures.remarks)


class Docling:
    """Turn a document's blocks into docling's form."""

    def __init__(self, document: Document, pictures: ShownPictures) -> None:
        self.document, self.pictures = document, pictures
        self.whole = DoclingDocument(name=clean(document.name), origin=origin(document))
        self.group: ListGroup | None = None  # of the list that the last block belongs to
        self.floating: FloatingItem | None = None  # the last item, if it is still without a caption
        self.caption: Block | None = None  # waits for the item that comes next
        for number, page in enumerate(document.pages):
            width, height = page.entry.size
            size = Size(width=width, height=height)
            self.whole.add_page(page_no=page_number(document, number), size=size)
        blocks = blocks_of(document)
        self.has_title = any(block.kind == "Title" for block in blocks)  # level 1 is below it
        for block, after in zip(blocks, [*blocks[1:], None], strict=True):
            if block.kind != "List-item":
                self.group = None
            if block.kind == "Caption" and after and after.kind in FLOATING and not self.floating:
                self.caption = block
                continue
            self.put(block)

    def put(self, block: Block) -> None:
        """Add one block at the end."""
        before, self.floating = self.floating, None
        if block.kind == PAGE:
            self.furniture(block.page)
        elif block.kind == MISSING:
            self.whole.add_text(DocItemLabel.TEXT, block.text, content_layer=ContentLayer.NOTES)
        elif block.kind == "Caption" and before is not None:
            self.put_caption(block, before)
        elif block.kind == "List-item":
            self.items(block)
        elif block.kind == "Table":
            if (grid := read_table(block.text)).cells:
                self.float(self.whole.add_table(data=data(grid)), block, grid.caption)
        elif block.kind == "Picture":
            self.float(self.whole.add_picture(image=self.image(block)), block)
        else:
            self.locate(self.text(block), block.cells)

    def text(self, block: Block) -> DocItem:
        """Add a heading, a formula or a text."""
        text, orig = plain(block), block.text
        made: DocItem
        if block.kind == "Title":
            made = self.whole.add_title(text=text, orig=orig)
        elif block.kind in HEADINGS:
            level = max(1, block.level - self.has_title)
            made = self.whole.add_heading(text=text, orig=orig, level=level)
        elif block.kind == "Formula" and (latex := bare_formula(block.text)):
            made = self.whole.add_formula(text=latex.strip(), orig=orig)
        else:
            made = self.whole.add_text(LABELS.get(block.kind, DocItemLabel.TEXT), text, orig)
        return made

    def furniture(self, number: int) -> None:
        """Add the headers and footers of a page."""
        for place, cell in enumerate(self.document.pages[number].cells):
            if cell.category in FURNITURE:
                text = clean(plain_text(cell))
                layer = ContentLayer.FURNITURE
                made = self.whole.add_text(LABELS[cell.category], text, content_layer=layer)
                self.locate(made, ((number, place),))

    def items(self, block: Block) -> None:
        """Add the items of a list. Blocks that follow each other make one list."""
        self.group = self.group or self.whole.add_list_group()
        for marker, text in items_in(block.text):
            is_numbered = bool(marker)
            made = self.whole.add_list_item(
                text, enumerated=is_numbered, marker=marker or "-", parent=self.group
            )
            self.locate(made, block.cells)

    def float(self, made: FloatingItem, block: Block, inner: str = "") -> None:
        """Say where a table or a picture is, and add its caption if that came before."""
        self.locate(made, block.cells)
        if inner:
            self.put_caption(Block("Caption", block.page, inner, cells=block.cells), made)
        if self.caption is not None:
            self.put_caption(self.caption, made)
            self.caption = None
        else:
            self.floating = made

    def put_caption(self, block: Block, floating: FloatingItem) -> None:
        """Add the caption of a table or a picture."""
        made = self.whole.add_text(DocItemLabel.CAPTION, plain(block), block.text, parent=floating)
        floating.captions.append(made.get_ref())
        self.locate(made, block.cells)

    def image(self, block: Block) -> ImageRef | None:
        """Return a picture with its content; None if it is not available."""
        picture = self.pictures.of(block)
        if picture is None:
            return None
        kind = f"image/{picture.kind}"
        content = base64.b64encode(picture.content).decode()
        return ImageRef(
            mimetype=kind,
            dpi=DPI,
            size=Size(width=picture.width, height=picture.height),
            uri=AnyUrl(f"data:{kind};base64,{content}"),
        )

    def locate(self, made: DocItem, places: tuple[Place, ...]) -> None:
        """Say where an item is: a page and a box for each cell that it comes from."""
        length = len(getattr(made, "text", ""))
        for page, place in places:
            box = self.document.pages[page].cells[place].box
            width, height = self.document.pages[page].entry.size
            left, top, right, bottom = box
            made.prov.append(
                ProvenanceItem(
                    page_no=page_number(self.document, page),
                    charspan=(0, length),
                    bbox=BoundingBox(
                        l=left * width,
                        t=top * height,
                        r=right * width,
                        b=bottom * height,
                        coord_origin=CoordOrigin.TOPLEFT,
                    ),
                )
            )


def origin(document: Document) -> DocumentOrigin | None:
    """Return the file that a document comes from; None if it comes from several."""
    files = {page.entry.input: page.entry.sha256 for page in document.pages}
    if len(files) != 1:
        return None
    ((name, sha256),) = files.items()
    name = clean(PurePosixPath(name).name)
    kind, _ = mimetypes.guess_type(name)
    is_known = re.fullmatch("[0-9a-f]{16,}", sha256) is not None
    return DocumentOrigin(
        mimetype=kind or "application/octet-stream",
        binary_hash=int(sha256[:16], 16) if is_known else 0,
        filename=name,
    )


def plain(block: Block) -> str:
    """The text of a block without Markdown's signs."""
    return clean(plain_text(Cell((0.0, 0.0, 0.0, 0.0), block.kind, block.text)))


def items_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield the items of a list: (number, or empty; text)."""
    marker, words = "", list[str]()
    for line in text.split("\n"):
        if found := ITEM.match(line):
            if words:
                yield marker, " ".join(words)
            marker, words = found[1] or "", [found[2].strip()]
        elif line.strip():
            words.append(line.strip())
    if words:
        yield marker, " ".join(words)


def data(grid: Grid) -> TableData:
    """Return a grid as docling's table."""
    cells = [
        TableCell(
            text=cell.text,
            row_span=cell.rowspan,
            col_span=cell.colspan,
            start_row_offset_idx=cell.row,
            end_row_offset_idx=cell.row + cell.rowspan,
            start_col_offset_idx=cell.column,
            end_col_offset_idx=cell.column + cell.colspan,
            column_header=cell.is_header and cell.row < grid.header_rows,
            row_header=cell.is_header and cell.row >= grid.header_rows,
        )
        for cell in grid.cells
    ]
    return TableData(num_rows=grid.rows, num_cols=grid.columns, table_cells=list(cells))
