"""What a page that was read still lacks, and how it is made without asking the model again."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from picture_files import is_pictured
from results.files import CELLS, Wanted, has_drawing, has_pictures, write_files
from results.manifest import Record
from results.steps import Compute, Source, needs_page, remade
from results.store import Place


def what_lacks(record: Record, folder: Place, images: bool, pictures: str) -> Wanted | None:
    """Return what to make for a page: its drawing, its pictures in another form; None if none."""
    is_shown = is_pictured(record.pictures_as, pictures) or not record.cells
    is_shown = is_shown and has_pictures(folder, record)
    is_drawn = not images or has_drawing(folder, record.page)
    if is_shown and is_drawn:
        return None
    return Wanted(record.page, not is_drawn, "" if is_shown else pictures)


def completed(
    record: Record, folder: Place, wanted: Wanted, open_file: Callable[[], Source], compute: Compute
) -> Record:
    """Make it from the page's cells and its file; return the record with what it has now.

    Raises UnreadablePage if the page is not the same any more.
    """
    cells = json.loads((folder / (record.page + CELLS)).read_bytes())
    values: dict[str, Any] = {"rotation": record.rotation}
    if record.pdf_page is None:
        values["sha256"] = record.sha256
    width, height = record.original_size
    source = open_file() if needs_page(cells, wanted) else b""
    files = compute(remade, source, record.pdf_page, values, cells, (width, height), wanted)
    write_files(folder, files)
    return replace(record, **{k: values[k] for k in ("pictures", "pictures_as") if k in values})
