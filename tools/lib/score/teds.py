"""TEDS: how similar two tables are, as trees.

Zhong et al. 2020, "Image-based table recognition: data, model, and evaluation": 1 - distance / the
number of nodes of the larger tree. To insert or delete a node costs 1. To replace a node costs 1 if
the tags or the spans differ; otherwise, for cells, the edits of the texts divided by the length of
the longer text. As in the authors' program, the table's own node is not counted.

The distance is that of Zhang and Shasha 1989. Others use apted 1.0.3, but its distance is not
always the least: it was too large for 6 of 3,000 pairs of random trees.
"""

from collections.abc import Sequence

from lib.score.tables import Node, count, is_too_large, read_tree
from lib.score.texts import distance

MOST_PAIRS = 1_000_000  # of nodes, in the parts that differ: two tables of 1,000 cells
Forest = Sequence[Node]


def teds(true: str, told: str, is_foreign: bool) -> float | None:
    """How similar two tables are, from 0 to 1; None if the truth has no table, or one is too large.

    0 if the answer has no table. is_foreign: the truth does not mark cells that are headings.
    """
    if is_too_large(true) or is_too_large(told):
        return None
    one, other = read_tree(true, is_foreign), read_tree(told, is_foreign)
    if one is None:
        return None
    if other is None:
        return 0.0
    nodes = max(count(one), count(other))
    found = tree_distance(one, other)
    return None if found is None else 1 - found / nodes if nodes else 1.0


def tree_distance(one: Node, other: Node) -> float | None:
    """The least cost to change one tree into the other (with equal roots); None if too large."""
    first, second = differing(one.children, other.children)
    trees = [Postorder(Node("", children=tuple(forest))) for forest in (first, second)]
    if len(trees[0].nodes) * len(trees[1].nodes) > MOST_PAIRS:
        return None
    return zhang_shasha(*trees)


def differing(one: Forest, other: Forest) -> tuple[Forest, Forest]:
    """Remove what is equal at both ends of two forests, and return the rest.

    The equal parts cost nothing. To map them to each other is never more expensive, because the
    nodes of a mapping keep their order.
    """
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    if len(one) == len(other) == 1 and one[0].label == other[0].label:
        return differing(one[0].children, other[0].children)
    return one, other


class Postorder:
    """A tree as lists, in which each node comes after its children."""

    def __init__(self, root: Node) -> None:
        self.nodes = list[Node]()
        self.first = list[int]()
        """For each node: the place of the first leaf below it."""
        self._add(root)
        last = {leaf: place for place, leaf in enumerate(self.first)}
        self.key_roots = sorted(last.values())
        """The places of the nodes that are not a first child."""

    def _add(self, node: Node) -> None:
        start = len(self.nodes)
        for child in node.children:
            self._add(child)
        self.nodes.append(node)
        self.first.append(start)


def zhang_shasha(one: Postorder, other: Postorder) -> float:
    """The distance of two trees, computed from the distances of all their subtrees."""
    of_trees = [[0.0] * len(other.nodes) for _ in one.nodes]
    for a in one.key_roots:
        for b in other.key_roots:
            subtrees(one, other, a, b, of_trees)
    return of_trees[-1][-1]


def subtrees(one: Postorder, other: Postorder, a: int, b: int, of_trees: list[list[float]]) -> None:
    """Fill in the distances of the trees at a and b, and of those with the same first leaves."""
    start_a, start_b = one.first[a], other.first[b]
    if start_a == a and start_b == b:  # two cells: the most frequent case
        of_trees[a][b] = replacing(one.nodes[a], other.nodes[b])
        return
    forests = [[float(n) for n in range(b - start_b + 2)]]
    for i in range(start_a, a + 1):
        above, left, trees = forests[-1], forests[-1][0] + 1.0, of_trees[i]
        row, before_i = [left], forests[one.first[i] - start_a]
        is_tree, node = one.first[i] == start_a, one.nodes[i]
        for column, j in enumerate(range(start_b, b + 1)):
            first = other.first[j]
            if is_tree and first == start_b:
                least = above[column] + replacing(node, other.nodes[j])
            else:
                least = before_i[first - start_b] + trees[j]
            up = above[column + 1]
            edited = (up if up < left else left) + 1.0
            left = edited if edited < least else least
            if is_tree and first == start_b:
                trees[j] = left
            row.append(left)
        forests.append(row)


def replacing(one: Node, other: Node) -> float:
    """The cost of replacing a node by another."""
    if (one.tag, one.columns, one.rows) != (other.tag, other.columns, other.rows):
        return 1.0
    if one.text == other.text:
        return 0.0
    return distance(one.text, other.text) / max(len(one.text), len(other.text))
