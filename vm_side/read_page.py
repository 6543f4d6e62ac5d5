"""The page function: one page of the input -> its result files and its record.

It runs in a worker. It needs only its settings and the file, and it is safe to run it twice.
"""

import functools
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from again import is_better, kept_of, reader_of, said_of
from answer.cells import Cell
from answer.judgement import NOT_ASKED, Judgement
from answer.ladder import Outcome, climb
from answer.views import Size, View, view_of
from contract import FAILED, LEFT, WHOLE, WITNESSES, recipe_of
from picture.images import UnreadablePage
from picture.limits import KEPT_BYTES, OUT_OF_MEMORY
from picture_files import PICTURE_FORMS
from results.fetching import content_of
from results.files import ASIDE, Wanted, write_results
from results.lacking import completed
from results.manifest import Record
from results.pages import Page
from results.steps import (
    Compute,
    Sent,
    at_once,
    enlarged,
    finish,
    give_memory_back,
    judged,
    needs_source,
    prepare,
)
from results.store import Place
from server.endpoint import Endpoint, Passage
from server.room import PROMPT_TOKENS, more_pixels
from server.silence import Silence
from server.verdicts import EndpointError, ServerGone
from trust.judging import Reader


@dataclass(frozen=True)
class Settings:
    """Settings for all pages of a batch. max_model_tokens is the model's context; 0 if unknown.

    prompt_tokens is what the prompt takes of it, at most. pages says which pages of each file are
    wanted, as PAGES does. password opens the PDFs that need one. witness is one of WITNESSES.
    doubtful: pages of this status are read again. force: all pages are read again.
    """

    input: Place
    output: Place
    endpoint: str
    model: str
    max_model_tokens: int
    prompt_mode: str
    max_pixels: int
    upsample_below: int
    rotate: str
    images: bool
    request_timeout_s: float
    ready_timeout_s: float
    retries: int
    prompt_tokens: int = PROMPT_TOKENS
    preflight: bool = True
    api_key: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    page_timeout_s: float = 60.0
    pages: str = ""
    witness: str = WITNESSES[0]
    doubtful: bool = False
    force: bool = False
    pictures: str = PICTURE_FORMS[0]

    @property
    def recipe(self) -> dict[str, Any]:
        """The settings that decide the result of a page, as in Record.settings."""
        return recipe_of(self)


@dataclass(frozen=True, slots=True)
class Task:
    """A page to read. sha256 is the hash of its file if it is known already, else empty.

    version is the store's mark of the file's content; empty on a disk. lacking is the record of a
    page that is done, and lacks only its drawing or its pictures. doubted is the record of a page
    to be read a second time; its results stay until there are better ones. lacks says what either
    of them lacks. A twin is the same task in a second worker, which writes its files aside.
    """

    page: Page
    sha256: str = ""
    version: str = ""
    lacking: Record | None = None
    doubted: Record | None = None
    lacks: Wanted | None = None
    is_twin: bool = False

    @property
    def has_results(self) -> bool:
        """Whether the page has results that stay, even if the task fails."""
        return self.lacking is not None or self.doubted is not None


def twin_of(task: Task) -> Task | None:
    """Return the twin of a task; None if the page has results already: such a task has no twin."""
    return None if task.has_results else replace(task, is_twin=True)


def make_reader(
    settings: Settings, compute: Compute, silence: Silence, door: Passage = nullcontext
) -> Callable[[Task], Record]:
    """Return the page function of one worker, with its own connection."""
    endpoint = endpoint_of(settings, settings.retries, silence, door)
    return functools.partial(read_page, settings=settings, endpoint=endpoint, compute=compute)


def endpoint_of(
    settings: Settings,
    retries: int,
    silence: Silence | None = None,
    door: Passage = nullcontext,
) -> Endpoint:
    """Return a connection to the model server."""
    return Endpoint(
        settings.endpoint,
        settings.request_timeout_s,
        settings.ready_timeout_s,
        retries,
        settings.api_key,
        silence,
        door,
    )


def read_page(
    task: Task, settings: Settings, endpoint: Endpoint, compute: Compute = at_once
) -> Record:
    """Read one page and write its files. Never raises for a bad page: its record says why.

    All computing is done in compute(). Waiting for the model or a store happens outside of it.
    """
    started = time.monotonic()
    draft = _Draft(task)
    if task.is_twin:
        settings = replace(settings, output=settings.output / ASIDE)
    try:
        if task.lacking is not None:
            return _completed(task.lacking, task, settings, compute)
        status, reason = _read(draft, settings, endpoint, compute)
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
    """Return the record of a page that no worker could report on."""
    return _Draft(task).record(FAILED, reason, 0.0, settings)


