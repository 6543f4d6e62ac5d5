"""How many pages a PDF really has, whatever it claims."""

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


def test_pages_that_are_not_counted_are_told(tmp_path: Path) -> None:
    with pymupdf.open(pages.pdf(tmp_path / "a.pdf", pages=3)) as document:
        tree = int(document.xref_get_key(document.pdf_catalog(), "Pages")[1].partition(" ")[0])
        document.xref_set_key(tree, "Count", "2")
        document.save(tmp_path / "b.pdf")
    *_, last = find_pages(tmp_path)
    fault = "the PDF says it has 2 pages, and holds more: save it again"
    assert last == Page("b.pdf", "b/b_page_2", 2, fault)


def test_the_files_of_a_portfolio_are_told(tmp_path: Path) -> None:
    with pymupdf.open(pages.pdf(tmp_path / "a.pdf", pages=1)) as document:
        for name in ("one.pdf", "two.pdf"):
            document.embfile_add(name, b"%PDF-1.7")
        document.save(tmp_path / "attached.pdf")
        document.xref_set_key(document.pdf_catalog(), "Collection", "<</View/D>>")
        document.save(tmp_path / "b.pdf")
    # an electronic invoice has its data so
    assert count_pages(tmp_path / "attached.pdf") == Counted(1, 1)
    *_, cover, files = find_pages(tmp_path)
    assert cover == Page("b.pdf", "b/b_page_0", 0)
    assert files.fault == (
        "the PDF is a portfolio of 2 files, which are not read: save each as a file"
    )


@pytest.mark.parametrize("is_dynamic", [True, False])
def test_a_form_that_only_says_to_wait_is_a_fault(tmp_path: Path, is_dynamic: bool) -> None:
    with pymupdf.open(pages.pdf(tmp_path / "a.pdf", pages=1)) as document:
        catalog = document.pdf_catalog()
        document.xref_set_key(catalog, "AcroForm", "<</Fields[]/XFA[(template)(<t/>)]>>")
        document.xref_set_key(catalog, "NeedsRendering", str(is_dynamic).lower())
        document.save(tmp_path / "b.pdf")
    assert ("an XFA form" in count_pages(tmp_path / "b.pdf").fault) is is_dynamic


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
    assert page.fault.startswith("not a regular file")


def test_nor_a_device(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to("/dev/zero")
    (page,) = find_pages(tmp_path)
    assert page.fault.startswith("not a regular file")
