#!/usr/bin/env python3
"""Do the whole job: start, upload, process, download, stop (whatever happens), and a report.

If no page is new, changed, failed or left, nothing is started.
"""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from lib import notify
from lib.console import ExitCode, note, run, say
from lib.documents.registry import wanted
from lib.home import make_output, note_not_read
from lib.inputs import Inputs, end_of_nothing, find_inputs
from lib.knobs import EXPORTING, FLEET, MACHINE, OCR, Knobs, as_environment, check_workers, verb
from lib.machines import open_machine
from lib.plan.budget import within_budget
from lib.plan.making import plan_for, remember, took
from lib.results import MANIFEST, REPORT, read_summary
from lib.steps import Steps, exit_code, goes_on, run_step, worst
from lib.todo import Work, look

WHAT = ("IMAGES", "PICTURES", "PAGES", "WITNESS", "DOUBTFUL", "BUDGET", "NOTIFY_FILE")
WHOSE = "make all"


@verb("INPUT", "OUTPUT", *WHAT, *EXPORTING, *MACHINE, *FLEET, help=__doc__)
@click.option("--force", is_flag=True, help="Read all pages again, even if none is new.")
def main(knobs: Knobs, force: bool) -> int:
    check_workers(knobs)
    wanted(knobs.export)  # a wrong format is told before anything is rented
    target = notify.target_of(knobs)
    environment = {**as_environment(knobs), "FORMATS": knobs.export}
    with notify.told_of_failure(target):
        inputs = find_inputs(knobs.input, knobs.output)
        if not inputs.files:
            what, end = end_of_nothing(inputs)
            say(f"make all: {what}")
            return told(target, end)
        make_output(knobs, inputs.files)
        code = None if force else without_machine(knobs, environment, inputs)
        if code is None:
            return with_machine(knobs, environment, inputs, force, target)
    tell_others(inputs)
    return told(target, code)


def told(target: str, code: int) -> int:
    """Return the exit code of a run that needed no machine. Notify only if it is not OK."""
    if code != ExitCode.OK:
        notify.tell(target, notify.closing(code, {}, "", ""), code, {})
    return code


def without_machine(knobs: Knobs, environment: Mapping[str, str], inputs: Inputs) -> int | None:
    """Return the exit code if no page must be read, so that no machine is needed; else None."""
    output = Path(knobs.output).expanduser()
    todo = look(inputs, knobs)
    if todo.work is Work.FETCH and has_bucket(knobs):
        run_step(WHOSE, "download", environment)
        todo = look(inputs, knobs)
    if todo.work is not Work.NOTHING:
        return None
    if todo.is_empty:
        say(f"make all: PAGES={knobs.pages} names no page below {inputs.root}: nothing is read")
        return ExitCode.FAILED
    for name, reason in todo.unreadable.items():
        say(f"make all: {name} was left out: {reason}")
    note_not_read(output, inputs.not_read)
    stays = "the VM stays off" if knobs.target == "gcp" else "the machine is left alone"
    note(f"make all: nothing new: {todo.done} pages are done; {stays}")
    codes = {step: run_step(WHOSE, step, environment) for step in checks(knobs)}
    if is_behind(output):
        codes["report"] = run_step(WHOSE, "report", environment)
    codes |= {step: run_step(WHOSE, step, environment) for step in exports(knobs)}
    if todo.unreadable:
        codes["upload"] = ExitCode.PAGES_FAILED
    return worst(codes)


def is_behind(output: Path) -> bool:
    """Whether there is no report, or the report is older than the manifest."""
    report, manifest = output / REPORT, output / MANIFEST
    return not report.is_file() or report.stat().st_mtime < manifest.stat().st_mtime


def with_machine(
    knobs: Knobs, environment: Mapping[str, str], inputs: Inputs, force: bool, target: str
) -> int:
    """Do the whole job. target is where the message about its end goes."""
    output = Path(knobs.output).expanduser()
    plan, summary = plan_for(inputs, knobs, force), read_summary(output)
    if plan.refusal:
        raise click.UsageError(f"{plan.refusal}: nothing is rented")
    note(f"make all: {plan.line()}")
    machine = open_machine(knobs)
    steps = Steps(WHOSE, environment)
    codes = steps.codes
    before, after = steps_of(knobs)
    steps.with_machine(
        machine,
        lambda on_s: within_budget(knobs, on_s).max_hours,
        lambda: read_all(steps, before, force),
    )
    money = ""
    if knobs.target == "gcp" and steps.on_since:
        has_started = codes.get("start") == ExitCode.OK
        money = took(plan, time.time() - steps.on_since, has_started, steps.found_on_since)
        note(f"make all: {money}")
    for step in after:
        if has_results(codes):
            steps.run(step)
    tell_others(inputs)
    alarm = steps.alarm(machine)
    code = exit_code(codes)
    new = read_summary(output) if has_results(codes) else summary
    new = {} if new == summary else new
    notify.tell(target, notify.closing(code, new, money, alarm), code, new)
    if code in (ExitCode.OK, ExitCode.PAGES_FAILED):
        remember(plan, new, steps.seconds)
    return code


def read_all(steps: Steps, before: Iterable[str], force: bool) -> None:
    """Run the steps that need the machine."""
    for step in before:
        options = ("--force",) if force and step == "process" else ()
        if not goes_on(step, steps.run(step, *options)):
            break


def tell_others(inputs: Inputs) -> None:
    """Say which files of INPUT are not read. Only an alarm about costs may follow this line."""
    if inputs.others:
        say(f"make all: {inputs.others}")


def steps_of(knobs: Knobs) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the steps before the machine is turned off, and the steps after it.

    With a bucket, the pages are uploaded before the machine is on, and the last results are
    downloaded when it is off again. The GPU waits for neither.
    """
    if has_bucket(knobs):
        return ("upload", "start", "process"), ("download", *at_home(knobs))
    return ("start", "upload", "process", "download"), at_home(knobs)


def at_home(knobs: Knobs) -> tuple[str, ...]:
    """The steps that use the results on this computer, when nothing bills any more."""
    return (*checks(knobs), "report", *exports(knobs))


def checks(knobs: Knobs) -> tuple[str, ...]:
    """The step of the second reader, for pages that it has not reached. The machine is off then."""
    return ("check",) if knobs.witness == OCR else ()


def exports(knobs: Knobs) -> tuple[str, ...]:
    """The step that makes documents; also if no page is new. It makes only what is out of date."""
    return ("export",) if knobs.export else ()


def has_bucket(knobs: Knobs) -> bool:
    """Whether pages and results go through a bucket, while the machine is off."""
    return knobs.target == "gcp" and bool(knobs.bucket)


def has_results(codes: Mapping[str, int]) -> bool:
    """Whether there are results to download or to report, and the machine is off."""
    came = codes.get("download", codes.get("process")) is not None
    good = codes.get("download", ExitCode.OK) in (ExitCode.OK, ExitCode.PAGES_FAILED)
    return (
        came
        and good
        and codes["stop"] == ExitCode.OK
        and ExitCode.INTERRUPTED not in codes.values()
    )


if __name__ == "__main__":
    run(main)
