"""A person's corrections in OUTPUT stay, or are kept beside the new reading."""

import json
from typing import Any

import pytest

from lib.results import read_lines
from rig.command import records_in
from rig.desk import Desk, page


def statuses(desk: Desk) -> dict[str, str]:
    return {entry["input"]: entry["status"] for entry in records_in(desk.output)}


def test_a_correction_by_hand_stays(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Also when other pages come, and when the same page is read again with the same text."""
    desk.reads(page("a.png"))
    desk.brings()
    (desk.output / "a/a.md").write_text("corrected")
    desk.brings()
    a = json.loads((desk.result / "manifest.jsonl").read_text())
    desk.reads(a, page("b.png"))
    desk.brings()
    assert (desk.md("a/a"), desk.md("b/b")) == ("corrected", "read")
    desk.reads(page("a.png"), page("b.png"))
    desk.brings()
    assert (desk.md("a/a"), desk.old(), capsys.readouterr().err) == ("corrected", {}, "")


def test_a_corrected_page_stays(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """In all cases: the same line again, another page beside it, and a reading by a new machine."""
    desk.reads(page("a.png"))
    desk.brings()
    desk.corrects("a/a", "by a person")
    line_of_a = (desk.output / "manifest.jsonl").read_text()
    for again in (page("a.png", finished_at=1.0), page("a.png"), page("a.png", status="failed")):
        desk.reads(again, page("b.png"), text="read anew")
        desk.brings()
        assert (desk.md("a/a"), desk.md("b/b")) == ("by a person", "read anew")
        assert statuses(desk) == {"a.png": "corrected", "b.png": "ok"}
        assert (desk.output / "manifest.jsonl").read_text().startswith(line_of_a)
    assert (desk.old(), capsys.readouterr().err) == ({}, "")


@pytest.mark.parametrize(
    "more",
    [{"forced": True}, {"sha256": "2"}, {"model": "dots.mocr"}],
    ids=lambda more: next(iter(more)),
)
@pytest.mark.parametrize("text", ["read", "read anew"])
def test_a_corrected_page_that_is_read_otherwise_is_kept_beside(
    desk: Desk, capsys: pytest.CaptureFixture[str], more: dict[str, Any], text: str
) -> None:
    """All of its files are kept and reported, also if the new reading equals the first one."""
    desk.reads(page("a.png"), page("b.png"))
    desk.brings()
    desk.corrects("a/a", "by a person")
    desk.reads(page("a.png") | more, page("b.png"), text=text)
    desk.brings()
    assert (desk.md("a/a"), statuses(desk)["a.png"]) == (text, "ok")
    assert set(desk.old()) == {"a/a.json.old", "a/a.md.old", "a/a_nohf.md.old"}
    assert desk.old()["a/a.md.old"] == "by a person"
    assert "kept next to what is new: a/a.json.old and 2 more" in capsys.readouterr().err
    desk.corrects("a/a", "by a person again")
    desk.brings()
    assert (desk.md("a/a"), statuses(desk)["a.png"]) == ("by a person again", "corrected")


@pytest.mark.parametrize("torn", [None, "", "[{"])
def test_a_corrected_page_whose_files_are_gone_comes_as_it_was_read(
    desk: Desk, torn: str | None
) -> None:
    """In this way a user can take a correction back."""
    desk.reads(page("a.png"))
    desk.brings()
    desk.corrects("a/a", "by a person")
    if torn is None:
        (desk.output / "a/a.json").unlink()
    else:
        (desk.output / "a/a.json").write_text(torn)
    desk.brings()
    assert (desk.md("a/a"), statuses(desk)) == ("read", {"a.png": "ok"})
    assert desk.old()["a/a.md.old"] == "by a person"


def test_a_summary_counts_what_is_corrected(desk: Desk) -> None:
    desk.reads(page("a.png"), page("b.png"))
    (desk.result / "summary.json").write_text(json.dumps({"pages": 2, "ok": 2, "doubts": {}}))
    desk.brings()
    desk.corrects("a/a", "by a person")
    desk.brings()
    found = json.loads((desk.output / "summary.json").read_text())
    assert (found["ok"], found["corrected"]) == (1, 1)


def test_a_correction_of_an_output_without_a_record_stays(desk: Desk) -> None:
    """An earlier version wrote such an OUTPUT."""
    desk.reads(page("a.png"))
    desk.brings()
    manifest = desk.output / "manifest.jsonl"
    manifest.write_text("".join(one.said + "\n" for one in read_lines(manifest.read_text())))
    (desk.output / "a/a.md").write_text("corrected")
    a = json.loads((desk.result / "manifest.jsonl").read_text())
    desk.reads(a, page("b.png"))
    desk.brings()
    assert (desk.md("a/a"), desk.old()) == ("corrected", {})


def test_a_correction_is_kept_beside_what_was_read_anew(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """A message says so. Files that nobody changed are replaced silently."""
    desk.reads(page("a.png"), page("b.png"))
    desk.brings()
    for number in (1, 2, 3):
        (desk.output / "a/a.md").write_text(f"corrected {min(number, 2)}")
        desk.reads(page("a.png"), page("b.png"), text=f"read {number}")
        desk.brings()
        assert "kept next to what is new: a/a.md.old" in capsys.readouterr().err
    assert desk.old() == {"a/a.md.old": "corrected 1", "a/a.md.old2": "corrected 2"}
    assert desk.md("a/a") == desk.md("b/b") == "read 3"
    desk.reads(page("a.png"), page("b.png"), text="read 4")
    desk.brings()
    assert (desk.md("a/a"), len(desk.old()), capsys.readouterr().err) == ("read 4", 2, "")
