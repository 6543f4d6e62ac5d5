"""This project against the reference client of dots.ocr: the same pixels, the same cells.

The command itself runs over generated pages and asks a recording server; every picture that
arrived there is compared with the one that the reference's own parser would have sent. Where the
two differ on purpose: README.md beside this file, tested in test_differences.py.
"""

import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from parity.both import (
    UPSAMPLE_BELOW,
    Batch,
    Reference,
    comparable,
    decoded,
    fingerprint,
    result_of,
    run_ours,
)
from rig import pages
from rig.model_server import ModelServer, Reply
from rig.pages import article, noisy_scan
from rig.replies import in_turn

MAX_PIXELS = (2_000_000, 1_000_000, 11_289_600)
PDF_PAGES = 2
ODD_SIZES = (
    *((6, 9), (28, 28), (48, 32), (29, 57), (300, 1999), (2160, 555), (1999, 10), (777, 555)),
    *((1095, 1095), (1096, 1095), (1352, 861), (1106, 1685), (1251, 1354)),
)


def rgba(dpi: int) -> Image.Image:
    """A colour page on half transparent paper."""
    page = article(dpi, 3, colour=True)
    page.putalpha(article(dpi, 4).point(lambda value: 255 - value // 2))
    return page


def noise(size: tuple[int, int], mode: str) -> Image.Image:
    """Random pixels, where every slip of a filter shows."""
    wide, high = size
    data = random.Random(wide * high).randbytes(wide * high * len(mode))
    return Image.frombytes(mode, size, data)


def random_sizes(count: int) -> list[tuple[int, int]]:
    rng = random.Random(2_026)
    return [(rng.randint(20, 1_600), rng.randint(20, 1_600)) for _ in range(count)]


DPIS = (100, 120, 200, 300)
PICTURES: dict[str, Callable[[], Image.Image]] = {
    **{f"gray{dpi}.png": partial(article, dpi, dpi) for dpi in DPIS},
    **{f"colour{dpi}.png": partial(article, dpi, 1, colour=True) for dpi in DPIS[:3]},
    **{f"rgba{dpi}.png": partial(rgba, dpi) for dpi in DPIS},
    "photo100.jpg": partial(article, 100, 5, colour=True),
    "photo200.jpg": partial(article, 200, 5, colour=True),
    "scan120.jpeg": partial(noisy_scan, 120),
    "scan200.png": partial(noisy_scan, 200),
    **{
        f"odd{size[0]}x{size[1]}.png": partial(noise, size, ("L", "RGB")[number % 2])
        for number, size in enumerate((*ODD_SIZES, *random_sizes(8)))
    },
}
ALIKE = ("animated", "rgba", "one_bit", "cmyk", "korean_name")  # of the rig's strange files
NAMES = (
    *PICTURES,
    *(f"{slug}_" for slug in ALIKE),
    *(f"document_page_{number}" for number in range(PDF_PAGES)),
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Path]]:
    """The folder of all pages, and the file of each name."""
    folder = tmp_path_factory.mktemp("pages")
    files: dict[str, Path] = {}
    for name, draw in PICTURES.items():
        files[name] = folder / name
        draw().save(folder / name)
    strange = {f"{slug}_": pages.ODD_GOOD[slug](folder) for slug in ALIKE}
    document = pages.pdf(folder / "document.pdf", PDF_PAGES)
    return folder, {**files, **strange, **{n: document for n in NAMES if n.startswith("document")}}


@pytest.fixture(scope="module", params=MAX_PIXELS, ids=lambda value: f"m{value}")
def batch(
    request: pytest.FixtureRequest,
    reference: Reference,
    source: tuple[Path, dict[str, Path]],
    server: ModelServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[int, Batch]:
    """(-m, the command's run over all pages)."""
    server.script = None
    output = tmp_path_factory.mktemp("results")
    run = run_ours(server, source[0], output, "-m", request.param, "-p", 2)
    assert len(run.requests) == len(NAMES)
    return request.param, run


@pytest.mark.parametrize("name", NAMES)
def test_page(
    name: str,
    batch: tuple[int, Batch],
    reference: Reference,
    source: tuple[Path, dict[str, Path]],
) -> None:
    """The same pixels sent, the same cells and the same Markdown made of the same answer."""
    max_pixels, run = batch
    path = source[1][name]
    is_pdf = path.suffix == ".pdf"
    page = f"document/{name}" if is_pdf else result_of(path.name)
    wide, high = run.records[page]["original_size"]
    upsample = not is_pdf and wide * high <= UPSAMPLE_BELOW
    picture = decoded(run.request(page).picture)
    answer = run.answer(page)

    made = reference.read(path, [answer] * PDF_PAGES, upsample=upsample, max_pixels=max_pixels)
    number = run.records[page]["pdf_page"] or 0
    assert not made.error
    if fingerprint(picture) != made.sent[number]["sha256"]:
        pytest.fail(reference.explain(path, picture, upsample=upsample, max_pixels=max_pixels))
    assert run.cells(page) == json.loads(made.pages[number]["json"])
    assert comparable(run.text(page, ".md")) == comparable(made.pages[number]["md"])
    assert comparable(run.text(page, "_nohf.md")) == comparable(made.pages[number]["nohf"])


@pytest.mark.parametrize(
    ("mode", "prompt"),
    [
        ("layout_all", "prompt_layout_all_en"),
        ("layout_only", "prompt_layout_only_en"),
        ("ocr", "prompt_ocr"),
    ],
)
def test_request(
    mode: str, prompt: str, reference: Reference, server: ModelServer, tmp_path: Path
) -> None:
    """The reference's own request and ours are alike: messages, prompt, temperature, limit."""
    server.script = None
    page = tmp_path / "in" / "page.png"
    page.parent.mkdir()
    article(100, 1, colour=True).save(page)
    ours = run_ours(server, page.parent, tmp_path / "out", "--prompt-mode", mode).requests[0]
    server.reset()
    made = reference.read(page, prompt=prompt, port=int(server.url.rpartition(":")[2]))
    assert not made.error
    (theirs,) = server.requests

    assert fingerprint(decoded(ours.picture)) == fingerprint(decoded(theirs.picture))
    assert ours.prompt == reference.prompts[prompt] == theirs.prompt
    assert without_picture(ours.body["messages"]) == without_picture(theirs.body["messages"])
    alike = ("model", "temperature", "max_completion_tokens")
    assert [ours.body[key] for key in alike] == [theirs.body[key] for key in alike]
    deliberate = {"top_p", "repetition_detection", "stream", "stream_options"}
    assert set(ours.body) - deliberate == set(theirs.body) - deliberate


def without_picture(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages with the data of their pictures cut out, the kind of data kept."""
    copy: list[dict[str, Any]] = json.loads(json.dumps(messages))
    for message in copy:
        for part in message["content"]:
            if part["type"] == "image_url":
                part["image_url"]["url"] = part["image_url"]["url"].partition(",")[0]
    return copy


def random_layout(rng: random.Random) -> str:
    """A well-formed answer for a picture of 868 x 1232 pixels: ordered boxes, any text."""
    texts = (
        *(
            "plain",
            " padded\n",
            "# A title",
            "two\nlines",
            'a "quoted" word',
            "back\\slash",
            "한글",
        ),
        *("`$x$`", "a `$b$` c", "<table><tr><td>1</td></tr></table>", "", "\U0001f600", "tab\tbed"),
    )
    formulas = (r"\frac{a}{b}", "$$x$$", r"\[ \alpha \]", "$a$ and $b$", r"$$ \beta $$")
    categories = ("Text", "Title", "Table", "List-item", "Caption", "Footnote", "Section-header")
    cells = []
    for number in range(rng.randint(1, 12)):
        left, top = rng.randint(0, 800), rng.randint(0, 1_100)
        box: list[Any] = [left, top, rng.randint(left + 6, 868), rng.randint(top + 6, 1_232)]
        if rng.random() < 0.3:
            box = [value + rng.choice((0, 0.25, -0.5)) if value > 1 else value for value in box]
            box[2:] = [868, 1_232.0]
        cell: dict[str, Any] = {"bbox": box, "category": rng.choice(categories)}
        cell["text"] = f"{rng.choice(texts)} {number}" if rng.random() < 0.7 else rng.choice(texts)
        if rng.random() < 0.15:
            cell |= {"category": "Formula", "text": rng.choice(formulas)}
        if rng.random() < 0.15:
            cell = {"bbox": box, "category": "Picture"}
        if rng.random() < 0.1:
            cell |= {"category": rng.choice(("Page-header", "Page-footer")), "text": f"p. {number}"}
        cells.append(cell)
    unique = {json.dumps(cell, sort_keys=True): cell for cell in cells}
    return json.dumps(
        [*unique.values()], ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, 2))
    )


def test_cells(reference: Reference, server: ModelServer, tmp_path: Path) -> None:
    """Well-formed answers of many kinds: equal cells, in equal order, and equal Markdown."""
    rng = random.Random(7)
    answers = [random_layout(rng) for _ in range(30)]
    answers.append('[{"bbox": ["12", "30.5", 200, 3e2], "category": "Text", "text": "numbers"}]')
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(len(answers)):
        article(50).save(folder / f"page{number}.png")  # all alike
    server.script = in_turn(*(Reply(text) for text in answers))
    run = run_ours(server, folder, tmp_path / "out", "-p", 1, "--retries", 0)
    for page, answer in zip(run.as_read, answers, strict=True):
        made = reference.read(folder / "page0.png", [answer])
        assert run.records[page]["status"] == "ok"
        assert not made.error
        assert run.cells(page) == made.cells, answer
        assert comparable(run.text(page, ".md")) == comparable(made.pages[0]["md"]), answer
        assert comparable(run.text(page, "_nohf.md")) == comparable(made.pages[0]["nohf"]), answer
