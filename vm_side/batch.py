"""A batch from its first page to its last: what is asked, read, written down and said."""

import contextlib
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

import preflight
from contract import DONE, FAILED, LEFT, STATUSES, WHOLE
from read_page import Settings, Task, failed_record
from results.manifest import Manifest, Record, summary
from results.pages import find_pages
from results.progress import Progress
from server.endpoint import Endpoint, Model
from server.verdicts import EndpointError
from todo import longest_first, plan
from workers.executor import Executor
from workers.interrupt import Interrupt
from workers.pool import Crash, PoolError

R = TypeVar("R")


class BatchError(Exception):
    """The batch cannot begin; says what failed, why, and what to do."""


class UnknownModel(BatchError):
    """The server does not serve the model that was asked for."""


@dataclass(frozen=True)
class End:
    """How a batch ended: its totals, as in summary.json, and whether a signal ended it.

    cut_short: it could not go on; pages that were left may have a record of an earlier run.
    """

    totals: dict[str, Any]
    interrupted: bool
    cut_short: bool = False


@dataclass(frozen=True)
class Prices:
    """USD an hour: of this machine, and of each other node of a fleet."""

    here: float = 0.0
    worker: float = 0.0


def run_batch(
    settings: Settings, executor: Executor, state: Path, prices: Prices, force: bool
) -> End:
    """Read all pages of the input that are not done yet. Raises BatchError.

    state is the folder of this computer where the manifest grows. settings.model may be empty: the
    server is asked.
    """
    started = time.monotonic()
    pages = find_pages(settings.input)
    with open_manifest(settings, state) as manifest:
        if pages:
            model = ask(executor, find_model, settings)
            settings = replace(settings, model=model.name, max_model_tokens=model.max_tokens)
            tasks = plan(pages, {} if force else manifest.records, settings)
            tasks = longest_first(tasks, pages, settings.input)
            if tasks:
                ask(executor, check_server, model, settings)
        else:
            say(f"no .png, .jpg, .jpeg or .pdf below {settings.input}: nothing to do")
            model, tasks = Model(""), []
        with Interrupt() as interrupt:
            read_now, cut_short = read_all(
                tasks, settings, manifest, executor, interrupt, len(pages)
            )
            records = manifest.finish(pages)
            seconds = time.monotonic() - started
            others = max(0.0, executor.node_hours - seconds / 3600)
            gpus = 0 if model.on_cpu else 1
            totals = summary(records, read_now, seconds, prices.here, gpus, others, prices.worker)
            totals |= {"model": model.name, "settings": settings.recipe}
            manifest.write_summary(totals)
            if sys.stderr.isatty() or is_told(totals):
                say(sentence(totals))  # in here: a signal must not come into tqdm's lock
    return End(totals, bool(interrupt.signal), cut_short)


def open_manifest(settings: Settings, state: Path) -> Manifest:
    """Open the manifest of the results, for this process alone."""
    try:
        return Manifest(state, settings.output)
    except BlockingIOError as error:
        raise BatchError(f"{error}: wait for its end, or stop it") from error
    except OSError as error:
        raise BatchError(
            f"{settings.output} cannot be written ({error.strerror or error}):"
            " give another --output"
        ) from error


def ask(executor: Executor, function: Callable[..., R], *arguments: Any) -> R:
    """Call a function where the pages are read."""
    try:
        return executor.call(function, *arguments)
    except PoolError as error:
        raise BatchError(str(error)) from error


def find_model(settings: Settings) -> Model:
    """The served model to use; waits for a server that is still loading."""
    url = settings.endpoint
    endpoint = Endpoint(url, settings.request_timeout_s, settings.ready_timeout_s, 0)
    try:
        if not endpoint.is_healthy():
            say(f"waiting up to {settings.ready_timeout_s:.0f} s for a model server at {url}")
        models = endpoint.models()
    except EndpointError as error:
        raise BatchError(f"{error}: start the server, or give its --endpoint") from error
    finally:
        endpoint.close()
    if not models:
        raise BatchError(f"{url} serves no model")
    if not settings.model:
        return models[0]
    for model in models:
        if model.name == settings.model:
            return model
    names = ", ".join(model.name for model in models)
    raise UnknownModel(
        f"no model {settings.model!r} at {url}, which serves {names}: change --model"
    )


def check_server(model: Model, settings: Settings) -> None:
    """Refuse a server that would read the pages wrongly without a word."""
    endpoint = Endpoint(settings.endpoint, settings.request_timeout_s, 0, 0)
    try:
        preflight.check(endpoint, model, settings.prompt_mode, settings.max_pixels)
    except EndpointError as error:
        raise BatchError(f"{settings.endpoint}: {error}") from error
    finally:
        endpoint.close()


def read_all(
    tasks: list[Task],
    settings: Settings,
    manifest: Manifest,
    executor: Executor,
    interrupt: Interrupt,
    page_count: int,
) -> tuple[list[Record], bool]:
    """Read the tasks and record what comes: (what was read, whether it had to end early)."""
    read_now: list[Record] = []
    cut_short = False
    progress = Progress(manifest.folder, page_count, page_count - len(tasks))
    bar = tqdm(
        total=page_count,
        initial=page_count - len(tasks),
        unit="page",
        dynamic_ncols=True,
        disable=not sys.stderr.isatty(),
    )
    with bar, contextlib.closing(executor.read(tasks, settings, interrupt)) as results:
        try:
            for task, result in results:
                record = (
                    failed_record(task, result.reason, settings)
                    if isinstance(result, Crash)
                    else result
                )
                if record.status == LEFT:
                    say(record.reason)
                    cut_short = True
                    break
                manifest.add(record)
                if task.drawn_from is None or record.status == FAILED:  # drawing is not reading
                    read_now.append(record)
                if record.status == FAILED:
                    say(f"failed: {name_of(record)}: {record.reason}")
                    bar.set_postfix(failed=sum(r.status == FAILED for r in read_now), refresh=False)
                bar.update()
                progress.count(record)
        except PoolError as error:
            say(f"{error}: what is left is for the next run")
            cut_short = True
        finally:
            progress.write()
    return read_now, cut_short


def name_of(record: Record) -> str:
    """The page, for people."""
    page = "" if record.pdf_page is None else f" page {record.pdf_page}"
    return f"{record.input}{page}"


def is_told(totals: Mapping[str, Any]) -> bool:
    """Whether the totals are worth a line also where nobody watches: what is lost is told.

    Of pages that were read on another night it was told then, unless a run can still mend it.
    """
    is_whole = all(totals[status] == 0 for status in STATUSES if status not in WHOLE)
    return bool(totals[FAILED] or totals[LEFT]) or (totals["run"]["pages"] > 0 and not is_whole)


def sentence(totals: Mapping[str, Any]) -> str:
    """The totals, for people."""
    run = totals["run"]
    counts = ", ".join(f"{totals[s]} {s}" for s in (*DONE, FAILED, LEFT) if totals[s])
    again = "; run again for the rest" if totals[FAILED] or totals[LEFT] else ""
    return (
        f"{totals['pages']} pages: {counts or 'none'}; {run['pages']} read now,"
        f" {run['pages_per_second']:.2f} pages/s{again}"
    )


def say(text: str) -> None:
    """A line for people, above the progress bar."""
    tqdm.write(" ".join(text.split("\n")), file=sys.stderr)
