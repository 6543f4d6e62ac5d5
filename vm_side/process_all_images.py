#!/usr/bin/env python3
"""Read all pages below a folder with a dots.ocr model server: layout, text, Markdown.

It runs where the server runs, or gives the pages to a fleet of such machines (--scheduler). Every
page becomes files that keep the input's folders
(100dpi/page1.png -> 100dpi/page1/page1.json) and a line in manifest.jsonl. If anything went wrong,
run it again: it reads only what is missing or failed.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from batch import BatchError, End, Prices, UnknownModel, run_batch
from checks import read_checks
from contract import (
    AUTO,
    KEY,
    KEY_FILE,
    PASSWORD,
    PASSWORD_FILE,
    ROTATIONS,
    WITNESSES,
    ExitCode,
    key_from,
    password_from,
)
from options import Number, Whole, endpoint_url, page_list
from picture.images import MAX_PIXELS, MIN_PIXELS
from picture_files import PICTURE_FORMS
from prompts import PROMPTS
from purse import Purse
from read_page import Settings
from results import metrics
from results.store import Place, Remote, place_of
from saying import printable, run, say_above_bar, show_line
from troubles import explained
from version import version_option
from walk import as_on_disk, told
from workers.executor import Executor, ProcessPool
from workers.interrupt import STOP_SIGNALS
from workers.pool import PoolError


@click.command(help=__doc__, context_settings={"max_content_width": 100, "show_default": True})
@click.option("--input", "input_dir", envvar="INPUT", default="~/input", help="Folder of pages.")
@click.option("--output", "output_dir", envvar="OUTPUT", default="~/result", help="Results.")
@click.option(
    "--scheduler",
    envvar="SCHEDULER",
    metavar="tcp://HOST:PORT",
    help="Have the workers of this Dask scheduler read; the two folders may be URLs then (gs://…).",
)
@click.option(
    "--state",
    envvar="STATE",
    help="Folder for the manifest, if the results are at a URL.",
)
@click.option(
    "-p",
    "--processes",
    envvar="PROCESSES",
    default=256,
    type=Whole(1, 512),
    help="Maximum number of pages read at the same time; the server's metrics decide how many.",
)
@click.option(
    "-m",
    "--max-pixels",
    envvar="MAX_PIXELS",
    default=2_000_000,
    type=Whole(MIN_PIXELS, MAX_PIXELS),
    help="Maximum pixels of the picture that the model sees.",
)
@click.option(
    "--upsample-below",
    envvar="UPSAMPLE_BELOW",
    default=1_200_000,
    type=Whole(0),
    help="Pictures with this many pixels or fewer are enlarged first.",
)
@click.option(
    "--rotate",
    envvar="ROTATE",
    default=AUTO,
    type=click.Choice(ROTATIONS),
    help="Degrees to turn each page clockwise; auto: turned pages are found and set upright.",
)
@click.option("-i", "--images", envvar="IMAGES", is_flag=True, help="Also draw the boxes (.jpg).")
@click.option(
    "--pictures",
    envvar="PICTURES",
    default=PICTURE_FORMS[0],
    type=click.Choice(PICTURE_FORMS),
    help="Picture cells: files next to the Markdown, inside it (inline), or none.",
)
@click.option(
    "--endpoint",
    envvar="ENDPOINT",
    default="http://127.0.0.1:8000",
    callback=endpoint_url,
    help="URL of the model server.",
)
@click.option(
    "--api-key-file",
    envvar=KEY_FILE,
    default="",
    show_default=False,
    help=f"File with the server's key; or the key itself in the variable {KEY}.",
)
@click.option(
    "--preflight/--no-preflight",
    envvar="PREFLIGHT",
    default=True,
    help="Refuse a server that would read pages wrongly.",
)
@click.option(
    "--pages",
    envvar="PAGES",
    default="",
    callback=page_list,
    show_default=False,
    help="Only these pages of each file, such as 1-20,35, for a trial.",
)
@click.option(
    "--pdf-password-file",
    envvar=PASSWORD_FILE,
    default="",
    show_default=False,
    help=f"File with the password of PDFs; or the password itself in the variable {PASSWORD}.",
)
@click.option(
    "--witness",
    envvar="WITNESS",
    default=WITNESSES[0],
    type=click.Choice(WITNESSES),
    help="What an answer is compared with: the page's ink; ocr: also a second reader (idle cores).",
)
@click.option(
    "--doubtful",
    envvar="DOUBTFUL",
    is_flag=True,
    help="Read doubtful pages again; a new answer is kept if it is trusted more.",
)
@click.option(
    "--checks",
    envvar="CHECKS",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What a second reader has found elsewhere, as check_results.py writes it; for --doubtful.",
)
@click.option("--model", envvar="MODEL", help="Served model.  [default: ask the server]")
@click.option(
    "--prompt-mode",
    envvar="PROMPT_MODE",
    default="layout_all",
    type=click.Choice(list(PROMPTS)),
    help="What to ask for.",
)
@click.option(
    "--request-timeout",
    envvar="REQUEST_TIMEOUT",
    default=1800.0,
    type=Number(1),
    help="Seconds to wait for one answer.",
)
@click.option(
    "--page-timeout",
    envvar="PAGE_TIMEOUT",
    default=60.0,
    type=Number(1),
    help="CPU seconds that opening or drawing one page may take.",
)
@click.option(
    "--ready-timeout",
    envvar="READY_TIMEOUT",
    default=600.0,
    type=Number(0),
    help="Seconds to wait for a server that is loading, full or away, or for a fleet's first node.",
)
@click.option(
    "--retries",
    envvar="RETRIES",
    default=3,
    type=Whole(0, 20),
    help="Further tries for a page: after a failed request, and after a useless answer.",
)
@click.option(
    "--price-per-hour",
    envvar="PRICE_PER_HOUR",
    default=0.0,
    type=Number(0),
    help="What the machine costs an hour, in USD, for summary.json.",
)
@click.option(
    "--price-per-worker-hour",
    envvar="PRICE_PER_WORKER_HOUR",
    default=0.0,
    type=Number(0),
    help="What each other machine of a fleet costs an hour, in USD.",
)
@click.option(
    "--workers",
    envvar="WORKERS",
    default=0,
    type=Whole(0),
    help="How many other machines are billed at the same time, for --budget.",
)
@click.option(
    "--budget",
    envvar="BUDGET",
    default=0.0,
    type=Number(0),
    help="USD that the machines may cost: reading stops in time to stay below it; 0: no limit.",
)
@click.option(
    "--spent",
    envvar="SPENT",
    default=0.0,
    type=Number(0),
    help="USD of the budget that were spent before.",
)
@click.option(
    "--metrics-port",
    envvar="METRICS_PORT",
    default=0,
    type=Whole(0, 65535),
    help="Port of 127.0.0.1 that shows metrics for Prometheus; 0: only a file has them.",
)
@click.option("--force", is_flag=True, help="Read all pages again.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json at the end.")
@version_option
def main(
    input_dir: str,
    output_dir: str,
    scheduler: str | None,
    state: str | None,
    processes: int,
    max_pixels: int,
    upsample_below: int,
    rotate: str,
    images: bool,
    pictures: str,
    endpoint: str,
    api_key_file: str,
    preflight: bool,
    pages: str,
    pdf_password_file: str,
    witness: str,
    doubtful: bool,
    checks: Path | None,
    model: str | None,
    prompt_mode: str,
    request_timeout: float,
    page_timeout: float,
    ready_timeout: float,
    retries: int,
    price_per_hour: float,
    price_per_worker_hour: float,
    workers: int,
    budget: float,
    spent: float,
    metrics_port: int,
    force: bool,
    as_json: bool,
) -> NoReturn:
    for number in STOP_SIGNALS:
        signal.signal(number, leave_at_signal)
    if doubtful and witness == "off":
        raise click.UsageError(
            "DOUBTFUL=1 keeps the answer that is trusted more: give WITNESS=ink or ocr"
        )
    if budget and not (price_per_hour and (price_per_worker_hour or not workers)):
        raise click.UsageError("--budget limits nothing without prices: say what an hour costs")
    source, output = checked_folders(input_dir, output_dir, bool(scheduler))
    folder = checked_state(output, state)
    settings = Settings(
        input=source,
        output=output,
        endpoint=endpoint,
        model=model or "",
        max_model_tokens=0,
        prompt_mode=prompt_mode,
        max_pixels=max_pixels,
        upsample_below=upsample_below,
        rotate=rotate,
        images=images,
        request_timeout_s=request_timeout,
        ready_timeout_s=ready_timeout,
        retries=retries,
        page_timeout_s=page_timeout,
        preflight=preflight,
        api_key=checked_secret(KEY, api_key_file, key_from, bool(scheduler)),
        password=checked_secret(PASSWORD, pdf_password_file, password_from, bool(scheduler)),
        pages=pages,
        witness=witness,
        doubtful=doubtful,
        force=force,
        pictures=pictures,
    )
    prices = Prices(price_per_hour, price_per_worker_hour)
    purse = Purse(price_per_hour + workers * price_per_worker_hour, spent, budget)
    try:
        with (
            metrics.served(folder, metrics_port) as fault,
            open_executor(scheduler, ready_timeout, processes) as executor,
        ):
            if fault:
                say_above_bar(fault)
            heard = read_checks(checks.read_text("utf-8", "replace")) if checks else {}
            end = run_batch(settings, executor, folder, prices, purse, heard)
    except UnknownModel as error:
        raise click.UsageError(printable(str(error))) from error
    except (BatchError, PoolError) as error:
        raise click.ClickException(printable(explained(str(error)))) from error
    except OSError as error:  # for example a full disk; what the manifest has by now is safe
        where = "" if error.filename else f"{output}: "  # the error of a full disk names no file
        raise click.ClickException(
            printable(f"{where}{error}: fix this, then run again")
        ) from error
    if as_json:
        show_line(json.dumps(end.totals))
    leave(exit_code(end))


def exit_code(end: End) -> ExitCode:
    """Return the command's exit code for the end of a batch."""
    if end.interrupted:
        return ExitCode.INTERRUPTED
    totals = end.totals
    if end.is_poor and not end.cut_short:
        return ExitCode.PAGES_FAILED
    if end.cut_short or totals["left"] or (not totals["pages"] and told(totals["not_read"])):
        return ExitCode.FAILED
    has_failed = totals["failed"] or totals["run"]["failed"]  # a second reading leaves the first
    return ExitCode.PAGES_FAILED if has_failed else ExitCode.OK


