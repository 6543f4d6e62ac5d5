#!/usr/bin/env python3
"""Turn the machine off, and return when it is. Twice is harmless."""

import click

from lib.console import note, run
from lib.knobs import MACHINE, Knobs, verb
from lib.machines import lock, open_machine


@verb(*MACHINE, help=__doc__)
@click.option("--force", envvar="FORCE", is_flag=True, help="Even if another run holds it.")
def main(knobs: Knobs, force: bool) -> None:
    machine = open_machine(knobs)
    if force:  # first: a run that waits for the machine would turn it on again
        machine.swap_lock(machine.read_lock(), "")
    else:
        lock.refuse_if_held(machine, knobs.max_hours)
    machine.stop()
    note("stop: the machine is off")


if __name__ == "__main__":
    run(main)
