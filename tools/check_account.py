#!/usr/bin/env python3
"""Check that this account can rent the VM and use it: what is right, what is wrong, what to do.

The first checks cost nothing: logins, project, quota, permissions, bucket. Then it tells you the
price and asks. If you agree, it turns the VM on for a few minutes, checks it, and turns it off. If
there is no VM, it makes one with another name, and deletes it at the end.
"""

import contextlib
import dataclasses
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from lib.console import ExitCode, Failure, is_confirmed, run, run_apart, say, shield, show_line
from lib.knobs import GCP, Knobs, as_environment, verb
from lib.machines import lock
from lib.machines.gcp.account import Account, Finding, State
from lib.machines.gcp.machine import GcpMachine
from lib.machines.gcp.trial import LONGEST_HOURS, Trial, look_inside, trial_of, turn_on

VERBS = Path(__file__).parent
PATIENCE_S = 600


@verb(*GCP, "BUCKET", "CONTAINER_IMAGE", "PRICE_PER_HOUR", help=__doc__)
@click.option(
    "--yes", envvar="YES", is_flag=True, help="Do not ask before a step that costs money."
)
def main(knobs: Knobs, yes: bool) -> int:
    account = Account(dataclasses.replace(knobs, target="gcp"))
    if wrong := shown(account.look()):
        say(f"check-account: {wrong} wrong; nothing is rented before that is fixed")
        return ExitCode.FAILED
    trial = trial_of(knobs, account.vm.status if account.vm else None)
    if not yes and not is_confirmed(f"{trial}. Do it?"):
        say("check-account: nothing was rented")
        return ExitCode.OK
    say(f"check-account: {trial}")
    wrong = tried(trial)
    say(f"check-account: {f'{wrong} wrong' if wrong else 'all is right'}; nothing is left on")
    return ExitCode.FAILED if wrong else ExitCode.OK


def shown(findings: Iterable[Finding]) -> int:
    """Show each finding as it comes. Return how many are wrong."""
    wrong = 0
    for finding in findings:
        show_line(str(finding))
        wrong += finding.state is State.WRONG
    return wrong


def tried(trial: Trial) -> int:
    """Turn the VM on, look at it, and turn it off or delete it, whatever happens.

    Return how many findings are wrong.
    """
    machine = GcpMachine(trial.knobs)
    with held(machine, trial) as token, taken_back(trial, token):
        turn_on(machine, trial)
        return shown(look_inside(machine, trial))


@contextlib.contextmanager
def held(machine: GcpMachine, trial: Trial) -> Iterator[str]:
    """Lock a VM that existed before, against other runs. Yield the token for our own stop."""
    if trial.is_new:
        yield ""
        return
    with lock.hold(machine, LONGEST_HOURS) as hold:
        yield hold.token


@contextlib.contextmanager
def taken_back(trial: Trial, token: str) -> Iterator[None]:
    """End the trial, whatever happens in the block (also a Ctrl-C).

    If something may still bill afterwards, the error says so in its last line.
    """
    began = time.time()
    try:
        yield
    finally:
        shield()
        if gone := end_of(trial, token, began):
            error = sys.exception() or Failure("check-account: the VM is left on")
            error.add_note(gone)
            raise error


def end_of(trial: Trial, token: str, began: float) -> str:
    """End the trial with the delete or the stop command. Return what may still bill; else ""."""
    words = ["delete.py", "--yes"] if trial.is_new else ["stop.py", f"--patience={PATIENCE_S}"]
    command = [sys.executable, str(VERBS / words[0]), *words[1:]]
    environment = {**as_environment(trial.knobs), lock.TOKEN_VARIABLE: token}
    if run_apart(command, environment) == ExitCode.OK:
        return ""
    if trial.is_new:
        vm = trial.knobs.vm
        return (
            f"{vm} MAY STILL BE THERE, AND BILL, until Google deletes it {LONGEST_HOURS:g} h after"
            f" its start: make delete VM={vm}"
        )
    return GcpMachine(trial.knobs).alarm(began)


if __name__ == "__main__":
    run(main)