def leave_at_signal(number: int, frame: FrameType | None) -> NoReturn:
    """End on a signal while no page is being read (during reading, Interrupt has its handler)."""
    leave(ExitCode.INTERRUPTED)


def leave(code: ExitCode) -> NoReturn:
    """End with this exit code, even if more signals come now."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def open_executor(
    scheduler: str | None, patience_s: float, processes: int
) -> AbstractContextManager[Executor]:
    """Return the fleet of a scheduler, or a pool of processes. Raises PoolError."""
    if not scheduler:
        return nullcontext(ProcessPool(processes))
    try:
        from workers.fleet import Fleet  # noqa: PLC0415 - with Dask half a second, and only a fleet needs it
    except ImportError as error:
        raise PoolError(f"{error}: pip install -r vm_side/requirements-fleet.txt") from error
    return Fleet(scheduler, patience_s)


def checked_folders(input_dir: str, output_dir: str, is_fleet: bool) -> tuple[Place, Place]:
    """Return the two folders as absolute paths. Raises click.UsageError.

    Results inside the input are refused, since the next run would read them as pages.
    """
    source, output = place_of(input_dir), place_of(output_dir)
    if isinstance(source, Path):
        source = as_on_disk(source)
    for place in (source, output):
        if isinstance(place, Remote) and not is_fleet:
            raise click.UsageError(f"only a fleet reads and writes {place}: give its --scheduler")
    if isinstance(source, Path) and not source.is_dir():
        raise click.UsageError(f"the input folder {source} does not exist: give another --input")
    if is_inside(output, source):
        raise click.UsageError(f"{output} lies inside the input: give another --output")
    return source, output


def is_inside(place: Place, other: Place) -> bool:
    """Whether a folder is the other one, or lies in it."""
    if isinstance(place, Path) and isinstance(other, Path):
        return place.is_relative_to(other)
    return f"{place}/".startswith(f"{other}/")


def checked_secret(
    name: str, file: str, secret_from: Callable[[str, str], str], is_fleet: bool
) -> str:
    """Return a secret. The nodes of a fleet take the server's key from their own environment."""
    try:
        secret = secret_from(os.environ.get(name, ""), file)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if secret and is_fleet:
        instead = "give it to each node, and not here" if name == KEY else "read here, without one"
        raise click.UsageError(f"{name} is not sent over the network to a fleet: {instead}")
    return secret


def checked_state(output: Place, state: str | None) -> Path:
    """Return the folder of this computer where the manifest grows. Raises click.UsageError."""
    if isinstance(output, Path):
        return output
    if not state:
        raise click.UsageError(f"the results are at {output}: give a --state, a folder here")
    return Path(state).expanduser().resolve()


if __name__ == "__main__":
    run(main)
