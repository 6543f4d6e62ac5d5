"""The second reader's findings: in OUTPUT's manifest, and kept when its lines come again.

The machine does not know them until it has to read such a page again. The findings hold for one
reading of a page, and say nothing about another reading.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from checks import CHANGED, Changes, Reading, check_of, reading_of
from contract import CORRECTED, STATUSES, is_to_be_read_again
from lib.results import Line


def laid_on(lines: Iterable[Line], checks: Mapping[Reading, Changes]) -> list[Line]:
    """Return the lines with the findings for these readings; a person's corrections stay."""
    return [
        line.changed(checks[reading_of(line)])
        if line.status != CORRECTED and reading_of(line) in checks
        else line
        for line in lines
    ]


def kept(arriving: Iterable[Line], ours: Iterable[Line]) -> list[Line]:
    """Return the machine's lines, with what was found here for the same readings."""
    read = (old for old in ours if old.reader and old.status != CORRECTED)
    return laid_on(arriving, {reading_of(old): changes_of(old) for old in read})


def told(lines: Iterable[Line]) -> str:
    """Return, as text, the findings that the machine needs to read doubtful pages again."""
    heard = (line for line in lines if line.reader_lines and is_to_be_read_again(line))
    return "".join(check_of(line, changes_of(line)) for line in heard)


def changes_of(line: Line) -> Changes:
    """Return the values that a second reader has changed in a line."""
    entry = json.loads(line.text)
    return {name: entry[name] for name in CHANGED if name in entry}


def recounted(summary: str, before: Sequence[Line], after: Sequence[Line]) -> str:
    """Return a summary with its counts brought up to date; a text that is none stays as it is."""
    pairs = [(old, new) for old, new in zip(before, after, strict=True) if old.text != new.text]
    try:
        found = json.loads(summary)
        counts = Counter({status: found[status] for status in STATUSES if status in found})
        kinds = Counter(found.get("doubts", {}))
        for old, new in pairs:
            counts.subtract([old.status])
            counts.update([new.status])
            kinds.subtract(kinds_in(old))
            kinds.update(kinds_in(new))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return summary
    if not pairs:
        return summary
    found |= counts | {"doubts": {kind: count for kind, count in kinds.most_common() if count > 0}}
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def kinds_in(line: Line) -> list[str]:
    """The kinds of a line's doubts."""
    doubts = json.loads(line.text).get("doubts")
    return [str(doubt["kind"]) for doubt in doubts] if isinstance(doubts, list) else []
