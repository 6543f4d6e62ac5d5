"""docx: a document to edit in Word, with its headings, tables, formulas and pictures.

Footnotes stay where they were on the page, because the marks in the text are not matched to them.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docx
from docx.document import Document as Word
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml.ns import qn
from docx.oxml.shape import CT_Inline
from docx.shared import Emu, Mm, Pt, RGBColor

from lib.documents.document import Document, Sources
from lib.documents.flow import HEADINGS, MISSING, PAGE, Block, blocks_of
from lib.documents.languages import language
from lib.documents.office import word
from lib.documents.office.xml_text import xml_text
from lib.documents.shown_pictures import ShownPicture, ShownPictures
from lib.documents.tables import read_table
from lib.pages import markup

PAPER, MARGIN = (Mm(210), Mm(297)), Mm(22)  # A4
FONTS = {  # language -> font for East Asian letters, and Word's tag of the language
    "ko": ("Malgun Gothic", "ko-KR"),
    "ja": ("Yu Gothic", "ja-JP"),
    "zh": ("Microsoft YaHei", "zh-CN"),
}
STYLES = {"Caption": "Caption", "Footnote": "FootnoteText", MISSING: "Missing"}
ASCII = re.compile(r"[\x00-\x7f]+")
THEME = "w:eastAsiaTheme"
TOO_WIDE = "Word has no tables of more than 63 columns: they are lines of text"


def write(document: Document, sources: Sources, folder: Path) -> list[str]:
    """Write <name>.docx."""
    blocks = blocks_of(document, sources.with_furniture)
    whole = docx.Document()
    set_up(whole, document, " ".join(block.text for block in blocks))
    body = Body(whole, ShownPictures(document, sources))
    end = whole.element.body.sectPr
    for block in blocks:
        for made in body.made_of(block):
            end.addprevious(made)
    whole.save(str(folder / f"{document.name}.docx"))
    return [*body.pictures.remarks, *body.remarks]


class Body:
    """Turn blocks into the elements of a Word file's body."""

    def __init__(self, whole: Word, pictures: ShownPictures) -> None:
        self.whole, self.pictures = whole, pictures
        self.remarks: dict[str, None] = {}
        self.count = 0  # of pictures
        self.paper = int(whole.sections[0].page_width or 0)
        self.width = Emu(self.paper - 2 * MARGIN)

    def made_of(self, block: Block) -> Iterator[Any]:
        """Yield the paragraphs and tables of a block."""
        if block.kind == PAGE:
            return
        if block.kind in HEADINGS:
            yield word.paragraph(f"Heading{block.level}", word.line(block.text))
        elif block.kind == "Table":
            yield from self.table(block.text)
        elif block.kind == "Picture":
            yield from self.picture(block)
        elif block.kind == "Formula" and (latex := markup.bare_formula(block.text)):
            yield word.element("w:p", word.displayed(latex))
        elif block.kind == MISSING or len(block.text) > markup.LONGEST_MARKUP:
            yield word.paragraph(STYLES.get(block.kind, "Normal"), [word.run(block.text)])
        else:
            yield from word.prose(block.text, STYLES.get(block.kind, "Normal"))

    def table(self, text: str) -> Iterator[Any]:
        """Yield a table; text outside of its cells comes before it."""
        grid = read_table(text)
        if grid.caption:
            yield word.paragraph("Caption", word.line(grid.caption))
        if grid.columns > word.MOST_COLUMNS:
            self.remarks[TOO_WIDE] = None
            for row in grid.texts():
                yield word.paragraph("Normal", [word.run("\t".join(row))])
        elif grid.cells:
            yield word.table(grid, self.width.twips)
            yield word.paragraph("Normal", [])  # without it Word joins two tables

    def picture(self, block: Block) -> Iterator[Any]:
        """Yield a picture that takes the same part of the paper's width as of the page's."""
        picture = self.pictures.of(block)
        if picture is None:
            return
        page, place = block.cells[0]
        left, _, right, _ = self.pictures.document.pages[page].cells[place].box
        width = min(self.width, int((right - left) * self.paper) or self.width)
        height = width * picture.height // picture.width
        self.count += 1
        yield word.element("w:p", word.element("w:r", self.drawing(picture, width, height)))

    def drawing(self, picture: ShownPicture, width: int, height: int) -> Any:
        """Put a picture's file into the package, and return the element that shows it."""
        name = PackURI(f"/word/media/image{self.count}.{picture.kind}")
        package = self.whole.part.package
        part = Part(name, f"image/{picture.kind}", picture.content, package)
        relation = self.whole.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE)
        inline = CT_Inline.new_pic_inline(
            self.count, relation, f"picture {self.count}", Emu(width), Emu(height)
        )
        return word.element("w:drawing", inline)


def set_up(whole: Word, document: Document, text: str) -> None:
    """Set paper, fonts, styles and the file's properties."""
    section = whole.sections[0]
    sizes = [page.entry.size for page in document.pages]
    is_wide = 2 * sum(width > height for width, height in sizes) > len(sizes)
    section.page_width, section.page_height = PAPER[::-1] if is_wide else PAPER
    for side in ("left", "right", "top", "bottom"):
        setattr(section, f"{side}_margin", MARGIN)
    small = whole.styles.add_style("footnote text", WD_STYLE_TYPE.PARAGRAPH)
    small.element.set(qn("w:styleId"), "FootnoteText")
    small.font.size = Pt(9)
    missing = whole.styles.add_style("Missing", WD_STYLE_TYPE.PARAGRAPH)
    missing.font.italic, missing.font.color.rgb = True, RGBColor(0x80, 0x80, 0x80)
    if fonts := FONTS.get(language(ASCII.sub(" ", text))):  # also for a few words in other text
        set_fonts(whole.styles.element, *fonts)
    about = whole.core_properties
    read_at = max((page.entry.finished_at for page in document.pages), default=0.0)
    about.created = about.modified = datetime.fromtimestamp(min(read_at, 4e9), UTC)
    about.title, about.author, about.comments = xml_text(document.name)[:255], "", ""
    about.language = language(text)


def set_fonts(styles: Any, font: str, tag: str) -> None:
    """Set a font that has East Asian letters for them, instead of the theme's font."""
    for fonts in styles.iter(qn("w:rFonts")):
        fonts.attrib.pop(qn(THEME), None)
        fonts.set(qn("w:eastAsia"), font)
    for told in styles.iter(qn("w:lang")):
        told.set(qn("w:eastAsia"), tag)
