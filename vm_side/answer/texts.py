"""A cell's text however a model writes it: a number, a list of lines, an object -> text."""

import json
from typing import Any

KEYS = ("bbox", "category", "text")
UNKNOWN = "\ufffd"  # also what a server writes where a model's bytes are no letter


class Spelt(float):
    """A number with a fraction that remembers how it was written: 12.50."""

    def __new__(cls, written: str) -> "Spelt":
        number = super().__new__(cls, written)
        number.written = written
        return number

    written: str


def named(pairs: list[tuple[str, Any]]) -> Any:
    """An object of JSON; where a name comes again nothing is lost, as json.loads would have it.

    A second box begins another cell, a second text goes on with the first: see cells.flat(). The
    names that a cell has may be in any case.
    """
    objects: list[dict[str, Any]] = [{}]
    for written, value in pairs:
        name = written.casefold() if written.casefold() in KEYS else written
        if name == "bbox" and name in objects[-1]:
            objects.append({})
        before = objects[-1].get(name)
        goes_on = name == "text" and isinstance(before, str) and isinstance(value, str)
        objects[-1][name] = f"{before}\n{value}" if goes_on else value
    return objects[0] if len(objects) == 1 else objects


def loads(text: str) -> Any:
    """json.loads, with the spelling of fractions kept. Raises ValueError, RecursionError."""
    return json.loads(text, parse_float=Spelt, object_pairs_hook=named)


# line breaks in texts are well, too
DECODER = json.JSONDecoder(strict=False, parse_float=Spelt, object_pairs_hook=named)


def text_of(said: Any) -> str:
    """What stands on the page, of any value but null; UNKNOWN stands for half a letter.

    A letter beyond 16 bits may come in its two halves, such as where json_repair reads escapes.
    """
    if isinstance(said, str):
        return said.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
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
