"""Cells in the page's own pixels, as Markdown and as a drawing."""

from __future__ import annotations

import time
from typing import Any

import pytest
from PIL import Image, ImageChops

from answer.cells import Cell
from answer.layout import COLOURS, block, brings_its_own, draw, formula, label, markdown, to_page
from contract import CATEGORIES

PAGE = Image.new("RGB", (200, 100), "white")


def cell(box: list[Any], category: str = "Text", **more: str) -> Cell:
    return {"bbox": box, "category": category, **more}


# ---- text ----


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("`", "$$\n`\n$$"),
        ("``", ""),
        ("$$$$", "$$\n\n$$"),
        (r"\(x", "$$\n\\(x\n$$"),  # it is never closed
    ],
)
def test_a_formula_of_little_or_nothing(latex: str, expected: str) -> None:
    assert formula(latex) == expected


def test_what_is_only_half_in_dollars_is_text() -> None:
    assert block(cell([], text="`$x")) == "`$x" and block(cell([], text="`$x$`")) == "$x$"
    assert brings_its_own(r"\(\)") and not brings_its_own(r"\) x \(")


# ---- boxes ----


@pytest.mark.parametrize(
    ("model_size", "page_size", "box", "expected"),
    [
        ((100, 100), (100, 100), [1, 2, 30, 40], [1, 2, 30, 40]),
        ((50, 100), (100, 100), [1, 2, 30, 40], [2, 2, 60, 40]),
        ((200, 300), (100, 100), [1, 2, 30, 40], [0, 0, 15, 13]),
        ((1204, 1652), (827, 1170), [100, 200, 1100, 1600], [68, 141, 755, 1133]),
        ((100, 100), (100, 100), ["1", "2", "30.9", 40.9], [1, 2, 30, 40]),
    ],
    ids=["as-it-is", "enlarged", "shrunk", "a4-at-100-dpi", "numbers-as-text"],
)
def test_boxes_are_scaled_as_the_reference_scales_them(
    model_size: tuple[int, int], page_size: tuple[int, int], box: list[Any], expected: list[int]
) -> None:
    (scaled,), notes = to_page([cell(box)], model_size, page_size)
    assert (scaled["bbox"], notes) == (expected, [])
    scales = [sent / own for sent, own in zip(model_size, page_size, strict=True)] * 2
    assert expected == [int(float(v) / scale) for v, scale in zip(box, scales, strict=True)]


@pytest.mark.parametrize(
    ("box", "expected", "notes"),
    [
        ([30, 10, 5, 20], [5, 10, 30, 20], ["1 boxes turned"]),
        ([5, 20, 30, 10], [5, 10, 30, 20], ["1 boxes turned"]),
        ([30, 20, 5, 10], [5, 10, 30, 20], ["1 boxes turned"]),
        ([-5, -3, 30, 20], [0, 0, 30, 20], ["1 boxes cut at the page's edge"]),
        ([150, 50, 999, 999], [150, 50, 200, 100], ["1 boxes cut at the page's edge"]),
        ([500, 500, 600, 600], [200, 100, 200, 100], ["1 boxes cut at the page's edge"]),
        ([250, 10, -9, 20], [0, 10, 200, 20], ["1 boxes turned", "1 boxes cut at the page's edge"]),
        ([0, 0, 200, 100], [0, 0, 200, 100], []),
        ([7, 7, 7, 7], [7, 7, 7, 7], []),
    ],
)
def test_boxes_inside_out_are_turned_and_boxes_off_the_page_cut(
    box: list[int], expected: list[int], notes: list[str]
) -> None:
    (kept,), remarks = to_page([cell(box, text="kept")], PAGE.size, PAGE.size)
    assert (kept, remarks) == (cell(expected, text="kept"), notes)


def test_scaling_leaves_the_cells_of_the_answer_alone() -> None:
    given = [cell([2, 2, 4, 4])]
    to_page(given, (100, 100), (50, 50))
    assert given == [cell([2, 2, 4, 4])]


# ---- Markdown ----


@pytest.mark.parametrize(
    ("category", "text", "expected"),
    [
        ("Title", "# A title ", "# A title"),
        ("Text", "두 줄의\n글", "두 줄의\n글"),
        ("Text", "`$x^2$`", "$x^2$"),
        ("Text", "", ""),
        ("Table", "<table><tr><td>1</td></tr></table>", "<table><tr><td>1</td></tr></table>"),
        ("Formula", r"\frac{a}{b}", "$$\n\\frac{a}{b}\n$$"),
    ],
)
def test_a_cell_as_markdown(category: str, text: str, expected: str) -> None:
    assert markdown([cell([0, 0, 9, 9], category, text=text)], ())[0] == expected


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("x = 1", "$$\nx = 1\n$$"),
        ("$$x = 1$$", "$$\nx = 1\n$$"),
        ("$$\nx = 1\n$$", "$$\nx = 1\n$$"),
        (r"\[ x = 1 \]", "$$\nx = 1\n$$"),
        ("`x = 1`", "$$\nx = 1\n$$"),
        ("`$x$`", "$x$"),
        ("where $x$ is one", "where $x$ is one"),
        (r"\(x\) is one", r"\(x\) is one"),
        ("$$a$$ and $$b$$", "$$a$$ and $$b$$"),
        (r"\[a\] and \[b\]", r"\[a\] and \[b\]"),
        ("", ""),
    ],
)
def test_a_formula_stands_in_dollars_once(latex: str, expected: str) -> None:
    assert formula(latex) == expected


