"""Pictures of every supported format are upright and complete; nothing else is opened."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from picture.images import UnreadablePage
from picture.kinds import what_it_is
from picture.limits import pixels_of
from picture.opening import open_image
from rig import forms, pages
from rig.command import SCRIPT

LOSSLESS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "BMP": {},
    "TIFF": {"compression": "tiff_lzw"},
    "WEBP": {"lossless": True},
    "GIF": {},
    "JPEG2000": {},
}
LOSSY: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95}, "HEIF": {"quality": 95}, "AVIF": {}}
CARRIES_EXIF = ("PNG", "JPEG", "WEBP", "HEIF", "AVIF")


@pytest.fixture(autouse=True)
def with_heif() -> None:
    """The tests write HEIF with pillow_heif."""
    forms.write_heif()


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures of the same size, 0 to 255."""
    return ImageStat.Stat(ImageChops.difference(one.convert("L"), other.convert("L"))).mean[0]


@pytest.mark.parametrize("kind", LOSSLESS)
def test_what_loses_nothing_is_the_page(kind: str) -> None:
    page, notes = forms.upright(3), list[str]()
    read = open_image(encoded(page.convert("RGB"), kind, **LOSSLESS[kind]), notes)
    assert (read.mode, read.tobytes(), notes) == ("L", page.tobytes(), [])


@pytest.mark.parametrize("kind", ["AVIF", "HEIF", "WEBP", "JPEG2000"])
def test_a_picture_with_a_wrong_byte_is_read_or_told(kind: str) -> None:
    """Change each of the first bytes, one at a time: any exception of a decoder is handled."""
    data = encoded(Image.new("L", (24, 16), 200).convert("RGB"), kind)
    told = 0
    for place in range(min(len(data), 400)):
        wrong = bytearray(data)
        wrong[place] ^= 0xFF
        try:
            open_image(bytes(wrong))
        except UnreadablePage:
            told += 1
    assert told > 20


@pytest.mark.parametrize("orientation", forms.STORED)
@pytest.mark.parametrize("kind", CARRIES_EXIF)
def test_what_a_camera_has_turned_is_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    """Turned only once: a HEIC says it twice, in EXIF data and in its own boxes."""
    page = forms.upright(4)
    lying = forms.stored(page.convert("RGB"), orientation)
    data = encoded(
        lying, kind, exif=forms.tagged(orientation).tobytes(), **{**LOSSLESS, **LOSSY}[kind]
    )
    read = open_image(data)
    assert read.size == page.size and difference(read, page) < 3
    (tmp_path / "a").write_bytes(data)
    for source in (data, tmp_path / "a"):
        assert pixels_of(source, None) == page.width * page.height


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "HEIF"])
def test_of_an_animation_the_first_frame_is_read_and_that_is_noted(kind: str) -> None:
    shown, notes = [forms.upright(seed).convert("RGB") for seed in range(3)], list[str]()
    data = encoded(shown[0], kind, save_all=True, append_images=shown[1:])
    assert difference(open_image(data, notes), shown[0]) < 3
    assert notes == ["an animation, or several pictures in one file: the first was read"]


@pytest.mark.parametrize("mode", ["RGBA", "I;16", "L"])
def test_a_heic_has_all_that_others_have(mode: str) -> None:
    page = forms.upright(5)
    kept = {"RGBA": forms.layered, "I;16": forms.deep, "L": Image.Image.copy}[mode](page)
    assert difference(open_image(encoded(kept, "HEIF", quality=95)), page) < 4


