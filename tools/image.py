#!/usr/bin/env python3
"""Build the model server's image on the machine, as CONTAINER_IMAGE. Leaves the machine on."""

from lib.console import note, run
from lib.knobs import MACHINE, Knobs, verb
from lib.machines import left_on, lock, open_machine


@verb("CONTAINER_IMAGE", "MODEL_ID", *MACHINE, help=__doc__)
def main(knobs: Knobs) -> None:
    machine = open_machine(knobs)
    lock.refuse_if_held(machine, knobs.max_hours)
    with left_on.told(machine):
        machine.build_image()
    note("image: built; the machine is on: make all reads pages, make stop turns it off")


if __name__ == "__main__":
    run(main)
