"""Mutants that no test kills, and why: each was looked at, and does no harm."""

import tomllib
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("survivors.toml")


def entries() -> dict[str, list[dict[str, Any]]]:
    """All that were looked at, by file."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def known_in(file: str) -> set[tuple[str, str]]:
    """Those of a file, each told by its function and its change: lines move."""
    found = entries().get(file, [])
    return {(entry["function"], change) for entry in found for change in entry["changes"]}
