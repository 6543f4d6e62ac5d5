"""Two result sets side by side: a page that is not compared does not count as equal."""

from pathlib import Path

import pytest

from lib.report import comparison, matching
from lib.report.comparison import compare, open_side, totals
from lib.report.matching import PageDifference
from rig.result_sets import ResultSet, cell

TOP = (80, 60, 700, 100)


def test_a_page_that_takes_too_long_is_not_compared_and_takes_none_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def compared(*sides: object) -> PageDifference:
        if "endless" in str(sides):
            raise MemoryError
        return matching.compare_pages(*sides)  # type: ignore[arg-type] # the cells of both

    monkeypatch.setattr(comparison, "compare_pages", compared)
    for name, word in (("a", "one"), ("b", "other")):
        results = ResultSet(tmp_path / name)
        for page in ("plain", "endless"):
            results.add(f"{page}.png", [cell("Text", f"{page} {word}", TOP)])
        results.finish()
    sides = open_side(str(tmp_path / "a")), open_side(str(tmp_path / "b"))
    pages = compare(*sides)
    found = totals(*sides, pages)
    assert [page.page for page in pages] == ["plain/plain"]
    assert (found["compared"], found["changed"], found["not_compared"]) == (1, 1, 1)
    assert "left out: endless/endless\n" in capsys.readouterr().err
