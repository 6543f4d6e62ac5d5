"""Each frame of a TIFF is a page, like a picture of its own, whatever is around it."""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from picture import frames
from picture.frames import chain_of, open_frame, pixels_of_frame
from picture.images import UnreadablePage
from picture.opening import open_image
from results.counting import Counted, count_pages
from rig import forms, pages


def saved(picture: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, "TIFF", **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("mode", "compression", "big"),
    [
        ("1", "group4", False),
        ("1", "group3", False),
        ("1", None, True),
        ("L", "tiff_lzw", True),
        ("L", "packbits", False),
        ("I;16", "tiff_adobe_deflate", True),
        ("I;16", None, False),
        ("RGB", "jpeg", False),
        ("RGB", None, True),
        ("P", "tiff_lzw", False),
        ("RGBA", "zstd", True),
        ("CMYK", "tiff_lzw", False),
    ],
)
def test_a_frame_is_the_picture_that_it_would_be_alone(
    tmp_path: Path, mode: str, compression: str | None, big: bool
) -> None:
    """In any order, with different sizes, from a disk and from a store."""
    options = {"compression": compression, "big_tiff": big}
    drawn = [forms.upright(seed, 20 + 5 * seed) for seed in range(3)]
    kept = [forms.deep(page) if mode == "I;16" else page.convert(mode) for page in drawn]
    path = tmp_path / "a.tif"
    forms.tiff(path, kept, **options)
    for source in (path, path.read_bytes()):
        for index in (2, 0, 1, 2):
            alone = open_image(saved(kept[index], **options))
            frame = open_frame(source, index)
            assert (frame.mode, frame.size) == (alone.mode, alone.size)
            assert frame.tobytes() == alone.tobytes()
            assert pixels_of_frame(source, index) == drawn[index].width * drawn[index].height


@pytest.mark.parametrize("compression", ["tiff_lzw", None])
def test_each_frame_is_turned_by_its_own_tag(tmp_path: Path, compression: str | None) -> None:
    page = forms.upright(1)
    kept = []
    for orientation in forms.STORED:
        lying = forms.stored(page, orientation).copy()
        lying.encoderinfo = {"tiffinfo": {forms.ORIENTATION: orientation}}
        kept.append(lying)
    path = tmp_path / "a.tif"
    forms.tiff(path, kept, compression=compression)
    for index in range(8):
        assert open_frame(path, index).tobytes() == page.tobytes(), index + 1


def test_motorolas_order_of_bytes() -> None:
    data = by_hand(3, order=">")
    assert len(chain_of(data).frames) == 3
    assert [open_frame(data, index).getpixel((0, 0)) for index in range(3)] == [0, 1, 2]


# ---- how many there are ----


def by_hand(count: int, back_to: int | None = None, order: str = "<", cut: int = 0) -> bytes:
    """A TIFF with frames of one gray pixel each; the last one can lead back to an earlier one."""
    kind = b"MM" if order == ">" else b"II"
    parts = [kind + struct.pack(f"{order}HL", 42, 8)]
    for number in range(count):
        start = 8 + 126 * number
        tags = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, start + 114), (277, 1)]
        tags += [(278, 1), (279, 1)]
        entries = b"".join(struct.pack(f"{order}HHLL", tag, 4, 1, value) for tag, value in tags)
        following = start + 126 if number + 1 < count else 0
        if number + 1 == count and back_to is not None:
            following = 8 + 126 * back_to
        parts.append(struct.pack(f"{order}H", len(tags)) + entries)
        parts.append(struct.pack(f"{order}L", following) + bytes([number % 256]) + bytes(11))
    data = b"".join(parts)
    return data[: len(data) - cut]


def counted(folder: Path, data: bytes, name: str = "a.tif") -> Counted:
    (folder / name).write_bytes(data)
    return count_pages(folder / name)


def test_one_frame_is_a_picture_and_several_are_pages(tmp_path: Path) -> None:
    assert counted(tmp_path, by_hand(1)) == Counted(is_picture=True)
    assert counted(tmp_path, by_hand(2)) == Counted(2, 2, kind="TIFF")


