#!/usr/bin/env python3
"""What the witnesses tell, and when they cry wolf.

Faults are put into true answers, one at a time (bench/trust_faults.py). A fault is told if a doubt
overlaps its place that the true answer did not get. A false alarm is a true answer that is
doubtful, or a true cell with any doubt (ink that is said to be missed counts as one cell).

PAGES are folders of pictures with their cells beside them: `NAME.json` in the form of our results,
or one JSON list of OmniDocBench. A text layer comes from `NAME.pdf`. Without PAGES, pages are made
(bench/trust_pages.py), in English and Korean.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "vm_side")]

from bench import trust_pages  # noqa: E402 - found by the line above, as are those below
from bench.trust_faults import Box, Fault, faults_of, overlap  # noqa: E402 - so is this
from bench.trust_truth import Known, as_sent, known_in  # noqa: E402 - so is this
from contract import DOUBT_KINDS  # noqa: E402 - so is this
from picture.pdf.text_layer import words_on  # noqa: E402 - so is this
from picture.words import Word  # noqa: E402 - so is this
from second_reading import Engine, load_engine  # noqa: E402 - so is this
from trust.doubts import Doubt, is_doubtful, trust_left  # noqa: E402 - so is this
from trust.text.reader_witness import Line, reader_doubts  # noqa: E402 - so is this
from trust.witnesses import doubts_of, evidence_of  # noqa: E402 - so is this

# share of the area of two doubts: with more in common, the fault did not cause the second
SAME = 0.5


@dataclass
class Tally:
    """The results of one set of pages."""

    pages: int = 0
    cells: int = 0
    false_cells: Counter[str] = field(default_factory=Counter)
    """True cells in doubt, by kind; "any" counts each cell once."""
    made: Counter[str] = field(default_factory=Counter)
    told: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By fault, then by kind. "any" counts each fault once, "doubtful" if it made its page so."""
    cpu_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """CPU milliseconds of each page, by function."""
    alarms: list[str] = field(default_factory=list)
    """The true pages that are doubtful."""
    untold: list[str] = field(default_factory=list)
    """The faults without a doubt, and their places."""

    def add(self, other: Tally) -> None:
        self.pages += other.pages
        self.cells += other.cells
        self.false_cells += other.false_cells
        self.made += other.made
        for fault, kinds in other.told.items():
            self.told[fault] += kinds
        for function, times in other.cpu_ms.items():
            self.cpu_ms[function] += times
        self.alarms += other.alarms
        self.untold += other.untold

    @contextmanager
    def timed(self, function: str) -> Iterator[None]:
        """Add the CPU time of the body of the `with`."""
        started = time.process_time()
        yield
        self.cpu_ms[function].append(1000 * (time.process_time() - started))


def is_known(doubt: Doubt, before: Sequence[Doubt]) -> bool:
    """Whether the true answer already got this doubt."""
    for other in before:
        if other.kind != doubt.kind:
            continue
        common, areas = overlap(other.bbox, doubt.bbox), area(other.bbox) + area(doubt.bbox)
        if other.bbox == doubt.bbox or common > SAME * (areas - common):
            return True
    return False


def area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def kinds_that_tell(fault: Fault, doubts: Sequence[Doubt], before: Sequence[Doubt]) -> set[str]:
    """The kinds of the new doubts that overlap a place of the fault."""
    return {
        doubt.kind
        for doubt in doubts
        if any(overlap(doubt.bbox, place) or doubt.bbox == place for place in fault.places)
        and not is_known(doubt, before)
    }


def false_cells_of(doubts: Sequence[Doubt]) -> Counter[str]:
    """How many cells of a true answer are in doubt, by kind and in all."""
    by_kind = {(doubt.kind, doubt.bbox if doubt.cell is None else doubt.cell) for doubt in doubts}
    counts = Counter(kind for kind, _ in by_kind)
    counts["any"] = len({place for _, place in by_kind})
    return counts


def judged(
    known: Known,
    rng: random.Random,
    most: int,
    only: Sequence[str] = (),
    layer: bool = True,
    engine: Engine | None = None,
) -> Tally:
    """Judge one page and its faults.

    `layer` says whether to use the page's text layer. `engine` is the second reader, if any.
    """
    page, tally = known.page, Tally(1, len(known.page.cells))
    words: Sequence[Word] = ()
    if known.pdf and layer:
        with tally.timed("words_on"):
            words = words_on(page.picture, known.pdf, 0, 0)
    with tally.timed("evidence_of"):
        evidence = evidence_of(page.picture, words)
    with tally.timed("doubts_of"):
        before = doubts_of(evidence, page.cells)
    lines: list[Line] = []
    if engine:
        with tally.timed("second reader"):
            lines = engine.read(page.picture)
    before += reader_doubts(lines, page.cells, "")
    tally.false_cells = false_cells_of(before)
    was_doubtful = is_doubtful(trust_left(before))
    if was_doubtful:
        tally.alarms.append(known.name)
    for fault in faults_of(page, rng, most):
        if only and fault.name not in only:
            continue
        doubts = doubts_of(evidence, fault.cells) + reader_doubts(lines, fault.cells, "")
        kinds = kinds_that_tell(fault, doubts, before)
        told = tally.told[fault.name]
        tally.made[fault.name] += 1
        told.update(kinds)
        told["any"] += bool(kinds)
        told["doubtful"] += is_doubtful(trust_left(doubts)) and not was_doubtful
        if not kinds:
            tally.untold.append(f"{fault.name}: {known.name} {[*map(round, fault.places[0])]}")
    return tally


