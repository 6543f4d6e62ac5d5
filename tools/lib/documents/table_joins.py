"""Decide by columns and header rows if a table goes on in another, and join the two.

A header that the second one repeats is dropped, once. Two tables stay two if their headers differ,
if nothing tells what the header is, or if their rows begin with the same name.
"""

import re

from lib.documents.tables import Grid, literal, read_table
from lib.pages.markup import LONGEST_MARKUP, clean_table, in_cells

ROW = re.compile(r"<tr>.*?</tr>", re.DOTALL)
NUMBER = re.compile(r"[\s(+\-−–~±]*[$€£¥₩]?\s?[0-9][0-9.,\s]*\)?\s?[%‰]?[*†]{0,3}")
MOST_APART = 0.7  # difference of the shares of numbers in two parts of one column


def joined(before: str, after: str) -> str | None:
    """Return both tables in one, as clean HTML, if the first goes on in the second, else None."""
    if max(len(before), len(after)) > LONGEST_MARKUP:
        return None
    first, second = read_table(before), read_table(after)
    repeated = header_repeated(first, second)
    if repeated is None or not are_alike(first, second, repeated):
        return None
    if begins_anew(first, second, repeated):
        return None
    html, other = (clean_table(in_cells(text, literal)) for text in (before, after))
    rows, more = ROW.findall(html), ROW.findall(other)
    is_plain = html.count("<table") == other.count("<table") == 1 and "<tfoot" not in html + other
    if not is_plain or (len(rows), len(more)) != (first.rows, second.rows):
        return None
    end = html.rindex("</tr>") + len("</tr>")
    return html[:end] + "".join(more[repeated:]) + html[end:]


def header_repeated(first: Grid, second: Grid) -> int | None:
    """Return how many header rows of the first the second repeats; None if they are two tables."""
    if first.columns != second.columns or first.columns < 2 or second.caption:
        return None
    if first.left_out or second.left_out or not second.rows:
        return None
    rows = first.header_rows if 0 < first.header_rows < first.rows else 0
    least = rows or 1
    ends_within = all(cell.row + cell.rowspan <= least for cell in second.cells if cell.row < least)
    is_same = first.texts()[:least] == second.texts()[:least] and ends_within
    if is_same and second.rows > least and (rows or looks_like_header(first)):
        return least
    return 0 if rows and not second.header_rows else None


def looks_like_header(grid: Grid) -> bool:
    """Whether the first row looks like a header without header tags: all words, no numbers."""
    texts = grid.texts()[0]
    return all(text and not NUMBER.fullmatch(text) for text in texts)


def begins_anew(first: Grid, second: Grid, repeated: int) -> bool:
    """Whether the second's rows begin with the same name as the first's: one table a month, say."""
    names = [row[0] for row in first.texts()[repeated or first.header_rows :]]
    return bool(names) and second.texts()[repeated][0] == names[0] != names[-1]


def are_alike(first: Grid, second: Grid, repeated: int) -> bool:
    """Whether no column has numbers in one table and words in the other."""
    shares = zip(
        numbers_in(first, first.header_rows % first.rows), numbers_in(second, repeated), strict=True
    )
    return all(
        one is None or other is None or abs(one - other) <= MOST_APART for one, other in shares
    )


def numbers_in(grid: Grid, header_rows: int) -> list[float | None]:
    """Return the share of numbers among the cells of each column; None for an empty column."""
    columns = zip(*grid.texts()[header_rows:], strict=True)
    return [share([text for text in column if text]) for column in columns]


def share(texts: list[str]) -> float | None:
    """Return the share of numbers among these texts; None if there are none."""
    found = sum(NUMBER.fullmatch(text) is not None for text in texts)
    return found / len(texts) if texts else None
