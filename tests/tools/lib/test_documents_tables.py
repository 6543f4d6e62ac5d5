"""A table's HTML as a grid, for everything that a model may write."""

import time

import pytest

from lib.documents.tables import MOST_COLUMNS, MOST_PLACES, Grid, read_table
from rig.hostile import PAYLOADS

Places = list[tuple[int, int, int, int, str]]


def table(*rows: str) -> str:
    """A table of these rows."""
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def td(text: str, columns: int = 1, rows: int = 1) -> str:
    """A cell."""
    return f'<td colspan="{columns}" rowspan="{rows}">{text}</td>'


def texts(text: str) -> list[list[str]]:
    return read_table(text).texts()


def cell(text: str) -> str:
    """The text of a cell with this content."""
    return texts(table(td(text)))[0][0]


def is_sound(grid: Grid) -> bool:
    """Check that cells do not overlap, stay in the grid, and begin in every row and column."""
    taken = [
        (row, column)
        for cell in grid.cells
        for row in range(cell.row, cell.row + cell.rowspan)
        for column in range(cell.column, cell.column + cell.colspan)
    ]
    assert all(cell.rowspan > 0 and cell.colspan > 0 for cell in grid.cells)
    assert len(taken) == len(set(taken))
    assert all(row < grid.rows and column < grid.columns for row, column in taken)
    assert {cell.row for cell in grid.cells} == set(range(grid.rows))
    assert {cell.column for cell in grid.cells} == set(range(grid.columns))
    return True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (table("<td>a</td><td>b</td>", "<td>c</td><td>d</td>"), [["a", "b"], ["c", "d"]]),
        ("<table><tr><td>a<td>b<tr><td>c<td>d", [["a", "b"], ["c", "d"]]),  # nothing is closed
        ("<tr><td>a</td></tr><tr><td>b</td></tr>", [["a"], ["b"]]),  # no table around it
        ("<TABLE><TR><TD>a</TD></TR></TABLE>", [["a"]]),
        (table("<td>a</td>") + table("<td>b</td>"), [["a"], ["b"]]),
        (table("<td>a</td>", "", "<td>b</td>"), [["a"], ["b"]]),  # an empty row shows nothing
        (table("<td>a</td><td>b</td>", "<td>c</td>"), [["a", "b"], ["c", ""]]),
        (table("<td>a</td><td></td>"), [["a", ""]]),  # an empty cell counts
        ("no table", [["no table"]]),
        ("a < b", [["a < b"]]),
        ("", []),
        ("<table></table>", []),
        ("<table>no cell</table>", [["no cell"]]),
        ("<thing> < 1", [["<thing> < 1"]]),  # no table, and no HTML
    ],
)
def test_rows_of_texts(text: str, expected: list[list[str]]) -> None:
    assert texts(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (table(td("a", 2), td("b") + td("c")), [(0, 0, 1, 2, "a"), (1, 0, 1, 1, "b")]),
        (table(td("a", 1, 2) + td("b"), td("c")), [(0, 0, 2, 1, "a"), (1, 1, 1, 1, "c")]),
        # beyond the edge, to the right and below
        (table(td("a", 9), td("b") + td("c")), [(0, 0, 1, 2, "a"), (1, 1, 1, 1, "c")]),
        (table(td("a", 1, 9) + td("b"), td("c")), [(0, 0, 2, 1, "a"), (1, 1, 1, 1, "c")]),
        # two overlapping cells: the one from above keeps its place
        (
            table(td("a") + td("b", 1, 2) + td("c"), td("d", 3)),
            [(0, 1, 2, 1, "b"), (1, 0, 1, 1, "d")],
        ),
        # a row or a column in which no cell begins disappears
        (table(td("a", 1, 2) + td("b", 1, 2), "", td("c") + td("d")), [(1, 0, 1, 1, "c")]),
        (table(td("a", 2) + td("b"), td("c", 2) + td("d")), [(0, 1, 1, 1, "b")]),
        # not a number of cells
        (table('<td colspan="0" rowspan="-1">a</td><td colspan="x">b</td>'), [(0, 1, 1, 1, "b")]),
        (table(td("a", 99999, 99999), td("b")), [(0, 0, 1, 1, "a"), (1, 0, 1, 1, "b")]),
        # from the head into the body: browsers do not allow it, but models write it
        (
            f"<table><thead><tr>{td('a', 1, 2)}{td('b', 2)}</tr></thead>"
            f"<tbody><tr>{td('c')}{td('d')}</tr></tbody></table>",
            [(0, 0, 2, 1, "a"), (0, 1, 1, 2, "b"), (1, 1, 1, 1, "c"), (1, 2, 1, 1, "d")],
        ),
    ],
)
def test_spans(text: str, expected: Places) -> None:
    grid = read_table(text)
    found = [(c.row, c.column, c.rowspan, c.colspan, c.text) for c in grid.cells]
    assert [place for place in found if place in expected] == expected, found
    assert is_sound(grid)


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<p>a</p><p>b</p>", "a\nb"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        (" a \n  b ", "a b"),
        ("1 &lt; 2 &amp; 3 &#8364;", "1 < 2 & 3 €"),
        ("x<y and z", "x<y and z"),
        ("a < b > c", "a < b > c"),
        ("$x<y$ and $a&lt;b$", "$x<y$ and $a<b$"),
        (r"$\frac{1}{2}$ <b>bold</b>", r"$\frac{1}{2}$ bold"),
        ("10<sup>3</sup> H<sub>2</sub>O", "10³ H₂O"),  # 10<sup>3</sup> is not 103
        ("5<sup>a</sup> x<sub>max</sub>", "5^a x_(max)"),
        ("007", "007"),
        (f"a{table(td('b') + td('c'), td('d'))}e", "a\nb c\nd\ne"),
        ("a<span onclick=x>b</span><script>c</script>", "ab"),
    ],
)
def test_the_text_of_a_cell(inside: str, expected: str) -> None:
    assert cell(inside) == expected


