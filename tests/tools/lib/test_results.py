"""The manifest on its way home."""

import json
from typing import Any

import pytest

from contract import STATUSES
from lib import results
from lib.console import Failure
from lib.results import Line, of_inputs, read_lines
from results import manifest as manifest_of_the_machine
from rig.toolkit import line


def lines(*entries: object) -> list[Line]:
    return read_lines("".join(json.dumps(entry) + "\n" for entry in entries))


def test_reads_what_the_machine_writes() -> None:
    record = manifest_of_the_machine.Record("한글/a/a", "한글/a.pdf", 2, "ok")
    assert read_lines(record.line()) == [
        Line(record.line().rstrip("\n"), "한글/a/a", "한글/a.pdf", 2, "ok")
    ]


def test_the_last_line_of_a_page_counts() -> None:
    found = lines(line("a", "a.png", "failed"), line("b", "b.png"), line("a", "a.png"))
    assert [(entry.input, entry.status) for entry in found] == [("a.png", "ok"), ("b.png", "ok")]


@pytest.mark.parametrize(
    "entry",
    [
        *({}, [], 7, None, "page", {"page": "a"}),
        {**line("a"), "page": 7},
        {**line("a"), "page": None},
        {**line("a"), "input": ["a.png"]},
        {**line("a"), "pdf_page": [0]},
    ],
)
def test_what_is_no_line_is_left_out(entry: object) -> None:
    assert [found.page for found in lines(entry, line("b"))] == ["b"]


def test_a_torn_line_is_left_out() -> None:
    text = json.dumps(line("a"))
    assert [found.page for found in read_lines(f"{text}\n{text[:-9]}")] == ["a"]
    assert read_lines("") == []


@pytest.mark.parametrize(
    "page", ["/etc/cron.d/a", "../a", "a/../../b", "a/..", "..", ".", "", "//a", "a\0b"]
)
def test_a_path_that_leads_out_is_refused(page: str) -> None:
    with pytest.raises(Failure, match="outside of the results"):
        lines(line("good"), line(page, "a.png"))


@pytest.mark.parametrize("page", ["a", "a/b", "..a/b", "a..", "~/a", "-rf", "C:\\a", "한글/스캔 1"])
def test_a_strange_path_that_stays_inside_is_none(page: str) -> None:
    assert [found.page for found in lines(line(page, "a.png"))] == [page]


@pytest.mark.parametrize("status", STATUSES)
def test_a_page_that_is_done_has_files(status: str) -> None:
    (found,) = lines(line("a/a", "a.png", status))
    done = status in ("ok", "repaired", "partial", "doubtful", "blank", "corrected")
    assert found.files(images=False) == (["a/a.json", "a/a.md", "a/a_nohf.md"] if done else [])
    is_drawn = done and status != "corrected"
    assert ("a/a.jpg" in found.files(images=True)) is is_drawn


def test_its_pictures_are_files_of_a_page() -> None:
    """Only possible names, because a line may come from a hostile machine."""
    names = ["page_0_10.png", "page_0_2.jpg", "page_1_1.png", "../x.png", "1.png", 7]
    facts: dict[str, Any] = {"pdf_page": 0, "pictures": names}
    (found,) = lines(line("a/a_page_0", "a.pdf", **facts))
    pictures = ["a/pictures/page_0_2.jpg", "a/pictures/page_0_10.png"]
    assert found.files(images=False)[0] == "a/a_page_0.json"
    assert found.files(images=False)[3:] == pictures
    (failed,) = lines(line("a/a_page_0", "a.pdf", "failed", **facts))
    assert failed.files(images=True) == []
    for odd in (None, "1.png", {"1.png": "1.png"}, 3):
        (found,) = lines(line("a/a", "a.png", pictures=odd))
        assert len(found.files(images=False)) == 3


def test_the_lines_of_an_input() -> None:
    found = lines(
        line("a", "a.png"), line("b", "b.pdf", pdf_page=0), line("c", "b.pdf", pdf_page=1)
    )
    assert [entry.page for entry in of_inputs(found, {"b.pdf"})] == ["b", "c"]
    assert of_inputs(found, set()) == []
    assert of_inputs(found, None) == found


