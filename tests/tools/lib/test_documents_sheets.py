"""Tables as csv and xlsx: separate tables, kept spans, numbers as printed; nothing is run."""

import csv
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from lib.documents.formats import csv as as_csv
from lib.documents.formats import xlsx as as_xlsx
from lib.documents.named_tables import LEFT_OUT, NO_TABLE, tables_of
from rig.small_documents import document, written

Rows = list[list[str]]
FORMULAS = (
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "＝1+1",
    '=HYPERLINK("http://x","y")',
)


def table(rows: Rows, cell: str = "td") -> str:
    """A table's HTML."""
    lines = ("".join(f"<{cell}>{text}</{cell}>" for text in row) for row in rows)
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def csv_rows(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def tables_as_csv(folder: Path, *texts: str) -> tuple[list[Rows], list[str]]:
    """Write the tables of one page as csv; return their rows, and the remarks."""
    remarks = written(as_csv.write, document([("Table", text) for text in texts]), folder)
    files = sorted((folder / "report_files/tables").iterdir())
    return [csv_rows(path) for path in files], remarks


def book_of(folder: Path, *texts: str) -> tuple[Any, list[str]]:
    """Write them as an Excel workbook and open it; return it, and the remarks."""
    remarks = written(as_xlsx.write, document([("Table", text) for text in texts]), folder)
    return load_workbook(folder / "report.xlsx"), remarks


def values(sheet: Any) -> list[list[str | None]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


TWO = document(
    [("Text", "no table"), ("Caption", "Table 1:\nof fruit"), ("Table", table([["a", "b"]]))],
    [("Table", "<table></table>"), ("Table", "d"), ("Table", table([["c"]])), ("Caption", "below")],
)


def test_tables_have_names_and_captions() -> None:
    found = [(table.name, table.caption, table.grid.texts()) for table in tables_of(TWO)]
    assert found == [
        ("page 1 table 1", "Table 1: of fruit", [["a", "b"]]),
        ("page 2 table 1", "", [["d"]]),
        ("page 2 table 2", "below", [["c"]]),
    ]


def test_csv_is_a_file_for_each_table_and_a_list(tmp_path: Path) -> None:
    assert written(as_csv.write, TWO, tmp_path) == []
    listed = csv_rows(tmp_path / "report.csv")
    assert listed[0][:4] == ["file", "table", "page", "number"]
    assert listed[1] == [
        *("report_files/tables/page_1_table_1.csv", "page 1 table 1", "1", "1"),
        *("report.pdf, page 1", "ok", "1", "2", "Table 1: of fruit"),
    ]
    assert csv_rows(tmp_path / listed[1][0]) == [["a", "b"]]
    assert [line[0][-8:] for line in listed[2:]] == ["le_1.csv", "le_2.csv"]


def test_xlsx_is_a_sheet_for_each_table_and_a_list(tmp_path: Path) -> None:
    assert written(as_xlsx.write, TWO, tmp_path) == []
    book = load_workbook(tmp_path / "report.xlsx")
    assert book.sheetnames == ["tables", "page 1 table 1", "page 2 table 1", "page 2 table 2"]
    assert values(book["tables"])[1][:4] == ["page 1 table 1", "1", "1", "report.pdf, page 1"]
    assert values(book["page 1 table 1"]) == [["a", "b"]]


@pytest.mark.parametrize("format_", [as_csv, as_xlsx])
def test_a_document_without_tables_gives_no_file(format_: Any, tmp_path: Path) -> None:
    assert written(format_.write, document([("Text", "a")]), tmp_path) == [NO_TABLE]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["007", "1.10", "1-2", "3/4", "-5", "+1.2%", "1e5", "TRUE", "(3)"])
def test_a_number_stays_as_it_is_printed(text: str, tmp_path: Path) -> None:
    assert tables_as_csv(tmp_path / "csv", table([[text]])) == ([[[text]]], [])
    book, _ = book_of(tmp_path / "xlsx", table([[text]]))
    cell = book["page 1 table 1"]["A1"]
    assert (cell.value, cell.data_type, cell.number_format) == (text, "s", "@")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_formula_runs(text: str, tmp_path: Path) -> None:
    caption = ("Caption", text)
    both = document([caption, ("Table", table([[text]]))])
    assert written(as_csv.write, both, tmp_path / "csv") == [as_csv.GUARDED]
    assert csv_rows(tmp_path / "csv/report_files/tables/page_1_table_1.csv") == [[f"'{text}"]]
    assert csv_rows(tmp_path / "csv/report.csv")[1][-1] == f"'{text}"
    assert written(as_xlsx.write, both, tmp_path / "xlsx") == []
    book = load_workbook(tmp_path / "xlsx/report.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.value for cell in cells].count(text) == 2
    assert {cell.data_type for cell in cells} == {"s"}
    with zipfile.ZipFile(tmp_path / "xlsx/report.xlsx") as whole:
        assert not any(b"<f>" in whole.read(name) for name in whole.namelist())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "a"),
        ("a=b", "a=b"),
        (" =1", "' =1"),
        ("-", "-"),
        ("- item", "'- item"),
        ("-1,234.50", "-1,234.50"),
        ("-1-2", "'-1-2"),
        ("a;=1", "a;'=1"),  # if ; separates cells, =1 is a cell
        ("a\n=1", "a\n'=1"),
        ("a\t@b\r+c", "a\t'@b\r'+c"),
        ("a,=1", "a,=1"),
    ],
)
def test_what_gets_an_apostrophe_in_csv(text: str, expected: str) -> None:
    assert as_csv.guarded(text) == expected


