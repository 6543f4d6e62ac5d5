#!/usr/bin/env python3
"""What the witnesses tell, and when they cry wolf.

Faults are put into true answers, one at a time (bench/trust_faults.py). A fault is told if a doubt
overlaps its place that the true answer did not get. A false alarm is a true answer that is
doubtful, or a true cell with any doubt (ink that is said to be missed counts as one cell).

PAGES are folders of pictures with their cells beside them: `NAME.json` in the form of our results,
or one JSON list of OmniDocBench. A text layer comes from `NAME.pdf`.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pymupdf
from PIL import Image

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "vm_side")]

from answer.cells import Cell  # noqa: E402 - found by the line above, as are those below
from bench.trust_faults import Box, Fault, Page, faults_of, overlap  # noqa: E402
from contract import DOUBT_KINDS, PICTURES  # noqa: E402
from picture.images import model_picture, one_channel_if_gray  # noqa: E402
from trust.doubts import Doubt, is_doubtful, trust_left  # noqa: E402
from trust.witnesses import doubts_of, evidence_of  # noqa: E402
from trust.words import Word  # noqa: E402

MAX_PIXELS, UPSAMPLE_BELOW = 2_000_000, 1_200_000
SAME = 0.5  # of two doubts' common area: a fault did not bring about the second

OMNI = {
    **{"title": "Title", "text_block": "Text", "reference": "Text", "code_txt": "Text"},
    **{"figure_caption": "Caption", "table_caption": "Caption", "code_txt_caption": "Caption"},
    **{"figure_footnote": "Footnote", "table_footnote": "Footnote", "page_footnote": "Footnote"},
    **{"header": "Page-header", "footer": "Page-footer", "page_number": "Page-footer"},
    **{"equation_isolated": "Formula", "equation_caption": "Text", "table": "Table"},
}
"""OmniDocBench's names of what has a text; all others are left alone, as pictures are."""


@dataclass
class Tally:
    """What came of one set of pages."""

    pages: int = 0
    cells: int = 0
    doubtful: int = 0
    false_cells: Counter[str] = field(default_factory=Counter)
    """True cells in doubt, by kind; under "any" each once."""
    made: Counter[str] = field(default_factory=Counter)
    told: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By fault, then by kind; "any": each fault once; "doubtful": it made the page so."""
    evidence_ms: list[float] = field(default_factory=list)
    doubts_ms: list[float] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    """The true pages that are doubtful."""

    def add(self, other: Tally) -> None:
        self.pages += other.pages
        self.cells += other.cells
        self.doubtful += other.doubtful
        self.false_cells += other.false_cells
        self.made += other.made
        for fault, kinds in other.told.items():
            self.told[fault] += kinds
        self.evidence_ms += other.evidence_ms
        self.doubts_ms += other.doubts_ms
        self.alarms += other.alarms


def from_omni(detections: Iterable[dict[str, Any]]) -> list[Cell]:
    """OmniDocBench's layout of a page -> cells as dots.ocr would answer them."""
    cells: list[Cell] = []
    for found in sorted(detections, key=lambda found: found.get("order") or 0):
        across, down = found["poly"][0::2], found["poly"][1::2]
        cell = {
            "bbox": [round(min(across)), round(min(down)), round(max(across)), round(max(down))]
        }
        category = OMNI.get(found["category_type"], "Picture")
        text = found.get("text") or found.get("latex") or ""
        if category == "Table":
            text = found.get("html") or found.get("latex") or ""
        is_read = category != "Picture" and bool(text)
        cells.append(
            {**cell, "category": category, "text": text}
            if is_read
            else {**cell, "category": "Picture"}
        )
    return cells


