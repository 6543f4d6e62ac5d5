"""A folder with a page in each supported form, and with files that are not pages.

    names = write_forms(folder)      # {(file, page of it or None): (width, height) upright}
    others = write_others(folder)    # {what they count as: how many}

Every page is an upright A4 article with a black bar at its top, of the given size.
"""

from __future__ import annotations

import functools
import io
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image, ImageDraw
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from rig import pages

DPI = 20
ORIENTATION = 0x0112
STORED = {  # how a page lies in the file, by the EXIF tag that turns it upright
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
Key = tuple[str, int | None]


def upright(seed: int, dpi: int = DPI) -> Image.Image:
    """A gray page; the bar at its top shows where up is."""
    return drawn(seed, dpi).copy()


@functools.cache
def drawn(seed: int, dpi: int) -> Image.Image:
    """Draw the page; the result is cached."""
    page = pages.article(dpi, seed)
    ImageDraw.Draw(page).rectangle((0, 0, page.width, page.height // 20), fill=0)
    return page


def stored(page: Image.Image, orientation: int) -> Image.Image:
    """The page as it lies in a file with this EXIF tag."""
    way = STORED[orientation]
    return page if way is None else page.transpose(way)


def deep(page: Image.Image) -> Image.Image:
    """The same page in 16 bits: white is 65535."""
    wide = b"".join(struct.pack("<H", value * 257) for value in page.tobytes())
    return Image.frombytes("I;16", page.size, wide)


def tagged(orientation: int) -> Image.Exif:
    """EXIF data with only the orientation tag."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def layered(page: Image.Image) -> Image.Image:
    """The same page as black ink on a transparent ground."""
    black = Image.new("L", page.size, 0)
    return Image.merge("RGBA", (black, black, black, page.point(lambda value: 255 - value)))


def tiff(path: Path, frames: Sequence[Image.Image], **options: Any) -> None:
    """Write a TIFF of these frames; options such as compression apply to all of them."""
    frames[0].save(path, "TIFF", save_all=True, append_images=frames[1:], **options)


def write_heif() -> None:
    """Make Pillow able to write HEIF."""
    pillow_heif.register_heif_opener()


def write_forms(folder: Path) -> dict[Key, tuple[int, int]]:
    """Write a page in each form; return the upright size of each page, by file and page."""
    write_heif()
    folder.mkdir(parents=True, exist_ok=True)
    page = [upright(seed) for seed in range(24)]
    bits = [each.convert("1", dither=Image.Dither.NONE) for each in page]
    page[0].save(folder / "gray.png")
    deep(page[1]).save(folder / "deep.PNG")
    bits[2].save(folder / "bits.png")
    page[3].convert("P").save(folder / "palette.png")
    layered(page[4]).save(folder / "ink on nothing.png")
    page[5].convert("RGB").save(folder / "scan.jpg")
    stored(page[6], 6).save(folder / "sideways.JPEG", exif=tagged(6))
    page[7].convert("CMYK").save(folder / "print.jpg")
    stored(page[8], 3).save(folder / "browser.jfif", "JPEG", exif=tagged(3))
    page[9].save(folder / "photo.webp", lossless=True)
    stored(page[10], 8).save(folder / "sideways.WebP", lossless=True, exif=tagged(8))
    page[11].convert("RGB").save(folder / "old.bmp")
    page[12].convert("P").save(folder / "still.gif")
    page[13].save(folder / "moving.gif", save_all=True, append_images=page[14:16])
    page[16].convert("RGB").save(folder / "map.jp2")
    page[17].convert("RGB").save(folder / "IMG_0001.HEIC", "HEIF", quality=90)
    stored(page[18].convert("RGB"), 6).save(folder / "phone.heif", "HEIF", exif=tagged(6).tobytes())
    stored(page[19].convert("RGB"), 8).save(folder / "web.avif", exif=tagged(8))
    bits[20].save(folder / "fax.tif", compression="group4")
    larger = upright(22, 30)
    tiff(folder / "copier.tiff", [*bits[21:23], larger.convert("1")], compression="group4")
    tiff(folder / "deep.TIF", [deep(page[23]), deep(page[0])], compression="tiff_lzw")
    pages.pdf(folder / "report.pdf", pages=2)
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    numbered = {"copier.tiff": 3, "deep.TIF": 2, "report.pdf": 2}
    sizes: dict[Key, tuple[int, int]] = {}
    for name in names:
        for number in range(numbered.get(name, 0)) if name in numbered else (None,):
            sizes[name, number] = page[0].size
    sizes["copier.tiff", 2] = larger.size
    for number in range(2):
        sizes["report.pdf", number] = pages.article(200).size
    return sizes


def write_others(folder: Path) -> dict[str, int]:
    """Write files that are not pages, in several folders; return how they are counted."""
    names = ["letter.docx", "sub/old.DOCX", "notes.txt", "README", "plan.svg", "sub/.hidden.png"]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("<svg>not a page</svg>")
    return {".docx": 2, ".txt": 1, "without ending": 1, ".svg": 1, "hidden": 1}


def write_links(folder: Path, elsewhere: Path) -> dict[Key, tuple[int, int]]:
    """Link folders that are elsewhere, also in a circle; return the pages behind the links."""
    folder.mkdir(parents=True, exist_ok=True)
    (elsewhere / "deeper").mkdir(parents=True)
    upright(30).save(elsewhere / "p1.png")
    upright(31).save(elsewhere / "deeper" / "p2.png")
    (elsewhere / "deeper" / "up").symlink_to(elsewhere)
    (folder / "2023").symlink_to(elsewhere)
    (folder / "2024").symlink_to(elsewhere / "deeper")  # 2023 has this folder already
    (folder / "here").symlink_to(folder)
    size = upright(0).size
    return {("2023/p1.png", None): size, ("2023/deeper/p2.png", None): size}


def tiff_of(parts: list[bytes], more: dict[int, Any], order: bytes = b"II") -> bytes:
    """Make a TIFF of these strips, with these tags and those that say where the strips are."""
    tags = ImageFileDirectory_v2(prefix=order)
    starts = [sum(map(len, parts[:number])) for number in range(len(parts))]
    for tag, value in {**more, 279: tuple(map(len, parts)), 273: tuple(starts)}.items():
        tags[tag] = value
    file = io.BytesIO()
    tags.save(file)
    file.writelines(parts)
    return file.getvalue()
