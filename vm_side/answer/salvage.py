"""Damaged JSON -> its cells. The answer is cut where a cell begins, so damage stays in its cell."""

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import json_repair

from answer.texts import DECODER

CELL_START = re.compile(r"""\{\s*["']?(?:bbox|category)["']?\s*:""", re.IGNORECASE)
TEXT_START = re.compile(r"""\{\s*["']text["']\s*:""", re.IGNORECASE)
EMPTY_ARRAY = re.compile(r"^[ \t]*\[\s*\][ \t]*$", re.MULTILINE)  # "- [ ] to do" is prose
DIGITS = r"""[-+.\deE,\s"']*"""
CUT_IN_ITS_BOX = re.compile(
    r"""\{[^\[{]*bbox["']?\s*:\s*"""
    rf"""(?:\[(?:{DIGITS}\[{DIGITS}\])*{DIGITS}(?:\[{DIGITS})?|"[^"}}]*|\{{[^}}]*)"""
)
TEXT_KEY = re.compile(r"""(["'])text\1\s*:?\s*(["'])""")
TEXT_NAME = re.compile(r"""["']text["']\s*:\s*(?!["'\s])""")
QUOTE_AT_END = re.compile(r"""["']\s*\}[\s,\]`]*$""")
WITHOUT_BRACE = re.compile(r"""[\s,\]}]*(["']bbox["']\s*:\s*\[.*)""", re.DOTALL)
NO_QUOTE_AT_END = re.compile(r"""[^"',\s]\s*\}\s*[,\]][\s\]`]*$""")
NEXT_KEY = r"""\s*(?:,\s*)?["'](?:bbox|category)["']\s*:"""
BETWEEN_CELLS = re.compile(r"""\s*(?:[\]}]|,\s*["'{]|$)""")
BETWEEN_KEYS = re.compile(r"""\s*(?:\}|,?\s*["'](?:bbox|category)|,\s*["'}])""")
OTHER_KEYS = re.compile(rf"""{NEXT_KEY}\s*(?:\[[^\]]*\]|["'][^"']*)""")
ESCAPE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|.)", re.DOTALL)
CELL_END = re.compile(r"""["'\]]\s*\}""")
CLOSES = re.compile(r"[]}`]")
ANY_END = re.compile(r"""["'}\]`]$""")
MAY_LACK = "a damaged text may lack a part"
CUT = "the answer stops in the middle"


def salvage(text: str, notes: list[str]) -> list[Any] | None:
    """The cells of damaged JSON, or None where there are none; says in notes what may be lost."""
    starts = [match.start() for match in CELL_START.finditer(text)]
    text_first = [match.start() for match in TEXT_START.finditer(text)]
    if text_first and (not starts or text_first[0] < starts[0]):
        starts = sorted({*starts, *text_first})
    if starts:
        ends = [*starts[1:], len(text)]
        notes += [CUT] * stops_in_the_middle(text[starts[-1] :])
        chunks = (text[start:end] for start, end in zip(starts, ends, strict=True))
        return [repair(cell, notes) for chunk in chunks for cell in apart(chunk)]
    if EMPTY_ARRAY.search(text):  # with a fence around it
        return []
    return unwrap(repaired(text)) or None if "bbox" in text else None


def stops_in_the_middle(last: str) -> bool:
    """Whether an answer surely goes on behind its last cell, whatever its server says.

    What only lacks its brackets may be all of it.
    """
    last = last.rstrip()
    ends = list(CELL_END.finditer(last))
    if ends:
        rest = last[ends[-1].end() :].lstrip()
        return rest.startswith(",") and CLOSES.search(rest) is None
    key = TEXT_KEY.search(last)
    if key is None:
        return "}" not in last
    return key.end() == len(last) or ANY_END.search(last) is None


def apart(chunk: str) -> Iterator[str]:
    """The cells of a part that begins with one: more than one, where braces are missing."""
    with contextlib.suppress(ValueError, RecursionError):
        while other := WITHOUT_BRACE.fullmatch(chunk, end := DECODER.raw_decode(chunk)[1]):
            yield chunk[:end]
            chunk = "{" + other[1]
    yield chunk


