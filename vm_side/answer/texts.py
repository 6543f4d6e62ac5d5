"""Make text of a cell's text in any form that a model writes: a number, a list, an object."""

import json
from typing import Any

KEYS = ("bbox", "category", "text")
NO_TEXT = (None, "")
UNKNOWN = "\ufffd"  # a server also writes it for bytes of the model that are not a letter


class Spelt(float):
    """A number with a fraction that remembers how it was written: 12.50."""

    def __new__(cls, written: str) -> "Spelt":
        number = super().__new__(cls, written)
        number.written = written
        return number

    written: str


def named(pairs: list[tuple[str, Any]]) -> Any:
    """Make an object of JSON pairs and keep each box and text; json.loads keeps only the last.

    A second box begins another cell (see cells.flat()), and a second text is added to the first.
    The names of a cell's keys may be in any case.
    """
    objects: list[dict[str, Any]] = [{}]
    for written, said in pairs:
        name = written.casefold() if written.casefold() in KEYS else written
        if name == "bbox" and name in objects[-1]:
            objects.append({})
        before = objects[-1].get(name) if name == "text" else None
        if before in NO_TEXT:
            objects[-1][name] = said
        elif said not in NO_TEXT:
            objects[-1][name] = f"{text_of(before)}\n{text_of(said)}"
    return objects[0] if len(objects) == 1 else objects


def loads(text: str) -> Any:
    """Like json.loads, but keep the spelling of fractions. Raises ValueError, RecursionError."""
    return json.loads(text, parse_float=Spelt, object_pairs_hook=named)


# not strict: line breaks inside texts are allowed
DECODER = json.JSONDecoder(strict=False, parse_float=Spelt, object_pairs_hook=named)


def text_of(said: Any) -> str:
    """Return any value but null as the text on the page, with UNKNOWN for half a letter.

    A letter beyond 16 bits may come as two halves, for example when json_repair reads escapes.
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
    """Return one line of a list; the parts of a row are joined by blanks."""
    if said is None:
        return ""
    return " ".join(map(line_of, said)) if isinstance(said, list) else text_of(said)
