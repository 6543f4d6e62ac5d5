"""One start of the server, and the parts for which there is time.

May import: bench.card, rig.vllm_process, and of vm_side contract, machine and results.
"""

import asyncio
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.card import page_set
from bench.card.ceiling import keep_asking
from bench.card.clients import OURS, Bench, command_of
from bench.card.looks import Cards, cards_there
from bench.card.running import ClientFailed, watch
from bench.card.serving import ROOT, CardServer, Place, has_weights, make_told
from bench.card.state import State
from bench.card.table import Machine, Start
from bench.card.windows import is_seen
from contract import FAILED
from machine.loading import parts_in
from results.manifest import load as load_manifest
from rig.vllm_process import ON_CPU

REHEARSAL = (
    "--dtype bfloat16 --enforce-eager --distributed-executor-backend uni --max-model-len 8192"
    " --max-num-seqs 4"
)
LEAST_S = 20.0  # seconds of a part in addition to its window: to begin, to become steady, to end
MOST_S = 150.0  # longest time of a part, steady or not
BUSY_MIB = 2_000  # more memory than this in use, before we started anything, means a busy card
MOST_FAILED = 0.1  # share of the pages


@dataclass(frozen=True)
class Session:
    """What to measure, with what, and for how long."""

    parts: Sequence[str]
    state: State
    place: Place
    model: Path
    flags: str
    reference: Path
    minutes: float
    window_s: float
    rehearse: bool

    def measure(self) -> list[str]:
        """Start the server, run the parts, end it. Return the parts for which there was no time.

        Raises Mixed, ClientFailed, OSError, EOFError, RuntimeError or CalledProcessError.
        """
        deadline_s = time.monotonic() + self.minutes * 60
        for name in ("cache", "log"):
            (self.state.folder / name).mkdir(parents=True, exist_ok=True)
        cards = cards_there()
        refuse_busy(cards)
        self.state.check(cards.name, commit_of(ROOT))
        server, weights = self._server()
        say(f"the server starts, its log is {server.log}")
        server.start()
        try:
            bench = self._bench(server, is_told=bool(weights))
            server.wait_until_ready()
            self._keep_start(server, bench, weights or "real weights")
            return self.run_all(bench, server, deadline_s)
        finally:
            server.kill()

    def _keep_start(self, server: CardServer, bench: Bench, weights: str) -> None:
        """Note how the start of the server went."""
        start = Start(
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            ready_s=server.starts[-1],
            parts_s=parts_in(server.log.read_text(errors="replace")),
            first_answer_s=first_answer_s(server.port, bench.requests),
        )
        self.state.keep_start(machine_of(server, weights), start)

    def run_all(self, bench: Bench, server: CardServer, deadline_s: float) -> list[str]:
        """Run the parts; return those that are left. Raises ClientFailed after all others ran."""
        left, failures = [], []
        for part in self.parts:
            most_s = min(MOST_S, deadline_s - time.monotonic())
            try:
                is_done = most_s > self.window_s + LEAST_S and self._run(
                    part, bench, server, most_s
                )
            except ClientFailed as error:
                failures.append(f"{part}: {error}")
                say(failures[-1])
            else:
                left += [] if is_done else [part]
        if failures:
            raise ClientFailed("\n".join(failures))
        return left

    def _server(self) -> tuple[CardServer, str]:
        """The server, not started yet, and a description of its weights: "" for real ones."""
        model, flags, given, weights = self.model, self.flags, dict[str, str](), ""
        if self.rehearse or not has_weights(self.place, model):
            model, flag, given = make_told(self.place, self.state.folder, tiny=self.rehearse)
            flags, weights = f"{flag} {flags}", "random weights"
        if self.rehearse:
            flags, given = f"{REHEARSAL} {flags}", given | ON_CPU
        log = self.state.folder / "log" / f"server-{datetime.now(UTC):%H%M%S}.log"
        return CardServer(self.place, log, model, flags, given), weights

    def _bench(self, server: CardServer, is_told: bool) -> Bench:
        """Make the pages while the server loads."""
        load = page_set.TINY if self.rehearse else page_set.FULL
        pages = self.state.made("pages", lambda to: page_set.write_pages(to, load))
        return Bench(
            port=server.port,
            load=load,
            pages=pages,
            requests=self.state.made(
                "requests", lambda to: page_set.write_requests(pages, to, load)
            ),
            output=self.state.folder / "out",
            reference=self.reference,
            told=is_told,
        )

    def _run(self, part: str, bench: Bench, server: CardServer, most_s: float) -> bool:
        """Run one part and keep its looks. Return False if the part had too little time."""
        shutil.rmtree(bench.output, ignore_errors=True)
        say(f"{part}: …")
        command, stdin = command_of(part, bench, server.slots())
        log = self.state.folder / "log" / f"{part}.log"
        looks = watch(command, stdin, server, log, self.window_s, most_s)
        if part.startswith(OURS):
            check_pages(bench.output)
        if most_s < MOST_S and not is_seen(looks, self.window_s):
            return False
        self.state.keep_looks(part, looks)
        say(f"{part}: {looks[-1].t:.0f} s")
        return True


def refuse_busy(cards: Cards) -> None:
    """Raises RuntimeError if another program uses the card: that would be measured too."""
    if (cards.used_mib or 0) > BUSY_MIB:
        raise RuntimeError(
            f"{cards.used_mib:,.0f} MiB of {cards.name} are in use: stop the server that is there"
            " first, as with docker stop"
        )


def first_answer_s(port: int, requests: Path) -> float:
    """Seconds of the first request, during which the last kernels are compiled."""
    began_s = time.monotonic()
    body = next(iter(sorted(requests.iterdir()))).read_bytes()
    asyncio.run(keep_asking(port, iter([body])))
    return time.monotonic() - began_s


def machine_of(server: CardServer, weights: str) -> Machine:
    """Describe what is measured here."""
    return Machine(
        card=cards_there().name,
        vllm=server.version(),
        commit=commit_of(ROOT),
        weights=weights,
        slots=server.slots(),
    )


def commit_of(repository: Path) -> str:
    """The commit that is checked out; "unknown" for a copy without git's own folder."""
    command = ["git", "-C", str(repository), "describe", "--always", "--dirty", "--abbrev=7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def check_pages(output: Path) -> None:
    """Raises ClientFailed if our client failed on too many pages."""
    statuses = Counter(record.status for record in load_manifest(output).values())
    if statuses[FAILED] > MOST_FAILED * statuses.total():
        raise ClientFailed(f"our client's pages: {dict(statuses)}")


def say(what: str) -> None:
    """Print to stderr, for people."""
    print(what, file=sys.stderr)
