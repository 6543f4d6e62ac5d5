"""Cells in the model's pixels -> cells in the page's own pixels, Markdown, drawn boxes."""

import functools
import math
import re
from collections.abc import Iterable, Sequence

from PIL import Image, ImageDraw, ImageFont

from answer.cells import Cell
from answer.pictures import is_picture

# RGB; the colours of dots.ocr's own drawings
COLOURS = {
    "Caption": (255, 165, 0),
    "Footnote": (0, 128, 0),
    "Formula": (128, 128, 128),
    "List-item": (0, 0, 255),
    "Page-footer": (128, 0, 128),
    "Page-header": (0, 128, 0),
    "Picture": (255, 0, 255),
    "Section-header": (0, 255, 255),
    "Table": (255, 192, 203),
    "Text": (0, 128, 0),
    "Title": (255, 0, 0),
}
FILL = 0.3  # opacity of a box
FURNITURE = ("Page-header", "Page-footer")
DOLLARS = re.compile(r"\$[^$]+\$")


def to_page(
    cells: Iterable[Cell], model_size: tuple[int, int], page_size: tuple[int, int]
) -> tuple[list[Cell], list[str]]:
    """Scale boxes from the picture sent to the page: (cells, remarks). Sizes are (width, height).

    Rounding is the reference's int(float(v) / scale). If the corners of a box are swapped, we swap
    them back; we cut a box at the page's edge. The reference does neither.
    """
    scale_x, scale_y = (sent / own for sent, own in zip(model_size, page_size, strict=True))
    scaled_cells = []
    turned = clamped = 0
    for cell in cells:
        x1, y1, x2, y2 = map(float, cell["bbox"])
        box = [int(x1 / scale_x), int(y1 / scale_y), int(x2 / scale_x), int(y2 / scale_y)]
        left, right = sorted((box[0], box[2]))
        top, bottom = sorted((box[1], box[3]))
        upright = [left, top, right, bottom]
        inside = [min(max(v, 0), limit) for v, limit in zip(upright, page_size * 2, strict=True)]
        turned += upright != box
        clamped += inside != upright
        scaled_cells.append({**cell, "bbox": inside})
    notes = []
    if turned:
        notes.append(f"{turned} boxes turned")
    if clamped:
        notes.append(f"{clamped} boxes cut at the page's edge")
    return scaled_cells, notes


def markdown(cells: Sequence[Cell], pictures: Iterable[str | None]) -> tuple[str, str]:
    """Make Markdown, a blank line between cells: the whole page, and without headers and footers.

    pictures holds the Markdown of each Picture cell; None leaves the cell out.
    """
    left = iter(pictures)
    blocks = [(next(left) if is_picture(cell) else block(cell), cell) for cell in cells]
    whole = [(text, cell) for text, cell in blocks if text is not None]
    body = [text for text, cell in whole if not is_furniture(cell)]
    return "\n\n".join(text for text, _ in whole), "\n\n".join(body)


def is_furniture(cell: Cell) -> bool:
    """Whether a cell is a page header or footer."""
    return cell["category"] in FURNITURE


def block(cell: Cell) -> str:
    """One cell with text as Markdown."""
    text = cell.get("text", "").strip()
    if cell["category"] == "Formula":
        return formula(text)
    if text.startswith("`$") and text.endswith("$`"):
        return str(text[1:-1])
    return str(text)


def formula(latex: str) -> str:
    r"""Put LaTeX between lines of $$; leave it as it is if it has \(…\), \[…\] or $…$ inside."""
    if len(latex) > 1 and latex[0] == latex[-1] == "`":
        latex = latex[1:-1]
    for start, end in (("$$", "$$"), (r"\[", r"\]")):
        if len(latex) >= 4 and latex.startswith(start) and latex.endswith(end):
            inside = latex[2:-2].strip()
            if "$" not in inside and start not in inside:
                return f"$$\n{inside}\n$$"
    if not latex or brings_its_own(latex):
        return latex
    return f"$$\n{latex}\n$$"


def brings_its_own(latex: str) -> bool:
    r"""Whether there is $…$, \(…\) or \[…\] in it."""
    pairs = (r"\(", r"\)"), (r"\[", r"\]")
    return DOLLARS.search(latex) is not None or any(
        (start := latex.find(left)) >= 0 and latex.find(right, start + 2) >= 0
        for left, right in pairs
    )


def draw(cells: Sequence[Cell], page: Image.Image) -> Image.Image:
    """A copy of the page, mode "RGB", with every box filled and labelled "{i}_{category}"."""
    drawing = page.convert("RGB") if page.mode != "RGB" else page.copy()
    pen = ImageDraw.Draw(drawing)
    size = max(10, min(drawing.size) // 70)
    for cell in cells:
        x1, y1, x2, y2 = cell["bbox"]
        if x1 < x2 and y1 < y2:
            area = page.crop((x1, y1, x2, y2))
            drawing.paste(tinted(area, COLOURS[cell["category"]]), (x1, y1))
    for number, cell in enumerate(cells):  # on top of all filled boxes
        x1, y1, x2, y2 = cell["bbox"]
        colour = COLOURS[cell["category"]]
        if x1 < x2 and y1 < y2:
            pen.rectangle((x1, y1, x2 - 1, y2 - 1), outline=colour)
        text = label(f"{number}_{cell['category']}", size, colour)
        drawing.paste(text, (min(x1, drawing.width - size), max(0, y1 - text.height)), text)
    return drawing


def tinted(area: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """Tint a part of a page, mode "RGB"; a gray one by a palette, which takes half the time."""
    if area.mode == "L":
        area.putpalette(palette(colour))
        return area.convert("RGB")
    return Image.blend(area, Image.new("RGB", area.size, colour), FILL)


@functools.cache
def palette(colour: tuple[int, int, int]) -> bytes:
    """Return the tinted red, green and blue of each of the 256 grays."""
    return bytes(round(gray + (c - gray) * FILL) for gray in range(256) for c in colour)


@functools.cache
def font_of(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font of labels; cached, because loading it takes as long as drawing a label."""
    return ImageFont.load_default(size)


@functools.lru_cache(1024)
def label(text: str, size: int, colour: tuple[int, int, int]) -> Image.Image:
    """Draw words of this height with a white edge, mode "RGBA"; cached, since labels repeat.

    The rest is transparent, because a label often lies on text of the page.
    """
    font = font_of(size)
    _, _, right, bottom = map(math.ceil, font.getbbox(text, stroke_width=1))
    image = Image.new("RGBA", (right + 2, bottom + 2), (255, 255, 255, 0))
    pen = ImageDraw.Draw(image)
    pen.text((1, 1), text, fill=colour, font=font, stroke_width=1, stroke_fill="white")
    return image
