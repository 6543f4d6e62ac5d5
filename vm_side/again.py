"""A doubtful page that is read again: who judges the new answer, and which of the two stays.

The witnesses that doubted the old answer also judge the new one, so both have the same measure.
"""

from collections.abc import Mapping
from typing import Any

from answer.ladder import Outcome, weight, whole_status
from contract import DOUBTFUL, NO_BETTER
from results.manifest import Record
from trust.doubts import is_doubtful
from trust.judging import Reader

RESULT = (  # the fields of a record that describe a page's result
    *("cells", "finish_reason", "rotation", "trust", "doubts"),
    *("reader", "reader_lines", "read_as", "trusted_as"),
)
FILES = ("pictures", "pictures_as")


def reader_of(before: Record | None, values: Mapping[str, Any]) -> Reader | None:
    """Return the second reader and its lines of a page; None if there are none that still fit."""
    if before is None or not before.reader_lines:
        return None
    is_same = all(getattr(before, name) == values[name] for name in ("rotation", "original_size"))
    return Reader(before.reader, before.reader_lines) if is_same else None


def is_better(outcome: Outcome, before: Record) -> bool:
    """Whether the second reading deserves more trust than the first, which was a whole one.

    Only witnesses that judged both readings count.
    """
    is_whole = outcome.status != "partial"
    heard_both = outcome.judgement.reader == before.reader
    trust = before.trust if heard_both else before.trusted_as
    return weight(outcome.judgement.trust, is_whole) > weight(trust, is_whole=True)


def said_of(outcome: Outcome, reader: Reader | None) -> dict[str, Any]:
    """Return what the record of a page says about the answer that is kept."""
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
    """Return the values of the old record that stay, because the second reading was no better."""
    kept = {name: getattr(record, name) for name in (*RESULT, *FILES)}
    return kept | {"notes": list(dict.fromkeys([*record.notes, NO_BETTER]))}
