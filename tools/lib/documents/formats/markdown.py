"""md: a document as one Markdown file, with its pictures next to it.

Each page begins with an anchor (page-3), which names its file. A text or table that goes on over
the end of a page is one paragraph or one table. Footnotes stay at the end of their page.
"""

import html
from pathlib import Path
from urllib.parse import quote

from lib.documents import markdown_text as md
from lib.documents.document import Document, Sources
from lib.documents.flow import MISSING, PAGE, Block, blocks_of, page_number, page_source
from lib.documents.pictures import NO_PICTURES, Pictures

WRITERS = {"Table": md.table, "Formula": md.formula, "List-item": md.item}


def write(document: Document, sources: Sources, folder: Path) -> list[str]:
    """Write <name>.md, and <name>_files/ with the pictures."""
    pictures = Pictures(document, sources)
    parts = list[str]()
    before = ""
    for block in blocks_of(document, sources.with_furniture):
        text = picture(block, document, pictures, folder) or markdown(block, document)
        if text:
            is_list = block.kind == before == "List-item"
            parts += ["\n" if is_list else "\n\n" if parts else "", text]
            before = block.kind
    (folder / f"{document.name}.md").write_text("".join(parts) + "\n", encoding="utf-8")
    return [NO_PICTURES] if pictures.missing else []


def markdown(block: Block, document: Document) -> str:
    """Return a block as Markdown; for a Picture only its text, which is usually empty."""
    if block.kind == PAGE:
        title = html.escape(" ".join(page_source(document, block.page).split()))
        return f'<a id="page-{page_number(document, block.page)}" title="{title}"></a>'
    if block.kind == MISSING:
        return f"> **{md.one_line(block.text)}**"
    if block.level:
        return f"{'#' * block.level} {md.one_line(block.text)}"
    return WRITERS.get(block.kind, md.prose)(block.text)


def picture(block: Block, document: Document, pictures: Pictures, folder: Path) -> str:
    """Write a block's picture, and return the Markdown that shows it; empty if there is none."""
    found = pictures.of(block) if block.picture else None
    if found is None:
        return ""
    data, ending = found
    name = f"page-{page_number(document, block.page)}-{block.picture}{ending}"
    beside = f"{document.name}_files"
    (folder / beside).mkdir(exist_ok=True)
    (folder / beside / name).write_bytes(data)
    return f"![]({quote(f'{beside}/{name}')})"