def share(part: float, of: float) -> str:
    return f"{100 * part / of:5.1f}%" if of else "    - "


def table(tally: Tally) -> Iterator[str]:
    """The figures of a set as text, for people."""
    head = "".join(f"{kind:>11}" for kind in DOUBT_KINDS)
    yield f"  {'fault':<19}{'made':>6}{'told':>9}{'doubtful':>10}{head}"
    for fault, made in tally.made.items():
        told = tally.told[fault]
        kinds = "".join(f"{share(told[kind], made):>11}" for kind in DOUBT_KINDS)
        row = f"{made:>6}{share(told['any'], made):>9}{share(told['doubtful'], made):>10}"
        yield f"  {fault:<19}{row}{kinds}"
    false = tally.false_cells
    kinds = "".join(f"{share(false[kind], tally.cells):>11}" for kind in DOUBT_KINDS)
    row = f"{tally.cells:>6}{share(false['any'], tally.cells):>9}"
    yield f"  {'false alarms':<19}{row}{share(len(tally.alarms), tally.pages):>10}{kinds}"
    for function, ms in tally.cpu_ms.items():
        yield f"  CPU of {function}: {sum(ms) / len(ms):.1f} ms a page, at most {max(ms):.1f}"


def as_json(tally: Tally) -> dict[str, Any]:
    """The figures of a set as data, for programs."""
    return {
        "pages": tally.pages,
        "cells": tally.cells,
        "false_pages": tally.alarms,
        "false_cells": tally.false_cells,
        "faults": {
            fault: {"made": made, **tally.told[fault]} for fault, made in tally.made.items()
        },
        "cpu_ms": {function: sum(ms) / len(ms) for function, ms in tally.cpu_ms.items()},
    }


def made_pages(language: str, seeds: int, font: tuple[str, ...]) -> Iterator[Known]:
    """Yield pages that are made here."""
    for which in trust_pages.kinds(language, seeds):
        page = trust_pages.make(*which, font)
        yield Known(page.name, as_sent(page.image, page.cells))


@click.command(help=__doc__)
@click.option("--pages", multiple=True, type=click.Path(exists=True, path_type=Path))
@click.option("--seeds", default=1, help="Pages of each kind and language that are made.")
@click.option("--font", multiple=True, help="A further font of these: en:FILE or ko:FILE.")
@click.option("--seed", default=0, help="Of the faults that are drawn by lot.")
@click.option("--most", default=8, help="Faults of one kind a page.")
@click.option("--only", multiple=True, help="A fault by its name; may be given again.")
@click.option("--layer/--no-layer", default=True, help="Hear the text layer, where there is one.")
@click.option("--reader", is_flag=True, help="Hear the second reader: seconds a page.")
@click.option("--alarms", is_flag=True, help="Name the true pages that are doubtful.")
@click.option("--untold", is_flag=True, help="Name the faults that are not told, in sent pixels.")
@click.option("--json", "as_data", is_flag=True, help="Print JSON instead of tables.")
def main(
    pages: tuple[Path, ...],
    seeds: int,
    font: tuple[str, ...],
    seed: int,
    most: int,
    only: tuple[str, ...],
    layer: bool,
    reader: bool,
    alarms: bool,
    untold: bool,
    as_data: bool,
) -> None:
    sets: dict[str, Iterable[Known]] = {folder.name: known_in(folder) for folder in pages} or {
        f"made, {language}": made_pages(language, seeds, font) for language in ("en", "ko")
    }
    total, data = Tally(), {}
    engine = load_engine() if reader else None
    for name, found in sets.items():
        tally = Tally()
        for known in found:
            rng = random.Random(f"{seed} {known.name}")
            tally.add(judged(known, rng, most, only, layer, engine))
        if not tally.pages:
            raise click.ClickException(f"{name}: no page there has its cells beside it")
        data[name] = as_json(tally)
        total.add(tally)
        if not as_data:
            click.echo("\n".join((f"{name}: {tally.pages} pages", *table(tally))))
    if as_data:
        click.echo(json.dumps({**data, "all": as_json(total)}, ensure_ascii=False, indent=1))
        return
    click.echo("\n".join((f"all: {total.pages} pages", *table(total))))
    click.echo("\n".join(f"doubtful: {page}" for page in total.alarms if alarms))
    click.echo("\n".join(f"not told: {fault}" for fault in total.untold if untold))


if __name__ == "__main__":
    main()
