"""Mutants that no test kills, and why: a person looked at each, and it does no harm."""

import tomllib
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("survivors.toml")


def entries() -> dict[str, list[dict[str, Any]]]:
    """All entries, by file."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def known_in(file: str) -> set[tuple[str, str]]:
    """The entries of a file as pairs of function and change, because line numbers move."""
    found = entries().get(file, [])
    return {(entry["function"], change) for entry in found for change in entry["changes"]}
