"""A frame of a TIFF -> its picture, as if the file had only this frame.

To reach a frame, Pillow reads all before it, and it takes a chain that runs in a circle for its
end. So we walk the chain here, once for a file, and open each frame directly.
"""

import contextlib
import functools
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from PIL import Image

from picture.images import UnreadablePage
from picture.kinds import file_of
from picture.opening import faults_told, opened, page_in

MOST_FRAMES = 65_535  # for thirty years libtiff could not count further
BYTES_PER_FRAME = 64  # a frame takes at least so many: size, compression, place of the pixels
CHANGED = "the file changed while its pages were read: run again"


@dataclass(frozen=True)
class Layout:
    """How a TIFF writes numbers: classic or BigTIFF, and in which byte order."""

    offset: struct.Struct
    count: struct.Struct
    first_at: int
    entry_bytes: int


@dataclass(frozen=True)
class Chain:
    """The frames of a TIFF: for each, where it begins, and where its link to the next one is.

    is_cut: the last frame links to another one, but the file does not have it.
    """

    layout: Layout
    frames: tuple[tuple[int, int], ...]
    is_cut: bool = False


class OneFrame:
    """A file with some bytes replaced: those that would lead to other frames.

    All else is the file's own, so libtiff finds the pixels by the file descriptor or the content.
    """

    def __init__(self, file: IO[bytes], patches: Mapping[int, bytes]) -> None:
        self._file, self._patches = file, patches

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        """Like file.read."""
        start = self._file.tell()
        data = self._file.read(size)
        for place, patch in self._patches.items():
            at = place - start
            if -len(patch) < at < len(data):
                whole = bytearray(data)
                part = patch[max(0, -at) : len(data) - at]
                whole[max(0, at) : max(0, at) + len(part)] = part
                data = bytes(whole)
        return data


def open_frame(source: Path | bytes, index: int, notes: list[str] | None = None) -> Image.Image:
    """Decode one frame as a picture; index counts from 0. Raises UnreadablePage."""
    with faults_told(b"II*\0"), frame_alone(source, index) as file:
        return page_in(file, b"", [] if notes is None else notes)


def pixels_of_frame(source: Path | bytes, index: int) -> int:
    """How many pixels a frame says it has. Raises UnreadablePage."""
    with faults_told(b"II*\0"), frame_alone(source, index) as file:
        image = opened(file)
        return image.width * image.height


@contextlib.contextmanager
def frame_alone(source: Path | bytes, index: int) -> Iterator[IO[bytes]]:
    """Open a TIFF as a file with only this frame. Raises UnreadablePage."""
    chain = chain_of(source)
    if index >= len(chain.frames):
        raise UnreadablePage(CHANGED)
    start, link = chain.frames[index]
    pack = chain.layout.offset.pack
    with file_of(source) as file:
        yield cast(IO[bytes], OneFrame(file, {chain.layout.first_at: pack(start), link: pack(0)}))


def chain_of(source: Path | bytes) -> Chain:
    """Return the frames of a TIFF; walk the chain only if the file is not the last one again.

    Raises UnreadablePage if they run in a circle, or are more than the file can have.
    """
    if isinstance(source, bytes):
        return walk_once(source, 0, len(source))
    try:
        state = source.stat()
    except OSError as error:
        raise UnreadablePage(f"the file cannot be opened: {error.strerror}") from error
    return walk_once(source, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=1)
def walk_once(source: Path | bytes, mtime_ns: int, size_bytes: int) -> Chain:
    """Walk the chain of a file in this state; the last result is cached."""
    with file_of(source) as file:
        return walk(file, size_bytes)


def walk(file: IO[bytes], size_bytes: int) -> Chain:
    """Follow the chain from the file's first bytes to its end."""
    layout = layout_of(file.read(4))
    start = number_at(file, layout.first_at, layout.offset)
    seen, frames = set[int](), list[tuple[int, int]]()
    most = min(MOST_FRAMES, size_bytes // BYTES_PER_FRAME)
    while start:
        if start in seen:
            raise UnreadablePage(f"its pages run in a circle, behind page {len(frames) - 1:,}")
        seen.add(start)
        entries = number_at(file, start, layout.count)
        link = start + layout.count.size + (entries or 0) * layout.entry_bytes
        following = number_at(file, link, layout.offset)
        if entries is None or following is None:
            break
        if len(frames) == most:
            raise UnreadablePage(
                f"the TIFF says it has more than {most:,} pages, in {size_bytes:,} bytes"
            )
        frames.append((start, link))
        start = following
    if not frames:
        raise UnreadablePage("damaged TIFF: it ends before its first page")
    return Chain(layout, tuple(frames), is_cut=bool(start))


def layout_of(head: bytes) -> Layout:
    """Return the layout that a TIFF's first four bytes name."""
    order = ">" if head.startswith(b"MM") else "<"
    if b"+" in head:
        return Layout(struct.Struct(f"{order}Q"), struct.Struct(f"{order}Q"), 8, 20)
    return Layout(struct.Struct(f"{order}L"), struct.Struct(f"{order}H"), 4, 12)


def number_at(file: IO[bytes], place: int, form: struct.Struct) -> int | None:
    """Read a number at this place; None if the file ends before."""
    if place >= 1 << 63:
        return None
    file.seek(place)
    data = file.read(form.size)
    return int(form.unpack(data)[0]) if len(data) == form.size else None
