r"""Answers of the model, good and damaged: every complete box survives, with its text.

The damage is of the kinds that the model was seen to make: it stops in the middle, puts its answer
in a code fence, talks, forgets a comma, leaves a quote or a backslash unescaped, or repeats itself
without end.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from answer.cells import UNKNOWN_LETTERS, Cell, parse
from contract import CATEGORIES

ONE: Cell = {"bbox": [1, 2, 30, 40], "category": "Title", "text": "# one"}
TWO: Cell = {"bbox": [5, 60, 70, 80], "category": "Text", "text": "two"}
PICTURE: Cell = {"bbox": [5, 90, 70, 99], "category": "Picture"}
A, B, P = (json.dumps(cell) for cell in (ONE, TWO, PICTURE))

# A page with everything that makes damaged answers hard: brackets, quotes, commands, an answer in a
# text.
PAGE: list[Cell] = [
    {"bbox": [60, 30, 500, 45], "category": "Page-header", "text": 'Journal {of} [3], "new"'},
    {"bbox": [60, 80, 500, 110], "category": "Title", "text": '# 첫 번째 "제목" 😀'},
    {"bbox": [60, 120, 500, 200], "category": "Formula", "text": "x = 1\nu = \\frac{a}{b} \\nu"},
    {"bbox": [60, 210, 500, 300], "category": "Text", "text": "One\nnot two\tthree, C:\\new $5\nu"},
    {"bbox": [60, 310, 500, 400], "category": "Picture"},
    {"bbox": [60, 410, 500, 600], "category": "Table", "text": '<td colspan="2">1</td><td></td>'},
    {"bbox": [60, 610, 500, 640], "category": "Text", "text": 'see {"bbox": [1, 2, 3, 4]} here'},
    {"bbox": [60, 800, 500, 820], "category": "Page-footer", "text": "- 3 -"},
]
LAYOUTS: dict[str, dict[str, Any]] = {
    "one line": {"separators": (", ", ": ")},
    "compact": {"separators": (",", ":")},
    "indented": {"indent": 2},
    "escaped": {"ensure_ascii": True},
}


def written(cells: list[Cell], layout: str = "one line") -> str:
    """The cells in a form that a model writes."""
    return json.dumps(cells, **{"ensure_ascii": False, **LAYOUTS[layout]})


def cells_of(text: str) -> list[Cell]:
    """The cells of an answer, which must have some."""
    answer = parse(text)
    assert answer is not None
    return list(answer.cells)


def one_text(text: str, category: str = "Text", end: str = "") -> str:
    """A damaged answer of one cell, with an open array. `text` is inserted unescaped."""
    return f'[{{"bbox": [1, 2, 30, 40], "category": "{category}", "text": "{text}"}}{end}'


# ---- good answers ----


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_well_formed_answer_passes_as_it_is(layout: str) -> None:
    answer = parse(written(PAGE, layout))
    assert answer is not None
    assert (list(answer.cells), answer.well_formed, answer.notes) == (PAGE, True, ())


def test_a_blank_page_is_an_answer_without_cells() -> None:
    for text in ("[]", " [ ]\n"):
        answer = parse(text)
        assert answer is not None
        assert (answer.cells, answer.well_formed) == ((), True)


def test_the_text_length_counts_the_texts_of_all_cells() -> None:
    answer = parse(f"[{A}, {P}, {B}]")
    assert answer is not None
    assert answer.text_length == len("# one") + len("two")


# ---- damaged answers of which nothing is lost ----

DAMAGED = {
    "json fence": f"```json\n[{A}, {B}]\n```",
    "plain fence": f"```\n[{A}, {B}]\n```",
    "fence left open": f"```json\n[{A}, {B}]",
    "text behind": f"[{A}, {B}]\n\nThis page has [2] elements {{x}}.",
    "text before": f'Here is the "layout":\n[{A}, {B}]',
    "byte order mark": f"\ufeff[{A}, {B}]",
    "array not closed": f"[{A}, {B}",
    "array not opened": f"{A}, {B}]",
    "comma behind the last cell": f"[{A}, {B},]",
    "no comma between cells": f"[{A} {B}]",
    "one cell a line": f"{A}\n{B}\n",
    "two arrays": f"[{A}]\n[{B}]",
    "array in an array": f"[[{A}, {B}]]",
    "wrapped": f'{{"layout": [{A}, {B}]}}',
    "wrapped and fenced": f'```json\n{{"layout": [{A}, {B}]}}\n```',
    "wrapped among other arrays": f'{{"page": [0], "layout": [{A}, {B}], "warnings": []}}',
    "wrapped twice": f'{{"page": {{"layout": [{A}, {B}]}}}}',
    "cells by number": f'{{"0": {A}, "1": {B}}}',
    "no comma between keys": f"[{A}, {B}]".replace(', "', ' "'),
    "no comma between keys, the box last": (
        '[{"category": "Title" "text": "# one" "bbox": [1, 2, 30, 40]}'
        ' {"category": "Text" "text": "two" "bbox": [5, 60, 70, 80]}]'
    ),
    "no comma in the box": f"[{A}, {B}]".replace("1, 2, 30, 40", "1 2 30 40"),
    "box not closed": f"[{A}, {B}]".replace("40]", "40"),
    "cell not closed": f"[{A[:-1]}, {B}]",
    "cell closed twice": f"[{A}}}, {B}]",
    "single quotes": f"[{A}, {B}]".replace('"', "'"),
    "keys without quotes": f"[{A}, {B}]".replace('"bbox"', "bbox"),
    "category first": f'[{{"category": "Title", "bbox": [1, 2, 30, 40], "text": "# one"}} {B}]',
    "text first": (
        '[{"text": "# one", "bbox": [1, 2, 30, 40], "category": "Title"}'
        ' {"text": "two", "bbox": [5, 60, 70, 80], "category": "Text"}]'
    ),
    "a cell cut in its box": f'[{A}, {B}, {{"bbox": [5, 90, 70, 9',
    "a cell cut before its box": f'[{A}, {B}, {{"bbox": [',
    "a cell that is no object": f"[{A}, 7, {B}]",
    "a cell without end": f'[{A}, {{"bbox": ' + "[" * 5000 + f", {B}]",
    "a loop of cells": f"[{', '.join([A, B] * 500)}, {{",
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_every_complete_box_survives(text: str) -> None:
    answer = parse(text)
    assert answer is not None
    assert list(answer.cells) == [ONE, TWO]
    assert not answer.well_formed


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_answer_cut_anywhere_keeps_all_cells_before_the_cut(layout: str) -> None:
    """Cut at every byte. A cut character of several bytes is lost or becomes U+FFFD."""
    raw = written(PAGE, layout).encode()
    ends = [len(written(PAGE[: n + 1], layout).rstrip("]\n").encode()) for n in range(len(PAGE))]
    for size in range(len(raw)):
        complete = [cell for cell, end in zip(PAGE, ends, strict=True) if end <= size]
        for errors in ("ignore", "replace"):
            answer = parse(raw[:size].decode(errors=errors))
            found = list(answer.cells) if answer else []
            assert found[: len(complete)] == complete, size
            # The box of the cut cell is complete, or the cell is left out.
            assert [cell["bbox"] for cell in found[len(complete) :]] in (
                [],
                [cell["bbox"] for cell in PAGE[len(complete) : len(complete) + 1]],
            ), size


def test_a_cut_cell_keeps_the_text_that_there_is() -> None:
    assert cells_of(f"[{A}, {B[:-3]}") == [ONE, {**TWO, "text": "tw"}]
    assert cells_of(f"[{A}, {B[:-2]} [1]") == [ONE, {**TWO, "text": "two [1]"}]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_other_cells_survive_whatever_happens_to_one(layout: str) -> None:
    """A character deleted or inserted in one cell, after its first key, spares all others."""
    rng = random.Random(0)
    for _ in range(300):
        victim = rng.randrange(len(PAGE))
        parts = [written([cell], layout)[1:-1] for cell in PAGE]
        place = rng.randrange(parts[victim].index("bbox") + 8, len(parts[victim]))
        typo = rng.choice(['"', ",", "\\", "}", "]", ":", "\n", "가", ""])
        parts[victim] = parts[victim][:place] + typo + parts[victim][place + 1 :]
        text = f"[{', '.join(parts)}]"
        found = cells_of(text)
        for number, cell in enumerate(PAGE):
            assert number == victim or cell in found, (typo, parts[victim])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('He said "hello" to us', 'He said "hello" to us'),
        ('He said "hello", and "bye", then left', 'He said "hello", and "bye", then left'),
        ('He said "hello"', 'He said "hello"'),
        ('그는 "안녕"이라고 말했다. "그래", 하고', '그는 "안녕"이라고 말했다. "그래", 하고'),
        ('<td colspan="2">a</td><td class="x">b</td>',) * 2,
        ('a 5" disk and a 3" one',) * 2,
        ('the "name": "value" pair',) * 2,
        ('the "text": value pair',) * 2,
        ("two\nlines\tand a tab",) * 2,
        ("it's",) * 2,
    ],
)
def test_quotes_and_line_breaks_that_are_not_escaped_stay(text: str, expected: str) -> None:
    assert cells_of(one_text(text, end=f", {B}]")) == [
        {"bbox": [1, 2, 30, 40], "category": "Text", "text": expected},
        TWO,
    ]


def test_what_a_damaged_text_spills_into_a_cell_is_left_out() -> None:
    (cell,) = cells_of(one_text('"a": "b", "c": 1, "d'))
    assert cell.keys() <= {"bbox", "category", "text"}


def test_a_cell_in_an_array_of_its_own_is_a_cell() -> None:
    assert cells_of(f"[[{A}], {B}]") == [ONE, TWO]


def test_a_single_object_is_one_cell() -> None:
    answer = parse(A)
    assert answer is not None
    assert (list(answer.cells), answer.well_formed) == ([ONE], False)


def test_a_fenced_empty_array_is_a_blank_page() -> None:
    answer = parse("```json\n[]\n```")
    assert answer is not None
    assert (answer.cells, answer.well_formed) == ((), False)


# ---- answers that hold no layout ----


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "I am sorry, I cannot read this page.",
        "Chapter 1\n\nIt was a dark night; see [1].",
        "To do:\n- [ ] buy milk\n- [x] sleep",
        "def f(x): return [] if x else {}",
        "<table><tr><td>1</td></tr></table>",
        "<td></td>" * 5000,
        "null",
        "3",
        '"text"',
        "{}",
        "[{}]",
        "[null]",
        "[1, 2, 3, 4]",
        '[{"category": "Text", "text": "no box"}]',
        '[{"bbox": [1, 2',
        '[{"bbo',
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 100_000,
    ],
    ids=lambda text: repr(text[:20]),
)
def test_an_answer_without_layout_is_none(text: str) -> None:
    assert parse(text) is None


# ---- one odd cell ----


@pytest.mark.parametrize(
    "box",
    [
        "[1, 2, 3]",
        "[1, 2, 3, 4, 5]",
        "[[1, 2], [3]]",
        "[[1, 2]]",
        "[NaN, 2, 3, 4]",
        "[1, 2, Infinity, 4]",
        "[1, 2, 3, -1e400]",
        "[1, 2, 3, 1" + "0" * 300 + "]",
        "[1, 2, 3, 1" + "0" * 5000 + "]",
        "[true, 2, 3, 4]",
        "[null, 2, 3, 4]",
        '["one", 2, 3, 4]',
        '"1, 2, 3"',
        '"1, 2, 3, 4 or 5"',
        '{"x1": 1}',
        "null",
    ],
    ids=lambda box: box[:20],
)
def test_a_box_of_anything_but_four_numbers_is_dropped(box: str) -> None:
    answer = parse(f'[{{"bbox": {box}, "category": "Text", "text": "x"}}, {B}]')
    assert answer is not None
    assert list(answer.cells) == [TWO]
    assert answer.notes == ("1 incomplete cells dropped",)
    assert not answer.well_formed


@pytest.mark.parametrize(
    "box", [["1", "2", "30", "40"], [1.5, 2.5, 30.25, 40], [-5, -6, 30, 40], [30, 40, 1, 2]]
)
def test_numbers_as_text_fractions_and_boxes_inside_out_are_kept_for_scaling(
    box: list[Any],
) -> None:
    answer = parse(json.dumps([{**TWO, "bbox": box}]))
    assert answer is not None
    assert (list(answer.cells), answer.well_formed) == ([{**TWO, "bbox": box}], True)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        *((category, category) for category in CATEGORIES),
        ("text", "Text"),
        ("Section header", "Section-header"),
        ("list_item", "List-item"),
        (" PAGE-FOOTER ", "Page-footer"),
    ],
)
def test_a_category_is_known_however_it_is_spelt(named: str, expected: str) -> None:
    answer = parse(json.dumps([{**TWO, "category": named}]))
    assert answer is not None
    assert (answer.cells[0]["category"], answer.notes) == (expected, ())


@pytest.mark.parametrize("named", ["Heading", "", None, 3, ["Text"], "\ud83d", "x" * 9999])
def test_an_unknown_category_is_kept_as_text_with_a_short_remark(named: Any) -> None:
    answer = parse(json.dumps([{**TWO, "category": named}] * 2 + [{**ONE, "category": named}]))
    assert answer is not None
    assert [cell["category"] for cell in answer.cells] == ["Text", "Text"]
    assert answer.notes[0].startswith("unknown category")
    assert len(answer.notes) == 2, "a loop must not fill the manifest with remarks"
    assert len(answer.notes[0]) < 100


@pytest.mark.parametrize("end", ["]", ""], ids=["well-formed", "damaged"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [(r"\ud83d\ude00", "😀"), (r"a \ud83d b", "a � b"), (r"\udc00\ud83d", "��"), ("Caf�", "Caf�")],
)
def test_half_a_character_is_said_to_be_none(text: str, expected: str, end: str) -> None:
    """They do not become a question mark, because the page may have real ones."""
    answer = parse(one_text(text, end=end))
    assert answer is not None
    (cell,) = answer.cells
    assert cell["text"] == expected
    assert json.dumps(cell, ensure_ascii=False).encode()
    is_whole = "�" not in expected
    assert (UNKNOWN_LETTERS not in answer.notes) == is_whole
    assert answer.well_formed == (is_whole and end == "]")


@pytest.mark.parametrize("text", [r"\ud835\udc65", "\ud835\udc65"], ids=["escaped", "as they are"])
def test_both_halves_of_a_character_are_one(text: str) -> None:
    """json_repair reads the two halves separately, and some servers send them separately."""
    (cell,) = cells_of(f'[{{bbox: [1, 2, 3, 4], category: "Text", text: "{text}"}}]')
    assert cell["text"] == "𝑥"


def test_nothing_that_utf8_cannot_hold_comes_through_another_key() -> None:
    (cell,) = cells_of(r'[{"bbox": [1, 2, 3, 4], "category": "Text", "\ud83d": "\ud83d"}]')
    assert json.dumps(cell, ensure_ascii=False).encode()


def test_cells_that_are_repeated_are_kept_once_and_in_order() -> None:
    answer = parse(written([ONE, TWO, ONE, PICTURE, TWO, {**TWO, "text": "other"}]))
    assert answer is not None
    assert list(answer.cells) == [ONE, TWO, PICTURE, {**TWO, "text": "other"}]
    assert answer.notes == ("2 repeated cells dropped",)
    assert answer.well_formed


# ---- LaTeX in damaged answers ----


@pytest.mark.parametrize(
    ("category", "text", "expected"),
    [
        # Single backslashes: what JSON would read as an escape is a LaTeX command.
        ("Formula", r"\frac{a}{b} + \beta", r"\frac{a}{b} + \beta"),
        ("Formula", r"\nabla \times \rho \to \theta", r"\nabla \times \rho \to \theta"),
        ("Formula", r"\alpha \{x\} \underline{y} \u12", r"\alpha \{x\} \underline{y} \u12"),
        ("Formula", r"x = 1\n\neq 2", "x = 1\n\\neq 2"),
        ("Text", r"so $\frac{a}{b} \neq \nu$ holds", r"so $\frac{a}{b} \neq \nu$ holds"),
        ("Text", r"so \(\alpha\) and \beta hold", r"so \(\alpha\) and \beta hold"),
        # Doubled backslashes, as they should be: here \n is a line break.
        ("Formula", r"\\frac{a}{b}\nu = \\nu", "\\frac{a}{b}\nu = \\nu"),
        ("Formula", r"a & b \\\\ \\hline c", r"a & b \\ \hline c"),
        ("Text", r"C:\\new\\table", r"C:\new\table"),
        # Words after a line break or a tab stay words.
        ("Text", r"one\nnot two\tto be\rmore", "one\nnot two\tto be\rmore"),
        ("Text", r"costs $5\nu know\to whom", "costs $5\nu know\to whom"),
        ("Text", r"$x$ is\nnot $y$", "$x$ is\nnot $y$"),
        ("Formula", r"a\nb\tc", "a\nb\tc"),
        ("Text", r"say \"$\theta$\" \/ \u00e9", 'say "$\\theta$" / é'),
    ],
)
def test_latex_in_a_damaged_answer(category: str, text: str, expected: str) -> None:
    (cell,) = cells_of(one_text(text, category))
    assert (cell["text"], cell["category"]) == (expected, category)


# ---- without end ----

LOOPS = {
    "dots": ". ",
    "lines": "_",
    "empty table cells": "<td></td>",
    "quotes": '"',
    "quoted words": '"a" ',
    "escaped quotes": r"\"",
    "backslashes": "\\",
    "LaTeX": r"\frac{a}{b} ",
    "dollars": "$",
    "braces": "{",
    "brackets": "[",
    "closing brackets": "] ",
    "line breaks": "\n",
    "blanks": " ",
    "Korean": "가나다 ",
    "half characters": r"\ud83d",
    "keys": '"a": 1, ',
    "cells": A + ", ",
    "beginnings of cells": '{"bbox": ',
    "boxes": '{"bbox": [1, 2, 3, 4], ',
}


@pytest.mark.parametrize("unit", LOOPS.values(), ids=LOOPS)
def test_a_loop_of_200_kb_is_read_in_time_and_spares_the_cells_before(unit: str) -> None:
    """Quadratic code would take minutes here; linear code is far below the limit."""
    loop = unit * (200_000 // len(unit))
    assert cells_of(f"[{B}, {loop}")[0] == TWO
    in_text = cells_of(f"[{B}, {one_text(loop)[1:]}")
    assert in_text[0] == TWO
    assert in_text[1]["bbox"] == [1, 2, 30, 40]
    parse(loop)


def test_noise_never_raises_and_cells_are_always_cells() -> None:
    rng = random.Random(7)
    raw = written(PAGE)
    bits = [
        '"',
        "'",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\\",
        "\n",
        "```",
        '{"bbox": [1, 2, 3, 4]',
        "가",
    ]
    for _ in range(1500):
        text = raw
        for _ in range(rng.randrange(1, 12)):
            place = rng.randrange(len(text))
            cut = rng.choice([0, 0, 1, 5, 50])
            text = text[:place] + rng.choice([*bits, ""]) + text[place + cut :]
        answer = parse(text)
        for cell in answer.cells if answer else ():
            assert set(cell) - {"text"} == {"bbox", "category"}
            assert len([float(v) for v in cell["bbox"]]) == 4
            assert cell["category"] in CATEGORIES
            assert cell.get("text", "").encode() is not None
