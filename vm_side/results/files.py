"""The files of a page's results: what is in them, and how they are written as whole files.

A page is named by the path of its results, without their endings (Page.result).
"""

import io
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from PIL import Image

from answer.cells import Cell
from answer.layout import block, draw, is_furniture, markdown, to_page
from answer.pictures import cut_out, is_picture, shown
from contract import DRAWING_ENDING, RESULT_ENDINGS
from picture.images import own_size
from picture_files import (
    ANY_FORM,
    AS_FILES,
    INLINE,
    is_pictured,
    page_of_picture,
    picture_name,
    picture_path,
    picture_paths,
)
from results.durable import keep_names, part_of, put_in_place, write_beside
from results.store import Place, Remote, size_of

ASIDE = ".aside"  # the folder below the results that twins write to
CELLS, WHOLE, BODY = RESULT_ENDINGS
NO_PAGE = Image.new("L", (1, 1))  # for results that need no part of the page
AT_ONCE = 16  # files that are removed at the same time, because a store takes its time for each


class Filed(Protocol):
    """What a page's line in the manifest says of its files; see manifest.Record."""

    @property
    def page(self) -> str: ...

    @property
    def pictures(self) -> list[str]: ...

    @property
    def pictures_as(self) -> str: ...


@dataclass(frozen=True)
class Wanted:
    """What to make from a page's cells and its picture; page is the path of its results.

    pictures is one of PICTURE_FORMS; if it is empty, the Markdown stays as it is.
    """

    page: str
    drawing: bool
    pictures: str


def results_of(
    cells: list[Cell], picture: Image.Image, wanted: Wanted, jpeg: bytes = b""
) -> dict[str, bytes]:
    """Return the files of a page's results, by name: the pictures first, the cells last."""
    return made_of(cells, picture, wanted, jpeg) | {wanted.page + CELLS: json_of(cells)}


def json_of(cells: Iterable[Cell]) -> bytes:
    """Return a page's cells as JSON, one cell a line."""
    lines = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in cells)
    return f"[{lines}]\n".encode()


def made_of(
    cells: list[Cell], picture: Image.Image, wanted: Wanted, jpeg: bytes = b""
) -> dict[str, bytes]:
    """Return the files that can be made from the cells at any time. jpeg: see cut_out()."""
    page, form = wanted.page, wanted.pictures
    own = placed(cells, picture)
    cut = cut_out(own, picture, jpeg) if form in (AS_FILES, INLINE) else {}
    files = {}
    if form == AS_FILES:
        names = {number: picture_name(page, number, each.ending) for number, each in cut.items()}
        files = {picture_path(page, names[number]): each.content for number, each in cut.items()}
    if wanted.drawing:
        files[page + DRAWING_ENDING] = drawing_of(own, picture)
    if form:
        whole, body = markdown(own, shown(own, cut, form, page))
        files |= {page + WHOLE: whole.encode(), page + BODY: body.encode()}
    return files


def pictured(cells: Iterable[Cell], files: Iterable[str], wanted: Wanted) -> dict[str, Any]:
    """Return what a page's line says of the pictures among its files."""
    names = [PurePosixPath(name).name for name in files if page_of_picture(name) == wanted.page]
    form = wanted.pictures if any(map(is_picture, cells)) else ANY_FORM
    return {"pictures": names, "pictures_as": form} if wanted.pictures else {}


def placed(cells: list[Cell], picture: Image.Image) -> list[Cell]:
    """Return a page's cells in the pixels of its picture, which may have been decoded smaller."""
    size = own_size(picture)
    return cells if size == picture.size else to_page(cells, size, picture.size)[0]


def drawing_of(cells: list[Cell], picture: Image.Image) -> bytes:
    """Return the page with its boxes, as a JPEG."""
    file = io.BytesIO()
    draw(cells, picture).save(file, "JPEG", quality=85)
    return file.getvalue()


def write_results(folder: Place, page: str, files: Mapping[str, bytes]) -> None:
    """Write a page's files; on a disk first next to the old ones, then in their place."""
    if page + DRAWING_ENDING not in files:  # a drawing of older cells would be wrong
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


def remove_files(folder: Place, names: Iterable[str]) -> None:
    """Remove those of these files below a folder that are there. Raises OSError."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in threads.map(lambda name: (folder / name).unlink(missing_ok=True), names):
            pass


def take_from_aside(output: Path, page: str, pictures: list[str]) -> None:
    """Move what a twin wrote to its place. No other process may still be writing this page."""
    endings = (DRAWING_ENDING, WHOLE, BODY, CELLS)
    names = [*picture_paths(page, pictures), *(page + ending for ending in endings)]
    for name in names:
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part_of(path).unlink(missing_ok=True)
        if (output / ASIDE / name).is_file():
            (output / ASIDE / name).replace(path)
        elif name == page + DRAWING_ENDING:
            path.unlink(missing_ok=True)
    keep_names({(output / name).parent for name in names})


def has_results(folder: Place, record: Filed) -> bool:
    """Whether a page's JSON and Markdown are there, and whole.

    Objects of a store appear whole. On a disk a power cut may have emptied or torn a file.
    """
    page = record.page
    if not all((folder / (page + ending)).is_file() for ending in RESULT_ENDINGS):
        return False
    if isinstance(folder, Remote):
        return size_of(folder / (page + CELLS)) > 0
    try:
        cells = json.loads((folder / (page + CELLS)).read_bytes())
        emptied = [ending for ending in (WHOLE, BODY) if not size_of(folder / (page + ending))]
        return isinstance(cells, list) and not any(says(cells, end, record) for end in emptied)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


def has_drawing(folder: Place, page: str) -> bool:
    """Whether a page's drawing is there."""
    return stands(folder / (page + DRAWING_ENDING))


def has_pictures(folder: Place, record: Filed) -> bool:
    """Whether the files of a page's pictures are there."""
    return all(stands(folder / name) for name in picture_paths(record.page, record.pictures))


def stands(place: Place) -> bool:
    """Whether a file is there and is not empty."""
    return place.is_file() and size_of(place) > 0


def says(cells: list[Cell], ending: str, record: Filed) -> bool:
    """Whether the Markdown with this ending must have something of these cells in it."""
    has_shown = bool(record.pictures) or is_pictured(record.pictures_as, INLINE)
    told = [cell for cell in cells if ending == WHOLE or not is_furniture(cell)]
    return any(has_shown if is_picture(cell) else block(cell) for cell in told)
