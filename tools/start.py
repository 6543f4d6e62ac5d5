#!/usr/bin/env python3
"""Turn the machine on and start its model server (which then loads, while you upload)."""

from lib.console import note, run
from lib.knobs import FLEET, MACHINE, Knobs, check_workers, verb
from lib.machines import left_on, lock, open_machine


@verb(*MACHINE, *FLEET, help=__doc__)
def main(knobs: Knobs) -> None:
    check_workers(knobs)
    machine = open_machine(knobs)
    lock.refuse_if_held(machine)
    with left_on.told(machine):
        machine.start()
    note("start: the machine is on")


if __name__ == "__main__":
    run(main)
