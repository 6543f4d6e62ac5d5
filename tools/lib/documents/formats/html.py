"""html: a document to read in a browser, one file with its pictures in it.

All text that was read goes through nh3 (lib/pages/markup.py). The file's policy allows its own
style and the pictures inside, but no script and no request to anywhere.
"""

import base64
import hashlib
import html
from collections.abc import Iterator
from pathlib import Path

from lib.documents.document import Document, Sources
from lib.documents.flow import HEADINGS, MISSING, PAGE, Block, blocks_of, page_number, page_source
from lib.documents.languages import language
from lib.documents.shown_pictures import ShownPictures
from lib.pages.entries import Cell
from lib.pages.markup import cell_html, line_html
from lib.pages.values import clean

STYLE = Path(__file__).parent.parent / "static" / "document.css"
CONTENTS = {"ko": "차례", "ja": "目次", "zh": "目录"}
FROM_HEADINGS = 3  # with fewer headings there is no table of contents
NOWHERE = (0.0, 0.0, 0.0, 0.0)


def write(document: Document, sources: Sources, folder: Path) -> list[str]:
    """Write <name>.html."""
    blocks = blocks_of(document, sources.with_furniture)
    pictures = ShownPictures(document, sources)
    path = folder / f"{document.name}.html"
    with path.open("w", encoding="utf-8") as file:
        for part in parts(document, blocks, pictures):
            file.write(f"{part}\n")
    return list(pictures.remarks)


def parts(document: Document, blocks: list[Block], pictures: ShownPictures) -> Iterator[str]:
    """Yield the file, piece by piece."""
    tag = language(" ".join(block.text for block in blocks))
    style = STYLE.read_text(encoding="utf-8")
    yield "<!doctype html>"
    yield f'<html lang="{tag}">' if tag else "<html>"
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy(style)}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>{html.escape(clean(document.name))}</title>"
    yield f"<style>{style}</style>"
    yield "</head>"
    yield "<body>"
    yield from contents(blocks, CONTENTS.get(tag, "Contents"))
    yield "<main>"
    for number, block in enumerate(blocks):
        yield piece(document, number, block, pictures)
    yield "</main>"
    yield "</body>"
    yield "</html>"


def policy(style: str) -> str:
    """Return the Content-Security-Policy of a file with this style in it."""
    known = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{known}'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


def contents(blocks: list[Block], title: str) -> Iterator[str]:
    """Yield the table of contents, if the document has enough headings."""
    headings = [(number, b) for number, b in enumerate(blocks) if b.kind in HEADINGS]
    if len(headings) < FROM_HEADINGS:
        return
    yield f'<nav class="contents"><details open><summary>{title}</summary>'
    yield "<ol>"
    for number, block in headings:
        text = line_html(block.text)
        yield f'<li class="l{block.level}" dir="auto"><a href="#part-{number}">{text}</a></li>'
    yield "</ol>"
    yield "</details></nav>"


def piece(document: Document, number: int, block: Block, pictures: ShownPictures) -> str:
    """Return one block as HTML."""
    if block.kind == PAGE:
        page = page_number(document, block.page)
        name = html.escape(page_source(document, block.page))
        link = f'<a href="#page-{page}" title="{name}">{page}</a>'
        return f'<div class="page" id="page-{page}">{link}</div>'
    if block.kind == MISSING:
        return f'<p class="missing">{html.escape(clean(block.text))}</p>'
    if block.kind in HEADINGS:
        name = f"h{block.level}"
        return f'<{name} id="part-{number}" dir="auto">{line_html(block.text)}</{name}>'
    if block.kind == "Picture":
        return figure(block, pictures)
    inside = cell_html(Cell(NOWHERE, block.kind, block.text)).strip()
    return f'<div class="{block.kind}" dir="auto">{inside}</div>'


def figure(block: Block, pictures: ShownPictures) -> str:
    """Return a picture with its content in it; empty if it is not available."""
    picture = pictures.of(block)
    if picture is None:
        return ""
    content = base64.b64encode(picture.content).decode()
    size = f'width="{picture.width}" height="{picture.height}"'
    return f'<figure><img src="data:image/{picture.kind};base64,{content}" {size} alt=""></figure>'
