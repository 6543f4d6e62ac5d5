"""A batch from its first page to its last: check the server, read, record, and tell people."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import preflight
from alike import Alike
from checks import Changes, Reading
from contract import (
    DOUBTFUL,
    FAILED,
    LEFT,
    PAGE_ENDINGS,
    STATUSES,
    WHOLE,
)
from preflight import Fitness, Unfit
from purse import Purse
from read_page import Settings, endpoint_of
from reading import read_all, say
from results.manifest import Manifest, summary
from results.pages import find_pages, select
from second_reader import doubted_elsewhere
from server.endpoint import Model
from server.in_flight import engines_in
from server.verdicts import EndpointError, ServerGone, Unreachable
from todo import longest_first, plan
from walk import told
from wanted_pages import selection_from
from workers.executor import Executor, count_apart
from workers.interrupt import Interrupt
from workers.pool import PoolError

R = TypeVar("R")
UNCLEAR = (
    "the server cannot tell how it sees a prompt with a picture (it has no /tokenize, or one"
    " of another form); the tokens that it counts for the first pages are checked instead"
)
FIRST = "make report shows them first"
OVERRULE = "or PREFLIGHT=0 if it reads pages well all the same"


class BatchError(Exception):
    """The batch cannot begin. The message says what failed, why, and what to do."""


class UnknownModel(BatchError):
    """The server does not serve the model that was asked for."""


@dataclass(frozen=True)
class End:
    """How a batch ended: its totals, as in summary.json, and whether a signal ended it.

    cut_short: it could not go on; pages that were left may have a record of an earlier run.
    is_poor: it stopped because the budget ran out, as the user wanted.
    """

    totals: dict[str, Any]
    interrupted: bool
    cut_short: bool = False
    is_poor: bool = False


@dataclass(frozen=True)
class Prices:
    """USD per hour: for this machine, and for each other node of a fleet."""

    here: float = 0.0
    worker: float = 0.0


def run_batch(
    settings: Settings,
    executor: Executor,
    state: Path,
    prices: Prices,
    purse: Purse | None = None,
    checks: Mapping[Reading, Changes] | None = None,
) -> End:
    """Read all pages of the input that are not done yet. Raises BatchError.

    state is the folder of this computer where the manifest grows. If settings.model is empty, the
    server is asked for it. checks are what a second reader has found elsewhere.
    """
    started = time.monotonic()
    purse = purse or Purse(prices.here)
    not_read = Counter[str]()
    pages = find_pages(
        settings.input,
        lambda files: count_apart(files, settings.page_timeout_s, settings.password),
        settings.output,
        not_read,
    )
    pages = select(pages, selection_from(settings.pages), not_read)
    fitness = None
    with open_manifest(settings, state) as manifest:
        for record in [*doubted_elsewhere(manifest.records.values(), checks or {})]:
            manifest.add(record)
        if pages:
            model = ask(executor, find_model, settings)
            settings = replace(settings, model=model.name, max_model_tokens=model.max_tokens)
            tasks = plan(pages, {} if settings.force else manifest.records, settings)
            tasks = longest_first(tasks, pages, settings.input)
            if tasks and settings.preflight:
                fitness = ask(executor, check_server, model, settings)
                settings = with_prompt(settings, fitness)
                if not (fitness.sees_size or model.on_cpu):
                    say(UNCLEAR)
            if tasks and model.lacks:
                say(f"{model.name}: {model.lacks}")
        else:
            which = f"page {settings.pages} in " if settings.pages else ""
            what = f"no {which}{', '.join(PAGE_ENDINGS)} below {settings.input}"
            say(what if told(not_read) else f"{what}: nothing to do")
            model, tasks = Model(""), []
        with Interrupt(until_s=purse.ends_s) as interrupt:
            alike = Alike()
            read_now, cut_short = read_all(
                tasks, settings, manifest, executor, interrupt, len(pages), fitness, alike, purse
            )
            for record in alike.rest((t for t in tasks if not t.has_results), settings):
                manifest.add(record)
                read_now.append(record)
                say(f"failed: {record.input} {record.reason}")
            records = manifest.finish(alike.without_rest(pages))
            seconds = time.monotonic() - started
            others = max(0.0, executor.node_hours - seconds / 3600)
            gpus = 0 if model.on_cpu else model.engines
            totals = summary(records, read_now, seconds, prices.here, gpus, others, prices.worker)
            totals |= {"model": model.name, "lacks": model.lacks, "settings": settings.recipe}
            totals |= {"not_read": dict(not_read.most_common()), "selected": settings.pages}
            manifest.write_summary(totals)
            is_poor = purse.has_run_out and totals[LEFT] > 0
            if is_poor:
                say(f"BUDGET: {totals[LEFT]:,} pages are left, at {purse.usd:.2f} USD")
            if sys.stderr.isatty() or is_told(totals):
                say(sentence(totals))  # in this block, since no signal may strike in tqdm's lock
    return End(totals, bool(interrupt.signal), cut_short, is_poor)


def open_manifest(settings: Settings, state: Path) -> Manifest:
    """Open the manifest of the results, for this process only. Raises BatchError."""
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
    """Call a function where the pages are read. Raises BatchError."""
    try:
        return executor.call(function, *arguments)
    except PoolError as error:
        raise BatchError(str(error)) from error


def find_model(settings: Settings) -> Model:
    """Return the served model to use. Waits for a server that is still loading."""
    url = settings.endpoint
    endpoint = endpoint_of(settings, 0)
    try:
        if not endpoint.is_healthy():
            say(f"waiting up to {settings.ready_timeout_s:.0f} s for a model server at {url}")
        models = endpoint.models()
        engines = engines_in(endpoint.metrics())
    except EndpointError as error:
        is_away = isinstance(error, ServerGone) and not isinstance(error, Unreachable)
        remedy = ": start the server, or give its" if is_away else "; or give another"
        raise BatchError(f"{error}{remedy} --endpoint") from error
    finally:
        endpoint.close()
    if not models:
        raise BatchError(f"{url} serves no model")
    names = ", ".join(model.name for model in models)
    if not settings.model:
        if len({model.root for model in models}) > 1:
            raise UnknownModel(f"{url} serves {names}: say with --model which is to read the pages")
        return replace(models[0], engines=engines)
    for model in models:
        if model.name == settings.model:
            return replace(model, engines=engines)
    raise UnknownModel(
        f"no model {settings.model!r} at {url}, which serves {names}: change --model"
    )


def check_server(model: Model, settings: Settings) -> Fitness:
    """Refuse a server that would read the pages wrongly without any error. Raises BatchError."""
    endpoint = endpoint_of(replace(settings, ready_timeout_s=0), 0)
    try:
        return preflight.check(endpoint, model, settings.prompt_mode, settings.max_pixels)
    except Unfit as error:
        raise BatchError(f"{settings.endpoint}: {error}; {OVERRULE}") from error
    except EndpointError as error:
        raise BatchError(f"{settings.endpoint}: {error}") from error
    finally:
        endpoint.close()


def with_prompt(settings: Settings, fitness: Fitness) -> Settings:
    """Return the settings with the prompt's size in tokens, if the server told it."""
    return replace(settings, prompt_tokens=fitness.prompt_tokens or settings.prompt_tokens)


