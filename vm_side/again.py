"""A doubtful page that is read again: who judges the new answer, and which of both stays.

Those who have doubted the old answer hear the new one, too. So both are trusted by one measure.
"""

from collections.abc import Mapping
from typing import Any

from answer.ladder import Outcome, weight, whole_status
from contract import DOUBTFUL, NO_BETTER
from results.manifest import Record
from trust.doubts import is_doubtful
from trust.judging import Reader

RESULT = (  # what of a record tells of it
    *("cells", "finish_reason", "rotation", "trust", "doubts"),
    *("reader", "reader_lines", "read_as", "trusted_as"),
)
FILES = ("pictures", "pictures_as")


def reader_of(before: Record | None, values: Mapping[str, Any]) -> Reader | None:
    """The second reader of a page, if what it has read still lies where it lay; else nobody."""
    if before is None or not before.reader_lines:
        return None
    is_same = all(getattr(before, name) == values[name] for name in ("rotation", "original_size"))
    return Reader(before.reader, before.reader_lines) if is_same else None


def is_better(outcome: Outcome, before: Record) -> bool:
    """Whether a second reading is to be trusted more than the first, which was a whole one.

    By those alone who have heard both.
    """
    is_whole = outcome.status != "partial"
    heard_both = outcome.judgement.reader == before.reader
    trust = before.trust if heard_both else before.trusted_as
    return weight(outcome.judgement.trust, is_whole) > weight(trust, is_whole=True)


def said_of(outcome: Outcome, reader: Reader | None) -> dict[str, Any]:
    """What the record of a page says of the answer that is kept."""
    judgement = outcome.judgement
    values: dict[str, Any] = {"trust": judgement.trust, "doubts": list(judgement.doubts)}
    if reader is None or not judgement.reader:
        return values
    values |= {"reader": judgement.reader, "trusted_as": judgement.trusted_as}
    if outcome.status != DOUBTFUL:
        return values
    values["reader_lines"] = list(reader.lines)
    if outcome.answer and not is_doubtful(judgement.trusted_as or 0.0):
        values["read_as"] = whole_status(outcome.answer)
    return values


def kept_of(record: Record) -> dict[str, Any]:
    """What stays of the record of a page whose second reading was no better."""
    kept = {name: getattr(record, name) for name in (*RESULT, *FILES)}
    return kept | {"notes": list(dict.fromkeys([*record.notes, NO_BETTER]))}
