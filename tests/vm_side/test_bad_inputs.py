"""Bad inputs beside good ones: each is a failed page with its reason, all others are done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rig import pages
from rig.command import Batch, batch_of, without_roots_rights
from rig.model_server import ModelServer

REASONS = {
    "empty": "the file is empty",
    "truncated_png": "damaged picture",
    "truncated_jpeg": "damaged picture",
    "text": "no picture: text",
    "bomb": "178,956,970 pixels",
    "strip": "longer than 200:1",
    "encrypted_pdf": "the PDF wants a password",
    "truncated_pdf": "damaged",
    "unreadable": "Permission denied",
    "long_name": "bytes too long for its results",
    "newline_name": "the name has a line break",
    "dangling_link": "No such file or directory",
}
GOOD = ("one_pixel", "animated")

pytestmark = pytest.mark.usefixtures("either")


@pytest.fixture
def odd_names(tmp_path: Path) -> dict[str, str]:
    """Bad inputs and two good ones: file name by kind."""
    source = tmp_path / "in"
    source.mkdir()
    made = {slug: pages.BAD[slug](source) for slug in REASONS}
    made |= {slug: pages.ODD_GOOD[slug](source) for slug in GOOD}
    return {slug: path.name for slug, path in made.items()}


def test_bad_inputs_fail_alone_and_only_they_are_tried_again(
    tmp_path: Path, odd_names: dict[str, str]
) -> None:
    with batch_of(tmp_path, 6) as (batch, server):
        first = batch.run(prefix=without_roots_rights())
        assert first.code == 3 and first.out == ""
        failed = {r["input"]: r["reason"] for r in batch.records if r["status"] == "failed"}
        assert failed.keys() == {odd_names[slug] for slug in REASONS}
        for slug, reason in REASONS.items():
            assert reason in failed[odd_names[slug]], slug
        done = {name for name, status in batch.statuses().items() if status in ("ok", "blank")}
        assert done >= {odd_names[slug] for slug in GOOD} and len(done) == 6 + len(GOOD)

        said = first.err.splitlines()  # a line for each failure, and the count
        assert len(said) == len(REASONS) + 1 and "12 failed" in said[-1]
        assert sum(line.startswith("failed: ") for line in said) == len(REASONS)
        assert batch.summary["failures"].keys() == set(failed.values())
        asked = len(server.requests)
        assert asked == 7  # six pages and the animation; a page of one even colour is not sent

        second = batch.run(prefix=without_roots_rights())
        assert second.code == 3 and len(server.requests) == asked
        assert batch.summary["run"]["pages"] == batch.summary["run"]["failed"] == len(REASONS)

        (batch.input / odd_names["unreadable"]).chmod(0o600)
        pages.article(20, seed=99).save(batch.input / odd_names["text"])
        third = batch.run(prefix=without_roots_rights())
        assert third.code == 3 and len(server.requests) == asked + 2
        assert batch.statuses()[odd_names["text"]] == "ok"


def test_a_folder_named_like_a_page_is_a_folder(tmp_path: Path) -> None:
    with batch_of(tmp_path, 1) as (batch, _):
        pages.article(20).save(pages.folder_named_png(batch.input) / "inside.png")
        assert batch.run_here().code == 0
        assert batch.statuses()["folder.png/inside.png"] == "ok"


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    with batch_of(tmp_path, 1) as (batch, _):
        name = os.fsencode(batch.input) + b"/\xff.png"
        Path(os.fsdecode(name)).write_bytes(b"")
        finished = batch.run_here("--json")
        assert finished.code == 3 and "Traceback" not in finished.err
        assert sorted(batch.statuses().values()) == ["failed", "ok"]
        assert batch.run_here().code == 3


def test_a_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    with batch_of(tmp_path, 2) as (batch, server):
        closed = batch.input / "closed"
        closed.mkdir(mode=0o000)
        finished = batch.run(prefix=without_roots_rights())
        closed.chmod(0o700)
        assert finished.code == 3 and len(server.requests) == 2
        (record,) = [r for r in batch.records if r["status"] == "failed"]
        assert record["input"] == "closed/" and "cannot be listed" in record["reason"]


def test_results_that_cannot_be_written_fail_their_page(tmp_path: Path) -> None:
    with batch_of(tmp_path, 2) as (batch, _):
        batch.output.mkdir()
        (batch.output / "200dpi").touch()  # a file in the place of page1's folder
        finished = batch.run_here()
        assert finished.code == 3 and "Traceback" not in finished.err
        (record,) = [r for r in batch.records if r["status"] == "failed"]
        assert record["input"] == "200dpi/page1.png"
        assert "exists" in record["reason"] or "Not a directory" in record["reason"]


def test_a_pdf_is_as_many_pages_as_it_has(tmp_path: Path) -> None:
    with ModelServer() as server:
        batch = Batch(tmp_path, server.url)
        batch.input.mkdir()
        pages.pdf(batch.input / "report.pdf", pages=2)
        assert batch.run_here(environment={"MAX_PIXELS": "50000"}).code == 0
        assert [(r["page"], r["pdf_page"]) for r in batch.records] == [
            ("report/report_page_0", 0),
            ("report/report_page_1", 1),
        ]
        assert (batch.output / "report/report_page_1.json").is_file()
        assert len(server.requests) == 2
