#!/usr/bin/env python3
"""Make the machine's input a mirror of INPUT; sends only what is new or changed."""

from lib.console import ExitCode, note, run, say
from lib.inputs import find_inputs, nothing_in
from lib.knobs import MACHINE, Knobs, verb
from lib.machines import lock, open_machine


@verb("INPUT", *MACHINE, help=__doc__)
def main(knobs: Knobs) -> int:
    inputs = find_inputs(knobs.input, knobs.output)
    if not inputs.files:  # a disk that is not mounted, say: the machine's input is no waste
        say(f"upload: {nothing_in(inputs)}: nothing to do (make clean empties the machine)")
        return ExitCode.OK
    machine = open_machine(knobs)
    lock.refuse_if_held(machine, knobs.max_hours)
    moved = machine.push(inputs)
    for name, reason in moved.failed.items():
        say(f"upload: {name} was left out: {reason}")
    note(f"upload: {moved.new} new, {moved.same} there already, {moved.removed} removed")
    return ExitCode.PAGES_FAILED if moved.failed else ExitCode.OK


if __name__ == "__main__":
    run(main)
