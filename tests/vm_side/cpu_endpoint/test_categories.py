"""From regions and lines to cells: grouping, lists, headings, footnotes, tables."""

import pytest

from cpu_endpoint.blocks import Block, assemble, clean, group_lines, part_columns
from cpu_endpoint.categories import Cell, categorise, is_item, markdown
from cpu_endpoint.engine import in_order, plain_text, prompt_box, to_json
from cpu_endpoint.geometry import Box, Line, Region
from cpu_endpoint.tables import from_lines, table_html, text_kept
from cpu_endpoint.text import glue, tidy

W, H = 1000, 1400


def line(text: str, x: float, y: float, width: float = 400, size: float = 24) -> Line:
    return Line((x, y, x + width, y + size), text, 0.98)


def body(y: float, count: int = 4) -> Block:
    lines = [line(f"ordinary words in line {i}", 100, y + 28 * i) for i in range(count)]
    box: Box = (100, y, 500, y + 28 * count)
    return Block(box, "text", lines)


def categories(*blocks: Block) -> list[tuple[str, str]]:
    return [(c.category, c.plain) for c in categorise(blocks, W, H)]


def one(text: str, y: float, label: str = "", size: float = 24) -> Block:
    found = line(text, 100, y, size=size)
    return Block(found.box, label, [found])


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (one("A Great Title", 150, "title", 60), "Title"),
        (one("Method", 800, "title", 36), "Section-header"),
        (one("Results of the year", 800, "", 40), "Section-header"),
        (one("3. 관련 연구", 800, "", 31), "Section-header"),
        (one("[1+2µ(x-1)+tµ²]²", 800, "", 40), "Text"),
        (one("and it ends here.", 800, "", 40), "Text"),
        (one("• bring a coat", 800), "List-item"),
        (one("• bring a coat", 800, "title"), "List-item"),
        (one("1) bring a coat", 800, "text"), "List-item"),
        (one("가. 사업의 목적", 800), "List-item"),
        (one("-5 degrees", 800), "Text"),
        (one("- 7 -", 1360), "Page-footer"),
        (one("17", 1360), "Page-footer"),
        (one("The Harbour News", 40), "Page-header"),
        (one("The Harbour News", 40, "header"), "Page-header"),
        (one("Not at the top", 700, "header"), "Text"),
        (one("1) A note on this", 1200, "", 20), "Footnote"),
        (one("* A note on this", 1200, "text", 20), "Footnote"),
        (one("* A note on this", 300, "text", 20), "List-item"),
        (one("Table 1. Boats", 800, "table_caption"), "Caption"),
        (one("1. 문 여는 시간", 800, "table_caption"), "Section-header"),
        (one("x = y + z", 800, "equation"), "Formula"),
        (one("label in a picture", 800, "figure"), "Picture"),
        (one("Smith, 2001", 800, "reference"), "Text"),
    ],
)
def test_category_by_label_place_and_size(block: Block, expected: str) -> None:
    found = categories(body(400), block)
    assert (expected, block.lines[0].text) in found


def test_one_title_at_most_and_only_in_the_upper_part() -> None:
    blocks = [
        one("Chapter", 100, "title", 60),
        one("Part", 300, "title", 36),
        body(400),
        one("Bigger but low", 900, "title", 80),
    ]
    found = [c for c, _ in categories(*blocks)]
    assert found.count("Title") == 0  # the page's largest heading is elsewhere
    assert [c for c, _ in categories(*blocks[:3])].count("Title") == 1


def test_items_of_one_text_become_cells() -> None:
    lines = [
        line("Bring these:", 100, 500),
        line("• a coat", 110, 530),
        line("that is warm", 130, 558),
        line("• a hat", 110, 586),
    ]
    found = categories(body(200), Block((100, 500, 500, 610), "text", lines))
    assert found[1:] == [
        ("Text", "Bring these:"),
        ("List-item", "• a coat that is warm"),
        ("List-item", "• a hat"),
    ]


def test_a_heading_inside_a_text_is_taken_out() -> None:
    lines = [line("Evening", 100, 500, 120, 36)] + [
        line(f"words {i}", 100, 545 + 28 * i) for i in range(3)
    ]
    found = categories(body(200), Block((100, 500, 500, 630), "text", lines))
    assert found[1] == ("Section-header", "Evening")


def test_a_first_line_whose_box_came_out_tall_is_no_heading() -> None:
    lines = [line("The harbour wakes long before the town", 100, 500, 400, 31)] + [
        line(f"words {i}", 100, 535 + 28 * i) for i in range(3)
    ]
    found = categories(body(200), Block((100, 500, 500, 630), "text", lines))
    assert [category for category, _ in found] == ["Text", "Text"]


@pytest.mark.parametrize(
    "text", ["• a", "○ 나", "1. x", "(2) x", "a) x", "③ x", "나. 목적", "- dash"]
)
def test_item_openings(text: str) -> None:
    assert is_item(text)


@pytest.mark.parametrize("text", ["1.5 metres", "-5", "2024 was", "a word", "가나다", "10:20 x"])
def test_no_item_openings(text: str) -> None:
    assert not is_item(text)


