#!/usr/bin/env python3
"""Bring the results of INPUT's pages to OUTPUT: only what is new; an old result stays until then.

Without INPUT, the results of all pages on the machine.
"""

from lib.console import ExitCode, note, run, say
from lib.home import bring_home
from lib.knobs import MACHINE, Knobs, verb
from lib.machines import open_machine


@verb("INPUT", "OUTPUT", "IMAGES", *MACHINE, help=__doc__)
def main(knobs: Knobs) -> int:
    lines, moved = bring_home(open_machine(knobs), knobs)
    for name, reason in moved.failed.items():
        say(f"download: {name}: {reason}")
    note(f"download: {len(lines)} pages in {knobs.output}, {moved.new} files new")
    return ExitCode.FAILED if moved.failed else ExitCode.OK


if __name__ == "__main__":
    run(main)
