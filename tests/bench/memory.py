#!/usr/bin/env python3
"""What a worker needs at most to prepare one page, by the page's form: peak memory, CPU time.

Each form is written as large as may be read, and prepared in a process of its own, as a worker does
it. The peak is the kernel's figure for that process (VmHWM), its programs included.
"""

import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from multiprocessing import Process
from pathlib import Path
from typing import Any

import click
import numpy
import pillow_heif
from PIL import Image

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "vm_side")]

from rig import pages  # noqa: E402 - found by the line above

SIDE = 13_300  # 177 megapixels: the limit is 178,956,970
PREPARE = """
import sys, time
from pathlib import Path
from results.files import Wanted
from results.steps import prepare
values = {}
started = time.process_time()
wanted = Wanted("a", drawing=False, pictures="files")
prepare(Path(sys.argv[1]), None, values, 2_000_000, 1_200_000, "auto", wanted, "ink")
seconds = time.process_time() - started
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(f"{int(peak.split()[1]) >> 10} MiB, {seconds:.1f} CPU-s", *values["notes"])
"""


def page(mode: str, side: int) -> Image.Image:
    """A square of writing with a scanner's noise; in colour if the mode has colour."""
    tile = pages.noisy_scan(200, 1, colour=mode not in ("1", "L", "I;16"))
    row = Image.new(tile.mode, (side, tile.height))
    for left in range(0, side, tile.width):
        row.paste(tile, (left, 0))
    whole = Image.new(tile.mode, (side, side))
    for top in range(0, side, tile.height):
        whole.paste(row, (0, top))
    if mode == "I;16":
        deep = numpy.asarray(whole).astype(numpy.uint16) * 257
        return Image.fromarray(deep)
    if mode == "1":
        return whole.point(lambda level: 255 * (level > 128)).convert("1")
    if mode == "RGBA":
        whole.putalpha(Image.linear_gradient("L").resize(whole.size))
        return whole
    if mode == "LA":
        return whole.convert("L").convert("LA")
    return whole.convert(mode)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def deep_png(path: Path, side: int, channels: int) -> None:
    """Write a PNG of 16 bits a channel, which Pillow cannot do. Rows use the filter "up"."""
    light = numpy.asarray(page("L", side)).astype(numpy.uint16) * 257
    packer, packed = zlib.compressobj(1), []
    before = numpy.zeros(side * channels * 2, numpy.uint8)
    for row in light:
        now = numpy.repeat(row, channels).astype(">u2").view(numpy.uint8)
        packed.append(packer.compress(b"\2" + (now - before).tobytes()))
        before = now
    packed.append(packer.flush())
    head = struct.pack(">IIBBBBB", side, side, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head))
        file.writelines(chunk(b"IDAT", part) for part in packed if part)
        file.write(chunk(b"IEND", b""))


def saved(mode: str, kind: str, **options: Any) -> Callable[[Path, int], None]:
    """Return a function that writes a picture with Pillow."""

    def write(path: Path, side: int) -> None:
        pillow_heif.register_heif_opener()
        page(mode, side).save(path, kind, **options)

    return write


FORMS = {
    "PNG gray": saved("L", "PNG", compress_level=1),
    "PNG 1 bit": saved("1", "PNG", compress_level=1),
    "PNG palette": saved("P", "PNG", compress_level=1),
    "PNG RGB": saved("RGB", "PNG", compress_level=1),
    "PNG RGBA": saved("RGBA", "PNG", compress_level=1),
    "PNG gray and alpha": saved("LA", "PNG", compress_level=1),
    "PNG gray, 16 bits": lambda path, side: deep_png(path, side, 1),
    "PNG RGB, 16 bits": lambda path, side: deep_png(path, side, 3),
    "PNG RGBA, 16 bits": lambda path, side: deep_png(path, side, 4),
    "JPEG gray": saved("L", "JPEG"),
    "JPEG": saved("RGB", "JPEG"),
    "JPEG CMYK": saved("CMYK", "JPEG"),
    "JPEG progressive": saved("RGB", "JPEG", progressive=True),
    "JPEG progressive 4:4:4": saved("RGB", "JPEG", progressive=True, subsampling=0),
    "JPEG progressive gray": saved("L", "JPEG", progressive=True),
    "BMP": saved("RGB", "BMP"),
    "BMP palette": saved("P", "BMP"),
    "GIF": saved("P", "GIF"),
    "TIFF group 4": saved("1", "TIFF", compression="group4"),
    "TIFF gray": saved("L", "TIFF"),
    "TIFF gray, 16 bits": saved("I;16", "TIFF", compression="tiff_lzw"),
    "TIFF RGB": saved("RGB", "TIFF"),
    "TIFF RGB, LZW": saved("RGB", "TIFF", compression="tiff_lzw"),
    "TIFF RGB, JPEG": saved("RGB", "TIFF", compression="jpeg"),
    "TIFF RGBA, deflate": saved("RGBA", "TIFF", compression="tiff_adobe_deflate"),
    "TIFF CMYK": saved("CMYK", "TIFF"),
    "JPEG 2000": saved("RGB", "JPEG2000", quality_layers=[40], irreversible=True),
    "JPEG 2000 gray": saved("L", "JPEG2000", quality_layers=[40], irreversible=True),
    "WebP": saved("RGB", "WEBP", quality=70, method=0),
    "WebP lossless": saved("RGB", "WEBP", lossless=True, quality=0, method=0),
    "HEIC": saved("RGB", "HEIF", quality=50),
    "AVIF": saved("RGB", "AVIF", quality=50, speed=10),
}


@click.command(help=__doc__)
@click.option("--form", "wanted", multiple=True, help="Only forms whose name contains this.")
@click.option("--side", default=SIDE, show_default=True, help="Pixels of a side.")
def main(wanted: tuple[str, ...], side: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for form, write in FORMS.items():
            if wanted and not any(part in form for part in wanted):
                continue
            path = Path(scratch, "page")
            writer = Process(target=write, args=(path, side))
            writer.start()
            writer.join()
            command = [sys.executable, "-c", PREPARE, str(path)]
            vm_side = TESTS.parent / "vm_side"
            done = subprocess.run(
                command, cwd=vm_side, stdout=subprocess.PIPE, text=True, check=True
            )
            size_mib = path.stat().st_size >> 20
            click.echo(f"{form:24} {size_mib:4} MiB on the disk: {done.stdout.strip()}")


if __name__ == "__main__":
    main()
