#!/usr/bin/env python3
"""Writes names and defaults of docs/knobs.md and its Korean again, from the table of knobs.

The sentences are the pages' own, and stay. A knob that has no row gets one in the last table, with
its help; one that is gone loses its row.  make knobs
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "vm_side")]

from lib.knobs import TABLE  # noqa: E402 - found by the line above

PAGES = [ROOT / "docs" / "knobs.md", ROOT / "docs" / "knobs.ko.md"]
ROW = re.compile(r"^\| `([A-Z_]+)` \|[^|]*\| (.*) \|\n", re.MULTILINE)


def sentences(text: str) -> dict[str, str]:
    """What a page says of each knob."""
    return dict(ROW.findall(text))


def row(name: str, field: dataclasses.Field[Any], sentence: str) -> str:
    """A knob's row. A flag is 0 or 1, as config.env has it."""
    default = field.default
    number = isinstance(default, bool | int | float)
    shown = f"{default:.10g}" if number else default
    return f"| `{name}` | {f'`{shown}` ' if shown else ''}| {sentence} |\n"


def rewritten(text: str, table: Mapping[str, dataclasses.Field[Any]]) -> str:
    """A page with the rows that the table asks for."""
    *_, last = ROW.finditer(text)
    new = [name for name in table if name not in sentences(text)]
    added = "".join(row(name, table[name], table[name].metadata["help"]) for name in new)
    whole = text[: last.end()] + added + text[last.end() :]
    return ROW.sub(lambda at: row(at[1], table[at[1]], at[2]) if at[1] in table else "", whole)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(rewritten(page.read_text(encoding="utf-8"), TABLE), encoding="utf-8")
