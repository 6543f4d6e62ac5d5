"""The attempts for one page: their order, and which answer is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from answer.cells import Cell
from answer.judgement import NOT_ASKED, Judgement
from answer.ladder import RUNGS, Outcome, climb
from answer.loops import LONGEST_UNIT, LOOP_COUNT
from answer.views import Size, View
from prompts import LAYOUT_ALL, LAYOUT_ONLY, OCR, PROMPTS
from server.request import Completion, Sampling
from server.verdicts import EndpointError, ServerGone

ONE = {"bbox": [1, 2, 30, 40], "category": "Title", "text": "# one"}
TWO = {"bbox": [5, 60, 70, 80], "category": "Text", "text": "two"}
SIZE = (280, 392)
MAX_TOKENS = 1000


def said(text: str, finish_reason: str = "stop") -> Completion:
    return Completion(text, finish_reason, tokens_in=100, tokens_out=10)


GOOD = said(json.dumps([ONE, TWO]))
FENCED = said(f"```json\n{json.dumps([ONE, TWO])}\n```")
CUT = said(json.dumps([ONE, TWO])[:-3], "length")
CUT_EARLY = said(json.dumps([ONE, TWO])[:75], "length")
PROSE = said("I see a page.")
EMPTY = said("[]")
LOOPING = said(json.dumps([ONE, TWO])[:-3] + "ab" * 500, "repetition")
BOXES = said(json.dumps([{k: v for k, v in TWO.items() if k != "text"}]))


def nobody(cells: Sequence[Cell], size: Size) -> Judgement:
    """Return the judgement without a witness."""
    return NOT_ASKED


class Model:
    """A model that gives these answers in turn, and records the requests."""

    def __init__(self, *answers: Completion | EndpointError) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, Sampling]] = []

    def ask(self, prompt: str, sampling: Sampling) -> Completion:
        self.asked.append((prompt, sampling))
        answer = self.answers[len(self.asked) - 1]
        if isinstance(answer, EndpointError):
            raise answer
        return answer

    def climb(self, mode: str = "layout_all", retries: int = 3) -> Outcome:
        return climb(View(self.ask, SIZE, MAX_TOKENS), mode, retries, nobody)


# ---- the rungs ----


def test_the_first_rung_samples_as_the_reference_and_leaves_long_tables_alone() -> None:
    model = Model(GOOD)
    outcome = model.climb()
    assert model.asked == [(LAYOUT_ALL, Sampling(0.1, MAX_TOKENS, 200, top_p=0.9))]
    assert (outcome.status, outcome.reason, outcome.attempts) == ("ok", "", 1)
    assert outcome.answer is not None
    assert list(outcome.answer.cells) == [ONE, TWO]


def test_all_rungs_in_their_order() -> None:
    model = Model(PROSE, PROSE, PROSE, PROSE)
    assert model.climb().status == "failed"
    assert model.asked == [
        (LAYOUT_ALL, Sampling(0.1, 1000, 200)),
        (LAYOUT_ALL, Sampling(0.3, 1000, 200)),
        (LAYOUT_ALL, Sampling(0.7, 500, 150)),
        (LAYOUT_ONLY, Sampling(0.3, 500, 150)),
    ]


@pytest.mark.parametrize("retries", [0, 1, 2, 3, 9])
def test_retries_bound_the_attempts(retries: int) -> None:
    model = Model(*[PROSE] * 9)
    outcome = model.climb(retries=retries)
    assert len(model.asked) == outcome.attempts == min(1 + retries, len(RUNGS))


def test_a_tiny_context_still_asks_for_a_token() -> None:
    asked: list[Sampling] = []

    def ask(prompt: str, sampling: Sampling) -> Completion:
        asked.append(sampling)
        return said("")

    climb(View(ask, SIZE, 1), "ocr", 3, nobody)
    assert [sampling.max_tokens for sampling in asked] == [1, 1, 1]


# ---- when it is enough ----


@pytest.mark.parametrize(
    ("answers", "status", "asked"),
    [
        ([GOOD], "ok", 1),
        ([FENCED], "repaired", 1),
        ([EMPTY], "ok", 1),
        ([said(GOOD.text, "length")], "ok", 1),  # complete, although the limit was reached
        ([said(GOOD.text, "repetition")], "ok", 1),
        ([PROSE, GOOD], "ok", 2),
        ([CUT, GOOD], "ok", 2),
        ([CUT, FENCED], "repaired", 2),
        ([LOOPING, LOOPING, GOOD], "ok", 3),
        ([CUT, CUT, CUT], "partial", 3),
        ([PROSE, CUT, PROSE], "partial", 3),
        ([PROSE, PROSE, PROSE, BOXES], "partial", 4),
        ([PROSE, PROSE, PROSE, PROSE], "failed", 4),
        ([said(FENCED.text, "abort"), GOOD], "ok", 2),
    ],
)
def test_asks_until_an_answer_is_good(answers: list[Completion], status: str, asked: int) -> None:
    model = Model(*answers)
    outcome = model.climb()
    assert (outcome.status, len(model.asked), outcome.attempts) == (status, asked, asked)


def test_tokens_are_of_all_attempts_and_the_finish_reason_of_the_one_that_was_kept() -> None:
    outcome = Model(CUT, PROSE, GOOD).climb()
    assert (outcome.tokens_in, outcome.tokens_out) == (300, 30)
    assert outcome.finish_reason == "stop"
    assert Model(CUT, LOOPING, PROSE).climb().finish_reason == "repetition"


# ---- what is kept ----


def test_of_bad_answers_the_one_with_most_cells_is_kept() -> None:
    for answers in ([CUT, CUT_EARLY, PROSE], [CUT_EARLY, CUT, PROSE], [PROSE, CUT_EARLY, CUT]):
        outcome = Model(*answers).climb()
        assert outcome.answer is not None
        assert list(outcome.answer.cells) == [ONE, TWO]
        assert outcome.status == "partial"


def test_a_loop_does_not_count_as_more_of_the_page() -> None:
    """One cell with endless text counts less than two cells with a little text."""
    endless = said('[{"bbox": [1, 2, 3, 4], "category": "Text", "text": "' + "-" * 5000, "length")
    outcome = Model(CUT, endless, endless).climb()
    assert outcome.answer is not None
    assert len(outcome.answer.cells) == 2


def test_of_cells_alike_in_number_those_with_more_text_are_kept() -> None:
    longer = said(json.dumps([ONE, {**TWO, "text": "two and more"}])[:-3], "length")
    for answers in ([CUT, longer, CUT], [longer, CUT, CUT]):
        outcome = Model(*answers).climb()
        assert outcome.answer is not None
        assert outcome.answer.cells[1]["text"] == "two and more"


def test_of_answers_of_the_same_worth_the_first_is_kept() -> None:
    """It was sampled at the lower temperature."""
    other = said(CUT.text.replace("one", "two"), "length")
    outcome = Model(CUT, other, PROSE).climb()
    assert outcome.answer is not None
    assert outcome.answer.cells[0] == ONE


@pytest.mark.parametrize("unit", ["_", ". ", "<td></td>", "가나다 ", "x" * 5 + "y" * 100])
@pytest.mark.parametrize("rest", [0, 1])
def test_one_turn_is_left_of_a_loop(unit: str, rest: int) -> None:
    text = "a start " + unit * 50 + unit[:rest]
    answer = said(json.dumps([ONE, {**TWO, "text": text}], ensure_ascii=False)[:-3], "repetition")
    outcome = Model(answer, PROSE, PROSE).climb()
    assert outcome.answer is not None
    kept = outcome.answer.cells[1]["text"]
    assert kept.startswith("a start " + unit.strip())
    assert len(kept) <= len("a start ") + 2 * len(unit)
    assert "a loop's repeats cut off" in outcome.answer.notes
    assert outcome.answer.cells[0] == ONE


@pytest.mark.parametrize(
    "text",
    ["two", "_" * (LOOP_COUNT - 1), "ab" * (LOOP_COUNT - 1), "x" * 30 + " and on", ""],
)
def test_what_is_no_loop_is_not_cut(text: str) -> None:
    answer = said(json.dumps([{**TWO, "text": text}])[:-3], "length")
    outcome = Model(answer, PROSE, PROSE).climb()
    assert outcome.answer is not None
    assert outcome.answer.cells[0]["text"] == text


def test_a_good_answer_keeps_its_dot_leaders() -> None:
    text = "Contents " + "." * 300
    outcome = Model(said(json.dumps([{**TWO, "text": text}]))).climb()
    assert outcome.answer is not None
    assert outcome.answer.cells[0]["text"] == text


def test_a_loop_of_200_kb_is_cut_in_time() -> None:
    assert LONGEST_UNIT < 1000
    text = '[{"bbox": [1, 2, 3, 4], "category": "Text", "text": "' + "-" * 200_000
    outcome = Model(said(text, "length")).climb(retries=0)
    assert outcome.answer is not None
    assert outcome.answer.cells[0]["text"] == "-"


# ---- the other prompt ----


def test_the_other_prompt_is_asked_only_if_nothing_was_readable() -> None:
    model = Model(CUT, PROSE, PROSE, BOXES)
    model.climb()
    assert [prompt for prompt, _ in model.asked] == [LAYOUT_ALL] * 3


def test_boxes_without_text_are_a_partial_page_that_says_why() -> None:
    outcome = Model(PROSE, PROSE, PROSE, BOXES).climb()
    assert outcome.answer is not None
    assert [*outcome.answer.cells] == [{"bbox": TWO["bbox"], "category": "Text"}]
    assert outcome.answer.notes == ("boxes without text",)
    assert outcome.reason == "an answer that is not a layout: 'I see a page.'"


def test_layout_only_falls_back_on_the_full_prompt_and_leaves_its_text_out() -> None:
    model = Model(PROSE, PROSE, PROSE, GOOD)
    outcome = model.climb("layout_only")
    assert [prompt for prompt, _ in model.asked] == [LAYOUT_ONLY] * 3 + [LAYOUT_ALL]
    assert outcome.answer is not None
    assert all("text" not in cell for cell in outcome.answer.cells)
    assert outcome.status == "partial"


# ---- doubts ----

SMALL, LARGE = SIZE, (560, 784)
ONCE, AGAIN, CLOSER = (0.1, SMALL), (0.3, SMALL), (0.1, LARGE)  # temperature, picture
LOOP = (LOOPING, 0.0)
PART = (CUT, 0.0)


def whole(trust: float) -> tuple[Completion, float]:
    """A complete answer with so much trust."""
    return said(json.dumps([{**ONE, "text": f"{trust}"}])), trust


def part(trust: float) -> tuple[Completion, float]:
    """A part of an answer, with so much trust."""
    return said(json.dumps([{**ONE, "text": f"{trust}"}, TWO])[:-3], "length"), trust


def judged(
    answers: Sequence[tuple[Completion, float]],
    retries: int = 3,
    has_more: bool = True,
    mode: str = "layout_all",
    is_second_reading: bool = False,
) -> tuple[Outcome, list[tuple[float, Size]]]:
    """The outcome for answers with so much trust, and how each was requested."""
    asked: list[tuple[float, Size]] = []

    def view(size: Size) -> View:
        def ask(prompt: str, sampling: Sampling) -> Completion:
            asked.append((sampling.temperature, size))
            return answers[len(asked) - 1][0]

        return View(ask, size, MAX_TOKENS)

    def judge(cells: Sequence[Cell], size: Size) -> Judgement:
        assert size == asked[-1][1]
        trust = answers[len(asked) - 1][1]
        return Judgement(trust, "why" if trust < 0.5 else "", ({"of": trust},))

    def larger() -> View | None:
        return view(LARGE) if has_more else None

    outcome = climb(view(SMALL), mode, retries, judge, larger, is_second_reading)
    return outcome, asked


@pytest.mark.parametrize(
    ("answers", "asked", "status", "trust"),
    [
        ([whole(1.0)], [ONCE], "ok", 1.0),
        ([whole(0.5)], [ONCE], "ok", 0.5),
        ([whole(0.4), whole(0.9)], [ONCE, AGAIN], "ok", 0.9),
        ([whole(0.4), whole(0.3), whole(0.8)], [ONCE, AGAIN, CLOSER], "ok", 0.8),
        ([whole(0.2), whole(0.4), whole(0.3)], [ONCE, AGAIN, CLOSER], "doubtful", 0.4),
        ([whole(0.4), whole(0.4), whole(0.4)], [ONCE, AGAIN, CLOSER], "doubtful", 0.4),
        ([LOOP, whole(0.4), whole(0.9)], [ONCE, AGAIN, CLOSER], "ok", 0.9),
        ([whole(0.4), LOOP, LOOP], [ONCE, AGAIN, CLOSER], "doubtful", 0.4),
        ([whole(0.2), part(0.4), LOOP], [ONCE, AGAIN, CLOSER], "doubtful", 0.2),
        ([whole(0.2), part(0.9), LOOP], [ONCE, AGAIN, CLOSER], "partial", 0.9),
        ([whole(0.4), part(0.9), LOOP], [ONCE, AGAIN, CLOSER], "doubtful", 0.4),
        ([part(1.0), whole(0.5)], [ONCE, AGAIN], "ok", 0.5),
        ([part(0.9), whole(0.6)], [ONCE, AGAIN], "ok", 0.6),
        ([part(0.2), part(0.7), PART], [ONCE, AGAIN, (0.7, SMALL)], "partial", 0.7),
    ],
)
def test_a_doubted_answer_is_a_reason_to_ask_otherwise_and_then_with_more_pixels(
    answers: list[tuple[Completion, float]],
    asked: list[tuple[float, Size]],
    status: str,
    trust: float,
) -> None:
    outcome, asked_now = judged(answers)
    assert (asked_now, outcome.status, outcome.judgement.trust) == (asked, status, trust)
    assert outcome.judgement.doubts == ({"of": trust},)
    assert outcome.reason == {"ok": "", "doubtful": "why"}.get(status, outcome.reason)
    best = [trust for _, trust in answers].index(trust)
    assert outcome.size == asked[best][1], "whose pixels its boxes are in"


def test_doubts_are_bound_by_retries_and_by_what_can_be_asked() -> None:
    doubted = [whole(0.1)] * 9
    for retries, times in ((0, 1), (1, 2), (2, 3), (9, 3)):
        assert len(judged(doubted, retries)[1]) == times
    assert judged(doubted, has_more=False)[1] == [ONCE, AGAIN]
    assert judged([(said("words"), 0.1)] * 9, mode="ocr")[1] == [ONCE, AGAIN, CLOSER]


def test_what_is_asked_for_doubts_alone_is_counted_apart() -> None:
    each = GOOD.tokens_in + GOOD.tokens_out
    for answers, doubted in (
        ([whole(0.9)], 0),
        ([LOOP, whole(0.9)], 0),
        ([whole(0.4), whole(0.9)], 1),
        ([LOOP, whole(0.4), LOOP], 1),
        ([whole(0.4), LOOP, whole(0.9)], 2),
    ):
        outcome, asked = judged(answers)
        assert outcome.doubt_tokens == doubted * each
        assert outcome.tokens_in + outcome.tokens_out == len(asked) * each


def test_a_second_reading_begins_otherwise_and_is_all_for_doubts() -> None:
    outcome, asked = judged([whole(0.4), whole(0.2)], is_second_reading=True)
    assert asked == [AGAIN, CLOSER] and outcome.judgement.trust == 0.4
    assert outcome.doubt_tokens == outcome.tokens_in + outcome.tokens_out
    _, asked = judged([LOOP, LOOP, LOOP], is_second_reading=True)
    assert asked == [AGAIN, (0.7, SMALL)]  # and no request for boxes without text


def test_a_server_that_refuses_more_leaves_the_doubted_answer() -> None:
    doubted = [Judgement(0.3, "why"), Judgement(0.2, "why")]
    model = Model(GOOD, GOOD, EndpointError("400: too large"))
    view = View(model.ask, SIZE, MAX_TOKENS)
    outcome = climb(view, "layout_all", 3, lambda cells, size: doubted.pop(0), lambda: view)
    assert (outcome.status, outcome.attempts) == ("doubtful", 2)
    assert outcome.reason == "why; then 400: too large"
    assert outcome.judgement.trust == 0.3


# ---- plain OCR ----


def test_plain_ocr_is_one_cell_of_the_whole_picture_and_has_no_other_prompt() -> None:
    model = Model(said(" \n"), said(""), said("한 줄\nline \ud83d"))
    outcome = model.climb("ocr")
    assert [prompt for prompt, _ in model.asked] == [OCR] * 3
    assert outcome.status == "repaired"  # the last letter is incomplete
    assert outcome.answer is not None
    assert list(outcome.answer.cells) == [
        {"bbox": [0, 0, *SIZE], "category": "Text", "text": "한 줄\nline �"}
    ]
    empty = Model(*[said("")] * 3)
    assert (empty.climb("ocr").status, len(empty.asked)) == ("failed", 3)


WELL_FORMED = json.dumps([ONE, TWO])


@pytest.mark.parametrize(
    "end", [-3, -4, -len('"two"}]'), -len('two"}]'), -60, -len(json.dumps(TWO)) - 2, -70]
)
def test_an_answer_that_stops_in_the_middle_is_not_whole_whatever_the_server_says(end: int) -> None:
    """Some servers say "stop" for every answer."""
    cut = said(WELL_FORMED[:end].rstrip())
    model = Model(cut, GOOD)
    assert (model.climb().status, len(model.asked)) == ("ok", 2)
    outcome = Model(*[cut] * 3).climb()
    assert (outcome.status, outcome.reason) == ("partial", "the answer stops in the middle")


@pytest.mark.parametrize("answer", [CUT_EARLY, LOOPING])
def test_an_answer_that_was_stopped_has_one_reason(answer: Completion) -> None:
    """No second reason is added: "it stops in the middle"."""
    outcome = Model(answer, answer, answer).climb()
    assert outcome.answer and outcome.reason in (
        "no end within 10 tokens",
        "the model repeated itself",
    )
    assert not any("stops in the middle" in note for note in outcome.answer.notes)


@pytest.mark.parametrize(
    "text",
    [
        WELL_FORMED[:-1],
        WELL_FORMED[:-2],
        WELL_FORMED + "\nThat is all, I hope.",
        "```json\n" + WELL_FORMED[:-1] + "\n```",
        "[" + WELL_FORMED + ",",
        WELL_FORMED[:-1] + ",]",
        WELL_FORMED[:-3] + "}]",
        WELL_FORMED[:-1] + ', {"category": "Picture", "bbox": [5, 90, 70, 99}',
        json.dumps(ONE) + "\n" + json.dumps(TWO),
        "```json\n[" + json.dumps(ONE) + ",\n" + json.dumps(TWO) + ",\n```",
        repr([ONE, {"bbox": [5, 60, 70, 80], "category": "Picture", "text": None}]),
        repr([ONE, {"bbox": [5, 60, 70, 80], "category": "Text", "text": 2024}]),
    ],
)
def test_what_only_lacks_its_brackets_may_be_whole(text: str) -> None:
    outcome = Model(said(text)).climb()
    assert (outcome.status, outcome.attempts) == ("repaired", 1)


def test_plain_ocr_that_was_cut_is_partial() -> None:
    outcome = Model(*[said("a start " + "-" * 500, "length")] * 3).climb("ocr")
    assert outcome.status == "partial"
    assert outcome.answer is not None
    assert outcome.answer.cells[0]["text"] == "a start -"


# ---- reasons and errors ----


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (CUT, "no end within 10 tokens"),
        (LOOPING, "the model repeated itself"),
        (PROSE, "an answer that is not a layout: 'I see a page.'"),
        (said("line\n" * 99), f"an answer that is not a layout: {('line ' * 99)[:80]!r}"),
        (said(FENCED.text, "abort"), "the answer ended with 'abort'"),
    ],
)
def test_the_reason_says_what_was_wrong(answer: Completion, reason: str) -> None:
    assert Model(answer).climb(retries=0).reason == reason


def test_an_error_before_anything_was_readable_is_the_callers() -> None:
    for answers in ([EndpointError("400: too long")], [PROSE, EndpointError("400: too long")]):
        with pytest.raises(EndpointError, match="too long"):
            Model(*answers).climb()


def test_an_error_later_keeps_what_there_is() -> None:
    model = Model(CUT, EndpointError("500: out of memory"), GOOD)
    outcome = model.climb()
    assert outcome.status == "partial"
    assert outcome.reason == "no end within 10 tokens; then 500: out of memory"
    assert (outcome.attempts, len(model.asked)) == (1, 2)
    assert outcome.answer is not None
    assert list(outcome.answer.cells) == [ONE, TWO]


@pytest.mark.parametrize("before", [[], [CUT]])
def test_a_server_that_is_gone_is_always_the_callers(before: list[Completion]) -> None:
    """The next run reads the page again, so half a page must not count as done."""
    with pytest.raises(ServerGone):
        Model(*before, ServerGone("nothing answers")).climb()


def test_every_prompt_mode_can_be_climbed() -> None:
    for mode in PROMPTS:
        assert Model(GOOD).climb(mode).status == "ok"
