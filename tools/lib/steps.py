"""The steps of one run: verbs, each a command of its own, and a machine that is on for some.

A shell's trap could not do this: it waits for the running verb before it handles a signal, and the
machine would go on billing meanwhile.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lib.console import (
    ExitCode,
    Interrupted,
    interrupt,
    run_apart,
    run_child,
    say,
    set_handlers,
    shield,
)
from lib.machines import left_on, lock
from lib.machines.machine import Machine

VERBS = Path(__file__).parents[1]
STOP_PATIENCE_S = 600  # how long the stop goes on trying while the network or the login is away
MEANINGS: dict[int, str] = {
    ExitCode.PAGES_FAILED: "some pages failed, or were more than BUDGET pays: run again",
    ExitCode.INTERRUPTED: "interrupted",
}


@dataclass
class Steps:
    """The steps of a run; whose is what people typed, such as "make all".

    codes and seconds hold each step's exit code and duration. on_since is the Unix time at which
    we turned the machine on. found_on_since is since when it was on already, if it was.
    """

    whose: str
    environment: Mapping[str, str]
    codes: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    on_since: float | None = None
    found_on_since: float | None = None
    meanwhile: Callable[[], None] = lambda: None

    def with_machine(
        self, machine: Machine, longest_h: Callable[[float], float], work: Callable[[], None]
    ) -> None:
        """Hold the machine while the work is done, and turn it off afterwards, whatever happens.

        longest_h(seconds) gives its longest run, in hours, if it has been on for these seconds.
        """
        with left_on.told(machine, if_seen=True), lock.hold(machine, longest_h(0)) as held:
            now = time.time()
            self.found_on_since = machine.on_since()
            hours = longest_h(now - (self.found_on_since or now))
            own = {lock.TOKEN_VARIABLE: held.token, "MAX_HOURS": str(hours)}
            self.environment = {**self.environment, **own}
            self.meanwhile = held.renew
            try:
                work()
                shield()  # no signal comes between here and the stop
            except Interrupted:
                self.codes["interrupted"] = ExitCode.INTERRUPTED
            finally:
                shield()  # also after an error that nobody has foreseen
                self.run("stop", f"--patience={STOP_PATIENCE_S}")
        self.meanwhile = lambda: None
        if self.codes["stop"] == ExitCode.OK:
            set_handlers(interrupt)  # nothing bills any more: from here on a Ctrl-C may end it

    def run(self, step: str, *options: str, **changes: str) -> int:
        """Run one verb, with these changes of its knobs. BUDGET counts from the step start on."""
        if step == "start":
            self.on_since = time.time()
        if step == "process" and self.on_since is not None:
            options = (*options, f"--on-since={self.on_since}")
        with self._timed(step):
            environment = {**self.environment, **changes}
            self.codes[step] = run_step(self.whose, step, environment, *options, by=self.meanwhile)
        return self.codes[step]

    def alarm(self, machine: Machine) -> str:
        """Say and return what may still bill after a failed stop; empty if the machine does not."""
        alarm = ""
        # if nothing is left on but its workers, the stop has said so
        if self.codes["stop"] != ExitCode.OK and machine.left_on():
            alarm = machine.alarm(self.on_since)
            say(alarm)
        return alarm

    @contextlib.contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        """Write down how long a step takes, in seconds."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[step] = time.monotonic() - began


def run_step(
    whose: str,
    step: str,
    environment: Mapping[str, str],
    *options: str,
    by: Callable[[], None] = lambda: None,
) -> int:
    """Run one verb, and say so if it failed. A Ctrl-C in our terminal does not reach the stop.

    by is called now and then while it runs.
    """
    command = [sys.executable, str(VERBS / f"{step}.py"), *options]
    try:
        if step == "stop":
            code = run_apart(command, environment)
        else:
            code = run_child(command, environment, by, lock.RENEW_S)
    except OSError as error:  # no memory for another process, say
        say(f"{whose}: {step} cannot be run: {error}")
        return ExitCode.FAILED
    if code != ExitCode.OK:
        is_of_documents = step == "export" and code == ExitCode.PAGES_FAILED
        why = "see above" if is_of_documents else MEANINGS.get(code, "see above")
        say(f"{whose}: {step} ended with {code} ({why})")
    return code


def goes_on(step: str, code: int) -> bool:
    """Whether the next step makes sense after this step ended with this code.

    What a failed `process` has read so far belongs to the user, so it is still brought home.
    """
    return code in (ExitCode.OK, ExitCode.PAGES_FAILED) or (
        step == "process" and code != ExitCode.INTERRUPTED
    )


def exit_code(codes: Mapping[str, int]) -> int:
    """Return the code of the whole run: 1 if the machine may still bill, else the worst step's."""
    return ExitCode.FAILED if codes["stop"] != ExitCode.OK else worst(codes)


def worst(codes: Mapping[str, int]) -> int:
    """The first failure of these steps, else 3 or 0."""
    bad = [code for code in codes.values() if code != ExitCode.OK]
    return next(
        (code for code in bad if code != ExitCode.PAGES_FAILED), bad[0] if bad else ExitCode.OK
    )
