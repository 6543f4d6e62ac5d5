"""Damaged JSON -> its cells. We cut it where each cell begins, so damage stays in one cell."""

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
    """Return the cells of damaged JSON, None if there are none; note what may be lost."""
    starts = [match.start() for match in CELL_START.finditer(text)]
    text_first = [match.start() for match in TEXT_START.finditer(text)]
    if text_first and (not starts or text_first[0] < starts[0]):
        starts = sorted({*starts, *text_first})
    if starts:
        ends = [*starts[1:], len(text)]
        notes += [CUT] * stops_in_the_middle(text[starts[-1] :])
        chunks = (text[start:end] for start, end in zip(starts, ends, strict=True))
        return [repair(cell, notes) for chunk in chunks for cell in apart(chunk)]
    if EMPTY_ARRAY.search(text):  # in a code fence
        return []
    return unwrap(repaired(text)) or None if "bbox" in text else None


def stops_in_the_middle(last: str) -> bool:
    """Whether an answer was surely cut in or after its last cell, whatever the server says.

    An answer that lacks only its closing brackets may be complete.
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
    """Yield the cells in a part that begins with a cell: several if braces are missing."""
    with contextlib.suppress(ValueError, RecursionError):
        while other := WITHOUT_BRACE.fullmatch(chunk, end := DECODER.raw_decode(chunk)[1]):
            yield chunk[:end]
            chunk = "{" + other[1]
    yield chunk


def repair(chunk: str, notes: list[str]) -> Any:
    """Read one cell from its JSON, which may be damaged or have more text after it."""
    if CUT_IN_ITS_BOX.fullmatch(chunk):
        return None  # its last number may lack digits
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
    """Add the quote before the text in a cell's JSON, if only this quote is missing."""
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
    """Whether the cell's text is followed by the closing brackets, but not by a quote."""
    key = TEXT_KEY.search(chunk)
    return key is not None and NO_QUOTE_AT_END.search(chunk, key.end()) is not None


def without_end(chunk: str) -> str:
    """Take the brackets off the end of a cell's JSON, so that it ends with the cell's text."""
    for end in ("```", "]", ",", "}", '"'):
        chunk = chunk.rstrip().removesuffix(end)
    return chunk


def with_quotes_inside(chunk: str) -> Any:
    """Read a cell with unescaped quotes in its text; None if something else is wrong with it.

    The text ends before the next key of a cell, or else at the last quote before a closing brace.
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
    """Escape the quotes in a text and read it as JSON; None if it still cannot be read."""
    if quote == "'":
        said = said.replace("\\'", "'")
    said = re.sub(r'(?<!\\)((?:\\\\)*)"', r'\1\\"', said)
    try:
        return str(json.loads(f'"{said}"', strict=False))
    except ValueError:
        return None


def lacks_text(chunk: str, cell: Any) -> bool:
    """Whether the cell that was read may lack letters of its text in the JSON.

    The text ends at the last quote: prose after the cell has none.
    """
    key = TEXT_KEY.search(chunk)
    if key is None:
        return False
    said = cell.get("text") if isinstance(cell, dict) else None
    last = chunk.rfind(key[2])
    raw = chunk[key.end() : last if last > key.end() else None]
    there = letters(ESCAPE.sub("", OTHER_KEYS.sub("", raw)))
    return letters(said if isinstance(said, str) else "") < there


def letters(text: str) -> int:
    """Count the letters and digits in a text."""
    return sum(map(str.isalnum, text))


def repaired(text: str) -> Any:
    """Read damaged JSON with json_repair; None if that fails, for example if nested too deeply."""
    try:
        return json_repair.loads(text)
    except (ValueError, RecursionError):
        return None


def unwrap(found: Any) -> list[Any]:
    """Return the array of cells in an array, in one cell, or in an object around an array."""
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        if "bbox" in found:
            return [found]
        lists = [value for value in found.values() if isinstance(value, list)]
        if len(lists) == 1:
            return lists[0]
    return []
