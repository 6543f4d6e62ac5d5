"""No false stop, and an early one for loops: in dots.ocr's own tokens, with vLLM's own code."""

from __future__ import annotations

import codecs
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from answer.ladder import RUNGS
from rig.vllm_ages import Age
from server.stream import AnswerStream
from vllm.vllm_server import PYTHON

COUNTS = sorted({rung.repetitions for rung in RUNGS})
WORDS = (
    "계획",
    "예산",
    "검토",
    "회의",
    "total",
    "item",
    "review",
    "north",
    "quarter",
    "합계",
    "비고",
)
LIMIT = 16_384


def table(rng: random.Random, rows: int, columns: int, filled: float) -> str:
    """A table whose rows begin with a number; so many of the other cells are not empty."""
    lines = []
    for row in range(1, rows + 1):
        cells = [rng.choice(WORDS) if rng.random() < filled else "" for _ in range(columns - 1)]
        lines.append("".join(f"<td>{cell}</td>" for cell in [str(row), *cells]))
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def leaders(rng: random.Random, leader: str, width: int) -> str:
    """A table of contents."""
    return "\n".join(
        f"{number}. {rng.choice(WORDS)} {rng.choice(WORDS)} {leader * width} {number * 7}"
        for number in range(1, 31)
    )


def page(number: int) -> str:
    """A page's answer: a table of 40 rows, ever emptier, and leaders of every kind."""
    rng = random.Random(number)
    leader, width = [(".", 160), (". ", 100), ("·", 140), ("…", 60), ("_", 150)][number % 5]
    cells = [
        ("Title", f"# {rng.choice(WORDS)} {number}"),
        ("Table", table(rng, 40, 3 + number % 8, 0.9 - 0.045 * number)),
        ("Text", leaders(rng, leader, width)),
        ("Table", "<table><tr>" + "<td></td>" * 40 + "</tr>" + "<tr><td></td><td></td></tr>" * 20),
    ]
    layout = [
        {"bbox": [60, 100 * at, 900, 100 * at + 90], "category": category, "text": text}
        for at, (category, text) in enumerate(cells, 1)
    ]
    return json.dumps(layout, ensure_ascii=False)


LOOPS = {
    "dots": ". ",
    "full stops": ".",
    "low lines": "_",
    "empty cells": "<td></td>",
    "empty rows": "<tr><td></td><td></td><td></td><td></td></tr>",
    "a sentence": "The minutes of the last meeting were approved. ",
    "한 문장": "이 회의록은 다음 쪽에 계속된다. ",
    "rows": "<tr><td>합계</td><td>1,200</td><td>3.5%</td><td></td></tr>",
    "line breaks": "\\n",
}


def turns(turn: str) -> int:
    """Enough for a loop; 64 full stops are one token."""
    return 60_000 if len(turn) == 1 else 1200


def examined(texts: list[str]) -> list[dict[str, Any]]:
    """What vLLM makes of the texts."""
    done = subprocess.run(
        ["nice", "-n", "10", PYTHON, Path(__file__).with_name("looping.py")],
        input=json.dumps({"texts": texts, "counts": COUNTS}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def heard(pieces: list[str]) -> AnswerStream:
    """The answer, streamed token by token as vLLM does: a letter when it is whole."""
    stream = AnswerStream(100_000)
    decoder = codecs.getincrementaldecoder("utf-8")()
    for number, piece in enumerate(pieces, 1):
        event = {
            "choices": [{"delta": {"content": decoder.decode(bytes.fromhex(piece))}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": number},
        }
        if not stream.hear(b"data: " + json.dumps(event).encode() + b"\n\n"):
            break
    return stream


@pytest.mark.usefixtures("model")
def test_no_page_is_stopped() -> None:
    answers = [page(number) for number in range(20)]
    for answer, result in zip(answers, examined(answers), strict=True):
        assert 1000 < result["tokens"] < LIMIT
        assert set(result["stopped"].values()) == {None}, answer[:100]
        assert heard(result["pieces"]).text == answer


@pytest.mark.usefixtures("model")
def test_every_loop_is_stopped_within_600_tokens(
    age: Age, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether the server knows how, or the client alone."""
    beginning = page(3)[:-3]
    (whole,) = examined([beginning])
    results = examined([beginning + turn * turns(turn) for turn in LOOPS.values()])
    for name, result in zip(LOOPS, results, strict=True):
        stream = heard(result["pieces"])
        assert stream.finish_reason == "repetition"
        costs = {
            "server": result["stopped"][str(max(COUNTS))],
            "client": stream.tokens_out,
        }
        assert age.knows_loops or costs["server"] is None
        after = min(end for end in costs.values() if end) - whole["tokens"]
        with capsys.disabled():
            print(f"\n{name:12} ended {after:4} tokens after it began", costs, end="")
        assert after <= 600
