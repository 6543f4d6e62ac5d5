#!/usr/bin/env python3
"""Bring the results of INPUT's pages to OUTPUT: only what is new; an old result stays until then.

Without INPUT, the results of all pages on the machine.
"""

from pathlib import Path

from lib import files, results
from lib.console import FAILED, OK, Failure, note, run, say
from lib.inputs import find_inputs
from lib.knobs import MACHINE, Knobs, verb
from lib.machines import open_machine


@verb("INPUT", "OUTPUT", "IMAGES", *MACHINE, help=__doc__)
def main(knobs: Knobs) -> int:
    machine = open_machine(knobs)
    wanted = set(find_inputs(knobs.input, knobs.output).files) if knobs.input else None
    theirs = results.read_lines(machine.read_result(results.MANIFEST))
    lines = results.of_inputs(theirs, wanted)
    if not lines and wanted != set():
        raise Failure("the machine has no results of these pages", "make process")
    output = Path(knobs.output).expanduser()
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"OUTPUT {output}: {error.strerror}", "give another OUTPUT") from error
    moved = machine.pull((name for line in lines for name in line.files(knobs.images)), output)
    ours = results.read_lines(results.read_text(output / results.MANIFEST))
    arrived = [line for line in lines if not moved.failed.keys() & set(line.files(knobs.images))]
    files.write_whole(output / results.MANIFEST, results.merged(ours, arrived))
    if summary := machine.read_result(results.SUMMARY):  # a killed process has written none
        files.write_whole(output / results.SUMMARY, summary)
    for name, reason in moved.failed.items():
        say(f"download: {name}: {reason}")
    note(f"download: {len(lines)} pages in {output}, {moved.new} files new")
    return FAILED if moved.failed else OK


if __name__ == "__main__":
    run(main)
