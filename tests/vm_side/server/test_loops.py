"""What is a loop: equal turns and counting turns; what pages have that only looks like one."""

from __future__ import annotations

import calendar
import itertools
import json
import random
import time
from collections.abc import Callable

import pytest

from rig import replies
from rig.loops import sliding
from server.loops import is_loop, is_steady
from server.stream import LOOP_TOKENS, AnswerStream

RNG = random.Random(0)
WORDS = ("valve", "bolt", "flange", "밸브", "볼트", "플랜지", "gasket", "모터", "seal", "베어링")


def answer(text: str, category: str = "Table") -> str:
    """A page's answer with this text in its last cell."""
    cells = [
        {"bbox": [10, 10, 500, 40], "category": "Title", "text": "# 제목"},
        {"bbox": [10, 50, 500, 700], "category": category, "text": text},
    ]
    return json.dumps(cells, ensure_ascii=False)


def heard(text: str, interval: int = 1) -> AnswerStream:
    """What a stream reads of an answer, three characters a token, until it has enough."""
    count = len(text) // 3
    said = {
        **{"id": "1", "created": 2, "model": "model"},
        "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": count, "total_tokens": 5 + count},
    }
    stream = AnswerStream(100_000)
    for event in replies.events(said, True, True, interval):
        if not stream.hear(event):
            break
    return stream


def words() -> str:
    return " ".join(RNG.choices(WORDS, k=2))


# --- what counts ---------------------------------------------------------------------------

COUNTING: dict[str, Callable[[int], str]] = {
    "numbered empty rows": lambda n: f"<tr><td>{n}</td><td></td><td></td></tr>",
    "rows of two counters": lambda n: f"<tr><td>{n}</td><td>{1000 + 5 * n}</td></tr>",
    "contents without words": lambda n: f"\\n{n}. {'.' * 28} {n + 3}",
    "contents that turn a page now and then": lambda n: f"\\n{n}. {'.' * 28} {n + n // 40}",
    "numbers": lambda n: f"{n} ",
    "list items": lambda n: f"\\n{n}) ",
    "days": lambda n: f"<tr><td>2024-01-{n % 31 + 1:02}</td><td></td></tr>",
    "rows with a word": lambda n: f"<tr><td>{n}</td><td>N/A</td></tr>",
    "a counted sentence": lambda n: f"\\n{n}. The page intentionally says nothing.",
    "backwards": lambda n: f"<tr><td>{9000 - n}</td><td>-</td></tr>",
}


@pytest.mark.parametrize("turn", COUNTING.values(), ids=COUNTING)
@pytest.mark.parametrize("interval", [1, 16])
def test_a_loop_that_counts_is_left(turn: Callable[[int], str], interval: int) -> None:
    beginning = answer("<table>")[:-3]
    stream = heard(beginning + "".join(map(turn, range(1, 700))), interval)
    assert stream.finish_reason == "repetition"
    assert stream.tokens_out - len(beginning) // 3 < 800


@pytest.mark.parametrize("step", [7, 311])
@pytest.mark.parametrize("text", ["본 문서의 내용은 다음과 같다.", "See section 4.2 of 2024."])
def test_one_text_in_sliding_boxes_is_left(text: str, step: int) -> None:
    beginning = "[" + json.dumps({"bbox": [1, 2, 30, 40], "category": "Title", "text": "# one"})
    stream = heard(", ".join([beginning, *itertools.islice(sliding(text, step), 100)]))
    assert stream.finish_reason == "repetition"
    assert stream.tokens_out - len(beginning) // 3 < 700


def test_two_texts_in_turn_are_left() -> None:
    pairs = zip(sliding("이 표는 사본이다."), sliding("다음 쪽에 계속"), strict=True)
    cells = itertools.chain.from_iterable(itertools.islice(pairs, 60))
    stream = heard("[" + ", ".join(cells))
    assert stream.finish_reason == "repetition" and stream.tokens_out < 700


# --- what pages have -----------------------------------------------------------------------


def rows(count: int, *columns: Callable[[int], object]) -> str:
    """A table of so many rows."""
    cells = ("".join(f"<td>{column(n)}</td>" for column in columns) for n in range(1, count + 1))
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