def repair(chunk: str, notes: list[str]) -> Any:
    """One cell's text, perhaps damaged, perhaps with something behind it -> the cell."""
    if CUT_IN_ITS_BOX.fullmatch(chunk):
        return None  # who knows how many digits its last number has
    try:
        cell, end = DECODER.raw_decode(chunk)
        rest = chunk[end:]
        if not letters(rest) or '"' not in rest or BETWEEN_CELLS.match(rest):
            return cell
    except (ValueError, RecursionError):
        cell = None
        chunk = with_first_quote(chunk)
    cell = with_quotes_inside(chunk) or cell
    if cell is None and lacks_last_quote(chunk):
        cell = with_quotes_inside(without_end(chunk) + '"}')
    cell = cell or repaired(chunk)
    if lacks_text(chunk, cell):
        cell = with_quotes_inside(without_end(chunk) + '"}') or cell
    if lacks_text(chunk, cell):
        notes.append(MAY_LACK)
    return cell


def with_first_quote(chunk: str) -> str:
    """A cell's text with the quote before its own text, if only that is missing."""
    key = TEXT_NAME.search(chunk)
    if key is None or TEXT_KEY.search(chunk[: key.start()]) or not QUOTE_AT_END.search(chunk):
        return chunk
    try:
        end = DECODER.raw_decode(chunk, key.end())[1]
    except (ValueError, RecursionError):
        end = None
    is_value = end is not None and BETWEEN_KEYS.match(chunk, end)
    return chunk if is_value else f'{chunk[: key.end()]}"{chunk[key.end() :]}'


def lacks_last_quote(chunk: str) -> bool:
    """Whether the brackets behind a cell follow its own text, but no quote does."""
    key = TEXT_KEY.search(chunk)
    return key is not None and NO_QUOTE_AT_END.search(chunk, key.end()) is not None


def without_end(chunk: str) -> str:
    """A cell's text up to the end of its own text, if that lacks its quote."""
    for end in ("```", "]", ",", "}", '"'):
        chunk = chunk.rstrip().removesuffix(end)
    return chunk


def with_quotes_inside(chunk: str) -> Any:
    """A cell in whose text quotes are not escaped; None if that is not what is wrong with it.

    The text goes up to the next key of a cell, or else to the last quote that closes the cell.
    """
    key = TEXT_KEY.search(chunk)
    if key is None:
        return None
    closing = rf"(?<!\\)(?:\\\\)*{key[2]}"
    before_key = re.compile(closing + rf"(?={NEXT_KEY})").search(chunk, key.end())
    ends = [before_key] if before_key else list(re.finditer(rf"{closing}(?=\s*\}})", chunk))
    if not ends or ends[-1].end() <= key.end():
        return None
    end = ends[-1].end() - 1
    said = unescaped(chunk[key.end() : end], key[2])
    rest = f'{chunk[: key.start()]}"text": ""{chunk[end + 1 :]}'
    try:
        cell = DECODER.raw_decode(rest)[0]
    except (ValueError, RecursionError):
        cell = repaired(rest)
    if said is None or not isinstance(cell, dict) or cell.get("text") != "":
        return None
    return {**cell, "text": said}


def unescaped(said: str, quote: str) -> str | None:
    """What JSON reads of a text once its quotes are escaped; None if that is not enough."""
    if quote == "'":
        said = said.replace("\\'", "'")
    said = re.sub(r'(?<!\\)((?:\\\\)*)"', r'\1\\"', said)
    try:
        return str(json.loads(f'"{said}"', strict=False))
    except ValueError:
        return None


def lacks_text(chunk: str, cell: Any) -> bool:
    """Whether a reading may have lost letters of the cell's text. Prose behind it has no quotes."""
    key = TEXT_KEY.search(chunk)
    if key is None:
        return False
    said = cell.get("text") if isinstance(cell, dict) else None
    last = chunk.rfind(key[2])
    raw = chunk[key.end() : last if last > key.end() else None]
    there = letters(ESCAPE.sub("", OTHER_KEYS.sub("", raw)))
    return letters(said if isinstance(said, str) else "") < there


def letters(text: str) -> int:
    """Letters and digits in a text."""
    return sum(map(str.isalnum, text))


def repaired(text: str) -> Any:
    """What json_repair makes of damaged JSON; None of what is nested too deeply for it."""
    try:
        return json_repair.loads(text)
    except (ValueError, RecursionError):
        return None


def unwrap(found: Any) -> list[Any]:
    """An array of cells, one cell, or an object around an array of cells -> the array."""
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        if "bbox" in found:
            return [found]
        lists = [value for value in found.values() if isinstance(value, list)]
        if len(lists) == 1:
            return lists[0]
    return []
