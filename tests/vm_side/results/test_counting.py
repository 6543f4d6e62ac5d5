"""How many pages a PDF has, whatever it says."""

from __future__ import annotations

import os
from pathlib import Path

import pymupdf
import pytest

from results.counting import Counted, count_pages
from results.pages import Page, find_pages
from rig import hostages, pages


def test_the_pages_of_a_good_pdf(tmp_path: Path) -> None:
    assert count_pages(pages.pdf(tmp_path / "a.pdf", pages=3)) == Counted(3, 3)


@pytest.mark.parametrize("count", [7, 2_000_000_000, -5])
def test_a_number_that_is_none_is_a_fault_of_the_file(tmp_path: Path, count: int) -> None:
    hostages.says_it_has(tmp_path / "a.pdf", count)
    (page,) = find_pages(tmp_path)
    assert page.input == "a.pdf" and "cannot be counted" in page.fault


@pytest.mark.parametrize("padding", [0, 10_000_000])
def test_one_page_many_times_over(tmp_path: Path, padding: int) -> None:
    hostages.one_page_many_times(tmp_path / "a.pdf", 6, padding)
    (page,) = find_pages(tmp_path)
    assert page.fault


def test_pages_that_are_not_there_are_one_page(tmp_path: Path) -> None:
    hostages.says_it_has_objects(tmp_path / "a.pdf", 1_000_000)
    fault = "the PDF says it has 1,000,000 pages, and holds 1"
    assert find_pages(tmp_path) == [
        Page("a.pdf", "a/a_page_0", 0),
        Page("a.pdf", "a/a_page_1", 1, fault),
    ]


def test_more_pages_than_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("results.counting.BYTES_PER_PAGE", 10_000)
    path = pages.pdf(tmp_path / "a.pdf", pages=3)
    size = f"{path.stat().st_size:,}"
    assert (
        count_pages(path).fault == f"the PDF says it has 3 pages, more than {size} bytes can hold"
    )


def test_the_tightest_honest_pdf_has_room(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    with pymupdf.open() as document:
        for _ in range(2000):
            document.new_page(width=595, height=842)
        document.save(path, garbage=4, deflate=True, use_objstms=1)
    assert count_pages(path) == Counted(2000, 2000)


def test_a_file_that_needs_too_much_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**given: object) -> None:
        raise RuntimeError("code=2: malloc (81000000 bytes) failed")

    monkeypatch.setattr("pymupdf.open", fail)
    assert "MiB of memory" in count_pages(hostages.good(tmp_path / "a.pdf")).fault


@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, ending: str) -> None:
    os.mkfifo(tmp_path / f"a.{ending}")
    (page,) = find_pages(tmp_path)
    assert page.fault.startswith("no regular file")


def test_nor_a_device(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to("/dev/zero")
    (page,) = find_pages(tmp_path)
    assert page.fault.startswith("no regular file")