def test_merging_keeps_other_pages_and_replaces_the_same() -> None:
    ours = lines(line("a", "a.png", "failed"), line("b", "b.png", cells=1))
    theirs = lines(line("c", "c.png"), line("a", "a.png"))
    merged = results.together(ours, theirs)
    assert [(found.page, found.status) for found in merged] == [
        ("c", "ok"),
        ("a", "ok"),
        ("b", "ok"),
    ]
    assert json.loads(merged[-1].text)["cells"] == 1  # fields that we do not know stay, too
    assert read_lines(results.text_of(merged)) == merged


def test_of_two_files_that_had_the_same_results_the_later_keeps_them() -> None:
    """page1.png in one input, page1.jpg in the next: the text in OUTPUT is the second's."""
    ours = read_lines("\n".join(json.dumps(line("page1/page1", name)) for name in ("page1.png",)))
    theirs = read_lines(json.dumps(line("page1/page1", "page1.jpg")))
    assert [found.input for found in results.together(ours, theirs)] == ["page1.jpg"]


@pytest.mark.parametrize(
    ("old", "kept"),
    [
        (line("a/a", "a.pdf", "failed", sha256="now"), False),  # it could not be counted then
        (line("a/a_page_2", "a.pdf", pdf_page=2, sha256="now"), True),  # this trial did not read it
        (line("a/a_page_2", "a.pdf", pdf_page=2, sha256="before"), False),
        (line("a/a_page_3", "a.pdf", pdf_page=3, sha256="now"), False),  # the file has no such page
        (line("b/b", "b.pdf", "failed"), True),
    ],
)
def test_a_line_of_a_page_that_its_file_no_longer_has_goes(old: object, kept: bool) -> None:
    now: dict[str, Any] = {"sha256": "now", "pdf_pages": 3}
    theirs = lines(*(line(f"a/a_page_{n}", "a.pdf", pdf_page=n, **now) for n in range(2)))
    found = results.together(lines(old), theirs)
    assert len(found) == 2 + kept


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ({}, {".docx": 2}),
        ({"not_read": {}}, {".docx": 2}),
        ({"not_read": {".txt": 7}}, {".docx": 2}),
        ({"not_read": {"beyond PAGES": 3}}, {".docx": 2, "beyond PAGES": 3}),
        ({"not_read": "nonsense"}, {".docx": 2}),
    ],
)
def test_a_summary_says_what_is_not_read(
    theirs: dict[str, object], expected: dict[str, int]
) -> None:
    summary = json.dumps({"pages": 1, **theirs})
    found = results.with_not_read(summary, {".docx": 2})
    assert json.loads(found) == {"pages": 1, "not_read": expected}
    assert results.with_not_read(found, {".docx": 2}) == found


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "[" * 100_000, "7"])
def test_what_is_no_summary_is_left_as_it_is(text: str) -> None:
    assert results.with_not_read(text, {".docx": 2}) == text


def test_what_came_is_added_to_a_line_and_taken_off_again() -> None:
    """This works with any content that the machine itself has put there."""
    for more in ({}, {"brought": {".md": "theirs"}}, {"reason": 'a, "brought": {'}):
        (theirs,) = lines({**line("a", "a.png"), **more, "cells": 1})
        ours = theirs.with_brought({".md": "1", "of": "2"})
        (again,) = read_lines(ours.text)
        assert (again.brought, again.said) == ({".md": "1", "of": "2"}, theirs.text)
        assert again.page == "a" and json.loads(again.text)["cells"] == 1


def test_of_two_inputs_that_had_the_same_results_the_later_counts() -> None:
    """As on the machine; but an input whose results have another name now does not count."""
    jpg = line("a/a", "a.jpg")
    assert [one.input for one in lines(line("a/a", "a.png"), jpg)] == ["a.jpg"]
    moved = (line("a/a", "a.png"), line("a.png/a.png", "a.png"), jpg, line("a/a", "b", "failed"))
    assert [one.input for one in lines(*moved)] == ["a.png", "a.jpg", "b"]
