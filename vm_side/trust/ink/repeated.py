"""The same long text in cells with different ink: a model that says one thing twice."""

from collections.abc import Iterator, Sequence

from answer.cells import Cell
from trust.boxes import whole
from trust.doubts import Doubt
from trust.ink.laid import Laid

LONG = 30  # letters: shorter texts often stand on a page twice
ALIKE = 0.12  # of the ink's length: two pictures of the same text may differ by so much
WEIGHT = 0.35


def repeated(laid: Laid, cells: Sequence[Cell]) -> Iterator[Doubt]:
    """Yield a doubt for each cell that has an earlier cell's text, but ink of another length."""
    first = dict[str, int]()
    for index, cell in enumerate(cells):
        letters = "".join(filter(str.isalnum, cell.get("text") or ""))
        if len(letters) < LONG:
            continue
        earlier = first.setdefault(letters, index)
        one, other = laid.cells[earlier].inked, laid.cells[index].inked
        if earlier != index and abs(one - other) > ALIKE * max(one, other):
            yield Doubt("repeated", whole(laid.cells[index].box), index, WEIGHT, {"of": earlier})
