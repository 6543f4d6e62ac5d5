"""The page function: one page of the input -> its result files and its record.

What runs in a worker. It needs nothing but its settings and the file, and may be run twice.
"""

import ctypes
import hashlib
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from answer import Cell
from endpoint import Completion, Endpoint, EndpointError, Sampling, ServerGone
from images import (
    UnreadablePage,
    is_blank,
    model_picture,
    open_image,
    open_pdf_page,
)
from ladder import LONGEST_ANSWER, climb
from layout import draw, markdown, to_page
from manifest import FAILED, LEFT, PICTURE_ENDING, RESULT_ENDINGS, Record
from pages import Page
from png import encode_png
from turns import Turns

ASIDE = ".aside"  # below the results: where twins write
TURNS = ".turns"  # there, too: whose turn it is to compute


@dataclass(frozen=True)
class Settings:
    """What holds for all pages of a batch. max_model_tokens is the model's context, 0: unknown."""

    input: Path
    output: Path
    endpoint: str
    model: str
    max_model_tokens: int
    prompt_mode: str
    max_pixels: int
    upsample_below: int
    images: bool
    request_timeout_s: float
    ready_timeout_s: float
    retries: int

    @property
    def recipe(self) -> dict[str, Any]:
        """What decides the result of a page, as in Record.settings."""
        return {
            "prompt_mode": self.prompt_mode,
            "max_pixels": self.max_pixels,
            "upsample_below": self.upsample_below,
        }


@dataclass(frozen=True)
class Task:
    """A page to read; sha256 of a PDF (hashed once for all its pages), else empty.

    drawn_from is the record of a page that is done and lacks nothing but its drawing. A twin is
    the same task in a second worker, which writes its files aside.
    """

    page: Page
    sha256: str = ""
    drawn_from: Record | None = None
    is_twin: bool = False


def twin_of(task: Task) -> Task | None:
    """The twin of a task that asks the model; a drawing alone has none."""
    return replace(task, is_twin=True) if task.drawn_from is None else None


def make_reader(settings: Settings) -> Callable[[Task], Record]:
    """The page function of one worker, with a connection of its own."""
    endpoint = Endpoint(
        settings.endpoint,
        settings.request_timeout_s,
        settings.ready_timeout_s,
        settings.retries,
    )
    turns = Turns(settings.output / TURNS)
    return lambda task: read_page(task, settings, endpoint, turns.taken)


