#!/usr/bin/env python3
"""Make the machine's input the same as INPUT; only new and changed files are sent."""

import os

from lib.console import ExitCode, note, run, say
from lib.inputs import end_of_nothing, find_inputs
from lib.knobs import MACHINE, Knobs, verb
from lib.machines import left_on, lock, open_machine


@verb("INPUT", *MACHINE, help=__doc__)
def main(knobs: Knobs) -> int:
    inputs = find_inputs(knobs.input, knobs.output)
    if not inputs.files:  # perhaps a disk is not mounted: keep the machine's input
        what, code = end_of_nothing(inputs)
        say(f"upload: {what} (make clean empties the machine)")
        return code
    machine = open_machine(knobs)
    lock.refuse_if_held(machine)
    with left_on.told(machine, if_seen=True):
        moved = machine.push(inputs)
    for name, reason in moved.failed.items():
        say(f"upload: {name} was left out: {reason}")
    if inputs.others and not os.environ.get(lock.TOKEN_VARIABLE):  # make all says it itself
        say(f"upload: {inputs.others}")
    note(f"upload: {moved.new} new, {moved.same} there already, {moved.removed} removed")
    code = ExitCode.PAGES_FAILED if moved.failed else ExitCode.OK
    return left_on.ended(machine, code, if_seen=True)


if __name__ == "__main__":
    run(main)
