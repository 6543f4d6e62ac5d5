"""Whether a JBIG2 picture is complete, according to the sizes in its segments."""

from __future__ import annotations

import struct

import pytest

from picture.pdf.jbig2 import part_missing

DATA = b"\x55" * 200


def segment(referred: bytes, number: int = 1, flags: int = 6, size: int = len(DATA)) -> bytes:
    """A segment that refers to others in this way, on page 1."""
    page = struct.pack(">I" if flags & 0x40 else ">B", 1)
    return struct.pack(">IB", number, flags) + referred + page + struct.pack(">I", size) + DATA


HEADS = {
    "alone": segment(b"\0"),
    "with two others": segment(b"\x40\0\0"),
    "with one other, after 256": segment(b"\x20\0\0", number=300),
    "with one other, after 65,536": segment(b"\x20\0\0\0\0", number=70_000),
    "with nine others": segment(b"\xe0\0\0\x09\0\0" + bytes(9)),
    "of one page of many": segment(b"\0", flags=0x46),
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_what_is_missing_of_the_last_segment(head: bytes) -> None:
    whole = head + head
    assert part_missing(whole) == part_missing(whole + b"\r\n") == 0
    assert part_missing(whole[:-100]) == pytest.approx(100 / len(whole))


@pytest.mark.parametrize("kind", [49, 51])
def test_what_stands_behind_the_end_is_none_of_it(kind: int) -> None:
    """For example blanks, or the rest of an earlier picture."""
    end = struct.pack(">IBBBI", 2, kind, 0, 1, 0)
    for more in (b"\n" * 12, b" " * 40, HEADS["alone"][:30]):
        assert part_missing(HEADS["alone"] + end + more) == 0
    assert part_missing(HEADS["alone"] + b"\xff" * 40) == 0  # of an unknown kind


@pytest.mark.parametrize("data", [b"", b"\0" * 9, segment(b"\0", size=0xFFFFFFFF)[:50]])
def test_what_does_not_tell_its_size_lacks_nothing(data: bytes) -> None:
    assert part_missing(data) == 0


def test_a_header_that_is_cut_lacks_nothing_more() -> None:
    """Nobody knows how much came after it."""
    head = HEADS["with nine others"]
    assert part_missing(head + head[:15]) == 0
