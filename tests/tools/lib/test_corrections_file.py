"""Corrections as a report saves them: the form of the file, and what can be applied."""

import json
from pathlib import Path
from typing import Any

import pytest

from lib.console import Failure
from lib.corrections import file
from lib.corrections.file import Correction, fault_of, is_applied, read_corrections
from lib.pages.editable import mark_of
from lib.results import Line, read_lines
from rig.toolkit import line

CELL: dict[str, Any] = {"bbox": [1, 2, 30, 40], "category": "Text", "text": "한글 \u2028"}
CELLS = [CELL, {"bbox": [0, 0, 0, 0], "category": "Picture"}]
ANSWER = b'[{"bbox": [1, 2, 3, 4]}]'
PAGE: dict[str, Any] = {
    "page": "a/a",
    "input": "a.png",
    "pdf_page": None,
    "sha256": "s",
    "reading": mark_of(ANSWER),
    "cells": CELLS,
}
OTHER_FORM = "not in the report's form"


def write(folder: Path, *pages: Any, **head: Any) -> Path:
    path = folder / "corrections (1).json"
    path.write_text(json.dumps({"dots_ocr_corrections": 1, "pages": pages} | head))
    return path


def test_a_file_of_ours(tmp_path: Path) -> None:
    found, refused = read_corrections(write(tmp_path, PAGE, PAGE | {"pdf_page": 3, "cells": []}))
    assert (len(found), refused) == (2, {})
    assert found[0] == Correction("a/a", "a.png", None, "s", mark_of(ANSWER), tuple(CELLS))
    assert found[1].key == ("a.png", 3)


@pytest.mark.parametrize("form", ["utf-8-sig", "utf-16"])
def test_a_file_that_an_editor_saved_in_another_form(tmp_path: Path, form: str) -> None:
    path = write(tmp_path, PAGE)
    path.write_text(path.read_text(), encoding=form)
    assert len(read_corrections(path)[0]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        "[" * 100_000,
        '{"pages": []}',
        '{"dots_ocr_corrections": 1}',
        '{"dots_ocr_corrections": 1, "pages": {}}',
        '{"dots_ocr_corrections": 2, "pages": []}',
        '{"dots_ocr_corrections": [], "pages": []}',
        "\udcff",
    ],
)
def test_what_is_no_file_of_corrections(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Failure):
        read_corrections(path)
    for other in (tmp_path / "nowhere", tmp_path, Path("/dev/zero")):
        with pytest.raises(Failure):
            read_corrections(other)


def test_what_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "LARGEST_BYTES", 100)
    with pytest.raises(Failure, match="not a file of corrections"):
        read_corrections(write(tmp_path, PAGE))


ODD: list[Any] = [None, 7, [], {}, "4", True, -1, 1.5]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        {},
        PAGE | {"more": 1},
        {name: value for name, value in PAGE.items() if name != "reading"},
        *(PAGE | {"pdf_page": value} for value in [*ODD[2:], 1.0, 10**400]),
        *(PAGE | {name: value} for name in ("page", "input", "sha256") for value in ODD[:3]),
        *(PAGE | {"cells": value} for value in [ODD, {}, [None], [[]], ["a"], [CELL] * 10_001]),
        *(
            PAGE | {"cells": [CELL, CELL | {"bbox": box}]}
            for box in (*ODD, [1, 2, 3], [1, 2, 3, 4, 5], [1.5] * 4, [-1] * 4, [10**16] * 4)
        ),
        *(PAGE | {"cells": [CELL | {"bbox": [1, 2, 3, value]}]} for value in ODD[2:]),
        *(PAGE | {"cells": [CELL | {"category": value}]} for value in ("text", "__proto__", *ODD)),
        *(PAGE | {"cells": [CELL | {"text": value}]} for value in ODD[:4]),
        PAGE | {"cells": [CELL | {"text": "x" * 1_000_001}]},
        PAGE | {"cells": [CELL | {"text": "\ud800"}]},
        PAGE | {"page": "\ud800"},
        PAGE | {"cells": [CELL | {"__proto__": {}}]},
        PAGE | {"cells": [{"bbox": [1, 2, 3, 4]}]},
    ],
    ids=lambda odd: str(odd)[:40],
)
def test_a_page_in_another_form_is_refused_and_the_others_are_not(tmp_path: Path, odd: Any) -> None:
    found, refused = read_corrections(write(tmp_path, odd, PAGE | {"page": "b/b"}))
    assert [one.page for one in found] == ["b/b"]
    assert list(refused.values()) == [OTHER_FORM]


def known(**more: Any) -> Line:
    (found,) = read_lines(json.dumps(line("a/a", "a.png") | {"sha256": "s"} | more))
    return found


def correction(**more: Any) -> Correction:
    return Correction(**(PAGE | {"cells": tuple(CELLS)} | more))


@pytest.mark.parametrize(
    ("more", "now", "said"),
    [
        ({}, {}, ""),
        ({}, {"status": "doubtful"}, ""),
        ({}, {"status": "corrected"}, ""),
        ({}, {"status": "blank"}, ""),
        ({}, {"status": "failed"}, "the page is failed: there is no answer"),
        ({"page": "../a"}, {}, "no such page"),
        ({"page": "b/b"}, {}, "no such page"),
        ({"sha256": "t"}, {}, "its file has changed since"),
        ({"reading": "0" * 16}, {}, "for another reading: make report"),
        ({"cells": (CELL | {"bbox": [0, 0, 101, 9]},)}, {}, "not on the page"),
        ({"cells": (CELL | {"bbox": [0, 0, 9, 201]},)}, {}, "not on the page"),
        ({"cells": (CELL | {"bbox": [9, 0, 8, 9]},)}, {}, "not on the page"),
        ({"cells": (CELL | {"bbox": [0, 0, 100, 200]},)}, {}, ""),
        ({"cells": ()}, {}, ""),
    ],
)
def test_what_can_be_applied(more: dict[str, Any], now: dict[str, Any], said: str) -> None:
    fault = fault_of(correction(**more), known(**now), ANSWER, [], [100, 200])
    assert said in fault and bool(fault) is bool(said)


def test_of_a_page_that_is_not_there_or_has_no_size_nothing_can() -> None:
    assert "no such page" in fault_of(correction(), None, b"", [], [100, 200])
    for size in (None, [], [100], "ab", [1.5, 2], [-1, 5]):
        assert "not on the page" in fault_of(correction(), known(), ANSWER, [], size)


def test_the_same_again_is_known() -> None:
    assert is_applied(correction(), known(status="corrected"), CELLS)
    assert not is_applied(correction(), known(status="corrected"), [CELL])
    assert not is_applied(correction(), known(), CELLS), "it is only as it should be"
    assert not is_applied(correction(), known(status="corrected", sha256="t"), CELLS)
    assert not is_applied(correction(), None, [])
    assert (
        fault_of(correction(), known(), b"[written by an apply that died]", CELLS, [99, 99]) == ""
    )
