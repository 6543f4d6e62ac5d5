"""The page function: one page of the input -> its result files and its record.

What runs in a worker. It needs nothing but its settings and the file, and may be run twice.
"""

import ctypes
import functools
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from answer.cells import Cell
from answer.ladder import climb
from answer.layout import to_page
from contract import DRAWING_ENDING, FAILED, LEFT, recipe_of
from picture.images import (
    UnreadablePage,
    is_blank,
    model_picture,
    open_image,
    open_pdf_page,
)
from picture.limits import KEPT_PIXELS, OUT_OF_MEMORY, Turn, in_turn, is_large
from picture.png import encode_png
from results.counting import pdf_source
from results.files import ASIDE, drawing_of, results_of, write_files, write_results
from results.manifest import Record
from results.pages import Page
from results.store import Place, Remote
from server.endpoint import Endpoint
from server.request import Completion, Sampling, image_tokens
from server.room import PROMPT_TOKENS, answer_room
from server.verdicts import EndpointError, ServerGone

NO_PAGE = Image.new("L", (1, 1))  # where no part of the page is wanted
FETCHING = threading.Lock()  # of a PDF, which its other pages' threads want, too


@dataclass(frozen=True)
class Settings:
    """What holds for all pages of a batch. max_model_tokens is the model's context, 0: unknown.

    prompt_tokens is what the prompt takes of it, at most.
    """

    input: Place
    output: Place
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
    prompt_tokens: int = PROMPT_TOKENS
    preflight: bool = True
    api_key: str = field(default="", repr=False)
    page_timeout_s: float = 60.0

    @property
    def recipe(self) -> dict[str, Any]:
        """What decides the result of a page, as in Record.settings."""
        return recipe_of(self)


@dataclass(frozen=True, slots=True)
class Task:
    """A page to read; sha256 of a PDF (hashed once for all its pages), else empty.

    version is the store's mark of the file's content, empty on a disk. drawn_from is the record of
    a page that is done and lacks nothing but its drawing. A twin is the same task in a second
    worker, which writes its files aside.
    """

    page: Page
    sha256: str = ""
    version: str = ""
    drawn_from: Record | None = None
    is_twin: bool = False


def twin_of(task: Task) -> Task | None:
    """The twin of a task that asks the model; a drawing alone has none."""
    return replace(task, is_twin=True) if task.drawn_from is None else None


def make_reader(settings: Settings, turn: Turn) -> Callable[[Task], Record]:
    """The page function of one worker, with a connection of its own, which computes in turns."""
    endpoint = endpoint_of(settings, settings.retries)
    return functools.partial(read_page, settings=settings, endpoint=endpoint, turn=turn)


def endpoint_of(settings: Settings, retries: int) -> Endpoint:
    """A connection to the model server."""
    return Endpoint(
        settings.endpoint,
        settings.request_timeout_s,
        settings.ready_timeout_s,
        retries,
        settings.api_key,
    )


def read_page(
    task: Task, settings: Settings, endpoint: Endpoint, turn: Turn = nullcontext
) -> Record:
    """Read one page and write its files. Never raises for a bad page: its record says why.

    It computes within a turn(), and waits for the model and for a store outside.
    """
    started = time.monotonic()
    draft = _Draft(task)
    if task.is_twin:
        settings = replace(settings, output=settings.output / ASIDE)
    try:
        if task.drawn_from is not None:
            redraw(task, settings, turn)
            return task.drawn_from
        status, reason = _read(draft, settings, endpoint, turn)
    except ServerGone as error:
        status, reason = LEFT, str(error)
    except (UnreadablePage, EndpointError) as error:
        status, reason = FAILED, str(error)
    except MemoryError:
        status, reason = FAILED, OUT_OF_MEMORY
        give_memory_back()
    except OSError as error:
        status, reason = FAILED, f"{error.strerror or error}: {error.filename or settings.output}"
    return draft.record(status, reason, time.monotonic() - started, settings)


def failed_record(task: Task, reason: str, settings: Settings) -> Record:
    """The record of a page of which no worker could tell anything."""
    return _Draft(task).record(FAILED, reason, 0.0, settings)


@dataclass
class _Draft:
    """What is known of a page so far, for its record whatever happens."""

    task: Task
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def page(self) -> Page:
        return self.task.page

    def record(self, status: str, reason: str, seconds: float, settings: Settings) -> Record:
        return Record(
            page=self.page.result,
            input=self.page.input,
            pdf_page=self.page.pdf_page,
            status=status,
            reason=reason,
            version=self.task.version,
            seconds=round(seconds, 3),
            finished_at=round(time.time(), 3),
            model=settings.model,
            settings=settings.recipe,
            **({"sha256": self.task.sha256} | self.values),
        )


