"""Find missing data in a JBIG2 picture in a PDF: decoders do not warn if it is cut off."""

from dataclasses import dataclass

LEAST_HEADER = 11  # bytes
WIDE_PAGE, LONG_COUNT = 0x40, 7
KIND, ENDS = 0x3F, (49, 51)  # ENDS: the end of a page, and of a file; ignore what follows
KINDS = {0, 4, 6, 7, 16, 20, 22, 23, 36, 38, 39, 40, 42, 43, 48, *ENDS, 50, 52, 53, 62}
UNKNOWN_SIZE = 0xFFFFFFFF  # of a scan that was written while it was read


@dataclass(frozen=True)
class Segment:
    """Where the data of a segment start, and their size in bytes."""

    start: int
    size: int


def part_missing(jbig2: bytes) -> float:
    """Return what part of the bytes is missing, by the segments' sizes; 0 if none seems to be."""
    at = 0
    while at + LEAST_HEADER <= len(jbig2) and jbig2[at + 4] & KIND in KINDS:
        segment = segment_at(jbig2, at)
        if segment is None or segment.size == UNKNOWN_SIZE:
            return 0.0
        kind, at = jbig2[at + 4] & KIND, segment.start + segment.size
        if kind in ENDS:
            break
    return max(0, at - len(jbig2)) / max(1, at)


def segment_at(jbig2: bytes, at: int) -> Segment | None:
    """Read the segment with its header at this place; None if the header is cut off."""
    number, flags = int.from_bytes(jbig2[at : at + 4], "big"), jbig2[at + 4]
    at += 5
    count = jbig2[at] >> 5  # of the segments that it refers to
    if count == LONG_COUNT:
        count = int.from_bytes(jbig2[at : at + 4], "big") & 0x1FFFFFFF
        at += 4 + (count + 8) // 8
    else:
        at += 1
    at += count * (1 if number <= 1 << 8 else 2 if number <= 1 << 16 else 4)
    at += 4 if flags & WIDE_PAGE else 1
    size = jbig2[at : at + 4]
    return Segment(at + 4, int.from_bytes(size, "big")) if len(size) == 4 else None
