#!/usr/bin/env python3
"""The whole job: start, upload, process, download, stop whatever happened, and a report.

Nothing is started before it is known that there is something to do. Runs the verbs as commands of
their own. A shell's trap could not do this: it waits for the verb that runs before it looks at a
signal, and the machine would go on billing meanwhile.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click

from lib import notify
from lib.console import (
    ExitCode,
    Interrupted,
    interrupt,
    note,
    run,
    run_apart,
    run_child,
    say,
    set_handlers,
    shield,
)
from lib.documents.registry import wanted
from lib.home import make_output, note_not_read
from lib.inputs import Inputs, end_of_nothing, find_inputs
from lib.knobs import EXPORTING, FLEET, MACHINE, OCR, Knobs, as_environment, check_workers, verb
from lib.machines import lock, open_machine
from lib.plan.budget import too_little, within_budget
from lib.plan.making import plan_for, remember, summary_of, took
from lib.results import MANIFEST, REPORT
from lib.todo import Work, look

WHAT = ("IMAGES", "PICTURES", "PAGES", "WITNESS", "DOUBTFUL", "BUDGET", "NOTIFY_FILE")
VERBS = Path(__file__).parent
STOP_PATIENCE_S = 600  # how long the stop goes on trying while the network or the login is away
MEANINGS: dict[int, str] = {
    ExitCode.PAGES_FAILED: "some pages failed, or were more than BUDGET pays: run again",
    ExitCode.INTERRUPTED: "interrupted",
}


@verb("INPUT", "OUTPUT", *WHAT, *EXPORTING, *MACHINE, *FLEET, help=__doc__)
@click.option("--force", is_flag=True, help="Read all pages again, also if none is new.")
def main(knobs: Knobs, force: bool) -> int:
    check_workers(knobs)
    wanted(knobs.export)  # a wrong format is told before anything is rented
    target = notify.target_of(knobs)
    # the verbs get their knobs from us alone: config.env may be edited while they run
    environment = {**os.environ, **as_environment(knobs), "CONFIG": os.devnull}
    environment["FORMATS"] = knobs.export
    inputs = find_inputs(knobs.input, knobs.output)
    if not inputs.files:
        what, end = end_of_nothing(inputs)
        say(f"make all: {what}")
        return end
    make_output(knobs, inputs.files)
    code = None if force else without_machine(knobs, environment, inputs)
    if code is None:
        with notify.told_of_failure(target):
            return with_machine(knobs, environment, inputs, force, target)
    tell_others(inputs)
    return code


def without_machine(knobs: Knobs, environment: Mapping[str, str], inputs: Inputs) -> int | None:
    """The exit code if nothing is to be read, so that no machine is needed; else None."""
    output = Path(knobs.output).expanduser()
    todo = look(inputs, knobs)
    if todo.work is Work.FETCH and has_bucket(knobs):
        run_step("download", environment)
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
    codes = {step: run_step(step, environment) for step in checks(knobs)}
    if is_behind(output):
        codes["report"] = run_step("report", environment)
    codes |= {step: run_step(step, environment) for step in exports(knobs)}
    if todo.unreadable:
        codes["upload"] = ExitCode.PAGES_FAILED
    return worst(codes)


def is_behind(output: Path) -> bool:
    """Whether there is no report, or one of before the manifest was written."""
    report, manifest = output / REPORT, output / MANIFEST
    return not report.is_file() or report.stat().st_mtime < manifest.stat().st_mtime


def with_machine(
    knobs: Knobs, environment: Mapping[str, str], inputs: Inputs, force: bool, target: str
) -> int:
    """The whole job; target is who is told of its end."""
    plan, summary = plan_for(inputs, knobs, force), summary_of(knobs)
    if why := too_little(plan):
        raise click.UsageError(f"{why}: nothing is rented")
    note(f"make all: {plan.line()}")
    machine = open_machine(knobs)
    codes: dict[str, int] = {}
    steps_s: dict[str, float] = {}
    on_since: float | None = None
    with lock.hold(machine, within_budget(knobs).max_hours) as held:
        now = time.time()
        longest_h = within_budget(knobs, now - (machine.on_since() or now)).max_hours
        environment = {**environment, lock.TOKEN_VARIABLE: held.token, "MAX_HOURS": str(longest_h)}
        before, after = steps(knobs)
        try:
            for step in before:
                if step == "start":
                    on_since = time.time()
                options = of_process(force, on_since) if step == "process" else ()
                with timed(steps_s, step):
                    codes[step] = run_step(step, environment, *options, meanwhile=held.renew)
                if not goes_on(step, codes[step]):
                    break
            shield()  # nothing comes between here and the stop
        except Interrupted:
            codes["interrupted"] = ExitCode.INTERRUPTED
        finally:
            shield()  # also where a fault has come that nobody has foreseen
            with timed(steps_s, "stop"):
                codes["stop"] = run_step("stop", environment, f"--patience={STOP_PATIENCE_S}")
    if codes["stop"] == ExitCode.OK:
        set_handlers(interrupt)  # nothing bills any more: from here on a Ctrl-C may end it
    money = ""
    if knobs.target == "gcp" and on_since:
        money = took(plan, time.time() - on_since)
        note(f"make all: {money}")
    for step in after:
        if has_results(codes):
            with timed(steps_s, step):
                codes[step] = run_step(step, environment)
    tell_others(inputs)
    alarm = ""
    if codes["stop"] != ExitCode.OK and machine.left_on():  # else its workers: the stop said so
        alarm = machine.alarm(on_since)
        say(alarm)
    code = exit_code(codes)
    new = summary_of(knobs) if has_results(codes) else summary
    new = {} if new == summary else new
    notify.tell(target, notify.closing(code, new, money, alarm), code, new)
    if code in (ExitCode.OK, ExitCode.PAGES_FAILED):
        remember(plan, new, steps_s)
    return code


def of_process(force: bool, on_since: float | None) -> tuple[str, ...]:
    """The options of process; from on_since on BUDGET counts."""
    since = () if on_since is None else (f"--on-since={on_since}",)
    return (*(("--force",) if force else ()), *since)


def tell_others(inputs: Inputs) -> None:
    """Say which files of INPUT are not read; the last line, unless something may still bill."""
    if inputs.others:
        say(f"make all: {inputs.others}")


def steps(knobs: Knobs) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The steps before the machine is turned off, and after it.

    Through a bucket the pages travel before the machine is on, and the last results when it is
    off again; the GPU does not wait for either.
    """
    if has_bucket(knobs):
        return ("upload", "start", "process"), ("download", *at_home(knobs))
    return ("start", "upload", "process", "download"), at_home(knobs)


