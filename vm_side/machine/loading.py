"""The parts of a start of the model server, read from its own log.

vLLM says when a part is over, in words that have hardly changed between its versions, and writes
the time before them, in whole seconds. Several engines load side by side: a part is over when the
last of them says so.
"""

import re

LAST = "warm-up"
PARTS = {  # each part, and what vLLM 0.9 to 0.32 says at its end, on a card and on a CPU
    "imports": "Starting to load model|Loading model from scratch",
    "weights": "Loading weights took|Model loading took",
    "compile": "torch.compile (?:took|takes) [0-9.]+ s in total|Warming up done",
    "graphs": "Graph capturing finished",
    LAST: "Starting vLLM (?:API )?server",
}
ENDS = {name: re.compile(words) for name, words in PARTS.items()}
STAMP = re.compile(r"\b(?:DEBUG|INFO|WARNING|ERROR) \d\d-\d\d (\d\d):(\d\d):(\d\d) ")
BEGINS = "[serve.sh] starting"  # with another launch script, the log's first line counts
DAY_S = 24 * 3600


def parts_in(log: str) -> dict[str, int]:
    """Return the seconds of each part that is over, in order, for the last start in the log."""
    began_s = None
    ends_s: dict[str, int] = {}
    for line in log.split("\n"):
        stamp = STAMP.search(line)
        if stamp is None:
            continue
        hours, minutes, seconds = map(int, stamp.groups())
        at_s = hours * 3600 + minutes * 60 + seconds
        if began_s is None or BEGINS in line:
            began_s, ends_s = at_s, {}
        for name, words in ENDS.items():
            if words.search(line, stamp.end()):
                ends_s[name] = later_s(began_s, at_s)
    return lengths(ends_s)


def later_s(began_s: int, at_s: int) -> int:
    """Return the seconds between two times of day, also over midnight.

    The result may be negative, since lines come a little out of order.
    """
    return (at_s - began_s + DAY_S // 2) % DAY_S - DAY_S // 2


def lengths(ends_s: dict[str, int]) -> dict[str, int]:
    """Turn ends of parts into lengths. A part is not over if an earlier part ended after it."""
    found, before_s = {}, 0
    for name in PARTS:
        if ends_s.get(name, -1) >= before_s:
            found[name] = ends_s[name] - before_s
            before_s = ends_s[name]
    return found


def now_in(parts: dict[str, int]) -> str:
    """Return the part that a start is in when these parts are over; empty if the start is over."""
    names = list(PARTS)
    over = max((names.index(name) + 1 for name in parts), default=0)
    return (*names, "")[over]
