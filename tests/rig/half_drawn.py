"""PDFs that MuPDF draws in part, or not at all; only its warnings say so."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pymupdf
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from rig.page_art import article

LINES = [
    f"BT /helv 14 Tf 72 {780 - 20 * n} Td (Line {n} of a page that is whole) Tj ET"
    for n in range(30)
]
NO_SHADING = ["/Sh1 sh"] * 150  # after a hundred errors MuPDF leaves out the rest of the page


def written(path: Path, content: str, boxes: dict[str, str] | None = None) -> Path:
    """Write one page with these operators and a font."""
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


def with_packed(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """A page with compressed operators; `change` changes the compressed bytes."""
    whole(path)
    with pymupdf.open(path) as document:
        (xref, *_) = document[0].get_contents()
        document.update_stream(xref, "\n".join(LINES * 9).encode(), compress=True)
        packed = document.xref_stream_raw(xref)
        document.update_stream(xref, change(packed), compress=False)
        document.xref_set_key(xref, "Filter", "/FlateDecode")
        changed = document.tobytes()
    path.write_bytes(changed)
    return path


def scan(path: Path, change: Callable[[bytes], bytes], kind: str = "/DCTDecode") -> Path:
    """A page covered by a JPEG, with changed bytes and this filter."""
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


def packed_cut_scan(path: Path) -> Path:
    """Half a JPEG, compressed once more: unpacked it has all its rows, the missing ones gray."""
    return scan(
        path,
        lambda data: zlib.compress(data[: len(data) // 2]),
        "[/FlateDecode/DCTDecode]",
    )


def cut_scan_in(path: Path, way: str, make: Callable[[Path], Path] = cut_scan) -> Path:
    """Such a scan, inside a drawing. `way` says how the page includes the drawing."""
    make(path)
    with pymupdf.open(path) as document:
        page, drawing = document[0], document.get_new_xref()
        names = f"/Resources<</XObject<</I {page.get_images()[0][0]} 0 R>>>>"
        look, all_of_it = f"{drawing} 0 R", "0 0 595 842 re f"
        heads = {
            "stamp": "/Subtype/Form",
            "pattern": "/PatternType 1/PaintType 1/TilingType 1/XStep 595/YStep 842",
            "letter": "",
            "mask": "/Subtype/Form/Group<</S/Transparency/CS/DeviceGray>>",
        }
        font = (
            "<</Type/Font/Subtype/Type3/FontMatrix[1 0 0 1 0 0]/FontBBox[0 0 595 842]"
            f"/FirstChar 97/LastChar 97/Widths[595]/Encoding<</Differences[97/a]>>"
            f"/CharProcs<</a {look}>>{names}>>"
        )
        resources, content = {
            "stamp": ("", " "),
            "pattern": (f"/Pattern<</P {look}>>", f"/Pattern cs /P scn {all_of_it}"),
            "letter": (f"/Font<</F {font}>>", "BT /F 1 Tf (a) Tj ET"),
            "mask": (f"/ExtGState<</M<</SMask<</S/Luminosity/G {look}>>>>>>", f"/M gs {all_of_it}"),
        }[way]
        document.update_object(drawing, f"<</BBox[0 0 595 842]{heads[way]}{names}>>")
        start = "595 0 d0 " if way == "letter" else ""
        document.update_stream(drawing, f"{start}595 0 0 842 0 0 cm /I Do".encode())
        document.xref_set_key(page.xref, "Resources", f"<<{resources}>>")
        document.update_stream(page.get_contents()[0], content.encode())
        if way == "stamp":
            stamp = f"<</Subtype/Stamp/F 4/Rect[0 0 595 842]/AP<</N {look}>>>>"
            document.xref_set_key(page.xref, "Annots", f"[{stamp}]")
        changed = document.tobytes()
    path.write_bytes(changed)
    return path


def cut_print(path: Path, is_jpeg: bool = False) -> Path:
    """Four fifths of a picture for print: four colours, defined by a profile."""
    picture = article(100).convert("CMYK")
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        file = io.BytesIO()
        picture.save(file, "JPEG")
        xref = page.insert_image(page.rect, stream=file.getvalue())
        profile = document.get_new_xref()
        document.update_object(profile, "<</N 4/Alternate/DeviceCMYK>>")
        document.update_stream(profile, b"a profile")
        document.xref_set_key(xref, "ColorSpace", f"[/ICCBased {profile} 0 R]")
        jpeg, pixels = file.getvalue(), picture.tobytes()
        ended = jpeg[: len(jpeg) // 2] + b"\xff\xd9"
        document.update_stream(
            xref, ended if is_jpeg else pixels[: len(pixels) * 4 // 5], compress=False
        )
        document.xref_set_key(xref, "Filter", "/DCTDecode" if is_jpeg else "null")
        document.save(path)
    return path


def ended_print(path: Path) -> Path:
    """Half of such a JPEG, with an end mark."""
    return cut_print(path, is_jpeg=True)


def ended_scan(path: Path) -> Path:
    """Half a JPEG with an end mark: libjpeg makes up the rest without a warning."""
    return scan(path, lambda data: data[: len(data) // 2] + b"\xff\xd9")


def scan_without_end(path: Path) -> Path:
    return scan(path, lambda data: data[:-2])


def no_jbig2(path: Path) -> Path:
    return scan(path, lambda data: data, "/JBIG2Decode")


def no_jpx(path: Path) -> Path:
    return scan(path, lambda data: data, "/JPXDecode")


def cut_content(path: Path) -> Path:
    return with_packed(path, lambda packed: packed[: len(packed) // 2])


def hole_in_content(path: Path) -> Path:
    """PDFium draws the lines before it, MuPDF draws none."""
    return with_packed(path, lambda packed: packed[:150] + b"\x55" * 20 + packed[170:])


def over_text(path: Path, change: Callable[[pymupdf.Document, int], None]) -> Path:
    """A page of text below a picture with a mask; `change` changes the picture."""
    file = io.BytesIO()
    picture = article(100)
    picture.putalpha(picture.point(lambda level: 255 - level))
    picture.save(file, "PNG")
    whole(path)
    with pymupdf.open(path) as document:
        xref = document[0].insert_image((72, 500, 400, 800), stream=file.getvalue())
        change(document, xref)
        changed = document.tobytes()
    path.write_bytes(changed)
    return path


def no_mask(path: Path) -> Path:
    """The mask of the picture cannot be unpacked: nothing of the picture is drawn."""

    def change(document: pymupdf.Document, xref: int) -> None:
        mask = int(document.xref_get_key(xref, "SMask")[1].partition(" ")[0])
        document.update_stream(mask, b"no zlib", compress=False)
        document.xref_set_key(mask, "Filter", "/FlateDecode")

    return over_text(path, change)


def no_picture(path: Path) -> Path:
    """The page draws a picture that does not exist; only its name does."""
    return over_text(path, lambda document, xref: document.update_object(xref, "null"))


def jbig2_scan(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """A page covered by a JBIG2 picture, with changed bytes."""
    page, file = article(100).convert("1"), io.BytesIO()
    page.save(file, "TIFF", compression="group4", strip_size=1 << 20)
    with Image.open(file) as tiff:
        assert isinstance(tiff, TiffImageFile)
        start, size = tiff.tag_v2[273][0], tiff.tag_v2[279][0]
    shape = struct.pack(">II", *page.size)
    fax = shape + bytes(9) + b"\x01" + file.getvalue()[start:][:size]
    segments = {48: shape + bytes(11), 38: fax, 49: b""}  # a page, its pixels, the page's end
    data = b"".join(
        struct.pack(">IBBBI", number, kind, 0, 1, len(content)) + content
        for number, (kind, content) in enumerate(segments.items())
    )
    with pymupdf.open() as document:
        sheet = document.new_page(width=595, height=842)
        pixels = pymupdf.Pixmap(pymupdf.csGRAY, *page.size, page.convert("L").tobytes(), False)
        xref = sheet.insert_image(sheet.rect, pixmap=pixels)
        document.update_stream(xref, change(data), compress=False)
        keys = {"Filter": "/JBIG2Decode", "BitsPerComponent": "1", "Decode": "[1 0]"}
        for key, value in keys.items():
            document.xref_set_key(xref, key, value)
        document.save(path)
    return path


def half_jbig2(path: Path) -> Path:
    """MuPDF draws nothing of it and PDFium draws half, both without a warning."""
    return jbig2_scan(path, lambda data: data[: len(data) // 2])


def start_of_jbig2(path: Path) -> Path:
    """MuPDF and PDFium both draw nothing of it."""
    return jbig2_scan(path, lambda data: data[:60])


def cut_fax(path: Path) -> Path:
    """Half of a fax of group 4."""

    def change(document: pymupdf.Document, xref: int) -> None:
        file = io.BytesIO()
        page = article(100).convert("1")
        page.save(file, "TIFF", compression="group4", strip_size=1 << 20)
        with Image.open(file) as tiff:
            assert isinstance(tiff, TiffImageFile)
            tags = tiff.tag_v2
        start, size = tags[273][0], tags[279][0]
        document.update_stream(xref, file.getvalue()[start:][: size // 2], compress=False)
        parms = f"<</K -1/Columns {page.width}/Rows {page.height}>>"
        keys = {"Filter": "/CCITTFaxDecode", "DecodeParms": parms, "ColorSpace": "/DeviceGray"}
        keys |= {"BitsPerComponent": "1", "Width": str(page.width), "Height": str(page.height)}
        for key, value in {**keys, "SMask": "null"}.items():
            document.xref_set_key(xref, key, value)

    return over_text(path, change)


def packed_scan(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """A page covered by a picture, with changed compressed bytes."""
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        picture = article(100)
        pixels = pymupdf.Pixmap(pymupdf.csGRAY, *picture.size, picture.tobytes(), False)
        xref = page.insert_image(page.rect, pixmap=pixels)
        document.update_stream(xref, change(zlib.compress(picture.tobytes())), compress=False)
        document.xref_set_key(xref, "Filter", "/FlateDecode")
        document.save(path)
    return path


def inline_scan(path: Path, change: Callable[[bytes], bytes], side: int = 300) -> Path:
    """A page of text with an inline picture among its operators, with changed bytes."""
    pixels = change(article(100).resize((side, side)).tobytes())
    head = f"q 400 0 0 200 72 10 cm BI /W {side} /H {side} /BPC 8 /CS /G ID ".encode()
    whole(path)
    with pymupdf.open(path) as document:
        (xref, *_) = document[0].get_contents()
        content = "\n".join(LINES).encode() + b"\n" + head + pixels + b"\nEI Q\n"
        document.update_stream(xref, content)
        changed = document.tobytes()
    path.write_bytes(changed)
    return path


def cut_inline_scan(path: Path) -> Path:
    return inline_scan(path, lambda pixels: pixels[: len(pixels) // 2])


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
