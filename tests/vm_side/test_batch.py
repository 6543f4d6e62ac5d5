"""What a batch checks before it begins, and its messages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batch import BatchError, UnknownModel, find_model, is_told, open_manifest, sentence
from read_page import Settings
from reading import say
from results.manifest import Manifest, Record, summary
from rig.command import batch_of
from rig.model_server import ModelServer

# --- the model -----------------------------------------------------------------------------


def test_the_served_model_is_found(settings: Settings) -> None:
    with ModelServer(model="dots", max_model_len=8192) as server:
        here = replace(settings, endpoint=server.url)
        for name in ("dots", ""):
            model = find_model(replace(here, model=name))
            assert (model.name, model.max_tokens) == ("dots", 8192)
        with pytest.raises(UnknownModel, match=r"no model 'd' at .*, which serves dots: change"):
            find_model(replace(here, model="d"))


def test_of_several_models_none_is_taken_by_chance(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy lists all its models; the first may belong to another company, and cost money."""
    with ModelServer() as server:
        here = replace(settings, endpoint=server.url, model="")

        def serve(*models: dict[str, str]) -> None:
            monkeypatch.setattr(server, "models", lambda: {"data": list(models)})

        serve({"id": "gpt"}, {"id": "dots"})
        with pytest.raises(UnknownModel, match=r"serves gpt, dots: say with --model which"):
            find_model(here)
        assert find_model(replace(here, model="dots")).name == "dots"
        serve({"id": "model", "root": "/model"}, {"id": "dots", "root": "/model"})
        assert find_model(here).name == "model", "two names of one"


@pytest.mark.parametrize(
    ("lines", "engines"),
    [
        ([], 1),
        (['vllm:generation_tokens_total{engine="0",model_name="model"} 0.0'], 1),
        ([f'vllm:generation_tokens_total{{engine="{n}"}} 0.0' for n in range(4)], 4),
        (["# TYPE vllm:generation_tokens_total counter",
          'vllm:generation_tokens_total{engine="0"} 7.0',
          'vllm:generation_tokens_created{engine="0"} 1.7e+09'], 1),
    ],
)  # fmt: skip
def test_the_bill_counts_the_cards(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, lines: list[str], engines: int
) -> None:
    """GPU hours count all engines. A new server of several has no other line for each engine."""
    with ModelServer() as server:
        monkeypatch.setattr(server, "metrics", lambda: "\n".join(lines) + "\n")
        assert find_model(replace(settings, endpoint=server.url)).engines == engines


def test_what_a_server_lacks_is_told_once_and_kept(tmp_path: Path) -> None:
    """Also if nobody watches; but not on a night when nothing is read."""
    with batch_of(tmp_path, 2) as (batch, server):
        server.lacks = "no Korean\x1b[31m"
        first, second = batch.run_here(), batch.run_here()
        assert first.err.count("model: no Korean\ufffd[31m") == 1
        assert "no Korean" not in second.err
        assert batch.summary["lacks"] == server.lacks


def test_no_server_and_no_permission_say_what_to_do(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BatchError, match="start the server, or give its --endpoint"):
        find_model(settings)
    assert capsys.readouterr().err.startswith("waiting up to 0 s for a model server")
    with ModelServer(api_key="secret") as server, pytest.raises(BatchError, match="401"):
        find_model(replace(settings, endpoint=server.url))


def test_the_output_belongs_to_one_batch_at_a_time(settings: Settings, tmp_path: Path) -> None:
    with (
        open_manifest(settings, tmp_path / "out"),
        pytest.raises(BatchError, match=r"by process \d+, since .*: wait for its end"),
    ):
        open_manifest(settings, tmp_path / "out")
    with open_manifest(settings, tmp_path / "out") as manifest:
        assert isinstance(manifest, Manifest)


# --- what is said --------------------------------------------------------------------------


def totals_of(records: list[Record], read_now: list[Record]) -> dict[str, Any]:
    """The totals of a run of two seconds over an input that has only pages."""
    totals = summary(records, read_now, seconds=2.0, price_per_hour=0.0, gpus=1)
    return totals | {"not_read": {}, "selected": ""}


def test_the_sentence_counts_what_there_is() -> None:
    records = [Record(name, f"{name}.png", None, "ok") for name in "abc"]
    records[1] = replace(records[1], status="failed", reason="bad")
    totals = totals_of(records, records[:1])
    said = "2 ok, 1 failed; 1 read now, 0.50 pages/s; run again for the rest"
    assert sentence(totals) == f"3 pages: {said}"
    totals |= {"not_read": {".txt": 1, ".docx": 2, "hidden": 3}, "selected": "1-2"}
    assert sentence(totals) == (f"3 pages (PAGES=1-2): {said}; not read: 3 hidden, 2 .docx, 1 .txt")
    many = {"pages": 9873, "ok": 9812, "failed": 0, "doubtful": 61}
    assert sentence(totals_of([], []) | many).startswith(
        "9,873 pages: 9,812 ok, 61 doubtful: make report shows them first; 0 read now"
    )
    assert sentence(totals_of([], [])) == "0 pages: none; 0 read now, 0.00 pages/s"


@pytest.mark.parametrize(
    ("statuses", "read_now", "told"),
    [
        ("ok repaired", 2, False),
        ("ok repaired", 0, False),
        ("ok partial", 1, True),
        ("ok blank", 1, True),
        ("ok doubtful", 1, True),
        ("ok doubtful", 0, False),
        ("ok blank", 0, False),  # it was reported when it was read
        ("ok failed", 0, True),
        ("ok left", 0, True),
        ("", 0, False),
    ],
)
def test_what_is_lost_is_told_where_nobody_watches(
    statuses: str, read_now: int, told: bool
) -> None:
    records = [Record(name, f"{name}.png", None, name) for name in statuses.split()]
    totals = totals_of(records, records[:read_now])
    assert is_told(totals) == told
    assert is_told(totals | {"not_read": {"hidden": 1}}) == told
    assert is_told(totals | {"not_read": {".docx": 1}})


def test_a_line_stays_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("two\nlines")
    assert capsys.readouterr().err == "two lines\n"
