"""The files of a page's results: what stands in them, and how they come to stand there whole.

A page is named by the path of its results, without their endings (Page.result).
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from answer.cells import Cell
from answer.layout import draw, markdown
from contract import DRAWING_ENDING, RESULT_ENDINGS
from results.store import Place, Remote

ASIDE = ".aside"  # below the results: where twins write


def results_of(cells: list[Cell], picture: Image.Image, with_drawing: bool) -> dict[str, bytes]:
    """The files of a page's results, by ending: the drawing first, the cells last."""
    lines = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in cells)
    whole, body = markdown(cells, picture)
    texts = {".md": whole, "_nohf.md": body, ".json": f"[{lines}]\n"}
    drawing = {DRAWING_ENDING: drawing_of(cells, picture)} if with_drawing else {}
    return drawing | {ending: text.encode() for ending, text in texts.items()}


def drawing_of(cells: list[Cell], picture: Image.Image) -> bytes:
    """The page with its boxes, as a JPEG."""
    file = io.BytesIO()
    draw(cells, picture).save(file, "JPEG", quality=85)
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
    for name, content in files.items():
        path = folder / f"{name}.part"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name in files:
        (folder / f"{name}.part").replace(folder / name)


def take_from_aside(output: Path, page: str) -> None:
    """Put what a twin wrote in its place. Whoever else wrote this page must be dead."""
    Path(output / page).parent.mkdir(parents=True, exist_ok=True)
    for ending in (*RESULT_ENDINGS, DRAWING_ENDING):
        name = page + ending
        Path(output / f"{name}.part").unlink(missing_ok=True)
        if (output / ASIDE / name).is_file():
            (output / ASIDE / name).replace(output / name)
        elif ending == DRAWING_ENDING:
            (output / name).unlink(missing_ok=True)
