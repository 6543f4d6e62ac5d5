#!/usr/bin/env python3
"""Build the model server's image on the machine, as CONTAINER_IMAGE. The machine stays on."""

import click

from lib.console import note, run
from lib.knobs import MACHINE, Knobs, verb
from lib.machines import left_on, lock, open_machine


@verb(*("CONTAINER_IMAGE", "CONTAINER_BASE", "MODEL_ID", "MODEL_REVISION"), *MACHINE, help=__doc__)
def main(knobs: Knobs) -> None:
    check_parts(knobs)
    machine = open_machine(knobs)
    lock.refuse_if_held(machine)
    with left_on.told(machine):
        machine.build_image()
    note("image: built; the machine is on: make all reads pages, make stop turns it off")


def check_parts(knobs: Knobs) -> None:
    """Raise click.UsageError if the weights have no fixed revision.

    Without it, the owner of their name could change what is built. The weights come with code,
    and that code runs on the machine that has the pages.
    """
    weights, base = knobs.model_id, knobs.container_base
    if weights and not knobs.model_revision:
        raise click.UsageError(
            f"MODEL_REVISION: which commit of {weights}? It has code, which is run."
            f" Take one that you trust from https://huggingface.co/{weights}/commits/main"
        )
    if "@sha256:" not in base:
        note(
            f"image: the owner of {base} can move that name; CONTAINER_BASE=NAME@sha256:… pins it:"
            f" docker buildx imagetools inspect {base}"
        )


if __name__ == "__main__":
    run(main)
