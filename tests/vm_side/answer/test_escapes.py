r"""LaTeX with single backslashes: JSON would silently read it as something else."""

from __future__ import annotations

import json
import random
import time

import pytest

from answer.cells import SINGLE_BACKSLASHES, parse
from answer.escapes import is_pair, mathematics, mended


def read(raw: str, category: str = "Text", end: str = "}]") -> tuple[str, bool, tuple[str, ...]]:
    """(text, whether well-formed, notes) for an answer with one cell; `raw` is not escaped."""
    answer = parse(f'[{{"bbox": [1, 2, 30, 40], "category": "{category}", "text": "{raw}"{end}')
    assert answer is not None
    return answer.cells[0]["text"], answer.well_formed, answer.notes


# \b, \f, \n, \r, \t and \u are JSON's escapes; LaTeX commands begin with each of them.
COMMANDS = (
    *(r"\beta", r"\bar{x}", r"\binom{n}{k}", r"\boldsymbol{x}", r"\begin{cases}", r"\big("),
    *(r"\frac{a}{b}", r"\forall x", r"\flat", r"\footnotesize"),
    *(r"\nabla f", r"\neq 0", r"\nu", r"\notin A", r"\ne 1", r"\ni x", r"\nleq", r"\not="),
    *(r"\rho", r"\right)", r"\rightarrow", r"\rangle", r"\rm x", r"\rfloor", r"\rVert"),
    *(r"\theta", r"\times 2", r"\tau", r"\text{if}", r"\tilde x", r"\to 0", r"\tan x", r"\top"),
    *(r"\tfrac12", r"\therefore", r"\tag{1}", r"\triangle", r"\textbf{x}"),
    *(r"\underline{x}", r"\upsilon", r"\uparrow"),
    *(r"\alpha", r"\sum_i", r"\{x\}", r"\, dx", r"\%"),
)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("category", "around"),
    [("Formula", "{}"), ("Text", "so ${}$ holds"), ("Table", "<td>$${}$$</td>")],
)
def test_a_command_in_mathematics_is_itself(command: str, category: str, around: str) -> None:
    raw = around.format(command)
    text, well_formed, notes = read(raw, category)
    assert (text, well_formed) == (raw, False)
    assert SINGLE_BACKSLASHES in notes


@pytest.mark.parametrize("command", [r"\frac{a}{b}", r"\beta", r"\times", r"\theta", r"\rho"])
def test_some_are_commands_wherever_they_stand(command: str) -> None:
    raw = f"5 {command} 3 cm"
    assert read(raw)[0] == raw
    assert read(rf"\\alpha and {command}")[0] == rf"\alpha and {command}"


@pytest.mark.parametrize("delimiters", [r"\({}\)", r"\\({}\\)", r"\\[{}\\]"])
def test_mathematics_between_brackets(delimiters: str) -> None:
    text, *_ = read("so " + delimiters.format(r"\nu \to \tan x"))
    assert r"\nu \to \tan x" in text


@pytest.mark.parametrize(
    ("category", "text"),
    [
        ("Text", "One\nnot two\tthree\r\nfour\nu and\ne, C:\\new\\table"),
        ("Text", "a price of $5\nu know, and $6\to you"),
        ("Text", "from $500\nto $600\nnot $700"),
        ("Text", "$x$ is\nnot $y$\ni.e. none"),
        ("Formula", "x = 1\nu = \\frac{a}{b} \\nu \\times \\theta\nexists y"),
        ("Formula", "\\begin{aligned} a &= b \\\\\n c &= d \\end{aligned}"),
        ("Formula", "a\nb\tc"),
        ("Table", "<table><tr><td>\\alpha</td><td>a\nb</td></tr></table>"),
        ("List-item", "- [ ] to do\n- \\$5 \\& more\n\n\tindented"),
        ("Text", 'say "\\theta" / é \u2028 \x07'),
    ],
)
def test_a_good_answer_is_left_as_it_is(category: str, text: str) -> None:
    for ascii_only in (True, False):
        raw = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        assert read(raw, category) == (text, True, ())


def test_one_cell_with_single_backslashes_does_not_change_the_others() -> None:
    good = {"bbox": [1, 2, 3, 4], "category": "Formula", "text": "\\frac{a}{b}\nu = \\nu"}
    bad = r'{"bbox": [5, 6, 7, 8], "category": "Formula", "text": "\frac{a}{b} \nu"}'
    for answer in (parse(f"[{json.dumps(good)}, {bad}]"), parse(f"[{bad}, {json.dumps(good)}]")):
        assert answer is not None
        texts = {cell["text"] for cell in answer.cells}
        assert texts == {good["text"], r"\frac{a}{b} \nu"}


def test_no_control_characters_but_line_breaks_and_tabs_come_of_letters() -> None:
    rng = random.Random(3)
    for _ in range(500):
        raw = " ".join(rng.choices(COMMANDS, k=4))
        text, *_ = read(raw, "Formula", rng.choice(["}]", "}", "", "}\n"]))
        assert not {"\b", "\f", "\r", "\t"} & set(text), raw
        assert text == raw


@pytest.mark.parametrize("unit", ["\\", "$", r"\(", r"\[", r"$\n", r"\nu ", '{"text":'])
def test_a_loop_of_200_kb_is_looked_through_in_time(unit: str) -> None:
    began = time.process_time()
    mended('[{"bbox": [1, 2, 3, 4], "category": "Text", "text": "' + unit * (200_000 // len(unit)))
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    ("cell", "belong"),
    [
        ("$x$", True),
        ("$ x $", True),
        ("$$", False),
        ("$ x$", False),
        ("$x $", False),
        ("$x$5a", False),  # a price
        ("$x$ 5", True),
    ],
)
def test_which_dollars_belong_together(cell: str, belong: bool) -> None:
    assert is_pair(cell, 1, cell.rindex("$")) is belong


def test_what_closes_before_anything_is_opened_is_no_mathematics() -> None:
    assert list(mathematics(r"a\) b \(x\)")) == [(6, 11)]