def _read(draft: _Draft, settings: Settings, endpoint: Endpoint, turn: Turn) -> tuple[str, str]:
    """Fill the draft, write the files, and return (status, reason)."""
    source = _fetch(draft.task, settings)
    sent = in_turn(turn, source, draft.page.pdf_page, lambda: _prepare(source, draft, settings))
    if sent.png is None:
        write_results(settings.output, draft.page.result, sent.blank_results)
        return "blank", "one even colour: not sent"
    png, size = sent.png, sent.size
    if sent.page is not None:
        source = b""  # a page waits for minutes; what it needs no more need not

    question = image_tokens(size) + settings.prompt_tokens

    def ask(prompt: str, sampling: Sampling) -> Completion:
        return endpoint.complete(settings.model, png, prompt, sampling, question)

    limit = answer_room(settings.max_model_tokens, question)
    outcome = climb(ask, settings.prompt_mode, limit, settings.retries, [0, 0, *size])
    draft.values |= {
        "attempts": outcome.attempts,
        "tokens_in": outcome.tokens_in,
        "tokens_out": outcome.tokens_out,
        "finish_reason": outcome.finish_reason,
    }
    if outcome.answer is None:
        return FAILED, outcome.reason
    needs_page = settings.images or has_pictures(outcome.answer.cells)
    with turn(sent.page is None and needs_page and is_large(*sent.page_size)):
        cells, notes = to_page(outcome.answer.cells, size, sent.page_size)
        draft.values |= {"cells": len(cells), "notes": [*outcome.answer.notes, *notes]}
        page = sent.page or (_again(source, draft, sent.page_size) if needs_page else NO_PAGE)
        results = results_of(cells, page, settings.images)
        del page
    write_results(settings.output, draft.page.result, results)
    if not cells and outcome.status in ("ok", "repaired"):
        return "blank", "the model found nothing on it"
    return outcome.status, outcome.reason


@dataclass(frozen=True)
class Sent:
    """What is kept of a page while the model answers: of a large one not its own picture."""

    page: Image.Image | None
    page_size: tuple[int, int]
    size: tuple[int, int] = (0, 0)
    png: bytes | None = None
    """What is sent; None of a blank page, whose results these are."""
    blank_results: dict[str, bytes] = field(default_factory=dict)


def _prepare(source: Path | bytes, draft: _Draft, settings: Settings) -> Sent:
    """Decode the page and make of it what is sent."""
    page = _open(source, draft.task, draft.values)
    draft.values["original_size"] = list(page.size)
    if is_blank(page):
        results = results_of([], page, settings.images)
        return Sent(None, page.size, blank_results=results)
    upsample_below = settings.upsample_below if draft.page.pdf_page is None else 0
    picture = model_picture(page, settings.max_pixels, upsample_below)
    page_size, size = page.size, picture.size
    draft.values["model_size"] = list(size)
    kept = page if page.width * page.height <= KEPT_PIXELS else None
    if kept is None:
        del page
    png = encode_png(picture)
    del picture
    give_memory_back()
    return Sent(kept, page_size, size, png)


def has_pictures(cells: Iterable[Cell]) -> bool:
    """Whether parts of the page itself belong to the results."""
    return any(cell["category"] == "Picture" for cell in cells)


def _again(source: Path | bytes, draft: _Draft, size: tuple[int, int]) -> Image.Image:
    """Decode a page once more. Raises UnreadablePage if it is another one by now."""
    values: dict[str, Any] = {}
    page = _open(source, draft.task, values)
    if page.size != size or any(draft.values[name] != value for name, value in values.items()):
        raise UnreadablePage("the file changed while its page was read: run again")
    return page


def give_memory_back() -> None:
    """Return what is free to the system: many workers wait, few compute (glibc keeps it else)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _fetch(task: Task, settings: Settings) -> Path | bytes:
    """The page's file: what a store holds, or where it is on a disk. Raises UnreadablePage."""
    if task.page.fault:
        raise UnreadablePage(task.page.fault)
    place = settings.input / task.page.input
    if isinstance(place, Path):
        return place
    if task.page.pdf_page is None:
        return place.read_bytes()
    with FETCHING:
        return kept_bytes(place, task.sha256)


@functools.lru_cache(maxsize=1)
def kept_bytes(place: Remote, sha256: str) -> Path | bytes:
    """A PDF's content, fetched once for pages that follow one another."""
    return pdf_source(place)


def _open(source: Path | bytes, task: Task, values: dict[str, Any]) -> Image.Image:
    """Decode the page; a picture's hash goes into the values."""
    if task.page.pdf_page is not None:
        return open_pdf_page(source, task.page.pdf_page)
    data = source if isinstance(source, bytes) else source.read_bytes()
    values["sha256"] = hashlib.sha256(data).hexdigest()
    return open_image(data)


def redraw(task: Task, settings: Settings, turn: Turn) -> None:
    """Draw the boxes of a page that was read before; asks the model nothing."""
    name = task.page.result
    cells = json.loads((settings.output / f"{name}.json").read_bytes())
    source = _fetch(task, settings)
    drawing = in_turn(
        turn, source, task.page.pdf_page, lambda: drawing_of(cells, _open(source, task, {}))
    )
    write_files(settings.output, {name + DRAWING_ENDING: drawing})