def at_home(knobs: Knobs) -> tuple[str, ...]:
    """What is done with results that are here, when nothing bills any more."""
    return (*checks(knobs), "report", *exports(knobs))


def checks(knobs: Knobs) -> tuple[str, ...]:
    """The second reader's step, for what it did not reach before: when nothing bills any more."""
    return ("check",) if knobs.witness == OCR else ()


def exports(knobs: Knobs) -> tuple[str, ...]:
    """The documents' step, also where no page is new: it makes what is behind, and no more."""
    return ("export",) if knobs.export else ()


def has_bucket(knobs: Knobs) -> bool:
    """Whether pages and results travel while the machine is off."""
    return knobs.target == "gcp" and bool(knobs.bucket)


@contextlib.contextmanager
def timed(steps_s: dict[str, float], step: str) -> Iterator[None]:
    """Write down how long a step takes, in seconds."""
    began = time.monotonic()
    try:
        yield
    finally:
        steps_s[step] = time.monotonic() - began


def run_step(
    step: str,
    environment: Mapping[str, str],
    *options: str,
    meanwhile: Callable[[], None] = lambda: None,
) -> int:
    """Run one verb, and say so if it failed. A Ctrl-C in our terminal does not reach the stop."""
    command = [sys.executable, str(VERBS / f"{step}.py"), *options]
    try:
        if step == "stop":
            code = run_apart(command, environment)
        else:
            code = run_child(command, environment, meanwhile, lock.RENEW_S)
    except OSError as error:  # no memory for another process, say
        say(f"make all: {step} cannot be run: {error}")
        return ExitCode.FAILED
    if code != ExitCode.OK:
        is_of_documents = step == "export" and code == ExitCode.PAGES_FAILED
        why = "see above" if is_of_documents else MEANINGS.get(code, "see above")
        say(f"make all: {step} ended with {code} ({why})")
    return code


def goes_on(step: str, code: int) -> bool:
    """Whether the next step makes sense after this one ended so.

    What a failed process has read so far is the user's, so it is brought home all the same.
    """
    return code in (ExitCode.OK, ExitCode.PAGES_FAILED) or (
        step == "process" and code != ExitCode.INTERRUPTED
    )


def has_results(codes: Mapping[str, int]) -> bool:
    """Whether there is something to bring home or to report, and the machine is off."""
    came = codes.get("download", codes.get("process")) is not None
    good = codes.get("download", ExitCode.OK) in (ExitCode.OK, ExitCode.PAGES_FAILED)
    return (
        came
        and good
        and codes["stop"] == ExitCode.OK
        and ExitCode.INTERRUPTED not in codes.values()
    )


def exit_code(codes: Mapping[str, int]) -> int:
    """The code of the whole: 1 if the machine may still bill, else that of its worst step."""
    return ExitCode.FAILED if codes["stop"] != ExitCode.OK else worst(codes)


def worst(codes: Mapping[str, int]) -> int:
    """The first failure of these steps, else 3 or 0."""
    bad = [code for code in codes.values() if code != ExitCode.OK]
    return next(
        (code for code in bad if code != ExitCode.PAGES_FAILED), bad[0] if bad else ExitCode.OK
    )


if __name__ == "__main__":
    run(main)
