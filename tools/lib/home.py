"""Bring results home: the machine's results for the pages of INPUT come to OUTPUT."""

import functools
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from contract import CORRECTED, DONE, MANIFEST, SUMMARY
from lib import checked, corrected, files, results
from lib.alike import refuse_alike
from lib.alone import alone_in
from lib.console import Failure
from lib.inputs import Inputs, find_inputs
from lib.knobs import Knobs
from lib.machines.machine import Machine, Moved
from lib.results import Line, with_not_read
from lib.standing import Standing, is_whole


def bring_home(machine: Machine, knobs: Knobs) -> tuple[list[Line], Moved]:
    """Fetch what is new; an old result stays until the new one is complete. Raises Failure.

    Without INPUT, fetch the results of all pages on the machine.
    """
    inputs = find_inputs(knobs.input, knobs.output) if knobs.input else None
    wanted = set(inputs.files) if inputs else None
    theirs = results.read_lines(machine.read_result(MANIFEST))
    lines = results.of_inputs(theirs, wanted)
    if not lines and wanted != set():
        raise Failure("the machine has no results of these pages", "make process")
    output = make_output(knobs, sorted(filter(results.is_below, {line.input for line in lines})))
    with alone_in(output):
        return come_home(machine, knobs, inputs, lines, output)


def come_home(
    machine: Machine, knobs: Knobs, inputs: Inputs | None, lines: list[Line], output: Path
) -> tuple[list[Line], Moved]:
    """Fetch the new results of these lines' pages, while no other command writes in OUTPUT."""
    ours = results.read_lines(results.read_text(output / MANIFEST))
    written, lines = lines, checked.kept(lines, ours)
    lines = corrected.kept(lines, ours, functools.partial(is_whole, output))
    names = [
        name for line in lines if line.status != CORRECTED for name in line.files(knobs.images)
    ]
    with Standing(output, ours, lines) as standing:
        astray = files.leading_out(output, names)
        inside = (name for name in names if name not in astray)
        moved = machine.pull(inside, output, standing.put)
        moved.failed |= dict.fromkeys(astray, "a link in OUTPUT leads out of it")
        arrived = [
            line for line in lines if not moved.failed.keys() & set(line.files(knobs.images))
        ]
        true = results.together(ours, map(standing.stamped, arrived), lines)
        gone = {line.page for line in ours if line.status in DONE} - {line.page for line in true}
        standing.drop(sorted(gone))
        standing.shed(arrived)
        if moved.new:
            os.sync()  # a power cut must not leave a line without its results
        files.write_whole(output / MANIFEST, results.text_of(true), durable=True)
    if summary := machine.read_result(SUMMARY):  # a job that was killed has written none
        summary = checked.recounted(summary, written, lines)
        files.write_whole(
            output / SUMMARY, with_not_read(summary, inputs.not_read) if inputs else summary
        )
    return lines, moved


def note_not_read(output: Path, not_read: Mapping[str, int]) -> None:
    """Write into OUTPUT's summary which other files INPUT has besides its pages."""
    with alone_in(output):
        before = results.read_text(output / SUMMARY)
        after = with_not_read(before, not_read)
        if after != before:
            files.write_whole(output / SUMMARY, after)


def make_output(knobs: Knobs, inputs: Iterable[str]) -> Path:
    """Make OUTPUT, a folder that can take the results of these inputs. Raises Failure."""
    output = Path(knobs.output).expanduser()
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output):
            pass
    except OSError as error:
        raise Failure(f"OUTPUT {output}: {error.strerror}", "give another OUTPUT") from error
    refuse_alike(output, inputs)
    return output


def every(seconds: float, action: Callable[[], object]) -> Callable[[], None]:
    """Return a function that does the action at most once in so many seconds."""
    last = time.monotonic()

    def call() -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            action()
            last = time.monotonic()

    return call
