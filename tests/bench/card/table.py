"""What was measured, as Markdown for the docs.

May import: bench.card, lib.plan.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.card.clients import CEILING_PART, OURS, REFERENCE_PART
from bench.card.fit import Fit
from bench.card.windows import Row
from lib.plan.cards import TOKENS

BATCHES = (1, 12, 64, 128, 256)
COLUMNS: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("pages/s begun · ended", lambda row: f"{rate(row.begun)} · {rate(row.ended)}"),
    ("tokens/s", lambda row: f"{row.tokens:,.0f}"),
    ("running", lambda row: f"{row.running:.1f}"),
    ("waiting, at most", lambda row: f"{row.waiting:.1f}, {row.most_waiting:.0f}"),
    ("steady after", lambda row: f"{row.steady_s:.0f} s"),
    ("client CPU-s a page", lambda row: f"{row.client_cpu_s:.3f}"),
    ("API server cores", lambda row: f"{row.api_cores:.1f}"),
    ("engine cores", lambda row: f"{row.engine_cores:.1f}"),
    ("GPU", lambda row: known(row.gpu_percent, "{:.0f}%")),
    ("window", lambda row: f"{row.window_s:.0f} s"),
)


@dataclass(frozen=True)
class Machine:
    """What is measured, and on what: only equal machines may share a table."""

    card: str
    vllm: str
    commit: str
    weights: str
    slots: int


@dataclass(frozen=True)
class Start:
    """One start of the server: seconds until ready, their parts, and the first answer."""

    date: str
    ready_s: float
    parts_s: dict[str, int]
    first_answer_s: float


def table(
    machine: Machine,
    starts: Sequence[Start],
    rows: Sequence[Row],
    fit: Fit | None,
    usd_per_hour: float,
) -> str:
    """The table of the runs, and below it the starts, the fit and a summary."""
    ceiling = next((row.pages_per_s for row in rows if row.name == CEILING_PART), 0.0)
    names = [name for name, _ in COLUMNS]
    lines = [
        f"**{machine.card}**, vLLM {machine.vllm}, {machine.slots} slots, {machine.weights};"
        f" commit {machine.commit}, {starts[-1].date}:",
        "",
        line("run", names[0], "of the ceiling", *names[1:]),
        "|---" * (len(names) + 2) + "|",
    ]
    for row in rows:
        first, *others = (show(row) for _, show in COLUMNS)
        share = known(row.pages_per_s / ceiling if ceiling else None, "{:.0%}")
        lines.append(line(told(row.name), first, share, *others))
    lines += ["", started(starts), fitted(fit), ""]
    lines += summary(machine, starts[-1].date, rows, usd_per_hour)
    return "\n".join(lines)


def line(*cells: str) -> str:
    """A row of the table."""
    return f"| {' | '.join(cells)} |"


def told(part: str) -> str:
    """A part's name, for people."""
    names = {CEILING_PART: "ceiling", OURS: "ours", REFERENCE_PART: "dots.ocr's own client"}
    return names.get(part, f"ours, `-p {part.removeprefix(f'{OURS}-')}`")


def rate(pages_per_s: float) -> str:
    """A rate with three digits."""
    return f"{pages_per_s:.2f}" if pages_per_s >= 1 else f"{pages_per_s:.3f}"


def known(value: float | None, form: str) -> str:
    """The value as text; a dash if it is not known."""
    return "–" if value is None else form.format(value)


def started(starts: Sequence[Start]) -> str:
    """Say how long each start took. A later start finds what an earlier one has compiled."""
    each = []
    for start in starts:
        parts = ", ".join(f"{name} {seconds}" for name, seconds in start.parts_s.items())
        answer = f"the first answer {start.first_answer_s:.0f} s later"
        each.append(f"{start.ready_s:.0f} s ({parts}), {answer}")
    return f"Start, at first with nothing compiled: {'; then '.join(each)}."


def fitted(fit: Fit | None) -> str:
    """Say what a picture and a step take, and the rates that follow."""
    if fit is None:
        return "No fit: too few windows, or all of one kind."
    rates = " · ".join(rate(1 / fit.page_s(batch, TOKENS)) for batch in BATCHES)
    shares = " · ".join(f"{fit.picture_s / fit.page_s(batch, TOKENS):.0%}" for batch in BATCHES)
    step = f"{fit.step_s * 1e3:.2f} ms + {fit.page_step_s * 1e6:.0f} µs × batch"
    return (
        f"Fit over {fit.windows} windows (residual {fit.residual:.1%}):"
        f" {fit.picture_s * 1e3:.0f} ms a picture + ({step}) a step."
        f" With answers of {TOKENS:,.0f} tokens {rates} pages/s at"
        f" {' · '.join(map(str, BATCHES))} in the batch, of which reading pictures takes {shares}."
    )


def summary(machine: Machine, date: str, rows: Sequence[Row], usd_per_hour: float) -> list[str]:
    """A row for the table of all cards."""
    ours = next((row for row in rows if row.name == OURS), None)
    if ours is None:
        return []
    usd = known(1000 * usd_per_hour / 3600 / ours.pages_per_s if usd_per_hour else None, "{:.2f}")
    cells = (machine.card, f"vLLM {machine.vllm}, {machine.slots} slots", rate(ours.pages_per_s))
    head = line("card", "", "pages/s", "USD for 1,000 pages", "commit", "date")
    return [head, "|---" * 6 + "|", line(*cells, usd, machine.commit, date)]
