"""One worker and a page: the memory that it keeps, and the files of a twin."""

from __future__ import annotations

import json
import math
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from batch import Prices, run_batch
from picture.limits import KEPT_BYTES
from read_page import Settings, Task, read_page, twin_of
from results.files import ASIDE, take_from_aside
from results.manifest import Record, load
from results.pages import find_pages
from results.steps import give_memory_back
from results.store import Remote
from rig.command import Batch, batch_of, files_in, hang_while, records_in, wait_until
from rig.settings import settings_of, without_pages
from server.endpoint import Endpoint
from workers.executor import ProcessPool


def settings_for(batch: Batch, **changes: Any) -> Settings:
    """Settings for pages that no witness can judge."""
    changes = {"upsample_below": 0, "witness": "off", **changes}
    return settings_of(batch.folder, batch.url, **changes)


def test_a_twin_touches_nothing_before_it_has_won(tmp_path: Path) -> None:
    with batch_of(tmp_path, 1) as (batch, server):
        settings = settings_for(batch, images=True)
        (page,) = find_pages(batch.input)
        endpoint = Endpoint(server.url, 5, 0, 0)
        assert read_page(Task(page), settings, endpoint).status == "ok"
        expected = files_in(batch.output)
        assert len(expected) == 5 and "200dpi/page1/pictures/1.png" in expected
        for name in expected:
            (batch.output / name).write_text("older")
        older = files_in(batch.output)

        twin = twin_of(Task(page))
        assert twin is not None
        record = read_page(twin, settings, endpoint)
        assert (record.status, record.pictures) == ("ok", ["1.png"])
        endpoint.close()
        aside = files_in(batch.output / ASIDE)
        assert aside == expected
        assert {k: v for k, v in files_in(batch.output).items() if ASIDE not in k} == older

        # the loser was killed while it wrote this
        (batch.output / f"{page.result}.json.part").touch()
        take_from_aside(batch.output, page.result, record.pictures)
        assert files_in(batch.output) == expected


def test_no_older_drawing_beside_the_twins_files(tmp_path: Path) -> None:
    with batch_of(tmp_path, 1) as (batch, server):
        settings = settings_for(batch)
        (page,) = find_pages(batch.input)
        drawing = batch.output / f"{page.result}.jpg"
        drawing.parent.mkdir(parents=True)
        drawing.touch()
        endpoint = Endpoint(server.url, 5, 0, 0)
        read_page(Task(page, is_twin=True), settings, endpoint)
        endpoint.close()
        assert drawing.exists()
        take_from_aside(batch.output, page.result, [])
        assert not drawing.exists()


@pytest.mark.parametrize(("padding", "times"), [(0, 1), (KEPT_BYTES, 2)])
def test_a_large_file_of_a_store_is_not_held_while_the_model_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, padding: int, times: int
) -> None:
    """It is fetched again when it is needed; the page is the same."""
    fetched: list[Remote] = []
    read_bytes = Remote.read_bytes

    def fetch(place: Remote) -> bytes:
        fetched.append(place)
        return read_bytes(place)

    monkeypatch.setattr(Remote, "read_bytes", fetch)
    with batch_of(tmp_path, 1) as (batch, server):
        (page,) = find_pages(batch.input)
        with (batch.input / page.input).open("ab") as file:
            file.write(bytes(padding))
        settings = settings_for(batch, input=Remote(f"file://{batch.input}"), images=True)
        endpoint = Endpoint(server.url, 5, 0, 0)
        assert read_page(Task(page), settings, endpoint, without_pages).status == "ok"
        endpoint.close()
    assert len(fetched) == times


def test_a_drawing_has_no_twin(tmp_path: Path) -> None:
    with batch_of(tmp_path, 1) as (batch, _):
        (page,) = find_pages(batch.input)
        assert twin_of(Task(page, lacking=Record("a", "a.png", None, "ok"))) is None


@pytest.mark.parametrize("images", [False, True])
def test_a_request_that_the_server_forgot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: bool
) -> None:
    """The page is requested again, and it has one line in the manifest."""
    monkeypatch.setattr("workers.pool.LATE_S", math.inf)
    monkeypatch.setattr("workers.pool.LOOK_S", 0.05)

    def call_it_late() -> None:
        """Call it late when all others are done: on a busy machine any page may be late."""
        wait_until(lambda: len(load(batch.output)) == 7)
        monkeypatch.setattr("workers.pool.LATE_S", 0.0)

    with batch_of(tmp_path, 8) as (batch, server), ThreadPoolExecutor(1) as beside:
        server.script = hang_while(lambda request: request.number == 2)
        late = beside.submit(call_it_late)
        end = run_batch(settings_for(batch, images=images), ProcessPool(4), batch.output, Prices())
        late.result()
        assert end.totals["ok"] == end.totals["run"]["pages"] == 8
        assert len(server.requests) == 9 and server.requests[2].disconnected
        assert not (batch.output / ASIDE).exists()
        records = records_in(batch.output)
        assert len({record["page"] for record in records}) == len(records) == 8
        names = set(files_in(batch.output)) - {"manifest.jsonl", "summary.json", ".lock", ".turns"}
        endings = (".json", ".md", "_nohf.md", *([".jpg"] if images else []))
        expected = {r["page"] + end for r in records for end in endings}
        expected |= {f"{Path(r['page']).parent}/pictures/1.png" for r in records}
        assert names - {".progress.json", ".metrics.prom"} == expected
        for record in records:
            cells = json.loads((batch.output / f"{record['page']}.json").read_text())
            assert len(cells) == record["cells"] > 0


def resident_bytes() -> int:
    """The memory that this process uses now (Linux)."""
    held = int(Path("/proc/self/statm").read_text().split()[1])
    return held * os.sysconf("SC_PAGE_SIZE")


def test_free_memory_goes_back_to_the_system() -> None:
    """glibc keeps free memory that is below a block in use."""
    blocks = [bytes([1]) * 100_000 for _ in range(500)]
    used = resident_bytes()
    del blocks[:-1]
    assert used - resident_bytes() < 20_000_000
    give_memory_back()
    assert used - resident_bytes() > 40_000_000
