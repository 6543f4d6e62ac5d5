"""Cut the Picture cells out of a page, for files next to its results or for its Markdown."""

import base64
import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PIL import Image

from answer.cells import Cell
from picture_files import AS_FILES, INLINE, LEFT_OUT, PICTURES_FOLDER, picture_name

Box = Sequence[int]


class CutOut(NamedTuple):
    """The picture of a Picture cell: the content of a file, and the ending of its name."""

    content: bytes
    ending: str


def is_picture(cell: Cell) -> bool:
    """Whether a cell is a Picture."""
    return bool(cell["category"] == "Picture")


def numbered(cells: Sequence[Cell]) -> Iterator[tuple[int, Box]]:
    """Yield the number (from 1, in reading order) and box of each Picture cell with an area."""
    for number, cell in enumerate(filter(is_picture, cells), 1):
        x1, y1, x2, y2 = cell["bbox"]
        if x1 < x2 and y1 < y2:
            yield number, (x1, y1, x2, y2)


def is_whole(box: Box, page_size: tuple[int, int]) -> bool:
    """Whether a box is the whole page. Scaling may round the far edges down by one pixel."""
    x1, y1, x2, y2 = box
    return x1 <= 0 and y1 <= 0 and x2 >= page_size[0] - 1 and y2 >= page_size[1] - 1


def cut_out(cells: Sequence[Cell], page: Image.Image, jpeg: bytes = b"") -> dict[int, CutOut]:
    """Cut the Picture cells out of the page, without loss. Returns them by number.

    jpeg is the file that shows this page, if it is a JPEG. A cell that is the whole page gets this
    file, unchanged.
    """
    found = {}
    for number, box in numbered(cells):
        if jpeg and is_whole(box, page.size):
            found[number] = CutOut(jpeg, ".jpg")
            continue
        buffer = io.BytesIO()
        page.crop((box[0], box[1], box[2], box[3])).save(buffer, "PNG", compress_level=1)
        found[number] = CutOut(buffer.getvalue(), ".png")
    return found


def shown(
    cells: Sequence[Cell], cut: dict[int, CutOut], form: str, page: str
) -> Iterator[str | None]:
    """Yield the Markdown of each Picture cell; None if it gets nothing, not even a blank line.

    In the form INLINE, a cell without area is an empty image, as in the reference.
    """
    for number, _ in enumerate(filter(is_picture, cells), 1):
        found = cut.get(number)
        if form == INLINE:
            yield embedded(found.content) if found else "![]()"
        elif form == LEFT_OUT or found is None:
            yield None
        else:
            assert form == AS_FILES
            yield f"![]({PICTURES_FOLDER}/{picture_name(page, number, found.ending)})"


def embedded(png: bytes) -> str:
    """Make a Markdown image that contains a PNG."""
    return f"![](data:image/png;base64,{base64.b64encode(png).decode()})"