def is_told(totals: Mapping[str, Any]) -> bool:
    """Whether to print the totals even if no terminal watches: if pages were lost, or not read.

    A loss of an earlier run was told then. It is told again only if a new run can still fix it.
    """
    is_whole = all(totals[status] == 0 for status in STATUSES if status not in WHOLE)
    is_news = totals["run"]["pages"] > 0 and not is_whole
    return bool(totals[FAILED] or totals[LEFT] or told(totals["not_read"])) or is_news


def sentence(totals: Mapping[str, Any]) -> str:
    """Return the totals as one sentence for people."""
    run = totals["run"]
    order = [*(status for status in STATUSES if status != DOUBTFUL), DOUBTFUL]
    counts = ", ".join(f"{totals[s]:,} {s}" for s in order if totals[s])
    counts += f": {FIRST}" if totals[DOUBTFUL] else ""
    again = "; run again for the rest" if totals[FAILED] or totals[LEFT] else ""
    which = f" (PAGES={totals['selected']})" if totals["selected"] else ""
    others = f"; {text}" if (text := told(totals["not_read"])) else ""
    return (
        f"{totals['pages']:,} pages{which}: {counts or 'none'}; {run['pages']:,} read now,"
        f" {run['pages_per_second']:.2f} pages/s{again}{others}"
    )
