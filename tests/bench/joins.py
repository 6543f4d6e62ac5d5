#!/usr/bin/env python3
"""What is put together over the ends of pages and columns: how often rightly, wrongly, or not.

    python tests/bench/joins.py --documents 200

On documents that are made up (rig/author.py), whose truth is known. With traps: two paragraphs
or two tables that look like one.
"""

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("tests", "tools", "vm_side")]

from lib.documents.document import Document, Page  # noqa: E402 - found by the line above
from lib.documents.flow import blocks_of  # noqa: E402 - so is this
from lib.documents.tables import read_table  # noqa: E402 - so is this
from lib.pages.entries import read_cells, read_entries  # noqa: E402 - so is this
from rig.author import make_document  # noqa: E402 - so is this
from rig.page_layout import Made  # noqa: E402 - so is this


@click.command(help=__doc__)
@click.option("--documents", default=200, show_default=True)
@click.option("--pages", default=20, show_default=True)
def main(documents: int, pages: int) -> None:
    for traps in (False, True):
        found = Counter[str]()
        for seed in range(documents):
            found += errors_in(make_document(random.Random(seed), pages, traps))
        click.echo(f"{documents} documents {'with' if traps else 'without'} traps:")
        for what, count in sorted(found.items()):
            click.echo(f"  {count:>7,}  {what}")


def errors_in(made: Made) -> Counter[str]:
    """Count the parts of a document that were joined, wrongly or rightly, or should have been."""
    with tempfile.TemporaryDirectory() as folder:
        results = made.write(Path(folder))
        entries = read_entries(results)
        pages = tuple(Page(entry, tuple(read_cells(results, entry))) for entry in entries)
    found, pieces = Counter[str](), Counter[int]()
    for block in blocks_of(Document("book", pages)):
        owners = {made.owners[page][place] for page, place in block.cells}
        pieces.update(owners)
        if len(owners) > 1:
            found[f"wrong: {made.traps.get(max(owners), 'no trap')}"] += 1
        elif owners and (wrong := difference(made, min(owners), block.text, block.level)):
            found[f"wrong: {wrong}"] += len(block.cells) == made.parts(min(owners))
    for owner, count in pieces.items():
        kind = made.truth[owner][0]
        found[f"put together: {kind}"] += made.parts(owner) - count
        found[f"missed: {kind}"] += count - 1
    found.update(f"traps: {kind}" for kind in made.traps.values())
    return +found


def difference(made: Made, owner: int, text: str, level: int) -> str:
    """What differs between a block and the truth; empty if nothing does."""
    kind, true, deep = made.truth[owner]
    if level != deep:
        return "a heading's level"
    same = read_table(text) == read_table(true) if kind == "Table" else text == true
    return "" if same else f"the text of {kind}"


if __name__ == "__main__":
    main()
