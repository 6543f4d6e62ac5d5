"""Makes the pages that the tests read; none is committed. The same call gives the same bytes
(but not for an encrypted PDF: MuPDF makes a new key each time).

`article`, `colourful`, `noisy_scan` and `tiny` are pictures; `pdf` and `write_folder` write pages.
`bad_inputs` writes files that cannot be read or have no place for results. `odd_good_inputs` writes
files that look strange and must be read. Each file has a function of its own: `bomb_png(folder)`,
`rotated_jpeg(folder)`.
"""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pymupdf
from PIL import Image, ImageChops, ImageDraw

from rig.page_art import A4_HEIGHT_PT as A4_HEIGHT_PT
from rig.page_art import A4_WIDTH_PT as A4_WIDTH_PT
from rig.page_art import article as article
from rig.page_art import colourful as colourful
from rig.page_art import draw_article, scanned
from rig.page_art import noisy_scan as noisy_scan
from rig.page_art import tiny as tiny

PDF_PASSWORD = "open sesame"
# Pillow refuses pictures with more pixels than this, however small the file is.
BOMB_PIXELS = 178_956_970
FOLDERS = ("100dpi", "200dpi", "scans/box 1", "scans/box 2", "한글")


def pdf(path: Path, pages: int = 2, encrypted: bool = False) -> Path:
    """Write a PDF of A4 articles; an encrypted one needs PDF_PASSWORD."""
    path.write_bytes(_pdf(pages, encrypted))
    return path


@functools.cache
def _pdf(pages: int, encrypted: bool) -> bytes:
    with pymupdf.open() as document:
        for seed in range(pages):
            page = document.new_page(width=A4_WIDTH_PT, height=A4_HEIGHT_PT)
            draw_article(page, seed, colour=False)
        method = pymupdf.mupdf.PDF_ENCRYPT_AES_256 if encrypted else pymupdf.mupdf.PDF_ENCRYPT_NONE
        password = PDF_PASSWORD if encrypted else None
        content: bytes = document.tobytes(
            deflate=True, no_new_id=True, encryption=method, user_pw=password, owner_pw=password
        )
    return content


def write_folder(root: Path, pages: int = 40, dpi: int = 60, small: bool = False) -> list[Path]:
    """Write a tree of distinct PNG pages: `100dpi/page1.png`, `200dpi/page2.png` and so on.

    With `small` they are pictures of 48 x 32 pixels, for tests that need thousands of files.
    """
    written = []
    for number in range(pages):
        target = root / FOLDERS[number % len(FOLDERS)] / f"page{number + 1}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        picture = tiny(number) if small else article(dpi, number)
        picture.save(target, compress_level=1)
        written.append(target)
    return written


