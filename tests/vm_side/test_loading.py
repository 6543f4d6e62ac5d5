"""The parts of a start: real logs of several vLLM versions, complete, torn, and of two engines."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from machine.loading import PARTS, now_in, parts_in
from rig.vllm_start import (
    CARD,
    CARD_0_11,
    CPU_0_11,
    CPU_0_26,
    CPU_0_32,
    SERVE_SH,
    SERVER,
    Line,
    log_of,
)

OF_CARD = {"imports": 42, "weights": 1, "compile": 18, "graphs": 4, "warm-up": 21}


def second_engine(late_s: int) -> list[Line]:
    """The lines of a second card, which is so many seconds later in each part."""
    return [Line(line.after_s + late_s, "(EngineCore_DP1 pid=9)", line.text) for line in CARD[2:-2]]


LAST = Line(91, SERVER, CARD[-1].text)
TWO = sorted([SERVE_SH, *CARD[:-1], *second_engine(3), LAST], key=lambda line: line.after_s)
STARTS: list[tuple[str, str, dict[str, int]]] = [
    ("a card", log_of([SERVE_SH, *CARD]), OF_CARD),
    ("over midnight", log_of([SERVE_SH, *CARD], began_s=86_350), OF_CARD),
    ("another launch script", log_of(CARD), OF_CARD | {"imports": 37}),
    ("after a death", log_of([SERVE_SH, *CARD]) + log_of([SERVE_SH, *CARD], 6 * 3600), OF_CARD),
    ("dead while it loads again", log_of([SERVE_SH, *CARD]) + log_of([SERVE_SH], 6 * 3600), {}),
    ("two cards", log_of(TWO), OF_CARD | {"imports": 45, "warm-up": 23}),
    ("one card ahead", log_of([SERVE_SH, *CARD[:-2], *second_engine(60)[:2]]), {"imports": 102}),
    ("0.11 on a card", log_of([SERVE_SH, *CARD_0_11]),
     {"imports": 41, "weights": 10, "compile": 19, "graphs": 10, "warm-up": 10}),
    ("0.11 on a CPU", log_of(CPU_0_11), {"imports": 8, "weights": 0, "compile": 0, "warm-up": 1}),
    ("0.26 on a CPU", log_of([SERVE_SH, *CPU_0_26]),
     {"imports": 21, "weights": 0, "compile": 46, "warm-up": 4}),
    ("0.32 on a CPU", log_of([SERVE_SH, *CPU_0_32]), {"imports": 21, "weights": 0, "warm-up": 2}),
    ("requests afterwards", log_of([SERVE_SH, *CARD]) + 'INFO: "POST /v1/chat/completions" 200\n',
     OF_CARD),
    ("no vLLM", "listening on 8000\n", {}),
    ("nothing", "", {}),
]  # fmt: skip


@pytest.mark.parametrize(("log", "parts"), [c[1:] for c in STARTS], ids=[c[0] for c in STARTS])
def test_the_parts_of_a_start(log: str, parts: dict[str, int]) -> None:
    assert parts_in(log) == parts
    assert list(parts_in(log)) == [name for name in PARTS if name in parts]


@pytest.mark.parametrize(
    ("lines", "now"),
    [
        ([], "imports"),
        ([SERVE_SH], "imports"),
        ([SERVE_SH, *CARD[:4]], "weights"),
        ([SERVE_SH, *CARD[:5]], "compile"),
        ([SERVE_SH, *CARD[:8]], "graphs"),
        ([SERVE_SH, *CARD[:10]], "warm-up"),
        ([SERVE_SH, *CARD], ""),
        ([SERVE_SH, *CPU_0_32], ""),
    ],
)
def test_where_a_start_is(lines: Sequence[Line], now: str) -> None:
    assert now_in(parts_in(log_of(lines))) == now
