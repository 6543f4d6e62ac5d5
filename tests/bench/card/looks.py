"""One look at a server at work: its counters, its cards, and everyone's CPU time.

May import: bench.measure.
"""

import contextlib
import json
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.measure import PROC, descendants

COUNTERS = {
    "running": "vllm:num_requests_running",
    "waiting": "vllm:num_requests_waiting",
    "begun": "vllm:time_to_first_token_seconds_count",  # its picture has been read by then
    "ended": "vllm:request_success_total",
    "tokens": "vllm:generation_tokens_total",
    "preemptions": "vllm:num_preemptions_total",
}
ABORTED = 'finished_reason="abort"'
TICKS_PER_S = 100  # unit of /proc, on every Linux
QUERY = ("name", "utilization.gpu", "memory.used", "power.draw")


@dataclass(frozen=True)
class Cards:
    """What nvidia-smi says: the cards' names and number, and their load. None: not reported."""

    name: str = "no card"
    gpu_percent: float | None = None
    used_mib: float | None = None
    watts: float | None = None


@dataclass(frozen=True)
class Look:
    """At time `t`: the server's gauges and totals, the CPU seconds of each part, the cards."""

    t: float
    running: float
    waiting: float
    begun: float
    ended: float
    tokens: float
    preemptions: float
    cpu_s: dict[str, float]
    cards: Cards = Cards()


def look(t: float, metrics: str, cpu_s: dict[str, float], cards: Cards) -> Look:
    """Make a look from the text of /metrics."""
    totals = totals_of(metrics)
    return Look(
        t=t, **{to: totals[name] for to, name in COUNTERS.items()}, cpu_s=cpu_s, cards=cards
    )


def totals_of(metrics: str) -> dict[str, float]:
    """The value of each metric, summed over engines and labels; aborted requests are left out."""
    totals = defaultdict[str, float](float)
    for line in metrics.splitlines():
        name, _, value = line.rpartition(" ")
        if not line.startswith("#") and ABORTED not in name:
            totals[name.partition("{")[0]] += float(value)
    return totals


def cards_there() -> Cards:
    """The cards of this machine, now."""
    command = ["nvidia-smi", f"--query-gpu={','.join(QUERY)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return Cards()
    return cards_told(done.stdout)


def cards_told(table: str) -> Cards:
    """Sum up nvidia-smi's lines over all cards: the mean use; memory and power added."""
    names, columns = [], defaultdict[str, list[float]](list)
    for line in table.splitlines():
        name, *values = (word.strip() for word in line.split(","))
        names.append(name)
        for column, value in zip(QUERY[1:], values, strict=True):
            with contextlib.suppress(ValueError):  # [N/A], [Not Supported]
                columns[column].append(float(value))
    count = f"{len(names)} × " if len(names) > 1 else ""
    use, memory, power = (columns[column] for column in QUERY[1:])
    return Cards(
        count + " + ".join(sorted(set(names))) or Cards.name,
        sum(use) / len(use) if use else None,
        sum(memory) if memory else None,
        sum(power) if power else None,
    )


def cpu_by_part(server: int, client: int) -> dict[str, float]:
    """CPU seconds so far of the server's two halves and of the client.

    `server` and `client` are the pids of their first processes.
    """
    found = {"api": 0.0, "engine": 0.0, "client": 0.0}
    for pid in {server, *descendants(server)}:
        with contextlib.suppress(OSError):  # the process has just ended
            title = (PROC / str(pid) / "cmdline").read_text()
            found["engine" if "EngineCore" in title or "Worker" in title else "api"] += cpu_s(pid)
    for pid in {client, *descendants(client)}:
        with contextlib.suppress(OSError):
            found["client"] += cpu_s(pid)
    return found


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and of its children that have ended. Raises OSError."""
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS_PER_S


def write_looks(looks: Iterable[Look], path: Path) -> None:
    """Write each look as a line of JSON."""
    lines = (json.dumps(asdict(one)) for one in looks)
    path.write_text("".join(f"{line}\n" for line in lines))


def read_looks(path: Path) -> list[Look]:
    """Read what write_looks wrote."""
    found = map(json.loads, path.read_text().splitlines())
    return [Look(**{**one, "cards": Cards(**one["cards"])}) for one in found]