def test_lines_outside_every_region_are_kept() -> None:
    region = Region((90, 90, 510, 210), "text", 0.9)
    lines = [line("inside", 100, 100), line("far one", 100, 600), line("far two", 100, 628)]
    found = assemble([region], lines)
    assert [[x.text for x in b.lines] for b in found] == [["inside"], ["far one", "far two"]]


def test_a_cut_off_last_line_goes_back_to_its_paragraph() -> None:
    region = Region((90, 90, 510, 150), "text", 0.9)
    lines = [line("one", 100, 100), line("two", 100, 126), line("three", 100, 153)]
    found = assemble([region], lines)
    assert [[x.text for x in b.lines] for b in found] == [["one", "two", "three"]]


def test_neighbouring_columns_are_not_one_paragraph() -> None:
    left = [line("l", 100, 100 + 26 * i, 390) for i in range(4)]
    right = [line("r", 510, 100 + 26 * i, 390) for i in range(4)]
    assert sorted(len(group) for group in group_lines(left + right)) == [4, 4]
    assert part_columns(left + right) == [left, right]


def test_a_page_taken_for_a_picture_is_read_and_a_picture_is_not() -> None:
    lines = [line("x", 100, 100 + 30 * i, 800) for i in range(20)]
    page = Region((50, 50, 950, 750), "figure", 0.95)
    assert clean([page], lines) == []
    assert clean([page], lines[:3]) == [page]


def test_regions_that_repeat_a_better_one_are_dropped() -> None:
    table = Region((100, 100, 900, 500), "table", 0.7)
    inner = Region((120, 120, 300, 200), "text", 0.9)
    apart = Region((100, 600, 900, 700), "text", 0.5)
    assert clean([inner, table, apart], []) == [table, apart]


def test_markdown_of_each_kind() -> None:
    box: Box = (0, 0, 10, 10)
    words = [line("Harbour", 0, 0)]
    assert markdown(Cell(box, "Title", words)) == "# Harbour"
    assert markdown(Cell(box, "Section-header", words)) == "## Harbour"
    assert markdown(Cell(box, "List-item", [line("• coat", 0, 0)])) == "- coat"
    assert markdown(Cell(box, "List-item", [line("1. coat", 0, 0)])) == "1. coat"
    assert markdown(Cell(box, "Table", words, "<table></table>")) == "<table></table>"
    assert markdown(Cell(box, "Title", [line("", 0, 0)])) == ""


def test_json_has_no_text_for_pictures_nor_in_layout_only() -> None:
    cells = [Cell((1.7, 2, 30, 40), "Picture"), Cell((0, 0, 9, 9), "Text", [line("도서관", 0, 0)])]
    assert to_json(cells, True) == (
        '[{"bbox": [1, 2, 30, 40], "category": "Picture"}, '
        '{"bbox": [0, 0, 9, 9], "category": "Text", "text": "도서관"}]'
    )
    assert "도서관" not in to_json(cells, False)
    assert plain_text(cells) == "도서관"


def test_running_heads_first_and_the_foot_last() -> None:
    kinds = ["Page-footer", "Text", "Page-header"]
    cells = [Cell((100, 1300 - 600 * i, 500, 1330 - 600 * i), k) for i, k in enumerate(kinds)]
    assert [c.category for c in in_order(cells, W)] == kinds[::-1]


def test_the_box_of_a_grounding_prompt() -> None:
    assert prompt_box("Bounding Box:\n[10, 20, 30, 40]") == (10, 20, 30, 40)
    assert prompt_box("The bbox should be in the format [x1, y1, x2, y2].") is None


GRID = [line(f"r{r}c{c}", 100 + 200 * c, 100 + 40 * r, 80) for r in range(3) for c in range(3)]


def test_a_table_from_lines_alone() -> None:
    html = from_lines(GRID)
    assert html.count("<tr>") == 3 and html.count("<td>") == 9
    assert html.startswith("<table><tr><td>r0c0</td><td>r0c1</td>")


def test_a_table_from_lines_knows_holes_spans_and_markup() -> None:
    lines = [x for x in GRID if x.text != "r1c1"] + [line("a < b", 100, 20, 300)]
    html = from_lines(lines)
    assert '<td colspan="2">a &lt; b</td>' in html
    assert "<td>r1c0</td><td></td><td>r1c2</td>" in html
    assert from_lines([]) == "<table></table>"


def test_a_model_that_loses_text_is_not_believed() -> None:
    short = "<table><tr><td>r0c0</td></tr></table>"
    assert text_kept(short, GRID) < 0.2
    assert table_html(GRID, lambda _: short) == from_lines(GRID)
    assert table_html(GRID, lambda _: None) == from_lines(GRID)
    full = "<table><tr><td>" + "</td><td>".join(x.text for x in GRID) + "</td></tr></table>"
    assert table_html(GRID, lambda _: full) == full


def test_joining_and_punctuation() -> None:
    assert glue(["one", "", "two"]) == "one two"
    assert glue(["故諺言", "曰心"]) == "故諺言曰心"
    assert glue(["도서관은", "문을"]) == "도서관은 문을"
    assert tidy("12，000  won") == "12,000 won"
    assert tidy("农产品，质量") == "农产品，质量"
    assert tidy("2Method") == "2 Method"
