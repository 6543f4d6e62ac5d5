"""A frame of a TIFF -> its picture, as if it stood in a file of its own.

Pillow goes to a frame through all before it, and takes a chain that runs in a circle for its end.
So the chain is walked here, once for a file, and each frame is opened where it stands.
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

MOST_FRAMES = 65_535  # libtiff could not count further for thirty years
BYTES_PER_FRAME = 64  # of the file, at least: size, compression, and where the pixels are
CHANGED = "the file changed while its pages were read: run again"


@dataclass(frozen=True)
class Layout:
    """How a TIFF writes numbers: classic or big, one end first or the other."""

    offset: struct.Struct
    count: struct.Struct
    first_at: int
    entry_bytes: int


@dataclass(frozen=True)
class Chain:
    """The frames of a TIFF: of each where it begins, and where it says where the next one does.

    is_cut: the last one names another, which the file does not hold.
    """

    layout: Layout
    frames: tuple[tuple[int, int], ...]
    is_cut: bool = False


class OneFrame:
    """A file in which some bytes are others: those that would lead to other frames.

    All else is the file's own, so that libtiff finds the pixels by its descriptor or its content.
    """

    def __init__(self, file: IO[bytes], patches: Mapping[int, bytes]) -> None:
        self._file, self._patches = file, patches

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        """As file.read."""
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
    """Decode one frame, which counts from 0, as a picture. Raises UnreadablePage."""
    with faults_told(b"II*\0"), frame_alone(source, index) as file:
        return page_in(file, b"", [] if notes is None else notes)


def pixels_of_frame(source: Path | bytes, index: int) -> int:
    """How many pixels a frame says it has. Raises UnreadablePage."""
    with faults_told(b"II*\0"), frame_alone(source, index) as file:
        image = opened(file)
        return image.width * image.height


@contextlib.contextmanager
def frame_alone(source: Path | bytes, index: int) -> Iterator[IO[bytes]]:
    """A TIFF as a file of this frame alone. Raises UnreadablePage."""
    chain = chain_of(source)
    if index >= len(chain.frames):
        raise UnreadablePage(CHANGED)
    start, link = chain.frames[index]
    pack = chain.layout.offset.pack
    with file_of(source) as file:
        yield cast(IO[bytes], OneFrame(file, {chain.layout.first_at: pack(start), link: pack(0)}))


def chain_of(source: Path | bytes) -> Chain:
    """The frames of a TIFF, walked anew only if it is not the last one again.

    Raises UnreadablePage if they run in a circle, or are more than the file can hold.
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
    """The chain of a file in this state."""
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
    """The layout that a TIFF's first four bytes name."""
    order = ">" if head.startswith(b"MM") else "<"
    if b"+" in head:
        return Layout(struct.Struct(f"{order}Q"), struct.Struct(f"{order}Q"), 8, 20)
    return Layout(struct.Struct(f"{order}L"), struct.Struct(f"{order}H"), 4, 12)


def number_at(file: IO[bytes], place: int, form: struct.Struct) -> int | None:
    """A number of the file, or None if it ends before."""
    if place >= 1 << 63:
        return None
    file.seek(place)
    data = file.read(form.size)
    return int(form.unpack(data)[0]) if len(data) == form.size else None
