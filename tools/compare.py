#!/usr/bin/env python3
"""Show what differs between two results of the same pages: text, boxes, categories, doubts.

A and B are folders of results, or folders in them (A=results/100dpi B=results/120dpi). Pages are
matched by their path below A and B. It writes compare.html, to look at, into the results of B.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import click

from lib.console import ExitCode, aligned, note, printable, run, show_line
from lib.options import version_option
from lib.pages.doubts import Doubt
from lib.report import compare_build
from lib.report.comparison import Compared, as_json, compare, open_side, totals

MOST_ROWS = 20
HEAD = ("text", "words", "moved", "new", "gone", "category", "")


@click.command(help=__doc__, context_settings={"max_content_width": 100})
@click.option(
    "--a", "first", envvar="A", show_envvar=True, required=True, help="The results to compare with."
)
@click.option(
    "--b", "second", envvar="B", show_envvar=True, required=True, help="The results to look at."
)
@click.option("--json", "as_data", is_flag=True, help="Print totals and pages as JSON.")
@version_option
def main(first: str, second: str, as_data: bool) -> ExitCode:
    sides = open_side(first), open_side(second)
    pages = compare(*sides)
    path = compare_build.write(*sides, pages)
    found = totals(*sides, pages)
    if as_data:
        data = {"report": str(path), **found, "pages": [as_json(page) for page in pages]}
        show_line(json.dumps(data, ensure_ascii=False))
    else:
        for line in (*sentences(found), "", *table(pages)):
            show_line(printable(line))
        note(f"report: {path}")
    return ExitCode.PAGES_FAILED if found["not_compared"] else ExitCode.OK


def sentences(found: dict[str, Any]) -> list[str]:
    """The totals, for people."""
    alone = [f"{found[f'only_{s}']} only in {found[s]}" for s in "ab" if found[f"only_{s}"]]
    if found["not_compared"]:
        alone.append(f"{found['not_compared']} could not be compared")
    return [
        f"A {found['a']}",
        f"B {found['b']}",
        ", ".join([f"{found['compared']} pages compared, {found['changed']} differ", *alone]),
        f"text {percent(found['text_alike'])} alike, {found['words_changed']} words differ",
        f"boxes {percent(found['boxes_alike'])} alike: {found['moved']} moved,"
        f" {found['added']} new, {found['removed']} gone,"
        f" {found['recategorised']} of another category",
        *doubts(found),
    ]


def doubts(found: dict[str, Any]) -> list[str]:
    """A line that says how the doubts changed; no line if there are none."""
    keys = ("doubts_gone", "doubts_new", "doubtful_a", "doubtful_b")
    gone, new, before, after = (found[key] for key in keys)
    if not any((gone, new, before, after)):
        return []
    return [f"doubts {gone} gone, {new} new: doubtful pages {before} in A, {after} in B"]


def table(pages: Sequence[Compared]) -> list[str]:
    """The pages that differ most, one line for each."""
    changed = [page for page in pages if page.kinds]
    if not changed:
        return []
    lines = aligned([cells(page) for page in changed[:MOST_ROWS]], HEAD)
    more = len(changed) - MOST_ROWS
    return lines + ([f"… and {more} more pages"] if more > 0 else [])


def cells(page: Compared) -> tuple[str, ...]:
    """One line of the table."""
    if page.first is None or page.second is None:
        return (*[""] * 6, f"{page.page} (only in {'B' if page.first is None else 'A'})")
    found = page.found
    counts = (found.words_changed, found.moved, found.added, found.removed, found.recategorised)
    said = [
        f"{page.first.status} → {page.second.status}" if "status" in page.kinds else "",
        f"doubts gone: {names(page.gone)}" if page.gone else "",
        f"new doubts: {names(page.new)}" if page.new else "",
    ]
    remark = "; ".join(filter(None, said))
    name = f"{page.page} ({remark})" if remark else page.page
    return (percent(found.text_alike), *(str(n) if n else "·" for n in counts), name)


def names(doubts: Sequence[Doubt]) -> str:
    """The doubts by kind, such as "2 missed, amount"."""
    kinds = Counter(doubt.kind for doubt in doubts)
    return ", ".join(f"{count} {kind}" if count > 1 else kind for kind, count in kinds.items())


def percent(part: float) -> str:
    """A part in percent. Only a whole gives 100: smaller parts are never rounded up to it."""
    return "100 %" if part == 1 else f"{min(part * 100, 99.9):.1f} %"


if __name__ == "__main__":
    run(main)
