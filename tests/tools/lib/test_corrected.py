"""Pages that a person has corrected, and what the machine sends afterwards."""

import json
from typing import Any

import pytest

from lib.corrected import corrected, kept, stays
from lib.results import Line, read_lines
from rig.toolkit import line

SETTINGS = {"prompt_mode": "layout_all", "max_pixels": 7, "upsample_below": 5, "rotate": "auto"}
BROUGHT = {"of": "1", ".md": "0123456789abcdef"}
DOUBT: dict[str, Any] = {"kind": "missed", "bbox": [1, 2, 3, 4], "cell": None, "detail": {}}


def entry(**more: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "sha256": "s",
        "finished_at": 1.5,
        "model": "dots",
        "settings": SETTINGS,
        "cells": 3,
        "trust": 0.2,
        "doubts": [DOUBT],
        "odd": "\udcff 한",
    }
    return line("a/a", "a.png") | facts | more


def lines_of(*entries: dict[str, Any]) -> list[Line]:
    return read_lines("\n".join(map(json.dumps, entries)))


def ours() -> Line:
    (before,) = lines_of(entry(status="doubtful", reason="missed", brought=BROUGHT))
    return corrected(before, cells=2, at=9.5, pictures={"pictures": ["1.png"]})


def test_the_line_of_a_corrected_page() -> None:
    """Its line says so, and has no doubts; the record of what was brought stays."""
    said = {"status": "corrected", "reason": "", "trust": 1.0, "doubts": []}
    found = ours()
    assert json.loads(found.text) == entry() | said | {
        "cells": 2,
        "corrected_at": 9.5,
        "pictures": ["1.png"],
        "brought": BROUGHT,
    }
    assert [found] == read_lines(found.text), "as it will be read"
    assert (found.brought, found.as_said.brought) == (BROUGHT, {})


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, True),  # the reading that was corrected
        ({"status": "doubtful"}, True),
        ({"forced": True}, True),  # it was also forced before
        ({"finished_at": 2.5}, True),  # read by a machine that lost its results, or with DOUBTFUL=1
        ({"finished_at": 2.5, "status": "doubtful"}, True),
        ({"finished_at": 2.5, "forced": True}, False),
        ({"finished_at": 2.5, "sha256": "t"}, False),
        ({"finished_at": 2.5, "model": "other"}, False),
        ({"finished_at": 2.5, "settings": {**SETTINGS, "max_pixels": 8}}, False),
        ({"finished_at": 2.5, "settings": {**SETTINGS, "rotate": "90"}}, False),
        ({"finished_at": 2.5, "status": "failed"}, True),
        ({"finished_at": 2.5, "status": "failed", "sha256": ""}, True),
        ({"finished_at": 2.5, "status": "failed", "forced": True}, True),
        ({"finished_at": 2.5, "status": "failed", "sha256": "t"}, False),
        ({"finished_at": 2.5, "status": "left", "sha256": ""}, True),
        ({"page": "a.png/a.png"}, False),  # its results have another name now
    ],
)
def test_what_stays_corrected(more: dict[str, Any], expected: bool) -> None:
    (theirs,) = lines_of(entry(**more))
    assert stays(ours(), theirs) is expected
    (found,) = kept([theirs], [ours()], lambda line: True)
    assert found == (ours().as_said if expected else theirs)
    assert kept([theirs], [ours()], lambda line: False) == [theirs], "its files are gone"


def test_settings_of_before_a_setting_are_its_default() -> None:
    old = {name: value for name, value in SETTINGS.items() if name != "rotate"}
    before, after = lines_of(entry(settings=old))[0], lines_of(entry(finished_at=2.5))[0]
    assert stays(corrected(before, 1, 2.0, {}), after)


def test_what_nobody_corrected_does_not_stay() -> None:
    before, after = lines_of(entry())[0], lines_of(entry(finished_at=2.5))[0]
    assert kept([after], [before], lambda line: True) == [after]


def test_a_machine_cannot_correct() -> None:
    """Only a person's correction stays. Otherwise a machine's word would stay for ever."""
    for before in ([], lines_of(entry())):
        (found,) = kept(lines_of(entry(status="corrected")), before, lambda line: True)
        assert found.status == "doubtful"
        assert "says that a person corrected it" in found.text
