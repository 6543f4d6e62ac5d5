"""What a server's refusals and faults mean: whether to ask again, and its own words for people.

What each status means was measured against vLLM.
"""

import contextlib
import enum
import json
from typing import Any

ANOTHER_FORM = (
    *(ValueError, KeyError, TypeError, IndexError, AttributeError),
    RecursionError,  # JSON that is nested too deep
)
"""What reading an answer raises if it has another form than expected."""


class EndpointError(Exception):
    """There is no answer for this page; the message is the reason, for people."""


class ServerGone(EndpointError):
    """Nothing answered at the endpoint for as long as we were willing to wait."""


class Unreachable(ServerGone):
    """Nothing answers there, and waiting would not fix it."""


class Verdict(enum.Enum):
    """What an HTTP status asks for."""

    ANSWER = "take the answer"
    REFUSED = "the same request will be refused again"
    BUSY = "the server is full: wait and send again"
    BROKEN = "the server failed: send again a few times, once it is ready"


def verdict(status: int) -> Verdict:
    """Judge a status by what vLLM means with it (a 500 may be permanent, so it is counted)."""
    if status == 200:
        return Verdict.ANSWER
    if status in (429, 502, 503, 504):
        return Verdict.BUSY
    return Verdict.BROKEN if status >= 500 or status == 408 else Verdict.REFUSED


def message(body: bytes) -> str:
    """Return the server's own words in an error body, in one line of at most 300 characters."""
    text = body.decode("utf-8", "replace")
    with contextlib.suppress(*ANOTHER_FORM):
        error: Any = json.loads(text)["error"]
        text = error if isinstance(error, str) else str(error["message"])
    return " ".join(text.split())[:300]


def refused(status: int, said: str, location: str = "") -> str:
    """Describe a refusal for people: its status, the server's words, and what to do about it."""
    words = f"HTTP {status} {said}".rstrip()
    if status in (401, 403):
        return f"{words}: it needs its key, in API_KEY, or in the file that API_KEY_FILE names"
    if status == 413:
        return f"{words}: let it take larger requests (nginx: client_max_body_size), or lower -m"
    return f"{words}: it moved to {location}" if location else words
