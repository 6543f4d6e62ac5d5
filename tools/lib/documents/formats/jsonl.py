"""jsonl: one line for each page, with its text and its cells, for training and for search."""

from pathlib import Path

from lib.documents.document import Document, Sources
from lib.documents.rows import line_of, rows


def write(document: Document, sources: Sources, folder: Path) -> list[str]:
    """Write <name>.jsonl."""
    with (folder / f"{document.name}.jsonl").open("w", encoding="utf-8") as file:
        for row in rows(document, sources):
            file.write(line_of(row))
    return []
