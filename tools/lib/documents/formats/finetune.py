"""finetune: corrected pages as message pairs, for training dots.ocr on them.

Each line has "messages" (the prompt that the page was read with, the answer as the model would
write it) and "images" (the picture that it saw, next to the file). This is the form of ms-swift,
which trains dots.ocr (modelscope/ms-swift#5333), of LLaMA-Factory's sharegpt data with the same
names, and of what people trained with (rednote-hilab/dots.ocr#91). Boxes are in the pixels of that
picture. Its sides are multiples of 28 already, so training does not scale it again.

Pages that nobody corrected are left out: from them the model would only learn its own faults.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pymupdf
from PIL import Image, ImageOps

from contract import CORRECTED
from lib.documents.document import Document, Page, Sources
from lib.documents.rows import line_of
from lib.documents.searchable.sheets import UNREADABLE, File, files_of, open_pdf
from lib.pages import originals
from lib.pages.entries import Cell
from prompts import PROMPTS

IMAGE = "<image>"  # where the picture goes; each template puts the model's own tokens there
NO_INPUT = "the pictures that the model saw are made from the pages: give INPUT"
MOST_PIXELS = 11_289_600  # of the largest picture that the model takes


def write(document: Document, sources: Sources, folder: Path) -> list[str]:
    """Write <name>.finetune.jsonl and its pictures. Without corrected pages the file is empty."""
    pages = tuple(page for page in document.pages if is_example(page))
    if pages and sources.input is None:
        raise ValueError(NO_INPUT)
    files, remarks = files_of(Document(document.path, pages), sources.input or folder)
    beside = f"{document.name}_files"
    lines = list[str]()
    for file in files:
        try:
            for page, picture in seen_in(file, sources.password):
                name = f"{beside}/{len(lines)}.png"
                (folder / beside).mkdir(exist_ok=True)
                picture.save(folder / name, compress_level=1)
                lines.append(example(page, name))
        except UNREADABLE as error:
            remarks.append(f"{file.path.name}: left out, it cannot be opened ({error})")
    (folder / f"{document.name}.finetune.jsonl").write_text("".join(lines), encoding="utf-8")
    return remarks


def is_example(page: Page) -> bool:
    """Whether a page is good for training: a person corrected it, and what was seen is known."""
    width, height = page.entry.model_size
    is_seen = width >= 1 and height >= 1 and width * height <= MOST_PIXELS
    return page.entry.status == CORRECTED and is_seen and page.entry.prompt_mode in PROMPTS


def example(page: Page, picture: str) -> str:
    """Return a page as a line of the file."""
    mode = page.entry.prompt_mode
    answer = text_answer(page.cells) if mode == "ocr" else layout_answer(page, mode)
    whole = {
        "messages": [
            {"role": "user", "content": IMAGE + PROMPTS[mode]},
            {"role": "assistant", "content": answer},
        ],
        "images": [picture],
    }
    return line_of(whole)


def layout_answer(page: Page, mode: str) -> str:
    """Return cells as the model writes them: no text for a Picture, or for any in layout_only."""
    sides = (*page.entry.model_size, *page.entry.model_size)
    answer = []
    for cell in page.cells:
        box = [round(part * side) for part, side in zip(cell.box, sides, strict=True)]
        told = {"bbox": box, "category": cell.category}
        has_text = mode == "layout_all" and cell.category != "Picture"
        answer.append({**told, "text": cell.text} if has_text else told)
    return json.dumps(answer, ensure_ascii=False)


def text_answer(cells: tuple[Cell, ...]) -> str:
    """Return the text of a page that was read without boxes."""
    return "\n\n".join(cell.text for cell in cells if cell.text)


def seen_in(file: File, password: str) -> Iterator[tuple[Page, Image.Image]]:
    """Yield the pages of a file, each with the picture that the model saw. Raises UNREADABLE."""
    head = file.head()
    if b"%PDF-" in head:
        with open_pdf(file.path, password) as pdf:
            for page in file.pages:
                yield page, rendered(pdf[page.entry.pdf_page or 0], page)
        return
    with originals.opened(file.path, head) as image:
        for page in file.pages:
            image.seek(page.entry.pdf_page or 0)
            yield page, as_seen(originals.on_white(ImageOps.exif_transpose(image)), page)


def rendered(sheet: pymupdf.Page, page: Page) -> Image.Image:
    """Render a page of a PDF at the size that the model saw."""
    is_lying = page.entry.rotation in (90, 270)
    width, height = page.entry.model_size[::-1] if is_lying else page.entry.model_size
    scale = pymupdf.Matrix(width / sheet.rect.width, height / sheet.rect.height)
    drawn = sheet.get_pixmap(matrix=scale, alpha=False, colorspace=pymupdf.csRGB)
    return as_seen(Image.frombytes("RGB", (drawn.width, drawn.height), drawn.samples), page)


def as_seen(picture: Image.Image, page: Page) -> Image.Image:
    """Turn a page's picture as it was read, and scale it to the size that the model saw."""
    width, height = map(round, page.entry.model_size)
    upright = picture.convert("RGB").rotate(-page.entry.rotation, expand=True)
    return upright.resize((width, height), Image.Resampling.BICUBIC)