REAL = {
    "a form of 40 numbered empty rows": rows(40, int, lambda n: "", lambda n: "", lambda n: ""),
    "a check list": rows(40, int, lambda n: "□ 적합", lambda n: "□ 부적합", lambda n: ""),
    "an inspection of 60 points": rows(60, int, lambda n: "양호", lambda n: "-"),
    "numbered parts": rows(200, int, lambda n: words(), lambda n: RNG.randint(1, 99)),
    "numbers alone": rows(60, *[lambda n: RNG.randint(0, 999)] * 6),
    "decimals": rows(60, *[lambda n: f"{RNG.random():.3f}"] * 5),
    "logarithms": rows(90, lambda n: f"{n / 10:.1f}", *[lambda n: RNG.randint(1000, 9999)] * 9),
    "years": rows(100, lambda n: 1900 + n, lambda n: f"{RNG.randint(1, 10**7):,}"),
    "degrees": rows(100, int, lambda n: f"{n * 1.8 + 32:.1f}"),
    "a multiplication table": rows(12, *(lambda n, k=k: n * k for k in range(1, 13))),
    "a calendar": "".join(
        "".join(f"<td>{day or ''}</td>" for day in week)
        for month in range(1, 13)
        for week in calendar.monthcalendar(2024, month)
    ),
    "a list of 200 items": "\n".join(f"{n}. {words()} {words()}" for n in range(1, 201)),
    "contents": "\n".join(
        f"{n}. {words()} {'.' * 40} {2 * n + RNG.randint(0, 1)}" for n in range(1, 90)
    ),
    "contents with gaps": "\n".join(
        f"{n} {'.' * 60} {page}"
        for n, page in enumerate(itertools.accumulate(RNG.choices(range(1, 9), k=60)), 1)
    ),
    "an index": "\n".join(
        f"{words()}, {', '.join(map(str, sorted(RNG.sample(range(900), 4))))}" for n in range(150)
    ),
    "references": "\n".join(
        f"[{n}] {words()}, {words()}, vol. {RNG.randint(1, 90)}, pp. {n}-{n + 9}, {2000 + n % 25}."
        for n in range(1, 120)
    ),
    "prices": "\n".join(f"{words()} {RNG.randint(1, 999) * 100:,}원" for n in range(200)),
}


@pytest.mark.parametrize("text", REAL.values(), ids=REAL)
@pytest.mark.parametrize("interval", [1, 16])
def test_what_pages_have_is_no_loop(text: str, interval: int) -> None:
    whole = answer(text)
    assert heard(whole, interval).text == whole


def test_cells_of_a_page_are_no_loop() -> None:
    """Many short answers, a sheet of photographs, captions with numbers."""
    short = [
        {"bbox": [10 + 90 * (n % 6), 50 * (n // 6), 90, 40], "category": "Text", "text": "Yes"}
        for n in range(40)
    ]
    photographs = [
        {"bbox": [10 + 90 * (n % 6), 90 * (n // 6), 90, 80], "category": "Picture"}
        for n in range(60)
    ]
    captions = [
        {"bbox": [10, 50 * n, 90, 40], "category": "Caption", "text": f"사진 {n}. 현장 전경 사진"}
        for n in range(40)
    ]
    for cells in (short, photographs, captions):
        whole = json.dumps(cells, ensure_ascii=False)
        assert heard(whole).text == whole


# --- turns that are equal ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("ababab", True),
        ("abababa", True),
        ("babaabab", False),
        ("abab", False),  # only two turns
        ("a" * 1000, True),
        ("a" * 999 + "b", False),
        ("aab" * 300, True),
        (("a" * 99 + "b") * 10, True),
        (("a" * 99 + "b") * 9 + "a" * 98 + "bb", False),
        ("abc" * 2 + "abd" * 2, False),
        ("", False),
        ("a", False),
    ],
)
def test_is_loop(text: str, verdict: bool) -> None:
    assert is_loop(text) is verdict


def test_is_loop_agrees_with_trying_every_size() -> None:
    rng = random.Random(1)
    for _ in range(3000):
        turn = "".join(rng.choices("ab", k=rng.randint(1, 6)))
        text = (turn * 12)[rng.randint(0, 5) :][: rng.randint(1, 30)]
        if rng.random() < 0.3:
            at = rng.randrange(len(text))
            text = text[:at] + "a" + text[at + 1 :]
        sizes = range(1, len(text) // 3 + 1)
        slowly = any(text[size:] == text[:-size] for size in sizes)
        assert is_loop(text) is slowly, text


def test_the_check_is_cheap_even_where_it_nearly_matches() -> None:
    text = ("a" * 5000 + "b") * 3 + "c"
    began = time.perf_counter()
    for _ in range(100):
        is_loop(text)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("numbers", "verdict"),
    [
        ([1, 2, 3, 4, 5], True),
        ([5, 5, 5, 5], True),
        ([9, 7, 5, 3], True),
        ([*range(1, 32), *range(1, 32)], True),  # the end of a month
        ([1, 2, 4, 5, 7, 8, 10, 11], False),
        ([3, 1, 4, 1, 5, 9, 2, 6], False),
        ([], True),
        ([7], True),
    ],
)
def test_is_steady(numbers: list[int], verdict: bool) -> None:
    assert is_steady(numbers) is verdict


def test_listening_for_loops_stays_cheap() -> None:
    """Numbers that nearly count cost most; ten such answers take less than a second each."""
    text = answer(rows(400, int, *[lambda n: RNG.randint(0, 9)] * 6))
    began = time.process_time()
    heard(text)
    assert time.process_time() - began < 5
    assert len(text) // 3 > LOOP_TOKENS
