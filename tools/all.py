#!/usr/bin/env python3
"""The whole job: start, upload, process, download, stop whatever happened, and a report.

Runs the verbs as commands of their own. A shell's trap could not do this: it waits for the verb
that runs before it looks at a signal, and the machine would go on billing meanwhile.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

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
from lib.knobs import FLEET, MACHINE, Knobs, as_environment, check_workers, verb
from lib.machines import lock, open_machine

VERBS = Path(__file__).parent
MEANINGS: dict[int, str] = {
    ExitCode.PAGES_FAILED: "some pages failed: run again",
    ExitCode.INTERRUPTED: "interrupted",
}


@verb("INPUT", "OUTPUT", "IMAGES", *MACHINE, *FLEET, help=__doc__)
def main(knobs: Knobs) -> int:
    check_workers(knobs)
    with lock.hold(open_machine(knobs), knobs.max_hours) as token:
        environment = {**os.environ, **as_environment(knobs), lock.TOKEN_VARIABLE: token}
        before, after = steps(knobs)
        codes: dict[str, int] = {}
        on_since = time.monotonic()
        try:
            for step in before:
                if step == "start":
                    on_since = time.monotonic()
                codes[step] = run_step(step, environment)
                if not goes_on(step, codes[step]):
                    break
            shield()  # nothing comes between here and the stop
        except Interrupted:
            codes["interrupted"] = ExitCode.INTERRUPTED
        finally:
            codes["stop"] = run_step("stop", environment, run_apart)
    set_handlers(interrupt)  # nothing bills any more: from here on a Ctrl-C may end it
    if knobs.target == "gcp" and "start" in codes:
        note(bill(time.monotonic() - on_since, knobs))
    for step in after:
        if has_results(codes):
            codes[step] = run_step(step, environment)
    return exit_code(codes)


def steps(knobs: Knobs) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The steps before the machine is turned off, and after it.

    Through a bucket the pages travel before the machine is on, and the last results when it is
    off again; the GPU does not wait for either.
    """
    if knobs.target == "gcp" and knobs.bucket:
        return ("upload", "start", "process"), ("download", "report")
    return ("start", "upload", "process", "download"), ("report",)


def bill(seconds: float, knobs: Knobs) -> str:
    """What the machine cost, in USD, for people; its workers came later and left earlier."""
    hours = seconds / 3600
    money, who, most = hours * knobs.price_per_hour, "the VM was", ""
    if knobs.workers:
        money += hours * knobs.workers * knobs.price_per_worker_hour
        who, most = f"the VM and its {knobs.workers} workers were", "at most "
    return f"make all: {who} on for {seconds / 60:.0f} minutes: {most}{money:.2f} USD, and its disk"


def run_step(
    step: str,
    environment: dict[str, str],
    run_verb: Callable[[Sequence[str], Mapping[str, str]], int] = run_child,
) -> int:
    """Run one verb, and say so if it failed."""
    code = run_verb([sys.executable, str(VERBS / f"{step}.py")], environment)
    if code != ExitCode.OK:
        say(f"make all: {step} ended with {code} ({MEANINGS.get(code, 'see above')})")
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


def exit_code(codes: dict[str, int]) -> int:
    """The code of the whole: a machine that may still bill, else the first failure, else 3 or 0."""
    if codes["stop"] != ExitCode.OK:
        return codes["stop"]
    bad = [code for code in codes.values() if code != ExitCode.OK]
    return next(
        (code for code in bad if code != ExitCode.PAGES_FAILED), bad[0] if bad else ExitCode.OK
    )


if __name__ == "__main__":
    run(main)
