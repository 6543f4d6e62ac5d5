"""Truth in the form of OmniDocBench -> our own blocks.

The form: https://huggingface.co/datasets/opendatalab/OmniDocBench (its README, "Dataset Format"):
a list of pages, each with layout_dets, page_info and extra.relation. The relations are not used
here: a truncated paragraph has a box for each of its parts, and so does the answer.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from lib.pages.values import Box, clean, number
from lib.score.truth import Block, Truth, is_text
from walk import one_form

CATEGORY = {
    "title": "Title",
    "text_block": "Text",
    "list_group": "Text",
    "reference": "Text",
    "code_txt": "Text",
    "equation_explanation": "Text",
    "figure": "Picture",
    "table": "Table",
    "equation_isolated": "Formula",
    "figure_caption": "Caption",
    "table_caption": "Caption",
    "code_txt_caption": "Caption",
    "figure_footnote": "Footnote",
    "table_footnote": "Footnote",
    "page_footnote": "Footnote",
    "header": "Page-header",
    "footer": "Page-footer",
    "page_number": "Page-footer",
}
"""All other types are masks, abandoned, formula numbers, or unknown: answers there are ignored."""
COARSE = {"Section-header": "Title", "List-item": "Text"}  # ours -> the category that it has
TEXT_IN = {"Table": "html", "Formula": "latex", "Picture": ""}


def is_pages(found: Any) -> bool:
    """Whether this is a list of pages in this form, or a single page."""
    pages = found if isinstance(found, list) else [found]
    return bool(pages) and all(
        isinstance(page, dict) and isinstance(page.get("layout_dets"), list) for page in pages
    )


def pages_in(found: Any, file: str) -> Iterator[Truth]:
    """Yield the truth of each page. A page without the name of its picture is named by its file."""
    for page in found if isinstance(found, list) else [found]:
        info = page.get("page_info")
        info = info if isinstance(info, dict) else {}
        ordered, aside, ignored = list[tuple[float, Block]](), list[Block](), list[Box]()
        odd = 0
        for candidate in page["layout_dets"]:
            box = box_of(candidate)
            if box is None:
                odd += 1
                continue
            category = category_of(candidate)
            if category is None:
                ignored.append(box)
                continue
            text = candidate.get(TEXT_IN.get(category, "text"))
            odd += not is_text(text)
            block = Block(box, category, clean(text) if isinstance(text, str) else "")
            order = candidate.get("order")
            if isinstance(order, int | float):
                ordered.append((order, block))
            else:
                aside.append(block)
        ordered.sort(key=lambda one: one[0])
        yield Truth(
            file,
            name_of(info, file),
            tuple(block for _, block in ordered),
            tuple(aside),
            tuple(ignored),
            (number(info.get("width")), number(info.get("height"))),
            is_foreign=True,
            odd=odd,
        )


def name_of(info: dict[str, Any], file: str) -> str:
    """The name of the page's picture, without its ending."""
    given = info.get("image_path")
    path = PurePosixPath(given if isinstance(given, str) and given else file)
    return one_form(clean(str(path.with_suffix("") if path.name else path)))


def box_of(candidate: Any) -> Box | None:
    """The box around a polygon of four corners; None if there is no such polygon."""
    poly = candidate.get("poly") if isinstance(candidate, dict) else None
    if not isinstance(poly, list) or len(poly) != 8:
        return None
    xs, ys = ([number(value) for value in poly[start::2]] for start in (0, 1))
    return min(xs), min(ys), max(xs), max(ys)


def category_of(candidate: dict[str, Any]) -> str | None:
    """Our category of a block; None if the block is ignored."""
    kind = candidate.get("category_type")
    known = CATEGORY.get(kind) if isinstance(kind, str) else None
    return None if candidate.get("ignore") else known