def annotated(folder: Path) -> Iterator[tuple[Path, list[Cell]]]:
    """The pictures below a folder that have true cells."""
    pictures = {path.name: path for path in sorted(folder.rglob("*")) if path.suffix in PICTURES}
    for path in sorted(folder.rglob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        if found and "layout_dets" in found[0]:
            for page in found:
                picture = pictures.get(Path(page["page_info"]["image_path"]).name)
                if picture is not None:
                    yield picture, from_omni(page["layout_dets"])
            continue
        beside = [path.with_suffix(ending) for ending in PICTURES]
        yield from ((picture, found) for picture in beside if picture.exists())


def words_beside(picture: Path, size: tuple[int, int]) -> list[Word]:
    """The words of the PDF page that a picture was drawn from, if there is one beside it."""
    path = picture.with_suffix(".pdf")
    if not path.exists():
        return []
    with pymupdf.open(path) as document:
        page = document[0]
        wide, high = size[0] / page.rect.width, size[1] / page.rect.height
        return [
            Word(text, (x1 * wide, y1 * high, x2 * wide, y2 * high))
            for x1, y1, x2, y2, text, *_ in page.get_text("words")
        ]


def as_sent(page: Image.Image, cells: Sequence[Cell]) -> Page:
    """A page as the model sees it, and its cells there."""
    flat = page if page.mode in ("L", "RGB") else page.convert("RGB")
    sent = model_picture(one_channel_if_gray(flat), MAX_PIXELS, UPSAMPLE_BELOW)
    wide, high = sent.width / page.width, sent.height / page.height
    scales = (wide, high, wide, high)
    moved = [
        {**cell, "bbox": [int(at * by) for at, by in zip(cell["bbox"], scales, strict=True)]}
        for cell in cells
    ]
    return Page(sent, moved)


def is_known(doubt: Doubt, before: Sequence[Doubt]) -> bool:
    """Whether the true answer got this doubt too."""
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
    """Of which kinds the new doubts are that overlap a place of the fault."""
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
    name: str, page: Page, words: Sequence[Word], rng: random.Random, most: int, only: Sequence[str]
) -> Tally:
    """One page, and its faults."""
    started = time.process_time()
    evidence = evidence_of(page.picture, words)
    gathered = time.process_time()
    before = doubts_of(evidence, page.cells)
    ended = time.process_time()
    tally = Tally(1, len(page.cells), false_cells=false_cells_of(before))
    tally.evidence_ms.append(1000 * (gathered - started))
    tally.doubts_ms.append(1000 * (ended - gathered))
    if is_doubtful(trust_left(before)):
        tally.doubtful = 1
        tally.alarms.append(name)
    for fault in faults_of(page, rng, most):
        if only and fault.name not in only:
            continue
        doubts = doubts_of(evidence, fault.cells)
        kinds = kinds_that_tell(fault, doubts, before)
        tally.made[fault.name] += 1
        tally.told[fault.name].update(kinds)
        tally.told[fault.name]["any"] += bool(kinds)
        tally.told[fault.name]["doubtful"] += is_doubtful(trust_left(doubts))
    return tally


def share(part: float, of: float) -> str:
    return f"{100 * part / of:5.1f}%" if of else "    - "


def table(tally: Tally) -> Iterator[str]:
    """The figures of a set, for people."""
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
    yield f"  {'false alarms':<19}{row}{share(tally.doubtful, tally.pages):>10}{kinds}"
    for what, ms in (("evidence_of", tally.evidence_ms), ("doubts_of", tally.doubts_ms)):
        yield f"  CPU of {what}: {sum(ms) / len(ms):.1f} ms a page, at most {max(ms):.1f}"


def as_json(tally: Tally) -> dict[str, Any]:
    """The figures of a set, for programs."""
    return {
        "pages": tally.pages,
        "cells": tally.cells,
        "false_pages": tally.alarms,
        "false_cells": tally.false_cells,
        "faults": {
            fault: {"made": made, **tally.told[fault]} for fault, made in tally.made.items()
        },
        "evidence_ms": sum(tally.evidence_ms) / tally.pages,
        "doubts_ms": sum(tally.doubts_ms) / tally.pages,
    }


def sets_of(folders: Sequence[Path]) -> Iterator[tuple[str, Iterable[tuple[Path, list[Cell]]]]]:
    """Folders of pages by name."""
    for folder in folders:
        yield folder.name, annotated(folder)


@click.command(help=__doc__)
@click.option("--pages", multiple=True, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--seed", default=0, help="Of the faults that are drawn by lot.")
@click.option("--most", default=8, help="Faults of one kind a page.")
@click.option("--only", multiple=True, help="A fault by its name; may be given again.")
@click.option("--alarms", is_flag=True, help="Name the true pages that are doubtful.")
@click.option("--json", "as_data", is_flag=True, help="Print JSON instead of tables.")
def main(
    pages: tuple[Path, ...],
    seed: int,
    most: int,
    only: tuple[str, ...],
    alarms: bool,
    as_data: bool,
) -> None:
    total, data = Tally(), {}
    for name, found in sets_of(pages):
        tally = Tally()
        for path, cells in found:
            with Image.open(path) as opened:
                page = as_sent(opened, cells)
            words = words_beside(path, page.picture.size)
            rng = random.Random(f"{seed} {path.name}")
            tally.add(judged(f"{name}/{path.name}", page, words, rng, most, only))
        if not tally.pages:
            raise click.ClickException(f"{name}: no page there has its cells beside it")
        data[name] = as_json(tally)
        total.add(tally)
        if not as_data:
            click.echo("\n".join((f"{name}: {tally.pages} pages", *table(tally))))
    if as_data:
        click.echo(json.dumps({**data, "all": as_json(total)}, ensure_ascii=False, indent=1))
    else:
        click.echo("\n".join((f"all: {total.pages} pages", *table(total))))
        click.echo("\n".join(f"doubtful: {page}" for page in total.alarms if alarms))


if __name__ == "__main__":
    main()
