"""A streamed answer as it comes: server-sent events -> text, and an end once it repeats itself.

A model that fell into a loop runs to its limit. The server's own stop counts turns, and must not
stop a long row of empty cells. Here the tokens are counted that brought nothing new, so that a loop
of any length ends soon. To stop the server, we hang up.
"""

import json
from collections import deque
from typing import Any

from server.loops import COUNTED_TAIL, counting_tail, is_loop, without_digits

LOOP_TOKENS = 560  # so many tokens that only repeat what stands right before them make a loop
CHECK_TOKENS = 16  # between two looks
COUNT_TOKENS = 64  # between two looks for a loop that counts, which cost more
LONGEST_TOKEN = 16  # characters on average, in a long answer if nobody counts its tokens


class StreamError(Exception):
    """The server's error in the middle of an answer; code is the status it would have had."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code


def fault_in(error: Any) -> StreamError:
    """Return the error that a server sent in place of an answer; its code is 500 if it has none."""
    told = error if isinstance(error, dict) else {"message": error}
    code = str(told.get("code"))
    is_status = code.isdecimal() and 400 <= int(code) < 600
    return StreamError(str(told.get("message", told)), int(code) if is_status else 500)


def said_in(content: Any) -> str:
    """Return the text of an answer's content, which may be in parts. Raises one of ANOTHER_FORM."""
    if isinstance(content, list):
        content = "".join(part.get("text") or "" for part in content)
    if not isinstance(content, str | None):
        raise TypeError(f"a content that is not text: {content!r}")
    return content or ""


def count_in(told: Any, name: str) -> int:
    """Return a server's count; 0 if it does not count this: some say -1. Raises ANOTHER_FORM."""
    count = told.get(name) or 0
    try:
        return max(0, int(count))
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"a count that is not a number: {name} {count!r}") from error


class AnswerStream:
    """Collects one answer from the parts of a response body; max_tokens is the limit asked for."""

    def __init__(self, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self.finish_reason = ""
        self.tokens_in = 0
        self.tokens_out = 0
        self.is_complete = False
        """The server said that this was all."""
        self._rest = b""
        self._parts: list[str] = []
        self._length = 0  # of the text
        self._recent: deque[tuple[int, str]] = deque()  # (tokens before it, text)
        self._checked = self._counted = 0
        self._fresh: list[str] = []  # since the last look
        self._said = self._plain = ""  # the last COUNTED_TAIL characters; and with numbers as 0

    @property
    def text(self) -> str:
        """What was said so far."""
        return "".join(self._parts)

    def hear(self, part: bytes) -> bool:
        """Take the next part, of any size; return whether to listen on.

        Raises StreamError, or ValueError, LookupError, TypeError, AttributeError if the part is not
        from a stream of chat completion chunks.
        """
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            data = line[5:].strip()
            if data == b"[DONE]":
                self.is_complete = True
                continue
            self._take(json.loads(data))
            if self.finish_reason:
                continue
            if self._is_too_long():
                self.finish_reason = "length"
            elif self._repeats_itself():
                self.finish_reason = "repetition"
            if self.finish_reason:
                return False
        return True

    def _take(self, event: dict[str, Any]) -> None:
        if event.get("error") or event.get("object") == "error":
            raise fault_in(event.get("error") or event)
        text = ""
        for choice in event["choices"]:
            if choice.get("index"):
                continue  # a second answer, which nobody asked for
            text += said_in(choice["delta"].get("content"))
            self.finish_reason = str(choice.get("finish_reason") or self.finish_reason)
        before = self.tokens_out
        usage = event.get("usage") or {}
        self.tokens_in = count_in(usage, "prompt_tokens") or self.tokens_in
        at_least = before + bool(text)  # the count comes at the end, or never
        self.tokens_out = count_in(usage, "completion_tokens") or at_least
        if text:
            self._parts.append(text)
            self._length += len(text)
            self._recent.append((before, text))
            self._fresh.append(text)

    def _is_too_long(self) -> bool:
        """Whether the answer goes on beyond its limit: not all servers keep to it."""
        return max(self.tokens_out, self._length // LONGEST_TOKEN) > self.max_tokens

    def _repeats_itself(self) -> bool:
        """Whether the last LOOP_TOKENS tokens are only turns of a loop; it looks now and then."""
        if self.tokens_out < self._checked + CHECK_TOKENS:
            return False
        self._checked = self.tokens_out
        start = self.tokens_out - LOOP_TOKENS
        if start < 0:
            return False
        while self._recent and self._recent[0][0] < start:
            self._recent.popleft()  # perhaps all of them, if many tokens had no text
        recent = "".join(text for _, text in self._recent)
        if is_loop(recent):
            return True
        if self.tokens_out < self._counted + COUNT_TOKENS:
            return False
        self._counted = self.tokens_out
        self._note_fresh()
        least = len(without_digits(recent))
        return bool(recent) and counting_tail(self._said, self._plain, least) is not None

    def _note_fresh(self) -> None:
        """Append what came since the last look; a number may have come in two parts."""
        fresh = "".join(self._fresh)
        self._fresh.clear()
        self._said = (self._said + fresh)[-COUNTED_TAIL:]
        plain = without_digits(fresh)
        if self._plain.endswith("0") and plain.startswith("0"):
            plain = plain[1:]
        self._plain = (self._plain + plain)[-COUNTED_TAIL:]
