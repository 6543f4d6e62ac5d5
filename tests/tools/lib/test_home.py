"""Bringing results into OUTPUT: one truth there, and nothing of the user's is lost."""

import json
from typing import Any

import pytest

from lib.standing import Fate, fate
from rig.command import records_in
from rig.desk import Desk, page, pdf
from rig.toolkit import files_below, line

OWN = {"manifest.jsonl"}


@pytest.mark.parametrize(
    ("comes", "stands", "brought", "is_of_another", "expected"),
    [
        ("new", "new", "", False, Fate.REPLACED),
        ("new", "old", "old", False, Fate.REPLACED),
        ("new", "old", "old", True, Fate.KEPT_BESIDE),
        ("new", "changed", "old", False, Fate.KEPT_BESIDE),
        ("new", "changed", "", False, Fate.KEPT_BESIDE),  # nobody knows who wrote it
        ("old", "changed", "old", False, Fate.STAYS),
        ("old", "changed", "old", True, Fate.STAYS),
    ],
)
def test_what_becomes_of_a_file(
    comes: str, stands: str, brought: str, is_of_another: bool, expected: Fate
) -> None:
    assert fate(comes, stands, brought, is_of_another) is expected


def test_results_of_another_input_of_that_name(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """page1.png, then page1.jpg; then another page1.jpg from another folder."""
    desk.reads(page("page1.png", "1"), text="of the first")
    desk.brings()
    desk.reads(page("page1.jpg", "2"), text="of the second")
    desk.brings()
    assert desk.inputs == [("page1.jpg", None)]
    desk.reads(page("page1.jpg", "3"), text="of the third")
    desk.brings()
    assert desk.inputs == [("page1.jpg", None)]
    assert desk.md("page1/page1") == "of the third"
    assert desk.old()["page1/page1.md.old"] == "of the first"
    assert desk.old()["page1/page1.md.old2"] == "of the second"
    assert capsys.readouterr().err.count("kept next to what is new: page1/page1.json.old") == 2


def test_what_failed_takes_no_results_from_another(desk: Desk) -> None:
    """The text in OUTPUT is still that of the first page."""
    desk.reads(page("page1.png", "1"))
    desk.brings()
    desk.reads(page("page1.jpg", "2", status="failed"))
    desk.brings()
    assert (set(desk.inputs), desk.md("page1/page1")) == (
        {("page1.jpg", None), ("page1.png", None)},
        "read",
    )


def test_pages_that_a_file_no_longer_has_go(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.reads(*pdf(4, "1"))
    desk.brings()
    desk.reads(*pdf(2, "2"), text="shorter")
    desk.brings()
    assert desk.inputs == [("r.pdf", 0), ("r.pdf", 1)]
    assert not (desk.output / "r/r_page_2.json").exists()
    assert desk.old()["r/r_page_3.md.old"] == "read"
    assert "kept next to what is new" in capsys.readouterr().err
    standing = {name for name in files_below(desk.output) if ".old" not in name} - OWN
    assert standing == {
        f"r/r_page_{i}{ending}" for i in (0, 1) for ending in (".json", ".md", "_nohf.md")
    }


def test_a_page_whose_new_results_are_torn_is_what_it_was(desk: Desk) -> None:
    """Its file has changed, but still has this page."""
    desk.reads(*pdf(2, "1"))
    desk.brings()
    desk.reads(*pdf(2, "2"), text="anew")
    (desk.result / "r/r_page_0.json").write_text("[{")
    desk.brings(failed=3)
    assert {(r["pdf_page"], r["sha256"]) for r in records_in(desk.output)} == {(0, "1"), (1, "2")}
    assert (desk.md("r/r_page_0"), desk.md("r/r_page_1")) == ("read", "anew")


def test_a_file_that_could_not_be_opened_and_now_can(desk: Desk) -> None:
    """It counted as one page then. In the other direction its pages stay, as nothing was read."""
    desk.reads(line("r/r", "r.pdf", "failed", sha256=""))
    desk.brings()
    desk.reads(*pdf(2, "1"))
    desk.brings()
    assert desk.inputs == [("r.pdf", 0), ("r.pdf", 1)]
    desk.reads(line("r/r", "r.pdf", "failed", sha256=""))
    desk.brings()
    assert desk.inputs == [("r.pdf", None), ("r.pdf", 0), ("r.pdf", 1)]
    assert desk.old() == {}


def test_a_file_whose_results_bear_another_name_now(desk: Desk) -> None:
    """For example, a.png, which now has an a.jpg beside it: both keep their ending."""
    desk.reads(page("a.png"))
    desk.brings()
    desk.reads(line("a.png/a.png", "a.png", sha256="1"), line("a.jpg/a.jpg", "a.jpg", sha256="2"))
    desk.brings()
    assert not (desk.output / "a/a.md").exists()
    assert (desk.output / "a/a.md.old").is_file()


def test_a_page_that_was_not_reached_is_what_it_was(desk: Desk) -> None:
    """A new machine was interrupted. What was read elsewhere is still good."""
    desk.reads(page("a.png"), page("b.png"))
    desk.brings()
    desk.reads(page("a.png", status="left", sha256=""), page("c.png", status="left", sha256=""))
    desk.brings()
    statuses = {entry["input"]: entry["status"] for entry in records_in(desk.output)}
    assert statuses == {"a.png": "ok", "b.png": "ok", "c.png": "left"}


@pytest.mark.parametrize("text", ["", "[{", "\x00\x00\x00\x00", "null", "{}", "[" * 100_000])
def test_a_json_that_is_none_replaces_nothing(desk: Desk, text: str) -> None:
    """A power cut on the machine can leave such a file; its Markdown is empty then, too."""
    desk.reads(page("a.png", "1"), text="good")
    desk.brings()
    for again in (False, True):
        desk.reads(page("a.png", "2"), text="" if text == "" else "torn")
        (desk.result / "a/a.json").write_text(text)
        desk.brings(failed=3)
        assert (desk.md("a/a"), desk.old(), again) == ("good", {}, again)
        assert json.loads((desk.output / "a/a.json").read_text()) == [{"text": "good"}]
    assert [entry["sha256"] for entry in records_in(desk.output)] == ["1"]


def test_a_json_that_is_none_does_not_come_where_nothing_stands_either(desk: Desk) -> None:
    desk.reads(page("a.png"), page("b.png"))
    (desk.result / "a/a.json").write_text("")
    desk.brings(failed=3)
    assert desk.inputs == [("b.png", None)]
    assert not [name for name in files_below(desk.output) if name.startswith("a/")]


def test_an_empty_file_does_not_take_a_full_one_s_place(desk: Desk) -> None:
    """It may be right for a page with only headers. So both are kept."""
    desk.reads(page("a.png"), text="good")
    desk.brings()
    desk.reads(page("a.png"), text="new")
    (desk.result / "a/a.md").write_text("")
    desk.brings()
    assert (desk.md("a/a"), desk.old()) == ("", {"a/a.md.old": "good"})


def test_what_is_damaged_or_gone_at_home_comes_again(desk: Desk) -> None:
    desk.reads(page("a.png"))
    desk.brings()
    (desk.output / "a/a.json").write_text("")
    (desk.output / "a/a.md").unlink()
    desk.brings()
    assert json.loads((desk.output / "a/a.json").read_text()) == [{"text": "read"}]
    assert (desk.md("a/a"), desk.old()) == ("read", {})


def test_a_torn_json_at_home_is_kept_beside_and_comes_again(desk: Desk) -> None:
    desk.reads(page("a.png"))
    desk.brings()
    (desk.output / "a/a.json").write_text("[{")
    desk.brings()
    assert json.loads((desk.output / "a/a.json").read_text()) == [{"text": "read"}]
    assert desk.old() == {"a/a.json.old": "[{"}


def test_a_page_that_failed_meanwhile(desk: Desk) -> None:
    """The record before the failure is still known: it is ours, or of another content."""
    for content, kept in (("1", 0), ("2", 3)):
        desk.reads(page("a.png", "1"), text="good")
        desk.brings()
        desk.reads(page("a.png", content, status="failed"))
        desk.brings()
        desk.reads(page("a.png", content), text=f"read of {content}")
        desk.brings()
        assert (desk.md("a/a"), len(desk.old())) == (f"read of {content}", kept)


@pytest.mark.parametrize("brought", [7, None, [], {".md": 7}, {"of": []}, {".md": "0", "of": "2"}])
def test_a_line_whose_record_somebody_mangled(desk: Desk, brought: Any) -> None:
    desk.reads(page("a.png", brought=brought))
    desk.brings()
    desk.reads(page("a.png"), text="anew")
    desk.brings()
    assert (desk.md("a/a"), desk.old()) == ("anew", {})
    (entry,) = records_in(desk.output)
    assert set(entry["brought"]) == {"of", ".json", ".md", "_nohf.md"}
