#!/usr/bin/env python3
"""Copy new results of INPUT's pages to OUTPUT. An old result stays until the new one is here.

Without INPUT, it copies the results of all pages on the machine.
"""

from lib.console import ExitCode, note, run, say
from lib.home import bring_home
from lib.knobs import MACHINE, Knobs, verb
from lib.machines import left_on, open_machine


@verb("INPUT", "OUTPUT", "IMAGES", *MACHINE, help=__doc__)
def main(knobs: Knobs) -> int:
    machine = open_machine(knobs)
    with left_on.told(machine, if_seen=True):
        lines, moved = bring_home(machine, knobs)
    for name, reason in moved.failed.items():
        say(f"download: {name}: {reason}")
    note(f"download: {len(lines)} pages in {knobs.output}, {moved.new} files new")
    code = ExitCode.FAILED if moved.failed else ExitCode.OK
    return left_on.ended(machine, code, if_seen=True)


if __name__ == "__main__":
    run(main)
