"""A page with a doubted answer: requested again, reported, and read a second time.

In this process, with a witness that counts cells; test_witnesses.py has the real ones.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from answer.cells import Cell
from contract import NO_BETTER
from read_page import Settings, Task, read_page, twin_of
from results.files import Wanted
from results.manifest import Record
from results.pages import Page
from results.steps import NOT_JUDGED, at_once
from rig.command import files_in
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.replies import Reply
from rig.settings import settings_of, without_pages
from rig.true_page import BLOCKS, in_pixels, told, true_page
from server.endpoint import Endpoint
from trust import witnesses
from trust.doubts import Doubt

PICTURE, CELLS = true_page()
OWN = PICTURE.size
PAGE = Page("a.png", "a/a")
ALL, FEWER, NONE = BLOCKS, BLOCKS - 1, 0


@pytest.fixture(autouse=True)
def witness(monkeypatch: pytest.MonkeyPatch) -> None:
    """A witness that knows the number of cells, and the places of the last ones."""

    def doubts_of(evidence: witnesses.Evidence, cells: Sequence[Cell]) -> list[Doubt]:
        boxes = [in_pixels(cell, evidence.size) for cell in CELLS[len(cells) :]]
        doubts = [Doubt("missed", box, None, 0.6, {"lines": 4}) for box in boxes]
        return [*doubts, *[Doubt("amount", box, 1, 0.6) for box in boxes]]

    monkeypatch.setattr(witnesses, "doubts_of", doubts_of)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(max_model_len=32768) as model_server:
        yield model_server


@pytest.fixture
def here(tmp_path: Path, server: ModelServer) -> Settings:
    """Settings over an input with only this page; three in five of its pixels are sent."""
    (tmp_path / "in").mkdir()
    PICTURE.save(tmp_path / "in" / PAGE.input)
    changes = {"max_model_tokens": 32768, "max_pixels": 1_200_000, "upsample_below": 0}
    return settings_of(tmp_path, server.url, rotate="0", retries=3, **changes)


def reads(*counts: int) -> Callable[[Request], Reply]:
    """A script: the n-th answer has this number of the page's cells; the last number stays."""

    def answer(request: Request) -> Reply:
        count = counts[min(request.number, len(counts) - 1)]
        return Reply(told(CELLS[:count], request.size))

    return answer


def read(settings: Settings, compute: Any = at_once, **more: Any) -> Record:
    endpoint = Endpoint(settings.endpoint, 5, 0, 0)
    try:
        return read_page(Task(PAGE, **more), settings, endpoint, compute)
    finally:
        endpoint.close()


@pytest.mark.parametrize("compute", [at_once, without_pages])
@pytest.mark.parametrize(
    ("counts", "status", "attempts", "reason"),
    [
        ([ALL], "ok", 1, ""),
        ([FEWER, ALL], "ok", 2, ""),
        ([FEWER, FEWER, ALL], "ok", 3, ""),
        ([FEWER], "doubtful", 3, "text in one place was not read; one cell"),
        ([FEWER - 1], "doubtful", 3, "text in 2 places was not read; 2 cells"),
        ([NONE], "doubtful", 3, f"text in {BLOCKS} places was not read"),
    ],
)
def test_a_page_ends_with_the_answer_that_is_trusted_most(
    server: ModelServer,
    here: Settings,
    counts: list[int],
    status: str,
    attempts: int,
    reason: str,
    compute: Any,
) -> None:
    """The last tries use more pixels. Boxes are always in the page's own pixels."""
    server.script = reads(*counts)
    record = read(here, compute)
    assert (record.status, record.attempts, len(server.requests)) == (status, attempts, attempts)
    assert record.reason.startswith(reason) and bool(record.reason) is (status == "doubtful")
    small, large = server.requests[0].size, OWN
    sizes = [request.size for request in server.requests]
    assert sizes[:2] == [small] * len(sizes[:2]) and small[0] < 0.8 * large[0]
    assert all(0.95 < wide / large[0] <= 1.05 for wide, _ in sizes[2:])
    temperatures = [request.temperature for request in server.requests]
    assert temperatures == [0.1, 0.3, 0.1][:attempts]
    lacking = CELLS[counts[-1] :]
    assert record.trust == pytest.approx(0.4 ** (2 * len(lacking)), abs=0.001)
    assert [doubt["kind"] for doubt in record.doubts[: len(lacking)]] == ["missed"] * len(lacking)
    for doubt, cell in zip(record.doubts, lacking, strict=False):
        assert doubt["bbox"] == pytest.approx(in_pixels(cell, OWN), abs=2)
    cells = read_json(here)
    for cell, true in zip(cells, CELLS[: counts[-1]], strict=True):
        assert cell["bbox"] == pytest.approx(in_pixels(true, OWN), abs=2)
    assert (record.doubt_tokens > 0) is (attempts > 1)
    assert record.tokens_in + record.tokens_out > record.doubt_tokens


def read_json(settings: Settings) -> Any:
    assert isinstance(settings.output, Path)
    return json.loads((settings.output / f"{PAGE.result}.json").read_text())


def test_a_server_that_makes_the_larger_picture_smaller_is_not_believed(
    server: ModelServer, here: Settings
) -> None:
    """Its boxes would be off. The number of tokens shows whether the server did it."""
    server.script = reads(FEWER, FEWER, ALL)
    count = server.complete

    def counts_less(request: Request, reply: Reply) -> Any:
        body = count(request, reply)
        body["usage"]["prompt_tokens"] = min(1700, body["usage"]["prompt_tokens"])
        return body

    server.complete = counts_less  # type: ignore[method-assign] # the server's fault
    record = read(here)
    assert (record.status, record.attempts, len(server.requests)) == ("doubtful", 2, 3)
    assert record.reason.endswith(
        "; then the server shrank the picture that was sent with more pixels"
    )
    assert len(read_json(here)) == FEWER


