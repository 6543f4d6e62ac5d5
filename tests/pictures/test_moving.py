"""A terminal's frames as one SVG: what it has, when that is visible, and what it never has."""

import re
from xml.etree import ElementTree

import pytest

from pictures.moving import HIGH, MARGIN, TIMES, WIDE, Frame, Shown, lines_of, parts, svg
from rig.browser import open_browser

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>alert(1)</script> & \"'"
FRAMES = [
    Frame(0, ["$ make all", ""]),
    Frame(1, ["$ make all", "  0%|     | 0/2"]),
    Frame(2, ["$ make all", " 50%|██▌  | 1/2"]),
    Frame(3, ["$ make all", "100%|█████| 2/2", HOSTILE]),
]


def drawn() -> str:
    return svg(FRAMES, 4.0, 40, "A <title>", "What & what")


def test_a_line_is_kept_once_for_each_text_that_it_had() -> None:
    assert lines_of(FRAMES) == [
        Shown(1, "  0%|     | 0/2", 1, 2),
        Shown(1, " 50%|██▌  | 1/2", 2, 3),
        Shown(0, "$ make all", 0, None),
        Shown(1, "100%|█████| 2/2", 3, None),
        Shown(2, HOSTILE, 3, None),
    ]


def test_a_line_that_is_wiped_away_ends() -> None:
    frames = [Frame(0, ["here"]), Frame(1, [""]), Frame(2, ["here"])]
    assert lines_of(frames) == [Shown(0, "here", 0, 1), Shown(0, "here", 2, None)]


def test_it_is_xml_with_all_texts_and_without_anything_that_acts() -> None:
    root = ElementTree.fromstring(drawn())
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags == {"svg", "title", "desc", "style", "rect", "g", "text"}
    assert root.findtext(f"{SVG}title") == "A <title>"
    assert root.findtext(f"{SVG}desc") == "What & what"
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert texts == ["0%|", "| 0/2", "50%|", "| 1/2", "$ make all", "100%|", "| 2/2", HOSTILE]
    names = {name for element in root.iter() for name in element.attrib}
    assert not [name for name in names if name.startswith("on") or "href" in name]
    assert not re.search(r"url\(|@import|@font-face|https?:", drawn().replace(SVG[1:-1], ""))


def test_each_moment_has_its_keyframes_and_what_does_not_stay_is_gone_at_the_end() -> None:
    text = drawn()
    groups = list(ElementTree.fromstring(text).iter(f"{SVG}g"))
    assert [group.get("class") for group in groups] == ["gone", "gone", None, None]
    found = re.findall(r"@keyframes (\w+)\{(.*)\}$", text, re.MULTILINE)
    assert [group.get("style") for group in groups] == [
        f"animation-name:{name}" for name, _ in found
    ]
    hidden, visible = "{visibility:hidden}", "{visibility:visible}"
    assert [steps for _, steps in found] == [
        f"0.00%{hidden}25.00%{visible}50.00%{hidden}",
        f"0.00%{hidden}50.00%{visible}75.00%{hidden}",
        f"0.00%{visible}",
        f"0.00%{hidden}75.00%{visible}",
    ]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("ab  c d", [(0, 2), (4, 3)]),
        ("|█▌ |", [(0, 1), (1, 1.5), (4, 1)]),
        ("▏", [(0, 0.125)]),
        ("   ", []),
    ],
)
def test_each_part_stands_in_its_column(text: str, columns: list[tuple[int, float]]) -> None:
    found = [ElementTree.fromstring(part) for part in parts(Shown(2, text, 0, None))]
    places = [(float(e.attrib["x"]), e.get("textLength") or e.get("width")) for e in found]
    assert [((x - MARGIN) / WIDE, float(wide or 0) / WIDE) for x, wide in places] == columns
    assert all(MARGIN + 2 * HIGH < float(e.attrib["y"]) < MARGIN + 3 * HIGH for e in found)


def test_who_asks_for_less_motion_sees_the_end_and_others_see_each_moment() -> None:
    seen = """() => [...document.querySelectorAll('text')]
        .filter((text) => getComputedStyle(text).visibility === 'visible')
        .map((text) => text.textContent)"""
    go_to = """(at_s) => document.getAnimations().forEach((animation) => {
        animation.pause(); animation.currentTime = 1000 * at_s})"""
    end = ["$ make all", "100%|", "| 2/2", HOSTILE]
    moments = [["$ make all"], ["0%|", "| 0/2", "$ make all"], ["50%|", "| 1/2", "$ make all"], end]
    with open_browser() as browser:
        page = browser.new_page(reduced_motion="reduce")
        page.set_content(drawn())
        assert page.evaluate(seen) == end
        page.emulate_media(reduced_motion="no-preference")
        for second in range(TIMES * len(moments)):
            page.evaluate(go_to, second + 0.5)
            assert page.evaluate(seen) == moments[second % len(moments)]
        page.evaluate(go_to, TIMES * len(moments) + 0.5)
        assert page.evaluate(seen) == end