def read_page(
    task: Task,
    settings: Settings,
    endpoint: Endpoint,
    turn: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Record:
    """Read one page and write its files. Never raises for a bad page: its record says why.

    It computes within a turn(), and waits for the model outside.
    """
    started = time.monotonic()
    draft = _Draft(task.page, task.sha256)
    if task.is_twin:
        settings = replace(settings, output=settings.output / ASIDE)
    try:
        if task.drawn_from is not None:
            with turn():
                redraw(task.page, settings)
            return task.drawn_from
        status, reason = _read(draft, settings, endpoint, turn)
    except ServerGone as error:
        status, reason = LEFT, str(error)
    except (UnreadablePage, EndpointError) as error:
        status, reason = FAILED, str(error)
    except OSError as error:
        status, reason = FAILED, f"{error.strerror or error}: {error.filename or settings.output}"
    return draft.record(status, reason, time.monotonic() - started, settings)


def failed_record(task: Task, reason: str, settings: Settings) -> Record:
    """The record of a page of which no worker could tell anything."""
    return _Draft(task.page, task.sha256).record(FAILED, reason, 0.0, settings)


@dataclass
class _Draft:
    """What is known of a page so far, for its record whatever happens."""

    page: Page
    sha256: str
    values: dict[str, Any] = field(default_factory=dict)

    def record(self, status: str, reason: str, seconds: float, settings: Settings) -> Record:
        return Record(
            page=self.page.result,
            input=self.page.input,
            pdf_page=self.page.pdf_page,
            status=status,
            reason=reason,
            sha256=self.sha256,
            seconds=round(seconds, 3),
            finished_at=round(time.time(), 3),
            model=settings.model,
            settings=settings.recipe,
            **self.values,
        )


def _read(
    draft: _Draft,
    settings: Settings,
    endpoint: Endpoint,
    turn: Callable[[], AbstractContextManager[None]],
) -> tuple[str, str]:
    """Fill the draft, write the files, and return (status, reason)."""
    with turn():
        page = _open(draft, settings)
        draft.values["original_size"] = list(page.size)
        if is_blank(page):
            write_results(settings, draft.page, [], page)
            return "blank", "one even colour: not sent"
        upsample_below = settings.upsample_below if draft.page.pdf_page is None else 0
        picture = model_picture(page, settings.max_pixels, upsample_below)
        size = picture.size
        draft.values["model_size"] = list(size)
        png = encode_png(picture)
        del picture  # a page waits for minutes; its picture need not
        give_memory_back()

    def ask(prompt: str, sampling: Sampling) -> Completion:
        return endpoint.complete(settings.model, png, prompt, sampling)

    limit = min(LONGEST_ANSWER, settings.max_model_tokens or LONGEST_ANSWER)
    outcome = climb(ask, settings.prompt_mode, limit, settings.retries, [0, 0, *size])
    draft.values |= {
        "attempts": outcome.attempts,
        "tokens_in": outcome.tokens_in,
        "tokens_out": outcome.tokens_out,
        "finish_reason": outcome.finish_reason,
    }
    if outcome.answer is None:
        return FAILED, outcome.reason
    with turn():
        cells, notes = to_page(outcome.answer.cells, size, page.size)
        draft.values |= {"cells": len(cells), "notes": [*outcome.answer.notes, *notes]}
        write_results(settings, draft.page, cells, page)
    if not cells and outcome.status in ("ok", "repaired"):
        return "blank", "the model found nothing on it"
    return outcome.status, outcome.reason


def give_memory_back() -> None:
    """Return what is free to the system: many workers wait, few compute (glibc keeps it else)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _open(draft: _Draft, settings: Settings) -> Image.Image:
    if draft.page.fault:
        raise UnreadablePage(draft.page.fault)
    path = settings.input / draft.page.input
    if draft.page.pdf_page is not None:
        return open_pdf_page(path, draft.page.pdf_page)
    data = path.read_bytes()
    draft.sha256 = hashlib.sha256(data).hexdigest()
    return open_image(data)


def write_results(settings: Settings, page: Page, cells: list[Cell], picture: Image.Image) -> None:
    """Write a page's files beside the old ones, then put them in their place."""
    lines = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in cells)
    whole, body = markdown(cells, picture)
    content = {".md": whole, "_nohf.md": body, ".json": f"[{lines}]\n"}
    base = str(settings.output / page.result)
    Path(base).parent.mkdir(parents=True, exist_ok=True)
    for ending, text in content.items():
        Path(f"{base}{ending}.part").write_text(text, encoding="utf-8")
    if settings.images:
        write_drawing(base, cells, picture)
    else:  # a drawing of older cells would lie
        Path(base + PICTURE_ENDING).unlink(missing_ok=True)
    for ending in content:
        Path(f"{base}{ending}.part").replace(base + ending)


def take_from_aside(output: Path, page: Page) -> None:
    """Put what a twin wrote in its place. Whoever else wrote this page must be dead."""
    Path(output / page.result).parent.mkdir(parents=True, exist_ok=True)
    for ending in (*RESULT_ENDINGS, PICTURE_ENDING):
        name = page.result + ending
        Path(output / f"{name}.part").unlink(missing_ok=True)
        if (output / ASIDE / name).is_file():
            (output / ASIDE / name).replace(output / name)
        elif ending == PICTURE_ENDING:
            (output / name).unlink(missing_ok=True)


def write_drawing(base: str, cells: list[Cell], picture: Image.Image) -> None:
    """Write the page with its boxes as base.jpg."""
    part = Path(f"{base}{PICTURE_ENDING}.part")
    draw(cells, picture).save(part, "JPEG", quality=85)
    part.replace(base + PICTURE_ENDING)


def redraw(page: Page, settings: Settings) -> None:
    """Draw the boxes of a page that was read before; asks the model nothing."""
    base = str(settings.output / page.result)
    cells = json.loads(Path(base + ".json").read_text(encoding="utf-8"))
    write_drawing(base, cells, _open(_Draft(page, ""), settings))