def test_an_answer_is_not_lost_where_the_page_cannot_be_enlarged(
    server: ModelServer, here: Settings
) -> None:
    """For example, its file is gone, needs too much memory, or would be too long a strip."""
    answer = reads(FEWER)

    def takes_away(request: Request) -> Reply:
        (here.input / PAGE.input).unlink(missing_ok=True)
        return answer(request)

    server.script = takes_away
    record = read(here, without_pages)
    assert (record.status, record.attempts, len(server.requests)) == ("doubtful", 2, 2)
    assert len(read_json(here)) == FEWER


@pytest.mark.parametrize(
    ("mode", "kinds", "status"),
    [("layout_only", {"missed"}, "doubtful"), ("ocr", {"amount"}, "doubtful")],
)
def test_of_each_prompt_those_are_heard_who_know_it(
    server: ModelServer, here: Settings, mode: str, kinds: set[str], status: str
) -> None:
    """Without texts there is nothing to measure; one cell over the whole page misses nothing."""
    server.script = None if mode == "ocr" else reads(FEWER)
    record = read(replace(here, prompt_mode=mode, retries=0))
    assert record.status == status
    assert {doubt["kind"] for doubt in record.doubts} == kinds


def test_a_page_without_text_on_which_nothing_was_found_is_blank(
    server: ModelServer, here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnesses, "doubts_of", lambda evidence, cells: [])
    server.script = reads(NONE)
    record = read(here)
    assert (record.status, record.attempts, record.trust) == ("blank", 1, 1.0)


def test_without_a_witness_nothing_is_known_of_the_trust(
    server: ModelServer, here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with old packages, which lack numpy: then the page has a note."""
    server.script = reads(FEWER)
    off = read(replace(here, witness="off"))
    assert (off.status, off.trust, off.doubts, off.notes) == ("ok", None, [], [])
    monkeypatch.setitem(sys.modules, "trust.witnesses", None)
    monkeypatch.delattr("trust.witnesses")
    lacking = read(here)
    assert (lacking.status, lacking.trust, lacking.doubts) == ("ok", None, [])
    assert lacking.notes == [NOT_JUDGED]


# --- the second reading --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "answers", "status"),
    [
        ([ALL], 1, "ok"),
        ([FEWER - 1, FEWER], 2, "doubtful"),  # better than before, but not good
        ([FEWER - 2], 2, "doubtful"),  # as before
        ([FEWER - 3], 2, "doubtful"),
    ],
)
def test_what_stands_is_replaced_by_what_is_trusted_more_and_by_nothing_else(
    server: ModelServer, here: Settings, counts: list[int], answers: int, status: str
) -> None:
    here = replace(here, retries=1, images=True)
    assert isinstance(here.output, Path)
    server.script = reads(FEWER - 2)
    before = read(here)
    stood = files_in(here.output)
    assert before.status == "doubtful" and len(stood) == 4
    server.reset()

    server.script = reads(*counts)
    after = read(here, doubted=before)
    assert (after.status, after.attempts) == (status, answers)
    assert [request.temperature for request in server.requests] == [0.3, 0.1][:answers]
    assert after.doubt_tokens == after.tokens_in + after.tokens_out > 0
    if max(counts) > FEWER - 2:
        assert (after.trust or 0) > (before.trust or 0) and len(read_json(here)) == max(counts)
        assert NO_BETTER not in after.notes
    else:
        assert files_in(here.output) == stood
        told_of = ("reason", "trust", "doubts", "cells", "finish_reason", "rotation", "model_size")
        for name in told_of:
            assert getattr(after, name) == getattr(before, name), name
        assert after.notes == [NO_BETTER]
        (here.output / f"{PAGE.result}.jpg").unlink()
        lacks = Wanted(PAGE.result, drawing=True, pictures="")
        assert read(here, doubted=after, lacks=lacks).notes == [NO_BETTER]
        assert files_in(here.output) == stood, "a drawing that lacked is there"


def test_what_another_engine_said_of_the_first_does_not_speak_for_the_second(
    server: ModelServer, here: Settings
) -> None:
    """It has not judged the second answer. Its finding stays with the first."""
    server.script = reads(FEWER)
    before = read(here)
    assert before.trust == pytest.approx(0.16)
    heard: dict[str, Any] = {
        "reader": "x",
        "trusted_as": before.trust,
        "trust": 0.01,
        "read_as": "ok",
    }
    before = replace(before, **heard)
    server.script = reads(FEWER - 1)
    after = read(here, doubted=before)
    assert after.notes == [NO_BETTER] and len(read_json(here)) == FEWER
    assert {name: getattr(after, name) for name in heard} == heard
    server.script = reads(ALL)
    after = read(here, doubted=before)
    assert (after.status, after.reader, after.read_as) == ("ok", "", "")
    assert after.trusted_as is None


def test_a_second_reading_that_fails_leaves_the_first(server: ModelServer, here: Settings) -> None:
    assert isinstance(here.output, Path)
    server.script = reads(FEWER)
    before = read(here)
    stood = files_in(here.output)
    server.script = lambda request: Reply("I am sorry.")
    after = read(here, doubted=before)
    assert after.status == "failed" and files_in(here.output) == stood
    assert (after.finish_reason, after.doubt_tokens > 0) == ("stop", True)


def test_a_second_reading_has_no_twin() -> None:
    """The process that finishes would not know what the other one kept."""
    assert twin_of(Task(PAGE, doubted=Record("a", "a.png", None, "doubtful"))) is None
