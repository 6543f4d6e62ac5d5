"""The pages that all clients read, and the requests that are made of them.

May import: bench.gpu, and of vm_side what makes a request.
"""

import os
import random
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from answer.ladder import FIRST
from bench.gpu import random_words, text_page
from picture.images import model_picture
from picture.opening import open_image
from picture.png import encode_png
from prompts import PROMPTS
from server.request import Sampling, request_body

MODEL = "model"  # the name that serve.sh gives it


@dataclass(frozen=True)
class Load:
    """Pages of each of the dpis, in turn. Each page has many names, so that the pages last."""

    dpis: tuple[int, ...]
    max_pixels: int
    upsample_below: int
    pages: int
    names: int
    answer_tokens: int


FULL = Load((100, 200), 2_000_000, 1_200_000, 60, 6_000, 8_000)
TINY = Load((40, 50), 100_000, 0, 8, 400, 500)


def write_pages(folder: Path, load: Load) -> None:
    """Write the pages of a load into a new folder."""
    rng = random.Random(7)
    for number in range(load.pages):
        dpi = load.dpis[number % len(load.dpis)]
        target = folder / f"{dpi}dpi"
        target.mkdir(parents=True, exist_ok=True)
        page = text_page(random_words(rng), dpi)
        page.save(target / f"page{number}.png")
        for again in range(number + load.pages, load.names, load.pages):
            os.link(target / f"page{number}.png", target / f"page{again}.png")


def is_small(page: Path, load: Load) -> bool:
    """Whether the page is enlarged before it is sent."""
    with Image.open(page) as picture:
        return picture.width * picture.height <= load.upsample_below


def all_pages(folder: Path) -> list[Path]:
    """All pages by number, so that sizes are mixed."""
    return sorted(folder.glob("*/*.png"), key=lambda path: int(path.stem.removeprefix("page")))


def write_requests(pages: Path, folder: Path, load: Load) -> None:
    """Write the request body for each page, as our client sends it."""
    folder.mkdir(exist_ok=True)
    sampling = Sampling(FIRST.temperature, load.answer_tokens, FIRST.repetitions)
    for path in all_pages(pages)[: load.pages]:
        picture = model_picture(open_image(path), load.max_pixels, load.upsample_below)
        body = request_body(MODEL, encode_png(picture), PROMPTS["layout_all"], sampling)
        (folder / f"{path.stem}.json").write_bytes(body)
