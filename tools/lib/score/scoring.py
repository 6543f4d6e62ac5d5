"""One answer, compared with the truth of its page."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from lib.pages.entries import Cell
from lib.pages.matching import SAME_CELL, match
from lib.score.blocks import Group, disorder, groups, share_in, text_of
from lib.score.figures import NOTHING, PAGE, TABLE, TEXT, Kind, Score, mean_of
from lib.score.omnidocbench import COARSE
from lib.score.teds import teds
from lib.score.texts import edits, normal, words_in
from lib.score.truth import MOST_BLOCKS, Size, Truth

IGNORED = 0.5  # a cell with this part in ignored places is neither right nor wrong
Pairs = Sequence[tuple[int, int, float]]


def score_page(truth: Truth, answer: Sequence[Cell], size: Size, rotation: int) -> Score:
    """Score an answer. size: that of the page; rotation: by how many degrees it was turned."""
    if truth.is_too_large() or len(answer) > MOST_BLOCKS:
        return Score(1, not_computed=(PAGE,))
    true, holes = truth.on_page(size, rotation)
    told = [apart(cell) for cell in answer] if truth.is_foreign else list(answer)
    if holes:
        known = {b for _, b, _ in match(true, told)}
        told = [c for b, c in enumerate(told) if b in known or share_in(c.box, holes) < IGNORED]
    pairs = match(true, told)
    found = groups(true, told, pairs)
    ordered = range(len(truth.blocks))
    texts = [[text_of(cell, truth.is_foreign) for cell in cells] for cells in (true, told)]
    aside = {b for group in found if group.true[0] not in ordered for b in group.told}
    whole = (
        normal(" ".join(texts[0][: len(ordered)])),
        normal(" ".join(text for b, text in enumerate(texts[1]) if b not in aside)),
    )
    characters, words = edits(*whole), edits(*map(words_in, whole))
    tables = tables_of(true, told, pairs, truth.is_foreign)
    kinds, is_whole = kinds_of(true, told, pairs, found, texts)
    order = disorder([group for group in found if group.true[0] in ordered])
    in_time = characters is not None and words is not None and is_whole
    return Score(
        pages=1,
        characters=characters if characters and in_time else NOTHING,
        words=words if words and in_time else NOTHING,
        teds=mean_of(tables),
        disorder=mean_of([order]),
        kinds=kinds,
        not_computed=(*([] if in_time else [TEXT]), *[TABLE] * tables.count(None)),
    )


def apart(cell: Cell) -> Cell:
    """The cell with a category that OmniDocBench has."""
    return replace(cell, category=COARSE.get(cell.category, cell.category))


def tables_of(
    true: Sequence[Cell], told: Sequence[Cell], pairs: Pairs, is_foreign: bool
) -> list[float | None]:
    """TEDS of each true table; None if it cannot be computed."""
    answers = {a: told[b].text for a, b, _ in pairs}
    return [
        teds(cell.text, answers.get(a, ""), is_foreign)
        for a, cell in enumerate(true)
        if cell.category == "Table"
    ]


def kinds_of(
    true: Sequence[Cell],
    told: Sequence[Cell],
    pairs: Pairs,
    found: Collection[Group],
    texts: Sequence[Sequence[str]],
) -> tuple[dict[str, Kind], bool]:
    """The Kind of each category; and whether all texts could be compared."""
    kinds = dict[str, Kind]()

    def add(category: str, kind: Kind) -> None:
        kinds[category] = kinds.get(category, Kind()) + kind

    for cell in true:
        add(cell.category, Kind(true=1))
    for cell in told:
        add(cell.category, Kind(told=1))
    for a, b, overlap in pairs:
        is_found = overlap >= SAME_CELL and true[a].category == told[b].category
        add(true[a].category, Kind(found=int(is_found), overlap=mean_of([overlap])))
    is_whole = True
    for group in found:
        sides = (group.true, group.told)
        joined = [
            normal(" ".join(side[n] for n in ns)) for side, ns in zip(texts, sides, strict=True)
        ]
        if (characters := edits(*joined)) is None:
            is_whole = False
        else:
            add(true[group.true[0]].category, Kind(characters=characters))
    return kinds, is_whole