def test_spans_are_merged_cells_in_xlsx_and_said_once_in_csv(tmp_path: Path) -> None:
    html = (
        '<table><tr><th colspan="2">a</th><th rowspan="2">b</th></tr>'
        "<tr><th>c</th><th>d</th></tr><tr><td>e</td><td>f</td><td>g</td></tr></table>"
    )
    book, _ = book_of(tmp_path / "xlsx", html)
    sheet = book["page 1 table 1"]
    assert {str(found) for found in sheet.merged_cells.ranges} == {"A1:B1", "C1:C2"}
    assert values(sheet) == [["a", None, "b"], ["c", "d", None], ["e", "f", "g"]]
    assert sheet.freeze_panes == "A3" and sheet["A1"].font.bold and not sheet["A3"].font.bold
    rows, _ = tables_as_csv(tmp_path / "csv", html)
    assert rows == [[["a", "", "b"], ["c", "d", ""], ["e", "f", "g"]]]


def test_lines_korean_and_formulas_stay(tmp_path: Path) -> None:
    html = table([["가나<br>다", r"$\frac{1}{2}$", 'say "a", b']])
    expected = ["가나\n다", r"$\frac{1}{2}$", 'say "a", b']
    assert tables_as_csv(tmp_path / "csv", html)[0] == [[expected]]
    book, _ = book_of(tmp_path / "xlsx", html)
    assert values(book["page 1 table 1"]) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x00b\x1fc\ufffe", "a\ufffdb\ufffdc\ufffd"),
        ("\ud800", "?"),
        # Excel's code for an A, and a text that only looks like a code
        ("_x0041_ _x1_", "_x005F_x0041_ _x1_"),
    ],
)
def test_what_excel_cannot_hold(text: str, expected: str, tmp_path: Path) -> None:
    book, _ = book_of(tmp_path, text)
    assert values(book["page 1 table 1"]) == [[expected]]


def test_a_cell_that_excel_cannot_hold_is_cut_and_told(tmp_path: Path) -> None:
    book, remarks = book_of(tmp_path, table([["가" * 40_000, "😀" * 20_000, "a" * 32_767]]))
    found = [str(value) for value in values(book["page 1 table 1"])[0]]
    assert [len(value.encode("utf-16-le")) // 2 for value in found] == [32_767, 32_767, 32_767]
    assert [value[-1] for value in found] == ["…", "…", "a"]
    assert remarks == [as_xlsx.CUT]


def test_a_table_beyond_all_sizes_is_told(tmp_path: Path) -> None:
    html = table([["a"] * 1_001])
    assert tables_as_csv(tmp_path / "csv", html)[1] == [LEFT_OUT]
    assert book_of(tmp_path / "xlsx", html)[1] == [LEFT_OUT]