def test_cells_are_a_blank_line_apart_and_furniture_can_be_left_out() -> None:
    cells = [
        cell([0, 0, 9, 9], "Page-header", text="Journal"),
        cell([0, 9, 9, 19], "Title", text="# One"),
        cell([0, 19, 9, 29], text="two"),
        cell([0, 90, 9, 99], "Page-footer", text="3"),
    ]
    assert markdown(cells, ()) == ("Journal\n\n# One\n\ntwo\n\n3", "# One\n\ntwo")
    assert markdown([], ()) == ("", "")


def test_what_stands_for_a_picture_and_nothing_at_all() -> None:
    """A text without words becomes a blank line, as in the reference."""
    cells = [
        *(cell([0, 0, 9, 9], "Picture"), cell([0, 9, 9, 19], "Page-header", text="Journal")),
        *(cell([0, 19, 9, 29], "Picture"), cell([0, 29, 9, 39], text="")),
        cell([0, 39, 9, 49], "Picture"),
    ]
    assert markdown(cells, ["![](a)", None, "![](b)"]) == (
        "![](a)\n\nJournal\n\n\n\n![](b)",
        "![](a)\n\n\n\n![](b)",
    )
    assert markdown(cells[:1], [None]) == ("", "")


# ---- drawing ----


def test_every_category_has_its_colour() -> None:
    assert set(COLOURS) == set(CATEGORIES)


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_box_is_filled_at_three_tenths_within_its_outline(category: str, mode: str) -> None:
    page = Image.new(mode, (400, 300), "white")
    drawn = draw([cell([100, 100, 300, 200], category)], page)
    assert page.getcolors() == [(400 * 300, 255 if mode == "L" else (255, 255, 255))]
    colour = COLOURS[category]
    filled = drawn.getpixel((200, 150))
    assert isinstance(filled, tuple)
    assert filled == pytest.approx([255 + (part - 255) * 0.3 for part in colour], abs=1)
    for corner in ((100, 100), (299, 100), (100, 199), (299, 199)):
        assert drawn.getpixel(corner) == colour
    for outside in ((300, 150), (200, 200), (99, 150)):
        assert drawn.getpixel(outside) == (255, 255, 255)


def test_a_label_stands_above_its_box() -> None:
    page = Image.new("RGB", (400, 300), "white")
    with_label = draw([cell([100, 100, 300, 200])], page)
    changed = ImageChops.difference(with_label, page).getbbox()
    assert changed
    assert changed[1] < 100
    assert changed[2:] == (300, 200)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_label_leaves_the_text_around_it_to_be_read(mode: str) -> None:
    page = Image.new(mode, (400, 300), "black")
    drawn = draw([cell([100, 100, 300, 200])], page)
    words = label("0_Text", 10, COLOURS["Text"])
    seen = drawn.crop((100, 100 - words.height, 100 + words.width, 100)).getcolors(2000)
    assert seen
    black = sum(count for count, colour in seen if colour == (0, 0, 0))
    assert 0.2 < black / (words.width * words.height) < 0.9


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_box_hides_neither_the_outline_nor_the_label_of_another(mode: str) -> None:
    page = Image.new(mode, (400, 300), "white")
    inner, outer = cell([100, 100, 300, 200], "Title"), cell([10, 10, 390, 290])
    alone, both = draw([inner], page), draw([inner, outer], page)
    top = (100, 100, 300, 101)
    assert both.crop(top).tobytes() == alone.crop(top).tobytes()
    words = label("0_Title", 10, COLOURS["Title"])
    opaque = words.getchannel("A").point(lambda alpha: 255 * (alpha == 255))
    assert opaque.getbbox()
    of_label = (100, 100 - words.height, 100 + words.width, 100)
    difference = ImageChops.difference(both.crop(of_label), alone.crop(of_label))
    unseen = Image.new("RGB", words.size)
    assert Image.composite(difference, unseen, opaque).getbbox() is None


@pytest.mark.parametrize(
    "box", [[0, 0, 1, 1], [200, 100, 200, 100], [5, 5, 5, 50], [190, 0, 200, 100]]
)
@pytest.mark.parametrize("size", [(200, 100), (1, 1)])
def test_boxes_at_the_edge_and_without_area_are_drawn_without_error(
    box: list[int], size: tuple[int, int]
) -> None:
    (inside,), _ = to_page([cell(box)], size, size)
    assert draw([inside] * 3, Image.new("L", size, 255)).size == size


def test_a_loop_of_brackets_in_a_formula_takes_no_time() -> None:
    began = time.process_time()
    assert formula(r"\[" * 32_000) == "$$\n" + r"\[" * 32_000 + "\n$$"
    assert formula(r"\[" * 32_000 + r"x\]").startswith(r"\[")
    assert time.process_time() - began < 5
