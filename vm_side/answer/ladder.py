"""The attempts for one page: ask again, otherwise, while answers are of no use; keep the best.

The model now and then falls into a loop, runs to its limit or answers with prose. The same page
at a higher temperature usually comes out well.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from answer.cells import Answer, parse
from answer.loops import without_loop
from server.prompts import PROMPTS
from server.request import Completion, Sampling
from server.verdicts import EndpointError, ServerGone


@dataclass(frozen=True)
class Rung:
    """One attempt: how to sample, the share of the token limit, and another prompt to use.

    repetitions is the count at which the server stops a loop, whatever the size of its turns. It
    is beyond any dot leader and any row of empty cells, since it only has to be quick with the
    shortest loops: the client stops the others (stream.py).
    """

    temperature: float
    token_share: float
    repetitions: int
    other_prompt: bool = False


RUNGS = (
    Rung(0.1, 1.0, 200),
    Rung(0.3, 1.0, 200),
    Rung(0.7, 0.5, 150),
    Rung(0.3, 0.5, 150, other_prompt=True),
)
OTHER_PROMPT = {"layout_all": "layout_only", "layout_only": "layout_all"}


@dataclass(frozen=True)
class Outcome:
    """What the attempts came to; tokens are of all attempts together."""

    answer: Answer | None
    status: str
    reason: str
    finish_reason: str
    attempts: int
    tokens_in: int
    tokens_out: int


def climb(
    ask: Callable[[str, Sampling], Completion],
    prompt_mode: str,
    max_tokens: int,
    retries: int,
    page_box: list[int],
) -> Outcome:
    """Ask by rung after rung until an answer is good, at most 1 + retries times.

    page_box is [0, 0, width, height] of the picture sent: the box of plain OCR's only cell.
    Raises EndpointError if the server fails before any answer was of use.
    """
    attempts = tokens_in = tokens_out = 0
    best: Answer | None = None
    best_finish = reason = ""
    for rung in RUNGS[: 1 + retries]:
        mode = prompt_mode
        if rung.other_prompt:
            if best is not None or prompt_mode not in OTHER_PROMPT:
                break  # half a page with its text is worth more than boxes without
            mode = OTHER_PROMPT[prompt_mode]
        sampling = Sampling(
            rung.temperature, max(1, int(max_tokens * rung.token_share)), rung.repetitions
        )
        try:
            completion = ask(PROMPTS[mode], sampling)
        except ServerGone:
            raise
        except EndpointError as error:
            if best is None:
                raise
            reason = f"{reason}; then {error}"
            break
        attempts += 1
        tokens_in += completion.tokens_in
        tokens_out += completion.tokens_out
        answer = read(completion, mode, page_box)
        ended = completion.finish_reason == "stop"
        if answer is not None and (ended or answer.well_formed) and not rung.other_prompt:
            status = "ok" if answer.well_formed else "repaired"
            return Outcome(
                answer, status, "", completion.finish_reason, attempts, tokens_in, tokens_out
            )
        if answer is None or not ended:  # else the reason is why the other prompt was asked
            reason = complaint(completion, answer)
        if answer is not None and not ended:
            answer = without_loop(answer)
        if answer is not None and (best is None or worth(answer) > worth(best)):
            best, best_finish = adapted(answer, mode, prompt_mode), completion.finish_reason
        best_finish = best_finish or completion.finish_reason
    status = "failed" if best is None else "partial"
    return Outcome(best, status, reason, best_finish, attempts, tokens_in, tokens_out)


def read(completion: Completion, mode: str, page_box: list[int]) -> Answer | None:
    """The answer in a completion, or None if it is of no use."""
    if mode != "ocr":
        return parse(completion.text)
    if not completion.text.strip():
        return None
    text = completion.text.encode("utf-8", "replace").decode()
    cell = {"bbox": page_box, "category": "Text", "text": text}
    return Answer((cell,), well_formed=completion.finish_reason == "stop")


def complaint(completion: Completion, answer: Answer | None) -> str:
    """Why an attempt was not good, in a few words."""
    if completion.finish_reason == "length":
        return f"no end within {completion.tokens_out} tokens"
    if completion.finish_reason == "repetition":
        return "the model repeated itself"
    if answer is None:
        excerpt = " ".join(completion.text.split())[:80]
        return f"an answer that is no layout: {excerpt!r}"
    return f"the answer ended with {completion.finish_reason!r}"


def worth(answer: Answer) -> tuple[int, int]:
    """How much of a page an answer saved: cells first, since a loop makes text without end."""
    return len(answer.cells), answer.text_length


def adapted(answer: Answer, mode: str, wanted: str) -> Answer:
    """An answer to the other prompt, made to fit the one that was wanted."""
    if mode == wanted:
        return answer
    cells = tuple({"bbox": c["bbox"], "category": c["category"]} for c in answer.cells)
    return replace(answer, cells=cells, notes=(*answer.notes, "boxes without text"))
