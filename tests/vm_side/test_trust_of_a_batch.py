"""Doubts from end to end, as people see them: real witnesses, in a pool and on a fleet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rig.command import Batch, files_in
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.replies import Reply
from rig.true_page import in_pixels, told
from rig.two_scans import CELLS, PICTURE, is_larger, run, two_scans

LACKING = 2  # the cell that a forgetful model leaves out
DROPPED = [cell for number, cell in enumerate(CELLS) if number != LACKING]


@pytest.fixture
def batch(tmp_path: Path) -> Iterator[tuple[Batch, ModelServer]]:
    with two_scans(tmp_path) as both:
        yield both


def forgetful(is_once: bool) -> Callable[[Request], Reply]:
    """A script that leaves a block out on the larger page, always or only at first."""

    def answer(request: Request) -> Reply:
        is_first = request.temperature == 0.1
        drops = is_larger(request) and (is_first or not is_once)
        return Reply(told(DROPPED if drops else CELLS, request.size))

    return answer


def test_a_block_dropped_once_is_there_in_the_end(
    batch: tuple[Batch, ModelServer], either: str
) -> None:
    found, server = batch
    server.script = forgetful(is_once=True)
    ended = run(found)
    assert (ended.code, ended.err) == (0, "")
    first, second = found.records
    assert (first["status"], first["attempts"], first["trust"]) == ("ok", 2, second["trust"])
    assert (second["status"], second["attempts"], second["doubts"]) == ("ok", 1, [])
    assert len(json.loads((found.output / "a" / "a.json").read_text())) == len(CELLS)
    assert 0 < first["doubt_tokens"] < first["tokens_in"] + first["tokens_out"]
    assert found.summary["doubt_tokens"] == first["doubt_tokens"]


def test_a_block_that_is_always_dropped_makes_the_page_doubtful(
    batch: tuple[Batch, ModelServer], either: str
) -> None:
    """It is reported once, also if nobody watches. It is done, and read again only if wanted."""
    found, server = batch
    server.script = forgetful(is_once=False)
    ended = run(found)
    assert ended.code == 0
    assert ended.err.startswith("2 pages: 1 ok, 1 doubtful: make report shows them first; 2 read")
    first, second = found.records
    assert (first["status"], second["status"]) == ("doubtful", "ok")
    assert first["reason"] == "text in one place was not read"
    assert first["trust"] < 0.5 and second["trust"] > 0.5
    missed = first["doubts"][0]
    assert (missed["kind"], missed["cell"]) == ("missed", None)
    assert missed["bbox"] == pytest.approx(in_pixels(CELLS[LACKING], PICTURE.size), abs=12)
    assert found.summary["doubtful"] == found.summary["doubts"]["missed"] == 1
    assert len(files_in(found.output / "a")) == 3

    asked = len(server.requests)
    again = run(found)
    assert (again.code, again.err, len(server.requests)) == (0, "", asked)

    stood = files_in(found.output / "a")
    server.script = lambda request: Reply("I am sorry.")
    failed = run(found, DOUBTFUL="1")
    assert failed.code == 3 and "failed: a.png: an answer that is not a layout" in failed.err
    assert found.records[0] == first and files_in(found.output / "a") == stood

    server.script = forgetful(is_once=True)  # only the first sampling forgets the block
    server.reset()
    better = run(found, DOUBTFUL="1")
    assert (better.code, better.err) == (0, "")
    assert [request.temperature for request in server.requests] == [0.3]
    assert found.statuses() == {"a.png": "ok", "b.png": "ok"}
    assert len(json.loads((found.output / "a" / "a.json").read_text())) == len(CELLS)


def test_who_reads_again_needs_a_witness(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    ended = Batch(tmp_path, "http://127.0.0.1:9").run_here("--doubtful", "--witness", "off")
    assert ended.code == 2 and "give WITNESS=ink or ocr" in ended.err
