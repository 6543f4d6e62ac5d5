"""csv: each table is a file, <name>_files/tables/page_3_table_1.csv, and <name>.csv lists them.

UTF-8 with a byte order mark: without it Excel shows no Korean. The text of a merged cell is in its
first place. Text that a spreadsheet would run gets a ' before it, as OWASP advises.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from lib.documents.document import Document, Sources
from lib.documents.named_tables import CONTENTS, LEFT_OUT, NO_TABLE, contents, tables_of
from lib.documents.office.xml_text import xml_text

GUARDED = "a ' stands before text that a spreadsheet would run as a formula (not in xlsx)"
SIGNS = tuple("=+-@＝＋－＠")
NUMBER = re.compile(r"[-+－＋]?[0-9.,\s]*%?")
PARTS = re.compile(r"([;\t\r\n])")
"""Signs that may separate cells. A program that splits cells at ; takes our quotes for text."""


def write(document: Document, sources: Sources, folder: Path) -> list[str]:
    """Write the tables, and the list of them."""
    tables = list(tables_of(document))
    if not tables:
        return [NO_TABLE]
    inside = folder / f"{document.name}_files" / "tables"
    inside.mkdir(parents=True)
    listed: list[Sequence[str]] = [("file", *CONTENTS)]
    is_guarded = False
    for table in tables:
        path = inside / f"{table.name.replace(' ', '_')}.csv"
        is_guarded |= write_rows(path, table.grid.texts())
        listed.append((path.relative_to(folder).as_posix(), *contents(table)))
    is_guarded |= write_rows(folder / f"{document.name}.csv", listed)
    is_cut = any(table.grid.left_out for table in tables)
    return [*([GUARDED] if is_guarded else []), *([LEFT_OUT] if is_cut else [])]


def write_rows(path: Path, rows: Iterable[Sequence[str]]) -> bool:
    """Write a file. Return whether something in it had to be guarded."""
    is_guarded = False
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        for row in rows:
            texts = [xml_text(text) for text in row]
            safe = [guarded(text) for text in texts]
            is_guarded |= safe != texts
            writer.writerow(safe)
    return is_guarded


def guarded(text: str) -> str:
    """Return a text that no spreadsheet reads as a formula, neither at its beginning nor later."""
    return "".join(map(guard, PARTS.split(text)))


def guard(part: str) -> str:
    """Return a part with a ' before it if it looks like a formula. Signed numbers do not."""
    inside = part.strip()
    return f"'{part}" if inside.startswith(SIGNS) and not NUMBER.fullmatch(inside) else part
