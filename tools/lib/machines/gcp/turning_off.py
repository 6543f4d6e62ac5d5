"""Turn a VM and its workers off: try all that can be tried, and say what may still bill."""

import time
from collections.abc import Callable
from typing import Any

from lib.console import Away, Failure, NoLogin
from lib.knobs import Knobs
from lib.machines.gcp.compute import Instance
from lib.machines.gcp.fleet import Fleet
from lib.machines.gcp.resources import emptying_command


def turn_off(open_instance: Callable[[], Instance], open_fleet: Callable[[], Fleet]) -> None:
    """Turn the VM off and let the workers go; return when nothing bills any more.

    Raises Failure: Away if it may go well in a minute, NoLogin if it takes a login.
    """
    failures: list[Failure] = []
    are_going = tried(lambda: open_fleet().ask_to_end(), failures)
    tried(lambda: open_instance().stop(), failures)  # the workers go meanwhile
    if are_going:
        tried(lambda: open_fleet().wait_until_empty(), failures)
    if failures:
        raise joined(failures) from failures[0]


def tried(step: Callable[[], Any], failures: list[Failure]) -> Any:
    """Return what a step gives; keep its failure for later, because other steps must follow."""
    try:
        return step()
    except Failure as error:
        failures.append(error)
    return None


def joined(failures: list[Failure]) -> Failure:
    """Return several failures as one, which may pass if one of them may pass."""
    kinds = [kind for kind in (Away, NoLogin) if any(isinstance(one, kind) for one in failures)]
    if len(failures) == 1 or (kinds and all(isinstance(one, kinds[0]) for one in failures)):
        return failures[-1]  # all for the same reason
    return (*kinds, Failure)[0]("\n".join(one.message for one in failures))


def alarm(knobs: Knobs, since: float | None) -> str:
    """Return what to say last if the VM could not be turned off. since is Unix time, if known."""
    on = f", since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(since))}" if since else ""
    of_vm = (
        f"{knobs.vm} MAY STILL RUN, AND BILL{on}, {knobs.price_per_hour:g} USD an hour:"
        f" gcloud compute instances stop {knobs.vm} --zone {knobs.zone} --project {knobs.project}"
    )
    if not knobs.workers:
        return of_vm
    return (
        f"its {knobs.workers} workers MAY STILL RUN, AND BILL, {knobs.price_per_worker_hour:g} USD"
        f" an hour each: {emptying_command(knobs)}\n{of_vm}"
    )


def left_on(knobs: Knobs, is_on: bool | None) -> str:
    """Return what to say last if a command failed after a turn-on. is_on is None if not known."""
    if is_on is None:
        return alarm(knobs, None)
    if not is_on:
        return ""
    crew = f", its workers {knobs.price_per_worker_hour:g} each" if knobs.workers else ""
    return (
        f"the VM is on: {knobs.vm} bills {knobs.price_per_hour:g} USD an hour{crew}:"
        " make stop turns it off"
    )
