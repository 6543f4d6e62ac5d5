"""TEDS: computed by hand, compared with a plain recursion, and with apted."""

import functools
import random

import pytest
from apted import APTED, Config

from lib.score.tables import Node, read_tree
from lib.score.teds import Postorder, replacing, teds, tree_distance, zhang_shasha

ROW = "<tr><td>a</td><td>b</td></tr>"


def html(rows: str) -> str:
    return f"<table>{rows}</table>"


@pytest.mark.parametrize(
    ("true", "told", "expected"),
    [
        (ROW, ROW, 1),
        (ROW * 3, ROW * 2, 1 - 3 / 9),  # a row and its two cells
        (ROW, "<tr><td>a</td></tr>", 1 - 1 / 3),
        (ROW, "<tr><td>a</td><td>x</td></tr>", 1 - 1 / 3),
        ("<tr><td>abcd</td></tr>", "<tr><td>abxd</td></tr>", 1 - 0.25 / 2),
        ("<tr><td>abcd</td></tr>", "<tr><td>ab</td></tr>", 1 - 0.5 / 2),
        ("<tr><td>ab</td></tr>", "<tr><td>abcd</td></tr>", 1 - 0.5 / 2),
        (f"<tr><td colspan=2>a</td></tr>{ROW}", f"<tr><td>a</td></tr>{ROW}", 1 - 1 / 5),
        (f"<tr><td rowspan=2>x</td>{ROW[4:]}{ROW}", f"<tr><td>x</td>{ROW[4:]}{ROW}", 1 - 1 / 7),
        ("<tr><td colspan=2>a</td></tr>", "<tr><td>a</td></tr>", 1),  # nobody can see this span
        ("<tr><th>a</th><td>b</td></tr>", ROW, 1 - 1 / 3),
        (f"<thead>{ROW}</thead>{ROW}", ROW * 2, 1 - 2 / 6),  # the head's cells are headings
        (f"<thead>{ROW}</thead>{ROW}", ROW.replace("td>", "th>") + ROW, 1),
        (f"<tbody>{ROW}</tbody>", ROW, 1),  # in HTML a table always has a body, written or not
        # two rows in one: three rows change, but no cell does (a row cannot be two rows)
        (ROW * 2, ROW.replace("</tr>", "<td>a</td><td>b</td></tr>"), 1 - 3 / 6),
        ("<tr><td><b>a</b> <i>c</i></td></tr>", "<tr><td>a c</td></tr>", 1),
        ("<tr><td>a<br>c</td></tr>", "<tr><td>a c</td></tr>", 1),
        ("", "", 1),
        (ROW, "", 0),
        ("", ROW, 0),
    ],
)
def test_by_hand(true: str, told: str, expected: float) -> None:
    assert teds(html(true), html(told), is_foreign=False) == pytest.approx(expected)


def test_where_the_truth_knows_no_headings() -> None:
    """OmniDocBench's rule: th counts as td, and a head's rows count like all others."""
    head = f"<thead>{ROW.replace('td>', 'th>')}</thead>"
    assert teds(html(ROW * 2), html(head + ROW), is_foreign=True) == 1
    assert teds(html(ROW * 2), html(head + ROW), is_foreign=False) == pytest.approx(1 - 2 / 6)


@pytest.mark.parametrize(
    ("true", "told", "expected"),
    [("| a |", html(ROW), None), (html(ROW), "| a |", 0), (html(ROW), html("x" * 200_001), None)],
)
def test_what_is_no_table_or_too_long_for_one(true: str, told: str, expected: float | None) -> None:
    assert teds(true, told, is_foreign=False) == expected


def tree(chance: random.Random, depth: int) -> Node:
    """A tree of any form, also one that is not a table."""
    children = tuple(tree(chance, depth - 1) for _ in range(chance.randrange(4))) if depth else ()
    text, columns = chance.choice(["", "a", "ab", "abc", "xyz"]), chance.choice([1, 1, 2])
    return Node(chance.choice(["tr", "td", "thead"]), text, columns, 1, children)


def pair_of_trees(seed: int, depth: int = 3) -> tuple[Node, Node]:
    """Two trees; every second pair has parts in common."""
    chance = random.Random(seed)
    one = [tree(chance, depth) for _ in range(chance.randrange(4))]
    other = [tree(chance, depth) for _ in range(chance.randrange(3))]
    if seed % 2:
        other = [*one[: chance.randrange(4)], *other, *one[1:]]
    return Node("table", children=tuple(one)), Node("table", children=tuple(other))


@functools.cache
def size(forest: tuple[Node, ...]) -> int:
    return sum(1 + size(node.children) for node in forest)


@functools.cache
def plain_distance(one: tuple[Node, ...], other: tuple[Node, ...]) -> float:
    """The definition: remove the last root of one, add that of the other, or match both."""
    if not one or not other:
        return size(one) + size(other)
    a, b = one[-1], other[-1]
    return min(
        plain_distance((*one[:-1], *a.children), other) + 1,
        plain_distance(one, (*other[:-1], *b.children)) + 1,
        plain_distance(one[:-1], other[:-1])
        + plain_distance(a.children, b.children)
        + replacing(a, b),
    )


@pytest.mark.parametrize("start", range(0, 120, 30))
def test_the_distance_is_that_of_the_definition(start: int) -> None:
    for seed in range(start, start + 30):
        one, other = pair_of_trees(seed, 2)
        expected = pytest.approx(plain_distance((one,), (other,)))
        assert tree_distance(one, other) == expected, seed
        assert zhang_shasha(Postorder(one), Postorder(other)) == expected, seed


class Costs(Config):  # type: ignore[misc]  # apted has no types
    """Our costs in apted's form."""

    def rename(self, node1: Node, node2: Node) -> float:
        return replacing(node1, node2)

    def children(self, node: Node) -> list[Node]:
        return list(node.children)


def test_apted_finds_no_smaller_one() -> None:
    """apted's distance is not always the smallest, but nearly."""
    differ = 0
    for seed in range(150):
        one, other = pair_of_trees(seed)
        theirs = APTED(one, other, Costs()).compute_edit_distance()
        ours = tree_distance(one, other)
        assert ours is not None and ours <= theirs + 1e-9, seed
        differ += ours < theirs - 1e-9
    assert differ <= 3


def test_a_table_that_is_the_same_but_for_a_row_is_not_too_large() -> None:
    rows = [f"<tr>{''.join(f'<td>{n} {m}</td>' for m in range(50))}</tr>" for n in range(100)]
    whole = html("".join(rows))
    assert teds(whole, html("".join(rows[:40] + rows[41:])), False) == pytest.approx(1 - 51 / 5100)
    assert teds(whole, html("".join(rows[::-1])), False) is None


@pytest.mark.parametrize(
    "text",
    [
        "<table>" * 2_000,
        "<table><tr>" + "<td>" * 20_000,
        "<table><tr><td colspan=0 rowspan=-1>a<td colspan=99999999999 rowspan=x>b",
        "<table><!--" * 2_000,
        "<table><tr><td>&#xD800;\ud800\x00</td></tr></table>",
        "<table><td>a<table><tr><td>b</table>c</table>d",
    ],
)
def test_odd_html_is_some_table(text: str) -> None:
    found = read_tree(text, is_foreign=False)
    assert found is not None
    assert teds(text, text, is_foreign=False) == 1
    for row in found.children:
        assert all((cell.columns, cell.rows) == (1, 1) for cell in row.children)
