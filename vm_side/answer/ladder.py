"""The attempts for one page: ask again in another way while no answer is good; keep the best.

The model sometimes falls into a loop, runs to its limit or answers with prose. A higher temperature
usually gives a good answer for the same page. For a doubted answer, that or more pixels usually
helps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from answer.cells import UNKNOWN_LETTERS, Answer, Cell, parse
from answer.judgement import NOT_ASKED, Judgement
from answer.loops import without_loop
from answer.salvage import CUT
from answer.texts import UNKNOWN, text_of
from answer.views import Size, View
from contract import DOUBTFUL
from prompts import PROMPTS
from server.request import Completion, Sampling
from server.verdicts import EndpointError, ServerGone


@dataclass(frozen=True)
class Rung:
    """One attempt: how to sample, the share of the token limit, another prompt, a larger picture.

    repetitions is the count at which the server stops a loop, for turns of any size. It is higher
    than in any dot leader or row of empty cells: the server only has to stop the shortest loops
    quickly, because the client stops the others (stream.py).
    """

    temperature: float
    token_share: float
    repetitions: int
    other_prompt: bool = False
    larger: bool = False


FIRST = Rung(0.1, 1.0, 200)
WARMER = Rung(0.3, 1.0, 200)
RUNGS = (  # as long as no answer is whole
    FIRST,
    WARMER,
    Rung(0.7, 0.5, 150),
    Rung(0.3, 0.5, 150, other_prompt=True),
)
DOUBTED = (WARMER, Rung(0.1, 1.0, 200, larger=True))  # when a whole answer is doubted
OTHER_PROMPT = {"layout_all": "layout_only", "layout_only": "layout_all"}
Judge = Callable[[Sequence[Cell], Size], Judgement]
WHOLE_IS_WORTH = 0.5  # trust; a partial answer needs clearly more to win, never against a good one


@dataclass(frozen=True)
class Attempt:
    """One answer, and how good it is."""

    rung: Rung
    completion: Completion
    size: Size
    """Size of the picture that the model saw; the boxes are in its pixels."""
    answer: Answer | None
    """None if it could not be used."""
    is_whole: bool
    judgement: Judgement
    for_doubts: bool
    """Whether we asked only because there were doubts."""

    @property
    def is_good(self) -> bool:
        """Whether there is no reason to ask again."""
        return self.is_whole and not self.judgement.reason

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        return self.completion.tokens_in + self.completion.tokens_out


@dataclass(frozen=True)
class Outcome:
    """The result of all attempts; tokens are the sum over all of them."""

    answer: Answer | None
    status: str
    reason: str
    finish_reason: str
    size: Size
    """Size of the picture that the answer's boxes belong to."""
    judgement: Judgement
    attempts: int
    tokens_in: int
    tokens_out: int
    doubt_tokens: int
    """Tokens in and out of the attempts that were made only because of doubts."""


def climb(
    view: View,
    prompt_mode: str,
    retries: int,
    judge: Judge,
    larger: Callable[[], View | None] = lambda: None,
    is_second_reading: bool = False,
) -> Outcome:
    """Try rung after rung until an answer is good, at most 1 + retries times.

    judge compares an answer with its page. larger makes a picture with more pixels, or returns None
    if it cannot. A second reading skips the first rung, and all of it counts as made for doubts.
    Raises EndpointError if the server fails before there is a usable answer, and ServerGone at any
    time.
    """
    tried: list[Attempt] = []
    error = ""
    skipped = {FIRST} if is_second_reading else set()
    if prompt_mode not in OTHER_PROMPT:
        skipped |= {rung for rung in RUNGS if rung.other_prompt}
    while len(tried) <= retries and (rung := next_rung(tried, skipped)):
        seen = larger() if rung.larger else view
        if seen is None:
            skipped.add(rung)
            continue
        for_doubts = is_second_reading or any(attempt.is_whole for attempt in tried)
        try:
            tried.append(attempted(rung, seen, prompt_mode, judge, for_doubts))
        except ServerGone:
            raise
        except EndpointError as failure:
            if not any(attempt.answer for attempt in tried):
                raise
            error = f"; then {failure}"
            break
    return outcome(tried, error)


def attempted(rung: Rung, view: View, prompt_mode: str, judge: Judge, for_doubts: bool) -> Attempt:
    """Ask once. Raises EndpointError."""
    mode = OTHER_PROMPT[prompt_mode] if rung.other_prompt else prompt_mode
    limit = max(1, int(view.max_tokens * rung.token_share))
    sampling = Sampling(rung.temperature, limit, rung.repetitions)
    completion = view.ask(PROMPTS[mode], sampling)
    answer, is_whole = read(completion, mode, view.size)
    if answer is not None and rung.other_prompt:
        answer, is_whole = without_texts(answer), False
    judgement = judge(answer.cells, view.size) if answer is not None else NOT_ASKED
    return Attempt(rung, completion, view.size, answer, is_whole, judgement, for_doubts)


