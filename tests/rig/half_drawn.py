"""PDFs of which MuPDF draws a part, or nothing, and says so only in its warnings."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pymupdf

from rig.page_art import article

LINES = [
    f"BT /helv 14 Tf 72 {780 - 20 * n} Td (Line {n} of a page that is whole) Tj ET"
    for n in range(30)
]
NO_SHADING = ["/Sh1 sh"] * 150  # after a hundred errors MuPDF leaves the rest of the page out


def written(path: Path, content: str, boxes: dict[str, str] | None = None) -> Path:
    """One page of these operators, with a font."""
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        page.insert_text((0, 0), "", fontname="helv")
        page.insert_text((72, 72), "x", fontname="helv")
        (xref, *rest) = page.get_contents()
        document.update_stream(xref, content.encode())
        for other in rest:
            document.update_stream(other, b" ")
        for name, box in (boxes or {}).items():
            document.xref_set_key(page.xref, name, box)
        document.save(path)
    return path


def whole(path: Path) -> Path:
    return written(path, "\n".join(LINES))


def errors_first(path: Path) -> Path:
    return written(path, "\n".join([*NO_SHADING, *LINES]))


def errors_amidst(path: Path) -> Path:
    return written(path, "\n".join([*LINES[:15], *NO_SHADING, *LINES[15:]]))


def scan(path: Path, change: Callable[[bytes], bytes], kind: str = "/DCTDecode") -> Path:
    """A page with a JPEG over all of it, whose bytes and filter are changed."""
    file = io.BytesIO()
    article(100).save(file, "JPEG", quality=85)
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        xref = page.insert_image(page.rect, stream=file.getvalue())
        document.update_stream(xref, change(file.getvalue()), compress=False)
        document.xref_set_key(xref, "Filter", kind)
        document.save(path)
    return path


def cut_scan(path: Path) -> Path:
    return scan(path, lambda data: data[: len(data) // 2])


def scan_without_end(path: Path) -> Path:
    return scan(path, lambda data: data[:-2])


def no_jbig2(path: Path) -> Path:
    return scan(path, lambda data: data, "/JBIG2Decode")


def no_jpx(path: Path) -> Path:
    return scan(path, lambda data: data, "/JPXDecode")


def cut_content(path: Path) -> Path:
    """Packed operators, of which a half is there."""
    whole(path)
    with pymupdf.open(path) as document:
        (xref, *_) = document[0].get_contents()
        document.update_stream(xref, "\n".join(LINES * 9).encode(), compress=True)
        packed = document.xref_stream_raw(xref)
        document.update_stream(xref, packed[: len(packed) // 2], compress=False)
        document.xref_set_key(xref, "Filter", "/FlateDecode")
        half = document.tobytes()
    path.write_bytes(half)
    return path


def white_ink(path: Path) -> Path:
    """Something is drawn, and nothing is seen."""
    return written(path, "1 1 1 rg 100 100 300 300 re f")


def cut_download(path: Path, pages: int = 3) -> Path:
    """The first half of a file; its first page is there."""
    with pymupdf.open() as document:
        for number in range(pages):
            page = document.new_page(width=595, height=842)
            file = io.BytesIO()
            article(60, number).save(file, "JPEG")
            page.insert_image(page.rect, stream=file.getvalue())
        document.save(path, no_new_id=True)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path
