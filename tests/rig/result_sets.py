"""Made-up result sets for reports: any number of pages, with what dots.ocr finds on pages."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from results.manifest import Record, summary

STARTED = 1_790_000_000.0
SIZE = (827, 1169)
ENGLISH = (
    "the machine reads every page of a book and returns its text in the order a person would "
    "read it with tables formulas captions and notes kept apart so that nothing is lost on the way"
)
KOREAN = "페이지 문서 결과 모델 표 수식 그림 본문 제목 각주 처리 시간 기계 읽기 순서 확인"
SETTINGS = {
    "prompt_mode": "layout_all",
    "max_pixels": 2_000_000,
    "upsample_below": 1_200_000,
    "rotate": "auto",
}
FAILURES = (
    "damaged picture: image file is truncated",
    "no usable answer: the model repeated itself",
    "the request timed out after 600 s",
)

Cells = list[dict[str, Any]]


@dataclass
class ResultSet:
    """A folder of results that grows page by page."""

    folder: Path
    records: list[Record] = field(default_factory=list)

    def add(self, name: str, cells: Cells | None = None, **values: Any) -> Record:
        """Add a page: 100dpi/page1.png. Its files are written unless it failed or was left."""
        path = Path(name)
        page = str(path.with_suffix("") / path.stem)
        facts: dict[str, Any] = {
            "status": "ok",
            "sha256": hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest(),
            "original_size": list(SIZE),
            "model_size": [1176, 1680],
            "cells": len(cells or []),
            "tokens_in": 2750,
            "tokens_out": 40 * len(cells or []),
            "attempts": 1,
            "seconds": 3.0,
            "finished_at": STARTED + 2.0 * len(self.records),
            "finish_reason": "stop",
            "model": "dots.ocr",
            "settings": SETTINGS,
        }
        record = Record(**{"page": page, "input": name, "pdf_page": None, **facts, **values})
        if record.status not in ("failed", "left"):
            file = self.folder / f"{record.page}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(cells or []), encoding="utf-8")
        self.records.append(record)
        return record

    def finish(self, **values: Any) -> Path:
        """Write the manifest and the summary with these values; return the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = [
            json.dumps({part.name: getattr(record, part.name) for part in fields(record)})
            for record in self.records
        ]
        (self.folder / "manifest.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        seconds = 2.0 * len(self.records)
        # tests put anything into doubts
        sane = [replace(record, doubts=[]) for record in self.records]
        totals = summary(sane, sane, seconds, price_per_hour=0.71, gpus=1)
        totals |= {"model": "dots.ocr", "settings": SETTINGS, **values}
        (self.folder / "summary.json").write_text(json.dumps(totals), encoding="utf-8")
        return self.folder


def cell(category: str, text: str, box: tuple[int, int, int, int]) -> dict[str, Any]:
    """A cell as a page's JSON has it."""
    found: dict[str, Any] = {"bbox": list(box), "category": category}
    return found if category == "Picture" else {**found, "text": text}


def doubt(kind: str, box: Any = (80, 60, 700, 100), at: Any = None, **detail: Any) -> Any:
    """A doubt as a manifest has it."""
    return {"kind": kind, "bbox": list(box), "cell": at, "detail": detail}


def page_of_a_book(chance: random.Random, words_per_text: int = 45) -> Cells:
    """A page with some of these: texts, headings, tables, formulas, pictures, lists."""

    def words(count: int) -> str:
        vocabulary = (KOREAN if is_korean else ENGLISH).split()
        return " ".join(chance.choice(vocabulary) for _ in range(count)).capitalize()

    is_korean = chance.random() < 0.3
    cells = [cell("Page-header", words(4), (80, 40, 750, 60))]
    top = 80
    for _ in range(chance.randint(6, 11)):
        kind = chance.choices(
            ("Text", "Section-header", "Table", "Formula", "Picture", "List-item"),
            (10, 3, 1, 1, 1, 2),
        )[0]
        height = 25 if kind == "Section-header" else 85
        text = {
            "Section-header": f"## {words(5)}",
            "Table": table(chance),
            "Formula": r"$$\frac{\partial L}{\partial w} = \sum_{i=1}^{n} x_i (y_i - \hat{y}_i)$$",
            "List-item": "\n".join(f"- {words(8)}" for _ in range(3)),
        }.get(kind, f"{words(words_per_text)}.")
        cells.append(cell(kind, text, (80, top, 750, top + height)))
        top += height + 10
    return [*cells, cell("Page-footer", str(chance.randint(1, 400)), (400, 1120, 440, 1140))]


def table(chance: random.Random) -> str:
    """A small table of numbers, as HTML."""
    rows = [[f"{chance.uniform(0, 100):.2f}" for _ in range(4)] for _ in range(4)]
    head = "".join(f"<th>Column {number}</th>" for number in range(4))
    body = "".join(f"<tr>{''.join(f'<td>{v}</td>' for v in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def doubts_of_a_page(chance: random.Random, cells: Cells) -> dict[str, Any]:
    """Doubts of a page with cells, its trust, and its status."""
    details: dict[str, dict[str, Any]] = {
        "missed": {"lines": chance.randint(1, 9)},
        "empty": {"why": "no ink"},
        "amount": {"ratio": round(chance.uniform(0.1, 3), 3)},
        "repeated": {"of": 0},
        "text_layer": {"precision": 0.62, "recall": 0.58},
        "reader": {"agreement": round(chance.random(), 3), "engine": "tesseract"},
    }
    doubts = []
    for kind in chance.choices(list(details), k=chance.randint(1, 5)):
        at = chance.randrange(len(cells))
        doubts.append(doubt(kind, cells[at]["bbox"], at, **details[kind]))
    trust = round(chance.random(), 3)
    return {"doubts": doubts, "trust": trust, "status": "ok" if trust >= 0.5 else "doubtful"}


def write_book(folder: Path, count: int, seed: int = 1, doubted: float = 0.0) -> Path:
    """A result set of so many pages in folders of 500, in two runs; some pages failed.

    `doubted` is the share of pages that witnesses doubt; 0 means that there were no witnesses.
    """
    chance = random.Random(seed)
    results = ResultSet(folder)
    now = STARTED
    for number in range(count):
        now += chance.expovariate(2.2) + (7200 if number == count * 2 // 3 else 0)
        name = f"volume {number // 500 + 1:02}/page_{number + 1:05}.png"
        seconds = round(chance.lognormvariate(1.6, 0.5), 2)
        drawn = chance.random()
        if drawn < 0.012:
            results.add(
                name,
                status="failed",
                reason=chance.choice(FAILURES),
                seconds=seconds,
                finished_at=now,
                tokens_out=0,
            )
            continue
        cells = [] if drawn < 0.02 else page_of_a_book(chance)
        status, reason = (
            ("blank", "one even colour: not sent")
            if not cells
            else ("repaired", "")
            if drawn < 0.04
            else ("partial", "the answer was cut short")
            if drawn < 0.05
            else ("ok", "")
        )
        tokens = sum(len(c.get("text", "")) for c in cells) // 3 + 20 * len(cells)
        seen: dict[str, Any] = {"status": status}
        if doubted:
            seen |= {"doubts": [], "trust": 1.0}
        if status == "ok" and chance.random() < doubted:
            seen = doubts_of_a_page(chance, cells)
        results.add(
            name,
            cells,
            reason=reason,
            **seen,
            seconds=seconds,
            finished_at=now,
            tokens_out=tokens,
        )
    return results.finish()
