"""The pictures in docs/ are small and all used; how they are made small."""

import math

import pytest
from PIL import Image

from pictures.draw import APART, COLOURS, FOLDER, SCHEMES, SHOWN, palette_of
from rig.docs import LANGUAGES, all_of, read
from rig.toolkit import ROOT

LARGEST_BYTES = 150_000
SHEET = (20, 72, 610, 700)  # part of the report's picture that is inside the open page
DARK = 100  # darker than this, of 255, is ink


def test_they_are_small_and_have_a_palette() -> None:
    for path in (ROOT / "docs").rglob("*.png"):
        assert path.stat().st_size < LARGEST_BYTES, path.name
        with Image.open(path) as picture:
            assert picture.mode == "P", path.name


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_the_readme_shows_the_report_in_light_and_dark(language: str) -> None:
    text = read(f"README{language}.md")
    for ending, scheme in SCHEMES.items():
        name = f"docs/images/report{ending}{language}.png"
        line = next(line for line in text.splitlines() if name in line)
        assert ("prefers-color-scheme: dark" in line) == (scheme == "dark")
    assert language in SHOWN


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_light_or_dark_the_page_is_in_the_picture(language: str) -> None:
    """The picture shows the page's ink, not only boxes on white; light and dark have as much."""
    inks = []
    for ending in SCHEMES:
        with Image.open(FOLDER / f"report{ending}{language}.png") as picture:
            shades = picture.convert("L").crop(SHEET).histogram()
        inks.append(sum(shades[:DARK]))
    light, dark = inks
    assert light > 0.02 * math.prod((SHEET[2] - SHEET[0], SHEET[3] - SHEET[1]))
    assert dark == pytest.approx(light, rel=0.1)


def test_none_is_there_for_nothing() -> None:
    text = "".join(map(all_of, LANGUAGES.values()))
    for path in FOLDER.iterdir():
        assert f"images/{path.name}" in text, path.name


def test_rare_colours_are_kept_and_shades_are_not() -> None:
    picture = Image.new("RGB", (40, 10), "white")
    picture.paste((252, 252, 252), (0, 0, 18, 10))
    picture.paste((200, 0, 0), (39, 0, 40, 1))
    colours = palette_of(picture).getpalette() or []
    found = list(zip(*[iter(colours)] * 3, strict=True))
    assert found == [(255, 255, 255), (200, 0, 0)]
    many = Image.linear_gradient("L").convert("RGB")
    found = list(zip(*[iter(palette_of(many).getpalette() or [])] * 3, strict=True))
    assert 10 < len(found) <= COLOURS
    assert min(math.dist(one, other) for one in found for other in found if one != other) > APART