def test_prices_in_two_cells_are_no_formula() -> None:
    row = "<td>$</td><td>5</td><td>$</td><td>6</td>"
    assert texts(table(row)) == [["$", "5", "$", "6"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (table("<th>a</th>", "<td>b</td>"), 1),
        ("<table><thead><tr><td>a</td></tr><tr><td>b</td></tr></thead><tr><td>c</table>", 2),
        (table("<th>a</th><td>b</td>", "<th>c</th><td>d</td>"), 0),  # headers of rows
        (table("<th>a</th>", "<td>b</td>", "<th>c</th>"), 1),
        (table("<th>a</th>"), 1),
        ("", 0),
    ],
)
def test_rows_of_headers(text: str, expected: int) -> None:
    assert read_table(text).header_rows == expected


def test_what_stands_outside_of_the_cells_is_kept() -> None:
    text = "Table 1<table><caption>Of 2025</caption>lost<tr><td>a</td></tr></table>in EUR"
    grid = read_table(text)
    assert grid.caption.split("\n") == ["Table 1lost", "Of 2025", "in EUR"]
    assert grid.texts() == [["a"]]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_whatever_it_holds_it_is_a_grid(payload: str) -> None:
    for text in (payload, table(td(payload) + td("b"), payload), payload + table(td("c"))):
        assert is_sound(read_table(text))


@pytest.mark.parametrize(
    "text",
    [
        table(*[td("x", 999, 999)] * 4_000),
        table("<td>" * 40_000),
        table(*["<td>"] * 10_000, "<td>" * 900),
        "<table><tr><td>" * 12_000,
        "<!" * 90_000,
        "<table>" + "<" * 180_000,
    ],
    ids=["spans", "wide", "long and wide", "deep", "declarations", "open"],
)
def test_a_monstrous_table_is_bounded(text: str) -> None:
    began = time.process_time()
    grid = read_table(text)
    assert time.process_time() - began < 10
    assert grid.columns <= MOST_COLUMNS
    assert grid.rows * grid.columns <= MOST_PLACES
    assert is_sound(grid)


def test_cells_that_are_left_out_are_counted() -> None:
    grid = read_table(table("<td>a</td>" * (MOST_COLUMNS + 3)))
    assert (grid.columns, grid.left_out) == (MOST_COLUMNS, 3)
    grid = read_table(table("<td>a</td>" * 1_000, *["<td>b</td>"] * 1_000))
    assert (grid.rows, grid.left_out) == (MOST_PLACES // 1_000, 801)
