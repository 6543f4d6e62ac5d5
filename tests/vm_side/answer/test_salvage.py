"""Quotes that are not escaped: the whole text survives, and a note says what may be lost."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from answer.cells import parse
from answer.salvage import (
    MAY_LACK,
    lacks_text,
    salvage,
    unescaped,
    unwrap,
    with_quotes_inside,
)

LAST = '{"bbox": [5, 60, 70, 80], "category": "Text", "text": "two"}'
ATTRIBUTES = (
    *('rowspan="2"', 'colspan="3"', 'border="1"', 'class="c1"', 'align="center"', 'width="50%"'),
    *('style="text-align:center"', 'style="text-align: left; width: 10px"', 'title="a, b: c"'),
)
VALUES = (
    *("A", "", "1,234", "2023년", "Time: 10:30", "금액, 원", "12.5%", "x = 1", "(주) 한국"),
    *('"A"급', "비고: 없음, 끝", 'a 5" disk', "{x}", "[1]", '{"a": 1}', "it's", '""', '", "'),
)


def table(rng: random.Random) -> str:
    """A small table as the model writes it, with quotes that are not escaped."""

    def cell() -> str:
        attributes = "".join(f" {text}" for text in rng.sample(ATTRIBUTES, rng.randrange(3)))
        return f"<td{attributes}>{rng.choice(VALUES)}</td>"

    rows = ("".join(cell() for _ in range(rng.randint(1, 5))) for _ in range(rng.randint(1, 5)))
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def sentence(rng: random.Random) -> str:
    """Words, some of them in quotes."""
    words = ("said", "그는", '"yes"', "and", '"no, never"', '"a":', '32"', "'b'", "end.")
    return " ".join(rng.choices(words, k=rng.randint(1, 9)))


@pytest.mark.parametrize("make", [table, sentence])
@pytest.mark.parametrize("order", ["text last", "text in the middle", "text first"])
@pytest.mark.parametrize("spaced", [True, False])
def test_texts_with_quotes_are_whole(
    make: Callable[[random.Random], str], order: str, spaced: bool
) -> None:
    rng = random.Random(11)
    box, category = '"bbox": [1, 2, 30, 40]', '"category": "Table"'
    for _ in range(200):
        text = make(rng)
        cells = {
            "text last": f'{{{box}, {category}, "text": "{text}"}}',
            "text in the middle": f'{{{box}, "text": "{text}", {category}}}',
            "text first": f'{{"text": "{text}", {box}, {category}}}',
        }
        cell = cells[order] if spaced else cells[order].replace('", "', '","')
        expected = text if spaced else text.replace('", "', '","')
        answer = parse(f"[{cell}, {LAST}]")
        assert answer is not None
        assert [c.get("text") for c in answer.cells] == [expected, "two"], cell
        assert answer.cells[0]["category"] == "Table"
        assert MAY_LACK not in answer.notes


@pytest.mark.parametrize("end", ["", '"', '"}', '"}]', '"}\n```', '"}]\n\nThat is all.'])
def test_the_last_text_is_whole_wherever_the_answer_ends(end: str) -> None:
    said = 'the words "a", "b": all of them, <td colspan="2">c</td> and more'
    answer = parse('[{"bbox": [1, 2, 30, 40], "category": "Text", "text": "' + said + end)
    assert answer is not None
    assert answer.cells[0]["text"] == said


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"a \"b\" and \"c\" and " '"d"', 'a "b" and "c" and "d"'),
        (r'back\\slash "x" \n new line', 'back\\slash "x" \n new line'),
        (r'\u00e9 "x" \ud83d\ude00', 'é "x" 😀'),
        ('two\nlines "x"\tand a tab', 'two\nlines "x"\tand a tab'),
    ],
)
def test_escapes_beside_quotes_that_lack_theirs(raw: str, text: str) -> None:
    answer = parse(f'[{{"bbox": [1, 2, 30, 40], "category": "Text", "text": "{raw}"}}, {LAST}]')
    assert answer is not None
    assert answer.cells[0]["text"] == text


def test_a_repair_that_may_have_lost_text_says_so() -> None:
    """With any damage, all letters survive or a note says that some may be lost."""
    rng = random.Random(5)
    whole = {"bbox": [1, 2, 30, 40], "category": "Table", "text": 'a "b" <td x="1">c</td> d, e: f'}
    raw = json.dumps(whole)
    letters = sum(map(str.isalnum, whole["text"])) if isinstance(whole["text"], str) else 0
    for _ in range(2000):
        damaged = raw
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(raw.index('"text": ') + 9, len(damaged))
            damaged = (
                damaged[:at] + rng.choice(['"', '", ', '"}', "{", "[", ": ", "\\"]) + damaged[at:]
            )
        answer = parse(f"[{damaged}, {LAST}]")
        assert answer is not None
        kept = sum(map(str.isalnum, answer.cells[0].get("text", "")))
        assert kept >= letters - 1 or MAY_LACK in answer.notes, damaged


# ---- the same, part by part ----


WHOLE = (
    *(
        "12,345 kg",
        "- one\n- two",
        "{x} and [1]",
        "[sic] so",
        "$x$ is \\\\alpha",
        "<b>a</b>",
        "2024",
    ),
    *("null and void", "한국: 서울, 부산", "it's"),
)


@pytest.mark.parametrize("text", WHOLE)
@pytest.mark.parametrize(
    ("good", "damaged"),
    [
        ('"}, ', "}, "),
        ('"}]', "}]"),
        ('"text": "', '"text": '),
        ('"text": "', '"text" "'),
    ],
    ids=["last quote", "last quote of all", "first quote", "colon"],
)
def test_a_text_that_lacks_a_sign_is_whole(text: str, good: str, damaged: str) -> None:
    text = text.replace("\n", r"\n")
    first = '{"bbox": [1, 2, 30, 40], "category": "List-item", "text": "' + text + '"}'
    answer = parse(
        f"[{first}, {LAST}]".replace(good, damaged, 1)
        if good != '"}]'
        else f"[{LAST}, {first}]".replace(good, damaged)
    )
    assert answer is not None
    said = {cell["category"]: cell["text"] for cell in answer.cells}
    assert said == {"Text": "two", "List-item": json.loads(f'"{text}"')}


@pytest.mark.parametrize("between", [", ", "\n", ",\n  "])
def test_a_cell_that_lacks_its_brace_is_kept(between: str) -> None:
    cells = [
        json.loads(LAST) | {"text": text}
        for text in ("one", 'a "b"', "two", *map(str, range(2000)))
    ]
    written = [json.dumps(cell) for cell in cells]
    for lacking in ([1], [1, 2], [2], range(1, len(cells))):
        parts = [text[1:] if n in lacking else text for n, text in enumerate(written)]
        answer = parse(f"[{between.join(parts)}]")
        assert answer is not None and list(answer.cells) == cells


@pytest.mark.parametrize("value", ["2024", "1.50", '["a", "b"]', "null", '{"a": "b"}'])
def test_a_text_that_is_no_string_does_not_lack_its_quote(value: str) -> None:
    """The comma after it is missing, or a quote of its category."""
    for rest in (f'"text": {value} "category": "Text"}}', f'"category": Text", "text": {value}}}'):
        answer = parse(f'[{{"bbox": [1, 2, 30, 40], {rest}, {LAST}]')
        assert answer is not None
        said = answer.cells[0].get("text", "")
        assert "category" not in said and said.startswith(("", "2024", "1.50", "a"))


def test_cells_whose_keys_come_in_another_order_are_found() -> None:
    cell = {"id": 1, "bbox": [1, 2, 3, 4], "category": "Text", "text": "one"}
    assert salvage(json.dumps([cell])[:-1], []) == [cell]
    assert salvage("Pages [1, 2] show it", []) is None


@pytest.mark.parametrize(
    ("found", "array"),
    [
        ([1], [1]),
        ({"bbox": [1, 2, 3, 4]}, [{"bbox": [1, 2, 3, 4]}]),
        ({"size": 7, "cells": [1]}, [1]),
        ({"cells": [1], "others": [2]}, []),
        ({"size": 7}, []),
        (7, []),
    ],
)
def test_what_is_around_the_cells_is_taken_off(found: Any, array: list[Any]) -> None:
    assert unwrap(found) == array


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('a "b" c"', 'a "b" c'),
        (r'a \"b\" "c" d"', 'a "b" "c" d'),
        (r'a \x "b" c"', None),  # not only the quotes are wrong
        ("", None),  # where it ends is not said
    ],
)
def test_a_text_with_quotes_inside(text: str, read: str | None) -> None:
    cell = with_quotes_inside('{"bbox": [1, 2, 3, 4], "text": "' + text + "}")
    assert cell == (None if read is None else {"bbox": [1, 2, 3, 4], "text": read})


def test_a_quote_of_the_other_kind_is_escaped_in_vain() -> None:
    assert unescaped(r"it\'s", "'") == "it's"
    assert unescaped(r"it\'s", '"') is None


@pytest.mark.parametrize(
    ("chunk", "said", "lacks"),
    [
        ('{"bbox": [1, 2, 3, 4]}', None, False),
        ('{"text": "all of it"}', "all of it", False),
        ('{"text": "all of it"}', "all", True),
        ('{"text": "" and more}', "", True),
        ('{"text": ""}', "", False),
    ],
)
def test_letters_that_a_reading_lacks(chunk: str, said: str | None, lacks: bool) -> None:
    assert lacks_text(chunk, {} if said is None else {"text": said}) is lacks
