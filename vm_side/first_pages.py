"""What the first pages tell about the set-up: one fault of it must not fail every page.

This module decides; reading.py acts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from contract import FAILED
from results.manifest import Key, Record
from server.request import image_tokens

ENOUGH = 8  # pages that the server refused in the same words before it answered any
NO_PAGES_FAULT = ("HTTP 401", "HTTP 403", "HTTP 404", "HTTP 405")  # a wrong key, model or path
LONGEST_PROMPT = 2000  # tokens: more than any known prompt with its chat template
APART = 64  # tokens: two pictures or counts that differ by more are surely not the same
CLOSE = 4


@dataclass
class Refusals:
    """The pages that the server refused before it answered any; their records wait here.

    trial are the first pages that were begun. A refusal comes at once, and an answer takes time. So
    all of them must end before anything is decided: the server may still answer one.
    is_over: the server answered, or refused in other words; so each refusal is its page's own.
    """

    trial: set[Key] = field(default_factory=set)
    held: list[tuple[Record, str]] = field(default_factory=list)
    is_over: bool = False

    def take(self, record: Record) -> bool:
        """Take a page that has ended. Return whether its record has to wait."""
        self.trial.discard(record.key)
        if self.is_over or record.attempts:
            self.is_over = True
            return False
        if not was_refused(record):
            return False  # a damaged file, say, or a blank page: the server was not asked
        same = kind_of(record.reason)
        self.is_over = bool(self.held) and self.held[0][1] != same
        if not self.is_over:
            self.held.append((record, same))
        return not self.is_over

    def fault(self, is_end: bool = False) -> str:
        """Return the common reason if it is a fault of the set-up. is_end: no page is left."""
        if self.is_over or self.trial or not self.held:
            return ""
        reason = self.held[0][0].reason
        sure = len(self.held) >= ENOUGH or (is_end and reason.startswith(NO_PAGES_FAULT))
        return reason if sure else ""

    def release(self) -> list[Record]:
        """Return the records that need not wait any longer."""
        if not self.is_over:
            return []
        records = [record for record, _ in self.held]
        self.held.clear()
        return records


def was_refused(record: Record) -> bool:
    """Whether a page was sent to the server, and no answer came."""
    return record.status == FAILED and bool(record.model_size) and not record.attempts


def kind_of(reason: str) -> str:
    """Remove what differs from page to page from a reason: numbers, addresses, request ids."""
    return reason[:8] + re.sub(r"\w*\d\w*", "#", reason[8:])


@dataclass(frozen=True)
class Count:
    """An answered page: tokens that its picture should take, and tokens that the server counted.

    counted is picture and prompt together.
    """

    picture: int
    counted: int

    @property
    def rest(self) -> int:
        """The tokens that are left for the prompt."""
        return self.counted - self.picture


def count_of(record: Record) -> Count | None:
    """Return the count of a page that was asked about once; None if the record tells nothing."""
    if record.attempts != 1 or not record.tokens_in or len(record.model_size) != 2:
        return None
    width, height = record.model_size
    return Count(image_tokens((width, height)), record.tokens_in)


def fault_in(counts: Sequence[Count], prompt_tokens: int = 0) -> str:
    """Return what is surely wrong with how a server sees pictures; empty if nothing is known.

    The prompt is the same for all pages, so a server that counts as vLLM does has the same rest
    for each. A server that counts in another way proves nothing. Neither do pages of one size.
    prompt_tokens are known from the preflight, or 0.
    """
    if are_doubled(counts, prompt_tokens):
        return "the server sees two pictures in a prompt with one"
    for one in counts:
        by_itself = prompt_tokens > 0 and abs(one.rest - prompt_tokens) <= CLOSE
        is_proof = 0 < one.rest <= LONGEST_PROMPT and (
            by_itself
            or any(
                abs(one.picture - other.picture) > APART and abs(one.rest - other.rest) <= CLOSE
                for other in counts
            )
        )
        wrong = next((other for other in counts if abs(other.rest - one.rest) > APART), None)
        if is_proof and wrong is not None:
            return (
                f"the server makes {wrong.counted - one.rest} tokens of a picture of"
                f" {wrong.picture}: it changes its size, and boxes would be off"
            )
    return ""


def are_doubled(counts: Sequence[Count], prompt_tokens: int) -> bool:
    """Whether every picture is counted twice."""
    rests = [count.rest - count.picture for count in counts]
    pictures = [count.picture for count in counts]
    if not counts or max(rests) - min(rests) > CLOSE:
        return False
    if prompt_tokens:
        return abs(rests[0] - prompt_tokens) <= CLOSE
    return max(pictures) - min(pictures) > APART and 0 < rests[0] <= LONGEST_PROMPT