def next_rung(tried: Sequence[Attempt], skipped: set[Rung]) -> Rung | None:
    """Choose the next rung after these attempts; None if there is no need, or no rung left."""
    if any(attempt.is_good for attempt in tried):
        return None
    is_read = any(attempt.is_whole for attempt in tried)
    is_useful = any(attempt.answer for attempt in tried)
    used = skipped | {attempt.rung for attempt in tried}
    for rung in DOUBTED if is_read else RUNGS:
        if rung not in used and not (rung.other_prompt and is_useful):
            return rung  # half a page with its text is worth more than boxes without text
    return None


def outcome(tried: Sequence[Attempt], error: str) -> Outcome:
    """Sum up the attempts; keep the best one, and the earliest if several are equally good."""
    kept = max(tried, key=worth)
    complaints = [complaint(attempt) for attempt in tried if not attempt.is_whole]
    if kept.answer is None:
        status, reason = "failed", complaints[-1]
    elif not kept.is_whole:
        status, reason = "partial", next(filter(None, reversed(complaints)))
    elif kept.judgement.reason:
        status, reason = DOUBTFUL, kept.judgement.reason
    else:
        status, reason = whole_status(kept.answer), ""
    return Outcome(
        kept.answer,
        status,
        reason and reason + error,
        kept.completion.finish_reason,
        kept.size,
        kept.judgement,
        len(tried),
        sum(attempt.completion.tokens_in for attempt in tried),
        sum(attempt.completion.tokens_out for attempt in tried),
        sum(attempt.tokens for attempt in tried if attempt.for_doubts),
    )


def whole_status(answer: Answer) -> str:
    """Return the status of a page with a whole answer that is not doubted."""
    return "ok" if answer.well_formed else "repaired"


def worth(attempt: Attempt) -> tuple[float, bool, int, int]:
    """Rank an attempt: how far we trust it, and how much of the page it has.

    The number of cells counts before the length of the text, because a loop makes endless text.
    """
    if attempt.answer is None:
        return -1, False, 0, 0
    trusted = weight(attempt.judgement.trust, attempt.is_whole)
    return trusted, attempt.is_whole, len(attempt.answer.cells), attempt.answer.text_length


def weight(trust: float | None, is_whole: bool) -> float:
    """Return a number to compare readings of a page; without a witness its trust counts as 0."""
    return round((trust or 0.0) + is_whole * WHOLE_IS_WORTH, 3)


def read(completion: Completion, mode: str, size: Size) -> tuple[Answer | None, bool]:
    """Return the answer in a completion, None if it cannot be used; and whether it is whole."""
    ended = completion.finish_reason == "stop"
    if mode != "ocr":
        answer = parse(completion.text)
    elif completion.text.strip():
        cell = {"bbox": [0, 0, *size], "category": "Text", "text": text_of(completion.text)}
        notes = [UNKNOWN_LETTERS] * (UNKNOWN in cell["text"])
        answer = Answer((cell,), ended and not notes, tuple(notes))
    else:
        answer = None
    if answer is None or answer.well_formed or (ended and CUT not in answer.notes):
        return answer, answer is not None
    if not ended:  # the reason already says that it was cut
        answer = replace(answer, notes=tuple(note for note in answer.notes if note != CUT))
    return without_loop(answer), False


def complaint(attempt: Attempt) -> str:
    """Say in a few words why an attempt is not whole; empty if it answers the other prompt."""
    completion = attempt.completion
    if attempt.answer and completion.finish_reason == "stop":
        return CUT if CUT in attempt.answer.notes else ""
    if completion.finish_reason == "length":
        return f"no end within {completion.tokens_out} tokens"
    if completion.finish_reason == "repetition":
        return "the model repeated itself"
    if attempt.answer is None:
        excerpt = " ".join(completion.text.split())[:80]
        return f"an answer that is not a layout: {excerpt!r}"
    return f"the answer ended with {completion.finish_reason!r}"


def without_texts(answer: Answer) -> Answer:
    """Keep only boxes and categories of an answer to the other prompt, and note that."""
    cells = tuple({"bbox": c["bbox"], "category": c["category"]} for c in answer.cells)
    return replace(answer, cells=cells, notes=(*answer.notes, "boxes without text"))
