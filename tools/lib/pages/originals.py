"""Open the original pages in INPUT, only in a process that can be killed (see lib.pool)."""

import hashlib
from pathlib import Path

import pillow_heif
from PIL import Image, ImageOps

# The same as in vm_side/picture/opening.py. EPS is missing because it would run a program.
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "JPEG2000", "AVIF")


def head_of(path: Path, sha256: str) -> bytes:
    """Return a file's first 1024 bytes; empty if its hash is not sha256, or it is not a file."""
    if not path.is_file():  # reading a pipe would wait, and a device has no end
        return b""
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            return b""
        file.seek(0)
        return file.read(1024)


def open_page(
    path: Path, head: bytes, number: int | None, rotation: int, side: int, password: str = ""
) -> Image.Image:
    """Open a page (of a PDF, a frame of a TIFF, or a picture), and turn it clockwise by rotation.

    head is the first bytes of the file; side is the most pixels of a side. Raises UNREADABLE.
    """
    if number is not None and b"%PDF-" in head:
        from lib.pdf import drawn  # noqa: PLC0415 - see there

        picture = drawn(path, number, side, password)
    else:
        picture = open_picture(path, head, number or 0, side)
    return picture.rotate(-rotation, expand=True)


def opened(path: Path, head: bytes) -> Image.Image:
    """Open the picture in a file; head is its first bytes. Raises UNREADABLE."""
    if head[4:8] != b"ftyp":
        return Image.open(path, formats=FORMATS)
    pillow_heif.register_heif_opener()
    return Image.open(path, formats=(*FORMATS, "HEIF"))


def open_picture(path: Path, head: bytes, frame: int, side: int) -> Image.Image:
    """Read one frame of a picture file, upright and on white; its longer side is at most `side`."""
    with opened(path, head) as image:
        image.seek(frame)
        image.draft("RGB", (side, side))  # decode a large JPEG at a smaller scale
        image.thumbnail((side, side), reducing_gap=2.0)
        return on_white(ImageOps.exif_transpose(image))


def on_white(picture: Image.Image) -> Image.Image:
    """Return a picture in mode L or RGB; its transparent parts become white."""
    if picture.mode.startswith("I"):  # 16 bits a pixel
        return picture.convert("F").point(lambda value: value / 257).convert("L")
    if picture.mode in ("L", "RGB") and "transparency" not in picture.info:
        return picture
    if picture.mode in ("1", "CMYK", "YCbCr"):
        return picture.convert("RGB")
    layered = picture.convert("RGBA")
    white = Image.new("RGB", layered.size, "white")
    white.paste(layered, mask=layered.getchannel("A"))
    return white