@dataclass
class _Draft:
    """What is known about a page so far, for its record in every case."""

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
            forced=settings.force,
            settings=settings.recipe,
            **({"sha256": self.task.sha256} | self.values),
        )


def _read(
    draft: _Draft, settings: Settings, endpoint: Endpoint, compute: Compute
) -> tuple[str, str]:
    """Fill the draft, write the files, and return (status, reason)."""
    task, pdf_page, values = draft.task, draft.page.pdf_page, draft.values
    source = _fetched(task, settings)
    wanted = Wanted(task.page.result, settings.images, settings.pictures)
    shape = settings.max_pixels, settings.upsample_below, settings.rotate
    sent = compute(prepare, source, pdf_page, values, *shape, wanted, settings.witness)
    if sent.png is None:
        write_results(settings.output, draft.page.result, sent.blank_results)
        return "blank", "one even colour: not sent"
    if sent.page is not None or (isinstance(source, bytes) and len(source) > KEPT_BYTES):
        source = b""  # the wait takes minutes: hold nothing that is large or no longer needed

    def opened() -> Path | bytes:
        return source if source or sent.page is not None else _fetched(task, settings)

    reader = reader_of(task.doubted, values)
    outcome = _ask(draft, sent, opened, settings, endpoint, compute, reader)
    sent = replace(sent, png=None, size=outcome.size)
    values |= {
        "attempts": outcome.attempts,
        "tokens_in": outcome.tokens_in,
        "tokens_out": outcome.tokens_out,
        "doubt_tokens": outcome.doubt_tokens,
        "finish_reason": outcome.finish_reason,
    }
    if outcome.answer is None:
        return FAILED, outcome.reason
    if task.doubted is not None and not is_better(outcome, task.doubted):
        values |= kept_of(_completed(task.doubted, task, settings, compute))
        return task.doubted.status, task.doubted.reason
    values |= said_of(outcome, reader)
    cells = outcome.answer.cells
    is_opened = needs_source(cells, sent, pdf_page, wanted)
    source = (source or _fetched(task, settings)) if is_opened else b""
    results, notes = compute(finish, source, pdf_page, values, sent, cells, wanted)
    values["notes"] = [*values.get("notes", ()), *outcome.answer.notes, *notes]
    write_results(settings.output, draft.page.result, results)
    if not values["cells"] and outcome.status in WHOLE:
        return "blank", "the model found nothing on it"
    return outcome.status, outcome.reason


def _ask(
    draft: _Draft,
    sent: Sent,
    opened: Callable[[], Path | bytes],
    settings: Settings,
    endpoint: Endpoint,
    compute: Compute,
    reader: Reader | None,
) -> Outcome:
    """Ask the model about the page, and compare each answer with the page."""
    assert sent.png is not None
    pdf_page, values = draft.page.pdf_page, draft.values
    context, prompt_tokens = settings.max_model_tokens, settings.prompt_tokens
    show = functools.partial(view_of, endpoint, settings.model, context, prompt_tokens)
    more = more_pixels(settings.max_pixels, context, prompt_tokens) if sent.is_capped else 0
    kept = replace(sent, png=None)

    def judge(cells: Sequence[Cell], size: Size) -> Judgement:
        if kept.evidence is None:
            return NOT_ASKED
        answered = cells, size, settings.prompt_mode
        return compute(judged, b"", pdf_page, values, kept, *answered, reader)

    def larger() -> View | None:
        if not more:
            return None
        try:
            picture = compute(enlarged, opened(), pdf_page, values, kept, more)
        except (UnreadablePage, MemoryError, OSError):
            return None  # the answers so far are kept
        return show(*picture, is_checked=False)

    return climb(
        show(sent.png, sent.size),
        settings.prompt_mode,
        settings.retries,
        judge,
        larger,
        is_second_reading=draft.task.doubted is not None,
    )


def _fetched(task: Task, settings: Settings) -> Path | bytes:
    """Return the path or the bytes to open the task's page from. Raises UnreadablePage."""
    return content_of(task.page, settings.input, task.sha256)


def _completed(record: Record, task: Task, settings: Settings, compute: Compute) -> Record:
    """Make what a page lacks that was read before, and return its record. No model is asked."""
    if task.lacks is None:
        return record
    return completed(record, settings.output, task.lacks, lambda: _fetched(task, settings), compute)
