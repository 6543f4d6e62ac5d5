#!/usr/bin/env python3
"""Create the VM, and turn it off. If there is one already, it stays as it is.

DRY_RUN=1 only shows what it would be.
"""

import click

from lib.console import run, show_table
from lib.knobs import GCP, Knobs, verb
from lib.machines.gcp.machine import GcpMachine


@verb(*GCP, help=__doc__)
@click.option("--dry-run", envvar="DRY_RUN", is_flag=True, help="Create nothing.")
def main(knobs: Knobs, dry_run: bool) -> None:
    show_table(GcpMachine(knobs).create(dry_run))


if __name__ == "__main__":
    run(main)
