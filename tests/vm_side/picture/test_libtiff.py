"""A damaged TIFF: what libtiff reports, where Pillow still returns a picture."""

from __future__ import annotations

import io
import os
import random
from typing import Any

import pytest
from PIL import Image, ImageChops

from picture.images import UnreadablePage
from picture.libtiff import heard, part_in_doubt
from picture.opening import open_image
from rig import forms

FAX = {256: 1000, 257: 2000, 278: 500, 259: 4}
LINE = "Fax4Decode: Bad code word at line {} of strip {} (x 17)."


@pytest.mark.parametrize(
    ("tags", "said", "part"),
    [
        ({}, [(490, 0)], 10 / 2000),
        ({}, [(100, 3)], 400 / 2000),
        ({}, [(100, 0), (101, 0), (490, 0)], 400 / 2000),  # the first error decides
        ({}, [(490, 0), (480, 2)], 30 / 2000),
        ({}, [(490, 0), (480, 0)], 30 / 2000),  # strips in two parts that were opened separately
        ({259: 3}, [(100, 0), (101, 0), (490, 0)], 3 / 2000),  # each row is independent
        ({259: 2}, [(1, 0)], 1 / 2000),
        ({278: 4_294_967_295}, [(0, 0)], 1.0),
        ({278: 1990}, [(5, 1)], 5 / 2000),  # the last strip has but ten rows
        ({322: 256, 323: 1990}, [(5, 4)], 5 * 256 / 2_000_000),
        ({322: 256, 323: 256}, [(128, 5)], 128 * 256 / 2_000_000),
        ({}, [(900, 0)], 0.0),  # this row does not exist
    ],
)
def test_what_part_of_a_fax_may_be_wrong(
    tags: dict[int, Any], said: list[tuple[int, int]], part: float
) -> None:
    assert part_in_doubt([LINE.format(*place) for place in said], FAX | tags) == part


def test_what_names_no_row_is_no_part() -> None:
    assert part_in_doubt(['TIFFFetchNormalTag: Incorrect count for "RowsPerStrip".'], FAX) == 0.0


def wrong(compression: str, seed: int) -> tuple[Image.Image, bytes]:
    """A page, and its TIFF with one wrong byte in its rows."""
    chance = random.Random(seed)
    page = forms.upright(3, 80)
    page = page.convert("1" if compression.startswith("group") else "RGB")
    file = io.BytesIO()
    page.save(file, "TIFF", compression=compression, strip_size=9000)
    data = bytearray(file.getvalue())
    data[chance.randrange(len(data) // 5, len(data) - 500)] ^= chance.randrange(1, 255)
    return page, bytes(data)


def test_a_fax_with_a_wrong_byte_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    """libtiff continues, and all rows below may be wrong; it nearly always notices."""
    ends = {"": 0, "noted": 0, "failed": 0}
    for seed in range(30):
        page, data = wrong("group4", seed)
        notes = list[str]()
        try:
            read = open_image(data, notes)
        except UnreadablePage as error:
            assert "of it may be wrong (libtiff: Fax4Decode: " in str(error)
            ends["failed"] += 1
            continue
        ends["noted" if notes else ""] += 1
        differs = ImageChops.difference(read, page.convert("L")).getbbox()
        rows = differs[3] - differs[1] if differs else 0
        assert not notes or rows < 0.2 * page.height
    assert ends["failed"] > 5 and ends["noted"] > 2 and ends[""] < 10
    assert capfd.readouterr().err == ""  # no output can break a progress bar


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_why_a_tiff_cannot_be_decoded(compression: str, capfd: pytest.CaptureFixture[str]) -> None:
    reasons = set[str]()
    for seed in range(8):
        try:
            open_image(wrong(compression, seed)[1])
        except UnreadablePage as error:
            reasons.add(str(error))
    assert len(reasons) > 1 and all("(libtiff: " in reason for reason in reasons)
    assert capfd.readouterr().err == ""


def test_who_has_no_error_output_is_heard_too() -> None:
    kept = os.dup(2)
    os.close(2)
    try:
        with heard() as said:
            os.write(2, b"one\ntwo\none\n")
        with pytest.raises(OSError):
            os.fstat(2)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert said == ["one", "two"]
