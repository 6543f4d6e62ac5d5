"""The files of a page's results: what stands in them, and how they come to stand there whole.

A page is named by the path of its results, without their endings (Page.result).
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from answer.cells import Cell
from answer.layout import block, draw, is_furniture, markdown, to_page
from contract import DRAWING_ENDING, RESULT_ENDINGS
from picture.images import own_size
from results.durable import keep_names, part_of, put_in_place, write_beside
from results.store import Place, Remote, size_of

ASIDE = ".aside"  # below the results: where twins write
CELLS, WHOLE, BODY = RESULT_ENDINGS
NO_PAGE = Image.new("L", (1, 1))  # where no part of the page is wanted


def results_of(cells: list[Cell], picture: Image.Image, with_drawing: bool) -> dict[str, bytes]:
    """The files of a page's results, by ending: the drawing first, the cells last."""
    lines = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in cells)
    whole, body = markdown(placed(cells, picture), picture)
    texts = {WHOLE: whole, BODY: body, CELLS: f"[{lines}]\n"}
    drawing = {DRAWING_ENDING: drawing_of(cells, picture)} if with_drawing else {}
    return drawing | {ending: text.encode() for ending, text in texts.items()}


def placed(cells: list[Cell], picture: Image.Image) -> list[Cell]:
    """Cells of a page in the pixels of its picture, which may have been decoded smaller."""
    size = own_size(picture)
    return cells if size == picture.size else to_page(cells, size, picture.size)[0]


def drawing_of(cells: list[Cell], picture: Image.Image) -> bytes:
    """The page with its boxes, as a JPEG."""
    file = io.BytesIO()
    draw(placed(cells, picture), picture).save(file, "JPEG", quality=85)
    return file.getvalue()


def write_results(folder: Place, page: str, contents: Mapping[str, bytes]) -> None:
    """Write a page's files; on a disk beside the old ones, then put in their place."""
    files = {page + ending: content for ending, content in contents.items()}
    if DRAWING_ENDING not in contents:  # a drawing of older cells would lie
        (folder / (page + DRAWING_ENDING)).unlink(missing_ok=True)
    write_files(folder, files)


def write_files(folder: Place, files: Mapping[str, bytes]) -> None:
    """Write files below a folder, by name, each whole or not at all."""
    if isinstance(folder, Remote):
        folder.write_files(files)
        return
    paths = [folder / name for name in files]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    write_beside({path: [content] for path, content in zip(paths, files.values(), strict=True)})
    put_in_place(paths)


def take_from_aside(output: Path, page: str) -> None:
    """Put what a twin wrote in its place. Whoever else wrote this page must be dead."""
    folder = (output / page).parent
    folder.mkdir(parents=True, exist_ok=True)
    for ending in (*RESULT_ENDINGS, DRAWING_ENDING):
        path = output / f"{page}{ending}"
        part_of(path).unlink(missing_ok=True)
        if (output / ASIDE / f"{page}{ending}").is_file():
            (output / ASIDE / f"{page}{ending}").replace(path)
        elif ending == DRAWING_ENDING:
            path.unlink(missing_ok=True)
    keep_names([folder])


def has_results(folder: Place, page: str) -> bool:
    """Whether a page's JSON and Markdown stand, and are whole.

    Objects of a store appear whole; on a disk a power cut may have emptied or torn a file.
    """
    if not all((folder / (page + ending)).is_file() for ending in RESULT_ENDINGS):
        return False
    if isinstance(folder, Remote):
        return size_of(folder / (page + CELLS)) > 0
    try:
        cells = json.loads((folder / (page + CELLS)).read_bytes())
        emptied = [ending for ending in (WHOLE, BODY) if not size_of(folder / (page + ending))]
        return isinstance(cells, list) and not any(says(cells, ending) for ending in emptied)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


def has_drawing(folder: Place, page: str) -> bool:
    """Whether a page's drawing stands."""
    drawing = folder / (page + DRAWING_ENDING)
    return drawing.is_file() and size_of(drawing) > 0


def says(cells: list[Cell], ending: str) -> bool:
    """Whether the Markdown with this ending has something of these cells in it."""
    told = [cell for cell in cells if ending == WHOLE or not is_furniture(cell)]
    return any(cell["category"] == "Picture" or block(cell, NO_PAGE) for cell in told)
