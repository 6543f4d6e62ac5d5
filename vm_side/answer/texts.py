"""A cell's text however a model writes it: a number, a list of lines, an object -> text."""

import json
from typing import Any


class Spelt(float):
    """A number with a fraction that remembers how it was written: 12.50."""

    def __new__(cls, written: str) -> "Spelt":
        number = super().__new__(cls, written)
        number.written = written
        return number

    written: str


def loads(text: str) -> Any:
    """json.loads, with the spelling of fractions kept. Raises ValueError, RecursionError."""
    return json.loads(text, parse_float=Spelt)


DECODER = json.JSONDecoder(strict=False, parse_float=Spelt)  # line breaks in texts are well, too


def text_of(said: Any) -> str:
    """What stands on the page, of any value but null."""
    if isinstance(said, str):
        return said.encode("utf-8", "replace").decode("utf-8")
    if isinstance(said, list):
        return "\n".join(map(line_of, said))
    if isinstance(said, dict):
        return "\n".join(f"{line_of(name)}: {line_of(value)}" for name, value in said.items())
    if isinstance(said, Spelt):
        return said.written
    return json.dumps(said, ensure_ascii=False)


def line_of(said: Any) -> str:
    """One line of a list: a row's parts stand beside each other."""
    if said is None:
        return ""
    return " ".join(map(line_of, said)) if isinstance(said, list) else text_of(said)
