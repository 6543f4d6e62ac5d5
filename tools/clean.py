#!/usr/bin/env python3
"""Empty the machine's input and result folders. INPUT and OUTPUT stay as they are."""

import contextlib

from lib.console import note, run
from lib.knobs import MACHINE, Knobs, verb
from lib.machines import lock, open_machine
from lib.machines.machine import NoSuchMachine


@verb(*MACHINE, help=__doc__)
def main(knobs: Knobs) -> None:
    machine = open_machine(knobs)
    with contextlib.suppress(NoSuchMachine):  # no VM, so no lock; its bucket may have files
        lock.refuse_if_held(machine)
    machine.clean()
    note("clean: input and result on the machine are empty")


if __name__ == "__main__":
    run(main)
