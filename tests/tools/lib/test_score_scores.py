"""All pages that have a truth: those that could not be read or scored are named."""

import json
import multiprocessing
from pathlib import Path

import pytest

from lib.pages.entries import read_entries
from lib.score import scores
from lib.score.figures import PAGE
from lib.score.scores import Scored, ToRead, ToScore, score_all
from rig.result_sets import ResultSet, cell

CELLS = [cell("Text", "abcd", (80, 60, 700, 160))]


def write(folder: Path) -> Path:
    """Write the results of some pages, and the same as their truth."""
    results = ResultSet(folder / "out")
    (folder / "truth").mkdir()
    for name in "abc":
        results.add(f"{name}.png", CELLS)
        (folder / f"truth/{name}.json").write_text(json.dumps(CELLS))
    return results.finish()


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the workers, so that they know what a test has patched; Python 3.14 would not fork."""
    monkeypatch.setattr(multiprocessing, "Process", multiprocessing.get_context("fork").Process)


@pytest.mark.usefixtures("forked")
def test_a_page_that_cannot_be_scored_is_named_and_the_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = scores.score_some

    def killed_by_b(job: ToScore) -> list[Scored]:
        if any(truth.page == "b" for truth, _ in job.pages):
            raise MemoryError
        return sound(job)

    monkeypatch.setattr(scores, "score_some", killed_by_b)
    output = write(tmp_path)
    found = score_all(output, read_entries(output), tmp_path / "truth")
    assert [(page.page, page.score.not_computed) for page in found.pages] == [
        ("b/b", (PAGE,)),
        ("a/a", ()),
        ("c/c", ()),
    ]
    assert (found.total.pages, found.total.characters.of) == (3, 8)
    assert "score: needs more than 4,096 MiB of memory; left out: b/b" in capsys.readouterr().err


@pytest.mark.usefixtures("forked")
def test_a_truth_that_cannot_be_read_in_time_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = scores.read_some

    def killed_by_b(job: ToRead) -> object:
        if "b.json" in job.names:
            raise MemoryError
        return sound(job)

    monkeypatch.setattr(scores, "read_some", killed_by_b)
    output = write(tmp_path)
    found = score_all(output, read_entries(output), tmp_path / "truth")
    assert found.no_truth == [("b.json", "it cannot be read in time")]
    assert ([page.page for page in found.pages], found.without_truth) == (["a/a", "c/c"], 1)


def test_pages_that_are_not_there_are_each_one_page(tmp_path: Path) -> None:
    """Also two pages with the same name."""
    output = write(tmp_path)
    layout = [{"category_type": "text_block", "poly": [0, 0, 9, 0, 9, 9, 0, 9], "order": 1}]
    page = {"layout_dets": layout, "page_info": {"image_path": "absent.png"}}
    pages = [{**page, "layout_dets": [{**layout[0], "text": "x" * n}]} for n in (1, 2)]
    (tmp_path / "truth/all.json").write_text(json.dumps(pages))
    found = score_all(output, read_entries(output), tmp_path / "truth")
    assert [(p.page, p.folder, p.score.characters.errors) for p in found.pages[:2]] == [
        ("absent", None, 1),
        ("absent", None, 2),
    ]
    assert found.total.characters.errors == 3