# ---- files that cannot be read, or whose results cannot be kept ----


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _cut(path: Path) -> Path:
    """Keep the first half of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def empty_file(folder: Path) -> Path:
    path = folder / "empty.png"
    path.touch()
    return path


def truncated_png(folder: Path) -> Path:
    path = folder / "truncated.png"
    article(50).save(path)
    return _cut(path)


def truncated_jpeg(folder: Path) -> Path:
    path = folder / "truncated.jpg"
    article(50).save(path)
    return _cut(path)


def text_as_png(folder: Path) -> Path:
    path = folder / "text.png"
    path.write_text("This is a text file with the wrong ending.\n", encoding="utf-8")
    return path


def bomb_png(folder: Path) -> Path:
    """A well-formed PNG of a few KiB that declares, and contains, 200 million white pixels."""
    wide, high = 20_000, 10_000
    assert wide * high > BOMB_PIXELS
    row = b"\0" + b"\xff" * (wide // 8)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(row) for _ in range(high)) + packer.flush()
    head = struct.pack(">IIBBBBB", wide, high, 1, 0, 0, 0, 0)
    path = folder / "bomb.png"
    chunks = (b"IHDR", head), (b"IDAT", rows), (b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*chunk) for chunk in chunks))
    return path


def strip_png(folder: Path) -> Path:
    """A picture of 201:1, which is too long for the model."""
    path = folder / "strip.png"
    Image.new("L", (30 * 201, 30), 255).save(path)
    return path


def encrypted_pdf(folder: Path) -> Path:
    return pdf(folder / "encrypted.pdf", encrypted=True)


def truncated_pdf(folder: Path) -> Path:
    """The first bytes of a PDF: too few for MuPDF to repair it."""
    path = pdf(folder / "truncated.pdf")
    path.write_bytes(path.read_bytes()[:64])
    return path


def unreadable_png(folder: Path) -> Path:
    """A good page that only root may open."""
    path = folder / "unreadable.png"
    tiny(1).save(path)
    path.chmod(0o000)
    return path


def long_name_png(folder: Path) -> Path:
    """A good page with a name of 255 bytes: any longer ending makes it too long."""
    path = folder / ("n" * 251 + ".png")
    tiny(2).save(path)
    return path


def newline_name_png(folder: Path) -> Path:
    """A good page with a line break in its name, which breaks lists with one name a line."""
    path = folder / "two\nlines.png"
    tiny(3).save(path)
    return path


def folder_named_png(folder: Path) -> Path:
    path = folder / "folder.png"
    path.mkdir()
    return path


def dangling_link(folder: Path) -> Path:
    path = folder / "dangling.png"
    path.symlink_to("nowhere.png")
    return path


Writer = Callable[[Path], Path]

BAD: dict[str, Writer] = {
    "empty": empty_file,
    "truncated_png": truncated_png,
    "truncated_jpeg": truncated_jpeg,
    "text": text_as_png,
    "bomb": bomb_png,
    "strip": strip_png,
    "encrypted_pdf": encrypted_pdf,
    "truncated_pdf": truncated_pdf,
    "unreadable": unreadable_png,
    "long_name": long_name_png,
    "newline_name": newline_name_png,
    "folder": folder_named_png,
    "dangling_link": dangling_link,
}


def bad_inputs(folder: Path) -> dict[str, Path]:
    """Write every bad input into `folder`; the keys are those of BAD."""
    folder.mkdir(parents=True, exist_ok=True)
    return {slug: write(folder) for slug, write in BAD.items()}


# ---- files that look strange and are good ----


def one_pixel(folder: Path) -> Path:
    path = folder / "one_pixel.png"
    Image.new("L", (1, 1), 255).save(path)
    return path


def animated_png(folder: Path) -> Path:
    """Three frames; the first is the page."""
    path = folder / "animated.png"
    frames = [article(50, seed) for seed in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    return path


def gray_16_bit(folder: Path) -> Path:
    """Mode I;16: white is 65535, so a reader that clips at 255 loses every grey."""
    path = folder / "gray16.png"
    page = article(50)
    wide = b"".join(struct.pack("<H", value * 257) for value in page.tobytes())
    Image.frombytes("I;16", page.size, wide).save(path)
    return path


def palette_transparent(folder: Path) -> Path:
    """Mode P; the paper is transparent, so a reader that ignores this may see a black page."""
    path = folder / "palette.png"
    page = article(50).point(lambda value: value // 64).convert("P")
    page.putpalette([0, 0, 0, 85, 85, 85, 170, 170, 170, 0, 0, 0])
    page.save(path, transparency=3)
    return path


def rgba(folder: Path) -> Path:
    """Black letters on a paper that is transparent black."""
    path = folder / "rgba.png"
    page = article(50)
    black = Image.new("L", page.size, 0)
    Image.merge("RGBA", (black, black, black, ImageChops.invert(page))).save(path)
    return path


def gray_alpha(folder: Path) -> Path:
    """Mode LA, otherwise as `rgba`."""
    path = folder / "gray_alpha.png"
    page = article(50)
    Image.merge("LA", (Image.new("L", page.size, 0), ImageChops.invert(page))).save(path)
    return path


def one_bit(folder: Path) -> Path:
    path = folder / "one_bit.png"
    article(100).convert("1", dither=Image.Dither.NONE).save(path)
    return path


def cmyk_jpeg(folder: Path) -> Path:
    path = folder / "cmyk.jpg"
    article(50, colour=True).convert("CMYK").save(path, quality=90)
    return path


def rotated_jpeg(folder: Path) -> Path:
    """A page with a black bar at its top, stored on its side with EXIF orientation 6."""
    path = folder / "rotated.jpg"
    page = article(50)
    ImageDraw.Draw(page).rectangle((0, 0, page.width, page.height // 20), fill=0)
    exif = Image.Exif()
    exif[0x0112] = 6  # the viewer has to turn it by 90 degrees clockwise
    page.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=90)
    return path


def blank(folder: Path) -> Path:
    path = folder / "blank.png"
    Image.new("L", (413, 585), 255).save(path)
    return path


def blank_noisy(folder: Path) -> Path:
    """An empty sheet as a scanner sees it."""
    path = folder / "blank_noisy.png"
    scanned(Image.new("L", (413, 585), 255), seed=1).save(path)
    return path


def upper_case(folder: Path) -> Path:
    path = folder / "UPPER.PNG"
    article(50, seed=4).save(path)
    return path


def korean_name(folder: Path) -> Path:
    path = folder / "스캔 문서 1.png"
    article(50, seed=5).save(path)
    return path


def hidden(folder: Path) -> Path:
    path = folder / ".hidden.png"
    article(50, seed=6).save(path)
    return path


ODD_GOOD: dict[str, Writer] = {
    "one_pixel": one_pixel,
    "animated": animated_png,
    "gray16": gray_16_bit,
    "palette": palette_transparent,
    "rgba": rgba,
    "gray_alpha": gray_alpha,
    "one_bit": one_bit,
    "cmyk": cmyk_jpeg,
    "rotated": rotated_jpeg,
    "blank": blank,
    "blank_noisy": blank_noisy,
    "upper_case": upper_case,
    "korean_name": korean_name,
    "hidden": hidden,
}


def odd_good_inputs(folder: Path) -> dict[str, Path]:
    """Write every odd but good input into `folder`; the keys are those of ODD_GOOD."""
    folder.mkdir(parents=True, exist_ok=True)
    return {slug: write(folder) for slug, write in ODD_GOOD.items()}


def same_name(folder: Path) -> list[Path]:
    """Write three inputs that differ only in their ending, so that their results would collide."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "page1.png", folder / "page1.jpg", folder / "page1.pdf"]
    for seed, path in enumerate(paths[:2]):
        article(50, seed).save(path)
    pdf(paths[2], pages=1)
    return paths