@pytest.mark.parametrize("kind", [*LOSSLESS, *LOSSY])
def test_half_a_file_is_a_reason(kind: str) -> None:
    data = encoded(pages.colourful(30), kind, **{**LOSSLESS, **LOSSY}[kind])
    for part in (3, 20, len(data) // 2):
        with pytest.raises(UnreadablePage):
            open_image(data[:part])


@pytest.mark.parametrize("part", [0.3, 0.7, 0.97])
@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_a_copy_that_ends_in_zeros_is_a_reason(kind: str, part: float) -> None:
    """As from a network copy that was cut short; the decoder does not report it."""
    whole = encoded(pages.article(100, colour=True), kind)
    there = int(len(whole) * part)
    with pytest.raises(UnreadablePage, match="damaged"):
        open_image(whole[:there] + bytes(len(whole) - there))
    open_image(whole + b"\0\0\x10\0free" + bytes(4088))


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"\xff\xc1\0\x0b\x0c", "a JPEG of 12 bits a channel is not read: save it as a PNG"),
        (b"\xff\xc3\0\x0b\x10", "a JPEG of 16 bits a channel is not read: save it as a PNG"),
        (b"\xff\xf7\0\x0b\x08", "JPEG-LS is not read: save it as a PNG"),
        (b"\xff\xc0\0\x0b\x08", "damaged picture: cannot load this image"),
        (b"\xff\xda\0\x0b\x08", "a JPEG picture, damaged"),
    ],
)
def test_a_jpeg_of_a_kind_that_is_not_read_is_not_called_damaged(frame: bytes, reason: str) -> None:
    comment = b"\xff\xfe\0\x06\xff\xc0\0\0"
    with pytest.raises(UnreadablePage) as told:
        open_image(b"\xff\xd8" + comment + frame + b"\0\x20\0\x20\1\1\x11\0")
    assert str(told.value) == reason


def test_postscript_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under no name: Pillow would run Ghostscript for it."""
    ran = tmp_path / "ran"
    ghostscript = tmp_path / "gs"
    ghostscript.write_text(f"#!/bin/sh\ntouch {ran}\n")
    ghostscript.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    script = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    for ending in ("png", "tif", "jp2", "gif", "pdf", "heic"):
        (tmp_path / f"a.{ending}").write_text(script)
        with pytest.raises(UnreadablePage, match="no picture: PostScript"):
            open_image((tmp_path / f"a.{ending}").read_bytes())
    assert not ran.exists()


def test_who_has_no_heic_does_not_wait_for_its_reader() -> None:
    code = (
        "import io, sys; from PIL import Image; from picture.opening import open_image\n"
        "file = io.BytesIO(); Image.new('L', (9, 9)).save(file, 'PNG')\n"
        "open_image(file.getvalue()); assert 'pillow_heif' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=SCRIPT.parent, check=True)


def test_a_machine_on_which_the_reader_of_heic_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """For example, a library is missing: that page fails, and no other page does."""
    data = encoded(forms.upright(1), "HEIF"), encoded(forms.upright(1), "AVIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UnreadablePage, match="pillow-heif, which reads HEIC, cannot run here"):
        open_image(data[0])
    assert open_image(data[1]).size == forms.upright(1).size


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7\n", "a PDF: call it .pdf, and its pages are read"),
        (b"junk of a mail\n%PDF-1.4\n", "a PDF: call it .pdf, and its pages are read"),
        (b"\n <!DOCTYPE html><html>", "a web page"),
        (b"\xef\xbb\xbf<HTML lang=en>", "a web page"),
        (b'<?xml version="1.0"?><html xmlns="x">', "a web page"),
        (b"<!-- made by hand --><html>", "a web page"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x">', "an SVG drawing"),
        (b"<svg/>", "an SVG drawing"),
        (b"<?xml version='1.0'?><note/>", "an XML file"),
        (b"PK\x03\x04\x14", "a zip archive (as .docx, .xlsx, .hwpx and .epub are)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file (as .doc, .xls and .hwp are)"),
        (b'{"error": "no"}', "JSON"),
        (b"Not found", "text"),
        ("찾을 수 없음".encode(), "text"),
        (b"\0\1\2", "data of an unknown kind"),
        (b" \r\n", "blanks"),
        (bytes(1024), "nothing but zeros, as of a copy that was cut short"),
        (bytes(1000) + b"\1", "data of an unknown kind"),
        (b"\xff\x0a\xfa\x7f", "a JPEG XL picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
        (b"II*\0", "a TIFF picture"),
        (b"MM\0+", "a TIFF picture"),
        (b"\0\0\0\x18ftypheic", "a HEIF picture"),
        (b"\0\0\0\x18ftypmif1", "a HEIF picture"),
        (b"\0\0\0\x1cftypavif", "an AVIF picture"),
        (b"\0\0\0\x18ftypmp42", "data of an unknown kind"),
        (b"bmw.txt", "text"),
    ],
)
def test_what_a_file_is(head: bytes, kind: str) -> None:
    assert what_it_is(head) == kind
