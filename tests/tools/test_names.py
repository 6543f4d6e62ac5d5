"""A Korean name in the forms of a Mac and of Windows counts as one name in comparisons."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from lib.report.comparison import compare, open_side
from results.pages import find_pages
from rig import pages
from rig.browser import Watched, until
from rig.command import records_in
from rig.result_sets import ResultSet, cell
from rig.toolkit import ROOT, Toolkit

BOX = (80, 60, 700, 100)
LISTED = "[...document.querySelectorAll('.row b')].map((e) => e.textContent).sort().join('|')"


def mac(text: str) -> str:
    """The text in the form of a Mac: syllables as separate letters."""
    return unicodedata.normalize("NFD", text)


NAMES = [mac("회의록_맥.png"), "회의록_윈도우.png"]


def test_the_report_finds_both(watched: Watched, tmp_path: Path) -> None:
    results = ResultSet(tmp_path / "out")
    results.add(NAMES[0], [cell("Text", mac("예산과 등대"), BOX)])
    results.add(NAMES[1], [cell("Text", "예산과 등대", BOX)])
    results.add("other.png", [cell("Text", "nothing", BOX)])
    output = results.finish()
    knobs = {"CONFIG": os.devnull, "INPUT": "", "OUTPUT": str(output)}
    command = [sys.executable, str(ROOT / "tools/report.py")]
    subprocess.run(command, env={**os.environ, **knobs}, check=True)
    page = watched.page
    page.goto((output / "report.html").as_uri())
    until(page, "document.querySelectorAll('.row b').length === 3")
    for query, found in (
        ("회의록", NAMES),
        (mac("회의록"), NAMES),
        ("맥", NAMES[:1]),
        (mac("윈도우"), NAMES[1:]),
        ("등대", NAMES),
        (mac("등대"), NAMES),
    ):
        page.locator("#search").fill(query)
        until(page, f"(wanted) => {LISTED} === wanted", "|".join(sorted(found)))
    until(page, "document.querySelectorAll('.row mark').length === 2")


def test_the_comparison_takes_them_for_one_page(tmp_path: Path) -> None:
    for name, form in (("a", mac), ("b", str)):
        results = ResultSet(tmp_path / name)
        results.add(form("회의록/맥.png"), [cell("Text", "same", BOX)])
        results.finish()
    (page,) = compare(open_side(str(tmp_path / "a")), open_side(str(tmp_path / "b")))
    assert page.first and page.second and page.kinds == []
    assert page.first.page == mac("회의록/맥/맥")  # the form that the disk has


def test_the_comparison_keeps_two_pages_that_differ_in_that_alone(tmp_path: Path) -> None:
    for name in ("a", "b"):
        results = ResultSet(tmp_path / name)
        for form in (mac, str):
            results.add(form("맥.png"), [cell("Text", "same", BOX)])
        results.finish()
    found = compare(open_side(str(tmp_path / "a")), open_side(str(tmp_path / "b")))
    assert len(found) == 2 and all(page.first and page.second for page in found)


def test_pages_are_in_one_order(tmp_path: Path) -> None:
    for name in (mac("가2.png"), "가1.png", "나1.png", mac("가10.png"), mac("나2.png")):
        pages.tiny(1).save(tmp_path / name)
    given = [unicodedata.normalize("NFC", page.input) for page in find_pages(tmp_path)]
    assert given == ["가1.png", "가2.png", "가10.png", "나1.png", "나2.png"]


@pytest.mark.parametrize(
    ("on_disk", "typed"), [("회의록", mac("회의록")), (mac("회의록"), "회의록")]
)
def test_the_input_may_be_typed_in_either(kit: Toolkit, on_disk: str, typed: str) -> None:
    folder = kit.input / on_disk
    folder.mkdir()
    for seed, name in enumerate(NAMES):
        pages.tiny(seed + 1).save(folder / name)
    end = kit.run_here("all", INPUT=str(kit.input / typed))
    assert (end.code, end.err) == (0, "")
    assert sorted(r["input"] for r in records_in(kit.output)) == sorted(NAMES)
    for name in NAMES:  # results keep the name's form
        assert (kit.output / Path(name).stem).is_dir()
