"""What a second reader has found: on the lines of OUTPUT's manifest, and kept when they come again.

The machine knows nothing of it, until it is to read such a page again. Nor does it say anything of
another reading of the page.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from checks import CHANGED, Changes, Reading, check_of, reading_of
from contract import CORRECTED, STATUSES, is_to_be_read_again
from lib.results import Line


def laid_on(lines: Iterable[Line], checks: Mapping[Reading, Changes]) -> list[Line]:
    """The lines, with what was found of these readings; a person's word stands."""
    return [
        line.changed(checks[reading_of(line)])
        if line.status != CORRECTED and reading_of(line) in checks
        else line
        for line in lines
    ]


def kept(arriving: Iterable[Line], ours: Iterable[Line]) -> list[Line]:
    """Lines that come from the machine, with what was found here of the same readings."""
    read = (old for old in ours if old.reader and old.status != CORRECTED)
    return laid_on(arriving, {reading_of(old): changes_of(old) for old in read})


def told(lines: Iterable[Line]) -> str:
    """What the machine has to hear before it reads doubtful pages again: who else heard them."""
    heard = (line for line in lines if line.reader_lines and is_to_be_read_again(line))
    return "".join(check_of(line, changes_of(line)) for line in heard)


def changes_of(line: Line) -> Changes:
    """What a second reader has changed in a line."""
    entry = json.loads(line.text)
    return {name: entry[name] for name in CHANGED if name in entry}


def recounted(summary: str, before: Sequence[Line], after: Sequence[Line]) -> str:
    """A summary whose counts know what has changed. A text that is no summary stays as it is."""
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
