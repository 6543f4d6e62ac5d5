#!/usr/bin/env python3
"""Empty the machine's input and result folders. INPUT and OUTPUT stay as they are."""

import contextlib

from lib.console import note, run
from lib.knobs import MACHINE, Knobs, verb
from lib.machines import lock, open_machine
from lib.machines.gcp.faults import NoSuchVm


@verb(*MACHINE, help=__doc__)
def main(knobs: Knobs) -> None:
    machine = open_machine(knobs)
    with contextlib.suppress(NoSuchVm):  # nobody holds it; its bucket may have files all the same
        lock.refuse_if_held(machine)
    machine.clean()
    note("clean: input and result on the machine are empty")


if __name__ == "__main__":
    run(main)
