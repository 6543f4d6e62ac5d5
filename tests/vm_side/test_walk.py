"""Which files are below a folder: no file is read twice, and none is skipped silently."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from rig import forms
from walk import (
    BEYOND,
    BROKEN,
    HIDDEN,
    NO_ENDING,
    OF_RESULTS,
    RESULTS,
    Found,
    as_on_disk,
    kind_of,
    look_below,
    told,
)


def look(root: Path, results: Path | None = None) -> Found:
    def refuse(folder: str, error: OSError) -> None:
        raise AssertionError(f"{folder}: {error}")

    return look_below(root, refuse, results)


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def files(root: Path) -> list[str]:
    return sorted(look(root).files)


# ---- what counts as what ----


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.docx", ".docx"),
        ("a.DOCX", ".docx"),
        ("a.tar.gz", ".gz"),
        ("a.png~", NO_ENDING),
        ("README", NO_ENDING),
        ("Report of 3.4 2019", NO_ENDING),
        ("a.b c", NO_ENDING),
        ("a.\x1b[31m", NO_ENDING),
        ("a.한글", ".한글"),
        ("a.verylongending", NO_ENDING),
        (".docx", HIDDEN),
        ("a.", NO_ENDING),
        ("Thumbs.db", ".db"),
    ],
)
def test_a_file_that_is_not_read_counts_by_its_ending(name: str, kind: str) -> None:
    assert kind_of(name) == kind


@pytest.mark.parametrize(
    ("not_read", "words"),
    [
        ({}, ""),
        ({HIDDEN: 3}, ""),
        ({".txt": 1, ".docx": 2}, "not read: 2 .docx, 1 .txt"),
        ({".txt": 1200, HIDDEN: 1}, "not read: 1,200 .txt, 1 hidden"),
        ({BEYOND: 1}, "not read: 1 beyond PAGES"),
        (
            {f".{number}": 1 for number in range(10)},
            "not read: 1 .0, 1 .1, 1 .2, 1 .3, 1 .4, 1 .5, 1 .6, 1 .7, 2 of 2 more kinds",
        ),
    ],
)
def test_what_is_not_read_is_one_line(not_read: dict[str, int], words: str) -> None:
    assert told(not_read) == words


def test_all_files_are_pages_or_counted(tmp_path: Path) -> None:
    touch(
        tmp_path, "a.png", "b/c.TIF", "b/notes.txt", ".hidden.png", ".git/x.png", "b/.git/y/z.png"
    )
    os.mkfifo(tmp_path / "pipe.log")
    found = look(tmp_path)
    assert sorted(found.files) == ["a.png", "b/c.TIF"]
    assert found.not_read == {".txt": 1, HIDDEN: 3, ".log": 1}


def test_a_link_to_nothing_is_counted_as_that(tmp_path: Path) -> None:
    """It may be a folder of pages on a disk that is absent now."""
    (tmp_path / "scans 2023").symlink_to("/media/of/nobody")
    (tmp_path / "scans.2024").symlink_to("nowhere")
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "page.png").symlink_to("nowhere")
    found = look(tmp_path)
    assert (found.files, found.not_read) == (["page.png"], {BROKEN: 3})
    assert told(found.not_read) == "not read: 3 link to nothing"


# ---- links ----


def test_a_folder_that_is_a_link_is_followed_once(tmp_path: Path) -> None:
    pages = forms.write_links(tmp_path / "in", tmp_path / "elsewhere")
    assert files(tmp_path / "in") == sorted(name for name, _ in pages)


def test_what_stands_in_the_input_goes_before_what_a_link_leads_to(tmp_path: Path) -> None:
    touch(tmp_path, "z/real/a.png")
    (tmp_path / "a link").symlink_to("z")
    (tmp_path / "b link").symlink_to("z/real")
    assert files(tmp_path) == ["z/real/a.png"]


@pytest.mark.parametrize("target", [".", "..", "../../in", "../b/../b"])
def test_a_link_in_a_circle_ends(tmp_path: Path, target: str) -> None:
    touch(tmp_path, "in/a.png", "in/b/c.png", "beside.png")
    (tmp_path / "in/b/round").symlink_to(target)
    assert files(tmp_path / "in") == ["a.png", "b/c.png"]


def test_a_link_upwards_brings_what_is_above_and_ends(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.png", "beside.png", "other/b.png")
    (tmp_path / "in/up").symlink_to(tmp_path)
    assert files(tmp_path / "in") == ["a.png", "up/beside.png", "up/other/b.png"]


def test_links_to_one_folder_and_through_links(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/a.png", "elsewhere/b/c.png")
    (tmp_path / "in").mkdir()
    (tmp_path / "step").symlink_to("elsewhere")
    for name in ("1", "2", "3"):
        (tmp_path / "in" / name).symlink_to("../step")
    assert files(tmp_path / "in") == ["1/a.png", "1/b/c.png"]


def test_a_link_to_a_file_is_a_file(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.png")
    (tmp_path / "in/b.png").symlink_to("a.png")
    assert files(tmp_path / "in") == ["a.png", "b.png"]


def test_the_results_are_no_input(tmp_path: Path) -> None:
    """Otherwise their drawings would be read as pages the next time."""
    touch(tmp_path, "in/a.png", "out/a/a.jpg", "out/b/b.jpg")
    (tmp_path / "in/last time").symlink_to(tmp_path / "out")
    (tmp_path / "in/part of it").symlink_to(tmp_path / "out/b")
    found = look(tmp_path / "in", tmp_path / "out")
    assert (found.files, found.not_read) == (["a.png"], {RESULTS: 2})
    assert sorted(look(tmp_path / "out", tmp_path).files) == ["a/a.jpg", "b/b.jpg"]


@pytest.mark.parametrize(
    ("results", "names", "are_pages"),
    [
        ("a/a", ("a/pictures/1.png", "a/pictures/12.jpg", "a/a.jpg"), False),
        ("b/a/a", ("b/a/pictures/1.png",), False),
        ("r/r_page_2", ("r/pictures/page_2_1.png", "r/r_page_2.jpg"), False),
        ("a/a", ("a/pictures/page_2_1.png", "a/a.png", "a/b.jpg", "a/pictures/x.png"), True),
        ("a/a", ("b/pictures/1.png", "pictures/1.png", "1.png", "a.jpg"), True),
    ],
)
def test_pictures_of_results_are_no_pages(
    tmp_path: Path, results: str, names: tuple[str, ...], are_pages: bool
) -> None:
    """The input may contain older results, or a part; but a page may have such a name."""
    touch(tmp_path, *names)
    assert files(tmp_path) == sorted(names)
    touch(tmp_path, f"{results}.json")
    assert files(tmp_path) == sorted(names), "a page with something beside it"
    touch(tmp_path, f"{results}.md", f"{results}_nohf.md")
    assert files(tmp_path) == (sorted(names) if are_pages else [])
    assert look(tmp_path).not_read[OF_RESULTS] == (0 if are_pages else len(names))


# ---- names ----


def test_a_path_is_found_in_either_form_of_unicode(tmp_path: Path) -> None:
    apart, together = unicodedata.normalize("NFD", "회의록"), "회의록"
    touch(tmp_path, f"{apart}/é.png")
    assert as_on_disk(tmp_path / together / "é.png") == tmp_path / apart / "é.png"
    assert as_on_disk(tmp_path / "없음" / "a.png") == tmp_path / "없음" / "a.png"
    touch(tmp_path, f"{together}/a.png")  # now both exist
    assert as_on_disk(tmp_path / together) == tmp_path / together
    assert as_on_disk(tmp_path / apart) == tmp_path / apart
