"""Cut an answer that ended in a loop: keep the part before the loop, and one turn of it."""

from collections.abc import Sequence
from dataclasses import replace

from answer.cells import Answer, Cell
from server.loops import (
    CELL_TURNS,
    COUNTED_TURNS,
    NUMBER,
    counting_tail,
    letters_in,
    without_digits,
)

LONGEST_UNIT = 128  # characters of what a loop repeats
LOOP_COUNT = 20  # so many repeats at the end of a cut answer are a loop
MOST_CELLS = 8  # in one turn


def without_loop(answer: Answer) -> Answer:
    """Leave only one turn of a loop at the answer's end: of its cells, or in its last text."""
    cells = without_looped_cells(answer.cells)
    if len(cells) < len(answer.cells):
        note = f"{len(answer.cells) - len(cells)} cells of a loop dropped"
        return replace(answer, cells=cells, notes=(*answer.notes, note))
    if not cells or "text" not in cells[-1]:
        return answer
    *others, last = cells
    text = without_counted_turns(without_equal_turns(last["text"]))
    if text == last["text"]:
        return answer
    note = "a loop's repeats cut off"
    return replace(answer, cells=(*others, {**last, "text": text}), notes=(*answer.notes, note))


def without_looped_cells(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Leave one turn of cells that repeat at the end; drop a last cell that was cut short."""
    *whole, last = cells or ({},)
    said = [said_in(cell) for cell in whole]
    for size in range(1, min(MOST_CELLS, len(whole)) + 1):
        start = len(said) - size
        while start > 0 and same(said[start - 1], said[start - 1 + size]):
            start -= 1
        turn = said[start : start + size]
        if len(said) - start >= size * turns_needed(turn, whole[start:]):
            expected = turn[(len(said) - start) % size]
            kept = cells[: start + size]
            return kept if is_cut_from(said_in(last), expected) else (*kept, last)
    same_box = [said_in(cell) for cell in whole if cell["bbox"] == last["bbox"]]
    is_cut = any(is_cut_from(said_in(last), other) for other in same_box)
    return cells[:-1] if is_cut else cells


Said = tuple[str, str]  # a cell's category and text


def said_in(cell: Cell) -> Said:
    """Return what a cell says, without its box."""
    return cell.get("category", ""), cell.get("text", "")


def same(one: Said, other: Said) -> bool:
    """Whether two cells say the same, if numbers do not count."""
    return one[0] == other[0] and without_digits(one[1]) == without_digits(other[1])


def is_cut_from(last: Said, whole: Said) -> bool:
    """Whether the last cell of a cut answer is the beginning of this one; its text may be empty."""
    beginning, all_of_it = without_digits(last[1]), without_digits(whole[1])
    return bool(all_of_it) and all_of_it.startswith(beginning.removesuffix("0"))


def turns_needed(turn: Sequence[Said], loop: Sequence[Cell]) -> int:
    """Return how many turns of these cells make a loop: more if their numbers differ."""
    letters = sum(letters_in(text) for _, text in turn)
    size = len(turn)
    if all(said_in(cell) == turn[n % size] for n, cell in enumerate(loop)) and letters:
        return CELL_TURNS - 1  # the last one is cut
    return next(turns for least, turns in COUNTED_TURNS if letters >= least)


def without_equal_turns(text: str) -> str:
    """Leave one turn of what the text repeats at its end."""
    shortest = text
    for size in range(1, min(LONGEST_UNIT, len(text)) + 1):
        unit = text[-size:]
        if not text.endswith(unit * LOOP_COUNT):
            continue
        end = len(text)
        while text.endswith(unit, 0, end):
            end -= size
        shortest = min(shortest, text[:end] + unit, key=len)
    return shortest


def without_counted_turns(text: str) -> str:
    """Leave one turn (a row or a line) of a loop at the text's end in which only numbers change."""
    plain = without_digits(text)
    tail = counting_tail(text, plain, 0)
    if tail is None:
        return text
    size = len(tail.turn)
    start = len(plain) - size * tail.turns
    while start > 0 and plain[start - 1] == plain[start - 1 + size]:
        start -= 1
    end = start + size
    if "</tr>" in tail.turn + tail.turn:
        end = plain.index("</tr>", max(0, end - 5)) + 5
    elif "\n" in tail.turn:
        end = plain.index("\n", end - 1)
    numbers = list(NUMBER.finditer(text))
    before = numbers[: plain.count("0", 0, end)]
    return text[: end + sum(len(number.group()) - 1 for number in before)]
