"""What is kept of a page while the model answers, and that it is the same page afterwards."""

from __future__ import annotations

import base64
import io
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from picture.images import UnreadablePage
from picture.limits import LARGE_PIXELS, pixels_of
from results.steps import finish, in_turns, prepare
from rig import half_drawn, hostages, pages

PICTURE = [{"bbox": [0, 0, 500, 500], "category": "Picture"}]
TEXT = [{"bbox": [0, 0, 500, 500], "category": "Text", "text": "a"}]


def prepared(path: Path) -> tuple[Any, dict[str, Any]]:
    values: dict[str, Any] = {}
    return prepare(path, None, values, 1_000_000, 0, "0", False, "off"), values


@pytest.mark.parametrize(
    ("side", "mode", "is_kept"),
    [(1000, "L", True), (4000, "L", True), (4001, "L", False), (2400, "RGB", False)],
)
def test_a_large_page_is_not_kept(tmp_path: Path, side: int, mode: str, is_kept: bool) -> None:
    """By its bytes: of these 64 wait at once."""
    sent, values = prepared(hostages.large_png(tmp_path / "a.png", side, mode))
    assert (sent.page is not None) is is_kept
    assert values["original_size"] == [side, side] and sent.png


def test_it_is_opened_again_only_if_a_part_of_it_is_wanted(tmp_path: Path) -> None:
    path = hostages.large_png(tmp_path / "a.png", 4100, "L")
    sent, values = prepared(path)
    files, _ = finish(path, None, values, sent, PICTURE, False)
    assert b"data:image/png" in files[".md"]
    path.unlink()
    files, _ = finish(b"", None, values, sent, TEXT, False)
    assert files[".md"] == b"a"
    with pytest.raises(OSError, match="No such file"):
        finish(path, None, values, sent, TEXT, True)


def test_another_page_by_now_is_none(tmp_path: Path) -> None:
    path = hostages.large_png(tmp_path / "a.png", 4100, "L")
    sent, values = prepared(path)
    hostages.large_png(path, 4100, "RGB")
    with pytest.raises(UnreadablePage, match="changed while"):
        finish(path, None, values, sent, PICTURE, False)


@pytest.mark.parametrize(("side", "turns"), [(1000, [False]), (8001, [False, True])])
def test_a_very_large_page_takes_the_turn_of_these(
    tmp_path: Path, side: int, turns: list[bool]
) -> None:
    taken: list[bool] = []

    class Turn:
        def __init__(self, is_large: bool) -> None:
            taken.append(is_large)

        def __enter__(self) -> None:
            pass

        def __exit__(self, *_: object) -> None:
            pass

    path = hostages.large_png(tmp_path / "a.png", side, "L")
    assert (side * side > LARGE_PIXELS) is (len(turns) == 2)
    size = in_turns(Turn)(lambda source, pdf_page, values: side, path, None, {})
    assert size == side and taken == turns


def test_pixels_are_known_before_they_are_decoded(tmp_path: Path) -> None:
    picture = hostages.large_png(tmp_path / "a.png", 900, "L")
    assert pixels_of(picture, None) == pixels_of(picture.read_bytes(), None) == 810_000
    book = hostages.good(tmp_path / "a.pdf")
    assert pixels_of(book, 0) == pytest.approx(1653 * 2339, rel=0.01)
    (tmp_path / "b.png").write_bytes(b"none")
    assert pixels_of(tmp_path / "b.png", None) == pixels_of(tmp_path / "gone.png", None) == 0
    assert pixels_of(book, 7) == 0


def test_boxes_of_a_picture_that_was_decoded_smaller_are_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    picture = Image.new("RGB", (8100, 8100), "white")
    picture.paste("red", (4000, 4000, 8100, 8100))
    picture.save(path)
    sent, values = prepared(path)
    assert values["original_size"] == [8100, 8100] and sent.page_size == (8100, 8100)
    half = [side // 2 for side in sent.size]
    cells = [{"bbox": [*half, *sent.size], "category": "Picture"}]
    files, _ = finish(path, None, values, sent, cells, True)
    assert json.loads(files[".json"])[0]["bbox"] == [4050, 4050, 8100, 8100]
    data = base64.b64decode(files[".md"].split(b"base64,")[1].rstrip(b")"))
    with Image.open(io.BytesIO(data)) as figure:
        assert figure.size == (2025, 2025) and figure.getextrema() != (255, 255)


def test_a_picture_that_was_decoded_smaller_is_turned_with_its_own_size(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (8200, 8000), "red").save(path)
    values: dict[str, Any] = {}
    sent = prepare(path, None, values, 1_000_000, 0, "90", False, "off")
    assert values["original_size"] == [8000, 8200] and sent.page_size == (8000, 8200)


def test_what_is_odd_about_a_page_is_in_its_values(tmp_path: Path) -> None:
    path = half_drawn.errors_amidst(tmp_path / "a.pdf")
    values: dict[str, Any] = {}
    prepare(path, 0, values, 1_000_000, 0, "0", False, "off")
    (note,) = values["notes"]
    assert note.startswith("drawn by PDFium")


@pytest.mark.parametrize("rotate", ["0", "90"])
def test_of_a_sound_pdf_the_words_are_kept_for_the_witnesses(tmp_path: Path, rotate: str) -> None:
    path, values = pages.pdf(tmp_path / "a.pdf", 1), dict[str, Any]()
    sent = prepare(path, 0, values, 1_000_000, 0, rotate, False, "ink")
    assert sent.evidence is not None
    words = sent.evidence.words
    assert len(words) > 100
    assert len(pickle.dumps(sent.evidence)) < 200_000
    assert all(
        0 <= word.bbox[2] <= sent.size[0] >= 0 <= word.bbox[3] <= sent.size[1] for word in words
    )


def test_of_an_odd_pdf_none_are(tmp_path: Path) -> None:
    values: dict[str, Any] = {}
    path = half_drawn.errors_amidst(tmp_path / "a.pdf")
    sent = prepare(path, 0, values, 1_000_000, 0, "0", False, "ink")
    assert sent.evidence is not None and not sent.evidence.words
