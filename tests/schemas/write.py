#!/usr/bin/env python3
"""Writes docs/schema/: JSON Schemas of what the toolkit writes, from the tables by which it checks.

They are committed, so that others can read them. Run it again after a change:  make schema
"""

from __future__ import annotations

import ast
import itertools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "vm_side")]

from lib.corrections.file import FILE  # noqa: E402 - found by the line above
from lib.results import AT_HOME  # noqa: E402 - so is this
from results.kinds import LINE, SUMMARY  # noqa: E402 - so is this
from schema import CELLS, Schema, fields  # noqa: E402 - so is this

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = ROOT / "docs" / "schema"
RECORD = ROOT / "vm_side" / "results" / "manifest.py"
ALWAYS = ("page", "input", "pdf_page", "status")


def schemas() -> dict[str, Schema]:
    """All of them, by the name of their file."""
    said = docstrings(RECORD, "Record")
    line = {
        name: {**schema, "description": said[name]} if name in said else schema
        for name, schema in (LINE | AT_HOME).items()
    }
    required = {name: line.pop(name) for name in ALWAYS}
    return {
        "page.json": headed("The cells of a page, in reading order: page1.json", CELLS),
        "manifest-line.json": headed(
            "A page: a line of manifest.jsonl. Sizes and boxes are in pixels of the upright page",
            fields(required, line),
        ),
        "summary.json": headed("The totals: summary.json", SUMMARY),
        "corrections.json": headed("What was corrected in the report: corrections.json", FILE),
    }


def headed(title: str, schema: Schema) -> Schema:
    """A schema that says of which draft it is, and of what."""
    return {"$schema": DRAFT, "title": title, **schema}


def docstrings(path: Path, name: str) -> dict[str, str]:
    """What stands below each field of a class."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    (body,) = (n.body for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == name)
    found = {}
    for field, below in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
            assert isinstance(field.target, ast.Name) and isinstance(below.value, ast.Constant)
            found[field.target.id] = " ".join(str(below.value.value).split())
    return found


def text_of(schema: Mapping[str, Any]) -> str:
    """A schema as its file has it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        (FOLDER / name).write_text(text_of(schema), encoding="utf-8")
