#!/usr/bin/env python3
"""Delete the VM and its disk, with all that is on it, and its workers. It asks first."""

import click

from lib.console import Failure, is_confirmed, note, run, say
from lib.knobs import GCP, Knobs, verb
from lib.machines import lock
from lib.machines.gcp.machine import GcpMachine


@verb(*GCP, help=__doc__)
@click.option("--yes", envvar="YES", is_flag=True, help="Do not ask.")
def main(knobs: Knobs, yes: bool) -> None:
    machine = GcpMachine(knobs)
    place = f"{knobs.vm} in {knobs.zone} of {knobs.project}"
    exists, has_workers = machine.instance.exists(), machine.fleet.get() is not None
    if not exists and not has_workers:
        say(f"delete: there is no {place}")
        return
    if exists:
        lock.refuse_if_held(machine)
    kept = machine.instance.kept_disks() if exists else []
    workers = f", and its group of workers, {machine.fleet.name}" if has_workers else ""
    disks = f", but not the disk {' and '.join(kept)}" if kept else ", and its disk"
    if not yes and not is_confirmed(f"Delete {place}{workers}{disks}?"):
        raise Failure("nothing was deleted")
    machine.delete()
    rest = f"; the files in {knobs.bucket} stay: make clean deletes them" if knobs.bucket else ""
    note(f"delete: {knobs.vm} is gone{rest}")
    for disk in kept:
        say(
            f"delete: the disk {disk} stays, and bills: gcloud compute disks delete {disk}"
            f" --zone {knobs.zone} --project {knobs.project}"
        )


if __name__ == "__main__":
    run(main)
