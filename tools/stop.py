#!/usr/bin/env python3
"""Turn the machine off, and return when it is off. You can type it again at any time.

While nothing answers, it goes on trying. If it cannot stop the machine, the last line says what may
still bill.
"""

import itertools
import os
import time
from collections.abc import Callable

import click

from lib.console import Away, ExitCode, Failure, NoLogin, note, run, say
from lib.kinds import Number
from lib.knobs import MACHINE, Knobs, presumed, verb
from lib.machines import lock, open_machine
from lib.machines.machine import Machine

NEEDED = ("TARGET", "PROJECT", "ZONE", "VM", "SSH_HOST", "MACHINE_DIR")
DONE = {
    "gcp": "the machine is off",
    "ssh": "its containers have ended, and the machine stays on",
    "local": "what ran here has ended",
}
PAUSES_S = (2.0, 4.0, 8.0, 15.0)  # between two tries; then always the last one


@verb(*MACHINE, needed=NEEDED, help=__doc__)
@click.option("--force", envvar="FORCE", is_flag=True, help="Stop it even if another run holds it.")
@click.option(
    "--patience",
    default=120.0,
    type=Number(0),
    metavar="SECONDS",
    help="How long to go on trying while nothing answers.",
)
def main(knobs: Knobs, force: bool, patience: float) -> int:
    is_ours = bool(os.environ.get(lock.TOKEN_VARIABLE))  # the stop step of make all, which held it
    machine = open_machine(knobs)
    passing = (Away, NoLogin) if is_ours else (Away,)  # a person at the terminal can log in
    try:
        insist(lambda: turn_off(machine, force, DONE[knobs.target]), patience, passing)
    except lock.Held as error:
        if not is_ours:
            raise
        say(f"stop: it was taken from this run, and {error.message}")
        return ExitCode.OK
    except BaseException as error:  # whatever it is: also an error that nobody foresaw
        if left := machine.alarm():
            error.add_note(left)
        raise
    note(f"stop: {DONE[knobs.target]}")
    return ExitCode.OK


def turn_off(machine: Machine, force: bool, done: str) -> None:
    """Turn the machine off, unless another run holds it.

    If the lock cannot be read, turn the machine off all the same, and then say so.
    """
    untold: Failure | None = None
    try:
        if force:  # first: a run that waits for the machine would turn it on again
            machine.swap_lock(machine.read_lock(), "")
        else:
            lock.refuse_if_held(machine)
    except lock.Held:
        raise
    except Failure as error:
        untold = error
    machine.stop()
    if untold:
        say(f"stop: {done}; its lock could not be looked at: {untold.message}")


def insist(
    attempt: Callable[[], None], patience_s: float, passing: tuple[type[Failure], ...]
) -> None:
    """Repeat an attempt until it succeeds, for patience_s seconds at most.

    Only the failures in `passing` may go away by themselves; others are raised at once.
    """
    deadline = time.monotonic() + patience_s
    pauses_s = itertools.chain(PAUSES_S, itertools.repeat(PAUSES_S[-1]))
    was_said = False
    while True:
        try:
            attempt()
            break
        except passing as error:
            pause_s = next(pauses_s)
            if time.monotonic() + pause_s > deadline:
                raise
            if not was_said:
                say(f"stop: {error.message}")
                say(f"stop: keeps trying for {patience_s / 60:.0f} minutes")
                was_said = True
            time.sleep(pause_s)


def alarm() -> str:
    """What may still bill, for the case that a fault in config.env ends the command at once."""
    known = presumed("TARGET", "PROJECT", "ZONE", "VM")
    target = known.pop("target")
    return "" if target in ("ssh", "local") else open_machine(Knobs(**known)).alarm()


if __name__ == "__main__":
    run(main, alarm)
