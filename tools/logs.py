#!/usr/bin/env python3
"""Follow the log of the job while one runs; otherwise the log of the model server."""

from lib.console import run
from lib.knobs import MACHINE, Knobs, verb
from lib.machines import open_machine


@verb(*MACHINE, help=__doc__)
def main(knobs: Knobs) -> int:
    return open_machine(knobs).logs()


if __name__ == "__main__":
    run(main)
