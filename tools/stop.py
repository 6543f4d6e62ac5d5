#!/usr/bin/env python3
"""Turn the machine off, and return when it is. Twice is harmless."""

from lib.console import note, run
from lib.knobs import MACHINE, Knobs, verb
from lib.machines import open_machine


@verb(*MACHINE, help=__doc__)
def main(knobs: Knobs) -> None:
    open_machine(knobs).stop()
    note("stop: the machine is off")


if __name__ == "__main__":
    run(main)
