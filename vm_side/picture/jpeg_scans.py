"""Find missing scans in a JPEG with several scans: the coarse ones come first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
ALONE = (0x01, *range(0xD0, 0xD9))  # markers without a length
MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # in the pixels' data
COEFFICIENTS = 64


FRAME = re.compile(rb"\xff([\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf\xf7])..(.)", re.DOTALL)
JPEG_LS = 0xF7


@dataclass(frozen=True)
class Scan:
    """Some coefficients of some components, down to lowest_bit.

    is_fine: it adds only that bit. start is the place of its marker.
    """

    start: int
    components: frozenset[int]
    coefficients: range
    lowest_bit: int
    is_fine: bool


def scans_of(jpeg: bytes) -> tuple[frozenset[int], list[Scan]]:
    """Return the picture's components, and the scans that have begun, in file order."""
    components: frozenset[int] = frozenset()
    scans = []
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at + 1] != END_OF_IMAGE:
        marker = jpeg[at + 1]
        if marker == 0xFF or marker in ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        size = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        body = jpeg[at + 4 : at + 2 + size]
        at += 2 + size
        if marker in FRAMES and len(body) > 5:
            components = frozenset(body[6::3])
        elif marker == START_OF_SCAN and body and len(body) >= 4 + 2 * body[0]:
            first, last, bits = body[1 + 2 * body[0] : 4 + 2 * body[0]]
            named = frozenset(body[1 : 1 + 2 * body[0] : 2])
            start = at - 2 - size
            scans.append(Scan(start, named, range(first, last + 1), bits & 15, bits > 15))
            end = MARKER.search(jpeg, at)
            at = end.start() if end else len(jpeg)
    return components, scans


def has_all_scans(components: frozenset[int], scans: Sequence[Scan]) -> bool:
    """Whether the last scan has begun: the scans cover all coefficients down to the last bit."""
    depth = {(name, k): -1 for name in components for k in range(COEFFICIENTS)}
    for scan in scans:
        for name in scan.components & components:
            for k in scan.coefficients:
                depth[name, k] = scan.lowest_bit
    return bool(depth) and not any(depth.values())


def why_not_opened(jpeg: bytes) -> str:
    """Say why libjpeg does not open a JPEG with this beginning; empty if it is just damaged."""
    at = 2
    while not (frame := FRAME.match(jpeg, at)) and at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    if not frame:
        return ""
    kind = "JPEG-LS" if frame[1][0] == JPEG_LS else f"a JPEG of {frame[2][0]} bits a channel"
    is_read = kind == "a JPEG of 8 bits a channel"
    return "" if is_read else f"{kind} is not read: save it as a PNG"
