"""Pages that would block a batch: they fail with a reason, others are read, the batch ends."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from alike import MOST_ALIKE
from rig import hostages
from rig.command import Batch, batch_of, wait_until
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.replies import Reply

TOO_LONG = "took longer than 1 s to draw"
LITTLE_TIME = {"PAGE_TIMEOUT": "1"}


def of(batch: Batch, name: str) -> list[tuple[str, str]]:
    """(status, reason) of each page of a file."""
    return [(r["status"], r["reason"]) for r in batch.records if r["input"] == name]


def good_ones(batch: Batch) -> list[str]:
    return [r["input"] for r in batch.records if r["status"] == "ok"]


@pytest.mark.usefixtures("either")
def test_a_wrong_number_of_pages_is_one_failed_page(tmp_path: Path) -> None:
    with batch_of(tmp_path, 1) as (batch, _):
        hostages.says_it_has(batch.input / "count.pdf", 2_000_000_000)
        hostages.says_it_has_objects(batch.input / "million.pdf", 1_000_000)
        finished = batch.run_here()
        assert finished.code == 3 and "Traceback" not in finished.err
        ((status, reason),) = of(batch, "count.pdf")
        assert status == "failed" and "cannot be counted" in reason
        assert [status for status, _ in of(batch, "million.pdf")] == ["ok", "failed"]
        assert len(good_ones(batch)) == 2


def test_two_pages_that_are_never_drawn_beside_forty_good_ones(tmp_path: Path) -> None:
    """They are large, so they come first, and each occupies a core until its time is over."""
    with batch_of(tmp_path, 40) as (batch, _):
        hostages.never_drawn(batch.input / "forms.pdf", padding=500_000)
        hostages.tiled_for_ever(batch.input / "tiles.pdf")
        finished = batch.run_here(environment=LITTLE_TIME)
        assert finished.code == 3 and len(good_ones(batch)) == 40
        assert of(batch, "forms.pdf") == of(batch, "tiles.pdf") == [("failed", TOO_LONG)]
        assert finished.err.count(TOO_LONG) == 2


@pytest.mark.usefixtures("either")
def test_a_page_that_is_never_drawn(tmp_path: Path) -> None:
    """Also on a node, where other threads continue to read."""
    with batch_of(tmp_path, 6) as (batch, _):
        hostages.never_drawn(batch.input / "forms.pdf")
        assert batch.run_here(environment=LITTLE_TIME).code == 3
        assert of(batch, "forms.pdf") == [("failed", TOO_LONG)]
        assert len(good_ones(batch)) == 6


def test_a_jpeg_of_very_many_scans(tmp_path: Path) -> None:
    with batch_of(tmp_path, 2) as (batch, _):
        hostages.slow_jpeg(batch.input / "scans.jpg", 8000, 400)
        assert batch.run_here(environment=LITTLE_TIME).code == 3
        assert of(batch, "scans.jpg") == [("failed", TOO_LONG)]


def little_memory() -> None:
    """Runs before the command: its workers get at most half a GiB."""
    resource.setrlimit(resource.RLIMIT_DATA, (1 << 29, 1 << 29))


def test_a_page_that_wants_too_much_memory(tmp_path: Path) -> None:
    with batch_of(tmp_path, 4) as (batch, _):
        hostages.groups(batch.input / "groups.pdf")
        finished = batch.run(preexec_fn=little_memory)
        assert finished.code == 3 and len(good_ones(batch)) == 4
        ((status, reason),) = of(batch, "groups.pdf")
        assert status == "failed" and reason.endswith("MiB of memory")


@pytest.mark.usefixtures("either")
def test_pages_that_fail_alike_are_given_up(tmp_path: Path) -> None:
    with batch_of(tmp_path, 2) as (batch, _):
        hostages.damaged_pages(batch.input / "book.pdf", 300)
        first = batch.run_here()
        assert first.code == 3 and len(good_ones(batch)) == 2
        told = of(batch, "book.pdf")
        assert MOST_ALIKE < len(told) < MOST_ALIKE + 8
        assert (
            sum(reason.endswith(": not tried, as the ones before failed") for _, reason in told)
            == 1
        )
        assert first.err.count("failed: book.pdf") == len(told)
        assert batch.run_here().code == 3 and len(of(batch, "book.pdf")) <= len(told) + 4


def test_pipes_and_devices_are_told_and_not_opened(tmp_path: Path) -> None:
    with batch_of(tmp_path, 1) as (batch, _):
        os.mkfifo(batch.input / "pipe.png")
        os.mkfifo(batch.input / "pipe.pdf")
        (batch.input / "zero.png").symlink_to("/dev/zero")
        assert batch.run_here().code == 3
        for name in ("pipe.png", "pipe.pdf", "zero.png"):
            ((status, reason),) = of(batch, name)
            assert status == "failed" and reason.startswith("not a regular file")


def resident_mib(pid: int) -> int:
    held = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return held * os.sysconf("SC_PAGE_SIZE") >> 20


@pytest.fixture
def held() -> Iterator[ModelServer]:
    """A server that does not answer."""

    def hang(request: Request) -> Reply:
        return Reply(fault="hang")

    with ModelServer() as server:
        server.script = hang
        yield server


def test_a_page_that_waits_holds_no_large_picture(tmp_path: Path, held: ModelServer) -> None:
    batch = Batch(tmp_path, held.url)
    batch.input.mkdir()
    for number in range(2):
        hostages.large_png(batch.input / f"{number}.png", 6000)  # 137 MiB when decoded
    with batch.start() as running:
        wait_until(lambda: len(held.requests) == 2)
        wait_until(lambda: all(resident_mib(pid) < 150 for pid in running.workers()))


@pytest.mark.parametrize("images", ["0", "1"])
def test_a_large_page_is_opened_again_for_what_needs_it(tmp_path: Path, images: str) -> None:
    """Its pictures and its drawing are the same as those of a page that was kept in memory."""
    with batch_of(tmp_path, 0) as (batch, _):
        hostages.large_png(batch.input / "a.png", 4200)
        assert batch.run_here(environment={"IMAGES": images}).code == 0
        cells = json.loads((batch.output / "a" / "a.json").read_bytes())
        box = next(cell["bbox"] for cell in cells if cell["category"] == "Picture")
        with Image.open(batch.input / "a.png") as page:
            part = page.crop(box).convert("RGB")
        with Image.open(batch.output / "a" / "pictures" / "1.png") as figure:
            assert figure.convert("RGB").tobytes() == part.tobytes()
        assert (batch.output / "a" / "a.jpg").exists() is (images == "1")
