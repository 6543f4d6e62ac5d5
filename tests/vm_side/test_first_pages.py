"""What the first pages show about the set-up: the decisions, and the command that uses them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from first_pages import ENOUGH, Count, Refusals, count_of, fault_in, kind_of
from results.manifest import Record
from rig import replies
from rig.command import Batch, batch_of
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.replies import Reply

SENT = [280, 392]
WORDS = "HTTP 400 Input length (14234) exceeds model's maximum context length (8192)."


def page(status: str = "failed", reason: str = WORDS, **more: Any) -> Record:
    """A page that was sent, and by default refused."""
    return Record("p", "p.png", None, status, reason, **{"model_size": SENT, **more})


READ = page("ok", "", attempts=1)
USELESS = page(reason="an answer that is not a layout: 'Hello'", attempts=4)
DAMAGED = page(reason="damaged: broken data stream", model_size=[])
BLANK = page("blank", "one even colour: not sent", model_size=[])
KEY = page(reason="HTTP 401 Unauthorized")
OTHER_LENGTH = page(reason=WORDS.replace("14234", "9999"))
OTHER = page(reason="HTTP 400 Failed to load image")


@pytest.mark.parametrize(
    ("records", "is_end", "is_fault", "waiting"),
    [
        ([page()] * ENOUGH, False, True, ENOUGH),
        ([page()] * (ENOUGH - 1), False, False, ENOUGH - 1),
        ([page(), OTHER_LENGTH] * 4, False, True, ENOUGH),
        ([DAMAGED, BLANK, *[page()] * ENOUGH, DAMAGED], False, True, ENOUGH),
        ([*[page()] * 7, OTHER, *[page()] * 9], False, False, 7),
        ([READ, *[page()] * 20], False, False, 0),
        ([USELESS, *[page()] * 20], False, False, 0),
        ([*[page()] * 7, READ, *[page()] * 20], False, False, 7),
        ([KEY] * 3, False, False, 3),
        ([KEY] * 3, True, True, 3),  # no page can cause this
        ([KEY], True, True, 1),
        ([page()] * 3, True, False, 3),
        ([], True, False, 0),
    ],
)
def test_when_refusals_are_a_fault_of_the_set_up(
    records: Sequence[Record], is_end: bool, is_fault: bool, waiting: int
) -> None:
    refusals = Refusals()
    for record in records:
        refusals.take(record)
        if refusals.fault():
            break
    assert bool(refusals.fault(is_end)) == is_fault
    assert len(refusals.held) == waiting
    assert len(refusals.release()) == (waiting if refusals.is_over else 0)


def test_the_first_pages_have_to_end_before_anything_is_said() -> None:
    """A refusal comes at once. An answer, which would prove that the server works, does not."""
    slow = page("ok", "", attempts=1)
    refusals = Refusals({slow.key, ("other.png", None)})
    other = Record("other", "other.png", None, "failed", WORDS, model_size=SENT)
    for number in range(3 * ENOUGH):
        late = Record(str(number), f"{number}.png", None, "failed", WORDS, model_size=SENT)
        assert refusals.take(late) and not refusals.fault()
    assert refusals.take(other) and not refusals.fault()
    refused = Refusals(set(refusals.trial), list(refusals.held))
    assert refused.take(page()) and refused.fault() == WORDS
    assert not refusals.take(slow) and not refusals.fault()
    assert len(refusals.release()) == 3 * ENOUGH + 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (WORDS, WORDS.replace("14234", "9"), True),
        (
            "HTTP 400 <_io.BytesIO object at 0x7f3a>",
            "HTTP 400 <_io.BytesIO object at 0x55e1>",
            True,
        ),
        ("HTTP 400 bad, id chatcmpl-8f3c", "HTTP 400 bad, id chatcmpl-77aa", True),
        ("HTTP 400 no", "HTTP 403 no", False),
        ("HTTP 400 too long", "HTTP 400 too wide", False),
    ],
)
def test_reasons_that_are_the_same_but_for_numbers(one: str, other: str, same: bool) -> None:
    assert (kind_of(one) == kind_of(other)) == same


# --- what the server counts ----------------------------------------------------------------

PICTURES = (2494, 2400, 1200, 600)
PROMPT = 228


def counts(seen: Sequence[int], prompt: int = PROMPT, pictures: Sequence[int] = PICTURES) -> Any:
    return [Count(p, s + prompt) for p, s in zip(pictures, seen, strict=True)]


RIGHT = counts(PICTURES)
CAPPED = counts([1275, 1270, 1200, 600])
ENLARGED = counts([2494, 2400, 1400, 1400])
DOUBLED = counts([2 * picture for picture in PICTURES])


@pytest.mark.parametrize(
    ("pages", "prompt", "words"),
    [
        (RIGHT, 0, ""),
        (RIGHT, PROMPT, ""),
        (counts(PICTURES, 1500), 0, ""),  # a template with much text
        (CAPPED, 0, "makes 1275 tokens of a picture of 2494"),
        (CAPPED[:1] + CAPPED[3:], PROMPT, "makes 1275 tokens"),
        (CAPPED[:1] + CAPPED[3:], 0, ""),  # each of the two may be the wrong one
        (ENLARGED, 0, "makes 1400 tokens of a picture of 1200"),
        (DOUBLED, 0, "two pictures"),
        (DOUBLED[:1], PROMPT, "two pictures"),
        (DOUBLED[:1], 0, ""),
        (counts([0] * 4), 0, ""),  # the server does not count pictures
        (counts([1] * 4), 0, ""),
        (counts([772] * 4), 0, ""),  # always the same number
        (counts([772] * 4, PROMPT), PROMPT, ""),
        (counts([p // 4 for p in PICTURES]), 0, ""),  # counted in another way
        (counts([p * 4 for p in PICTURES]), 0, ""),
        (counts([1275] * 3, pictures=[2494] * 3), 0, ""),  # one size proves nothing
        ([], PROMPT, ""),
    ],
)
def test_what_the_counts_prove(pages: Sequence[Count], prompt: int, words: str) -> None:
    found = fault_in(pages, prompt)
    assert words in found and bool(found) == bool(words)


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"attempts": 1, "tokens_in": 368}, Count(140, 368)),
        ({"attempts": 2, "tokens_in": 736}, None),
        ({"attempts": 1, "tokens_in": 0}, None),
        ({"attempts": 0, "model_size": []}, None),
    ],
)
def test_what_a_record_counts(changes: dict[str, Any], count: Count | None) -> None:
    assert count_of(page("ok", "", **changes)) == count


# --- the command ---------------------------------------------------------------------------

REFUSALS = {
    "400": (Reply(status=400, error_message="no such parameter"), "HTTP 400 no such parameter"),
    "401": (replies.unauthorized(), "HTTP 401 Unauthorized: it needs its key, in API_KEY"),
    "403": (Reply(status=403, error_message="not you"), "HTTP 403 not you"),
    "404": (replies.unknown_model(), "HTTP 404 The model `nope` does not exist"),
    "413": (Reply(status=413, error_message="too large"), "HTTP 413 too large"),
    "500": (replies.permanent_500(), "could be decompression bomb DOS attack. (1 times)"),
}


def assert_one_fault(batch: Batch, server: ModelServer, words: str) -> None:
    """The batch of 30 pages reports it once and leaves all pages; the next run reads them."""
    finished = batch.run_here(environment={"RETRIES": "0"})
    assert finished.code == 1 and finished.err.count(words) == 1, finished.err
    assert "failed:" not in finished.err and "30 left" in finished.err
    assert set(batch.statuses().values()) == {"left"} and batch.summary["failed"] == 0
    server.script = None
    assert batch.run_here().code == 0 and set(batch.statuses().values()) == {"ok"}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_fault_of_the_set_up_is_one_fault(tmp_path: Path, name: str) -> None:
    reply, words = REFUSALS[name]
    with batch_of(tmp_path, 30) as (batch, server):
        server.script = lambda request: reply
        assert_one_fault(batch, server, words)


def test_most_pages_are_not_even_asked_for(tmp_path: Path) -> None:
    with batch_of(tmp_path, 300) as (batch, server):
        server.script = lambda request: replies.unauthorized()
        assert batch.run_here().code == 1 and batch.summary["left"] == 300
        assert 8 <= len(server.requests) < 150


@pytest.mark.usefixtures("either")
def test_wherever_the_pages_are_read(tmp_path: Path) -> None:
    with batch_of(tmp_path, 30) as (batch, server):
        server.script = lambda request: replies.too_long(len(request.picture))
        assert_one_fault(batch, server, "HTTP 400 Input length")


def test_damaged_files_among_them_are_failed_all_the_same(tmp_path: Path) -> None:
    with batch_of(tmp_path, 20) as (batch, server):
        for number in range(3):
            # it is the first to be read
            (batch.input / f"bad{number}.png").write_bytes(b"x" * 100_000)
        server.script = lambda request: replies.unauthorized()
        finished = batch.run_here()
        assert finished.code == 1 and finished.err.count("HTTP 401") == 1
        statuses = list(batch.statuses().values())
        assert statuses.count("failed") == 3 and statuses.count("left") == 20


def test_a_key_that_is_wanted_for_a_few_pages(tmp_path: Path) -> None:
    with batch_of(tmp_path, 2) as (batch, server):
        server.script = lambda request: replies.unauthorized()
        finished = batch.run_here()
        assert finished.code == 1 and "the first 2 pages were all refused (HTTP 401" in finished.err
        assert set(batch.statuses().values()) == {"left"}


def test_a_few_pages_that_the_server_cannot_take_are_failed(tmp_path: Path) -> None:
    with batch_of(tmp_path, 3) as (batch, server):
        server.script = lambda request: replies.too_long()
        assert batch.run_here().code == 3
        assert set(batch.statuses().values()) == {"failed"}


def write_noise(batch: Batch, sides: Sequence[int]) -> None:
    """Square pages with so many pixels a side; a page with more pixels has more bytes."""
    batch.input.mkdir(parents=True, exist_ok=True)
    for number, side in enumerate(sides):
        Image.effect_noise((side, side), 50 + number).save(batch.input / f"page{number}.png")


def test_a_server_that_refuses_large_pages_alone(tmp_path: Path) -> None:
    """The largest are read first, with some short ones, which show that the server works."""
    with batch_of(tmp_path, 0) as (batch, server):
        write_noise(batch, [280] * 14 + [56] * 6)
        server.script = lambda request: (
            Reply(status=413, error_message="too large")
            if request.size[0] > 100
            else Reply(delay_s=3.0)  # a refusal comes at once
        )
        finished = batch.run_here("-p", "6")
        assert finished.code == 3 and "refused (" not in finished.err
        assert Counter(batch.statuses().values()) == {"failed": 14, "ok": 6}


class Counting(ModelServer):
    """A server without /tokenize that counts a picture's tokens in its own way."""

    def __init__(self, count: Callable[[int], int]) -> None:
        super().__init__()
        self.tokenizes = False
        self.count = count

    def complete(self, request: Request, reply: Reply) -> Any:
        body = super().complete(request, reply)
        body["usage"]["prompt_tokens"] = self.count(request.size[0] * request.size[1] // 784) + 228
        return body


SIDES = (560, 532, 336, 280, 168)  # 400, 361, 144, 100 and 36 tokens


@pytest.mark.usefixtures("either")
def test_pages_seen_at_another_size_are_left(tmp_path: Path) -> None:
    """/tokenize cannot show it, but the server's token counts for the first pages can."""
    with Counting(lambda picture: min(picture, 150)) as server:
        batch = Batch(tmp_path, server.url)
        write_noise(batch, SIDES)
        finished = batch.run_here()
        assert finished.code == 1, finished.err
        assert finished.err.count("it changes its size, and boxes would be off") == 1
        assert set(batch.statuses().values()) == {"left"}
        assert batch.run_here(environment={"PREFLIGHT": "0"}).code == 0
        assert set(batch.statuses().values()) == {"ok"}


@pytest.mark.parametrize("count", [lambda picture: picture, lambda picture: 772])
def test_counts_that_prove_nothing_wrong(tmp_path: Path, count: Callable[[int], int]) -> None:
    with Counting(count) as server:
        batch = Batch(tmp_path, server.url)
        write_noise(batch, SIDES)
        finished = batch.run_here()
        assert finished.code == 0 and finished.err.count("\n") == 1
        assert "cannot tell how it sees a prompt" in finished.err