@pytest.mark.parametrize("back_to", [0, 1, 2])
def test_a_chain_in_a_circle_is_one_fault(tmp_path: Path, back_to: int) -> None:
    """Pillow would take it for the end of the file."""
    found = counted(tmp_path, by_hand(3, back_to))
    assert found == Counted(fault="its pages run in a circle, behind page 2")
    found = counted(tmp_path, by_hand(1, 0))
    assert found == Counted(fault="its pages run in a circle, behind page 0")


def empty(count: int) -> bytes:
    """A TIFF of empty directories: a million of them in six megabytes."""
    return b"II*\0" + b"".join(struct.pack("<LH", 8 + 6 * n, 0) for n in range(count))


@pytest.mark.parametrize(
    ("make", "given", "reason"),
    [
        (by_hand, 70_000, "the TIFF says it has more than 65,535 pages, in 8,820,008 bytes"),
        (empty, 1_000_000, "the TIFF says it has more than 65,535 pages, in 6,000,004 bytes"),
        (empty, 100, "the TIFF says it has more than 9 pages, in 604 bytes"),
        (bytes, b"II*\0", "damaged TIFF: it ends before its first page"),
        (bytes, b"II*\0\0\0\0\0", "damaged TIFF: it ends before its first page"),
        (bytes, b"II+\0\x08\0\0\0" + b"\xff" * 8, "damaged TIFF: it ends before its first page"),
    ],
)
def test_more_frames_than_there_can_be_are_one_fault(
    tmp_path: Path, make: Callable[[Any], bytes], given: Any, reason: str
) -> None:
    data = make(given)
    began = time.process_time()
    assert counted(tmp_path, data) == Counted(fault=reason)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("cut", [20, 100, 126 + 20])
def test_a_download_that_was_cut_keeps_the_frames_that_came(tmp_path: Path, cut: int) -> None:
    found = counted(tmp_path, by_hand(3, cut=cut))
    whole = 2 if cut < 126 else 1
    assert (found.pages, found.said, found.kind) == (whole, whole + 1, "TIFF")


def test_the_chain_is_walked_once_for_all_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each frame then costs only its own time, wherever it is."""
    looks = 0
    number_at = frames.number_at

    def counting(*arguments: object) -> int | None:
        nonlocal looks
        looks += 1
        return number_at(*arguments)  # type: ignore[arg-type] # passed on unchanged

    monkeypatch.setattr(frames, "number_at", counting)
    path = tmp_path / "a.tif"
    path.write_bytes(by_hand(300))
    for index in range(300):
        assert open_frame(path, index).getpixel((0, 0)) == index % 256
    assert looks == 1 + 2 * 300


def test_a_file_that_has_lost_frames_meanwhile_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(by_hand(2))
    with pytest.raises(UnreadablePage, match="the file changed"):
        open_frame(path, 2)


@pytest.mark.parametrize("at", [0, 40, 114])
def test_a_frame_that_cannot_be_read_is_a_reason(tmp_path: Path, at: int) -> None:
    data = bytearray(by_hand(3))
    data[8 + 126 + at : 8 + 126 + at + 12] = b"\xff" * 12
    path = tmp_path / "a.tif"
    path.write_bytes(data)
    try:
        open_frame(path, 1)
    except UnreadablePage as error:
        assert str(tmp_path) not in str(error)


def test_a_tiff_under_another_name_is_never_cut(tmp_path: Path) -> None:
    forms.tiff(tmp_path / "a.png", [pages.tiny(1), pages.tiny(2)])
    with pytest.raises(UnreadablePage, match=r"several pages: call it \.tif"):
        open_image((tmp_path / "a.png").read_bytes())


def test_a_tag_of_any_type_is_read_or_told() -> None:
    """Try each tag of a frame with each type of TIFF, and with some unknown types."""
    told = set[str]()
    for compression in (None, "tiff_lzw", "group4"):
        page = forms.upright(1, 20).convert("1" if compression == "group4" else "RGB")
        sound = saved(page, compression=compression)
        (start,) = struct.unpack_from("<L", sound, 4)
        (count,) = struct.unpack_from("<H", sound, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            for kind in range(18):
                data = bytearray(sound)
                struct.pack_into("<H", data, entry + 2, kind)
                for read in (open_frame, pixels_of_frame):
                    try:
                        read(bytes(data), 0)
                    except UnreadablePage as error:
                        told.add(str(error))
    assert any("of a wrong type" in reason for reason in told)
