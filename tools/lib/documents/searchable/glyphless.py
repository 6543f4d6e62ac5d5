"""A font with empty glyphs: text written with it can be selected and found, but not seen.

All of the font is made here. Each new letter of a document gets the next number, and a table tells
viewers which letter a number is. So the font has all of Unicode, in a few KB.
"""

import struct
import unicodedata
from collections.abc import Iterator

import pymupdf

from lib.documents.searchable.objects import name_font, put, put_stream

NAME = "Unseen"
EM = 1000
STEPS = 20  # glyph n is n / STEPS of an em wide: a letter takes the one closest to its width
WIDEST = 2 * STEPS
MOST_LETTERS = 0xFFFF
MOST_MARKS = 8  # on a letter; more is an attack or a joke
ASCENT, DESCENT = 0.8, 0.2  # of an em: how far a selection reaches above and below the baseline
UNKNOWN = "\ufffd"
PER_BLOCK = 100  # most entries of a block that the format allows


class Letters:
    """The letters of a document, numbered from 1."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.glyphs: list[int] = [STEPS // 2]
        self.helvetica = pymupdf.Font("helv")
        self.font = 0
        """The number of the font's object; 0 until a page uses the font."""

    def width(self, text: str) -> float:
        """The width of a text, in ems."""
        return sum(self.glyphs[self.number(letter)] for letter in letters_in(text)) / STEPS

    def encoded(self, text: str) -> str:
        """Return a text as a string in PDF syntax."""
        return "<" + "".join(f"{self.number(letter):04X}" for letter in letters_in(text)) + ">"

    def number(self, letter: str) -> int:
        """Return the number of a letter. A new letter gets a new number."""
        found = self.numbers.get(letter)
        if found is not None:
            return found
        if len(self.numbers) >= MOST_LETTERS - 1 and letter != UNKNOWN:
            return self.number(UNKNOWN)
        self.numbers[letter] = len(self.glyphs)
        self.glyphs.append(min(WIDEST, max(1, round(STEPS * self.breadth(letter)))))
        return self.numbers[letter]

    def breadth(self, letter: str) -> float:
        """The usual width of a letter in print, in ems."""
        if unicodedata.east_asian_width(letter[0]) in "WF":
            return 1.0
        if self.helvetica.has_glyph(ord(letter[0])):
            return float(self.helvetica.glyph_advance(ord(letter[0])))
        return 0.55

    def font_for(self, page: pymupdf.Page) -> str:
        """Make the font known to a page, and return its name there."""
        self.font = self.font or put(page.parent, "<<>>")
        return name_font(page, self.font, NAME)

    def write(self, pdf: pymupdf.Document) -> None:
        """Write the font with all letters so far, if a page uses it."""
        if not self.font:
            return
        outlines = truetype()
        program = put_stream(pdf, outlines, f"/Length1 {len(outlines)}")
        glyphs = put_stream(pdf, struct.pack(f">{len(self.glyphs)}H", *self.glyphs))
        letters = put_stream(pdf, self.to_unicode().encode("ascii"))
        widths = " ".join(str(glyph * EM // STEPS) for glyph in self.glyphs)
        up, down = round(ASCENT * EM), -round(DESCENT * EM)
        descriptor = put(
            pdf,
            f"<</Type/FontDescriptor/FontName/{NAME}/Flags 5/FontBBox[0 {down} {EM} {up}]"
            f"/ItalicAngle 0/Ascent {up}/Descent {down}/CapHeight {up}/StemV 80"
            f"/FontFile2 {program} 0 R>>",
        )
        descendant = put(
            pdf,
            f"<</Type/Font/Subtype/CIDFontType2/BaseFont/{NAME}/CIDSystemInfo"
            "<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
            f"/FontDescriptor {descriptor} 0 R/CIDToGIDMap {glyphs} 0 R/W[0[{widths}]]>>",
        )
        pdf.update_object(
            self.font,
            f"<</Type/Font/Subtype/Type0/BaseFont/{NAME}/Encoding/Identity-H"
            f"/DescendantFonts[{descendant} 0 R]/ToUnicode {letters} 0 R>>",
        )

    def to_unicode(self) -> str:
        """Return the table that maps each number to its letter."""
        entries = [
            f"<{number:04X}> <{letter.encode('utf-16-be').hex().upper()}>"
            for letter, number in self.numbers.items()
        ]
        blocks = [entries[at : at + PER_BLOCK] for at in range(0, len(entries), PER_BLOCK)]
        return "\n".join(
            [
                "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
                "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def",
                "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
                "1 begincodespacerange <0000> <FFFF> endcodespacerange",
                *(
                    "\n".join([f"{len(block)} beginbfchar", *block, "endbfchar"])
                    for block in blocks
                ),
                "endcmap CMapName currentdict /CMap defineresource pop end end",
            ]
        )


def letters_in(text: str) -> Iterator[str]:
    """Yield a text letter by letter, each with the marks on it."""
    letter = ""
    for sign in text:
        if letter and unicodedata.category(sign) in ("Mn", "Me") and len(letter) <= MOST_MARKS:
            letter += sign
            continue
        if letter:
            yield letter
        letter = sign
    if letter:
        yield letter


def truetype() -> bytes:
    """Return a font with glyphs of all the widths, and only the tables that a PDF needs.

    A glyph is a line there and back, without area. With no extent at all, PDFium would not see text
    that runs upwards.
    """
    widths = [n * EM // STEPS for n in range(WIDEST + 1)]
    up, down = round(ASCENT * EM), -round(DESCENT * EM)
    box = (0, down, widths[-1], up)
    glyphs = [
        struct.pack(">5h2H2B4h", 1, 0, down, wide, up, 1, 0, 1, 1, 0, wide, down, up - down)
        for wide in widths
    ]
    tables = {
        b"glyf": b"".join(glyphs),
        b"head": struct.pack(
            ">4I2H2q4h2H3h",
            *(0x10000, 0x10000, 0, 0x5F0F3CF5, 0, EM, 0, 0, *box, 0, 8, 2, 0, 0),
        ),
        b"hhea": struct.pack(
            ">I3hH11hH", 0x10000, up, down, 0, *(box[2], 0, 0, box[2], 1), *[0] * 7, len(glyphs)
        ),
        b"hmtx": b"".join(struct.pack(">Hh", wide, 0) for wide in widths),
        b"loca": struct.pack(
            f">{len(glyphs) + 1}H", *(n * len(glyphs[0]) // 2 for n in range(len(glyphs) + 1))
        ),
        b"maxp": struct.pack(">I14H", 0x10000, len(glyphs), 2, 1, 0, 0, 2, *[0] * 8),
    }
    power = len(tables).bit_length() - 1
    search = 16 << power
    head = struct.pack(">I4H", 0x10000, len(tables), search, power, 16 * len(tables) - search)
    at = len(head) + 16 * len(tables)
    rows, body = b"", b""
    for tag, table in tables.items():
        padded = table + bytes(-len(table) % 4)
        total = sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
        rows += tag + struct.pack(">3I", total, at + len(body), len(table))
        body += padded
    return head + rows + body
