"""What is left to read, according to the manifest."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lib.files import sha256_or_none
from lib.inputs import Inputs
from lib.knobs import Knobs
from lib.plan import left as left_of
from lib.plan.counting import count_in
from lib.plan.left import File, Left, content_of, known_files
from lib.results import Line
from rig.plans import LOCAL, RECIPE
from wanted_pages import Selection, selection_from


def line(name: str, page: int | None = None, pages: int = 0, **more: Any) -> Line:
    """The line of a page that was read at second 100."""
    values = {"sha256": f"sha of {name}", "model": "dots", "settings": RECIPE, "finished_at": 100.0}
    return Line("", name, name, page, "ok", pdf_pages=pages, **{**values, **more})


def of_now(name: str, lines: Collection[Line]) -> str | None:
    """The present content of a file: nothing has changed."""
    return f"sha of {name}"


KNOWN: list[tuple[str, list[Line], dict[str, File]]] = [
    ("a page", [line("a.png")], {"a.png": File(1, 1)}),
    ("failed", [dataclasses.replace(line("a.png"), status="failed")], {"a.png": File(1, 0)}),
    ("another model", [line("a.png", model="x"), line("b.png", finished_at=200.0)],
     {"a.png": File(1, 0), "b.png": File(1, 1)}),
    ("another recipe", [line("a.png", settings=RECIPE | {"max_pixels": 1_000_000})],
     {"a.png": File(1, 0)}),
    ("another content", [line("a.png", sha256="old")], {}),
    ("a frame of one", [line("a.tif")], {"a.tif": File(1, 1)}),
    ("two of three", [line("a.pdf", n, 3) for n in (0, 2)], {"a.pdf": File(3, 2)}),
    ("more pages than a file can have", [line("a.pdf", 0, 10**400)], {"a.pdf": File(0, 1)}),
    ("fewer than none", [line("a.pdf", 0, -7)], {"a.pdf": File(0, 1)}),
    ("killed before it was counted", [line("a.pdf", 0)], {"a.pdf": File(0, 1)}),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "known"), [c[1:] for c in KNOWN], ids=[c[0] for c in KNOWN])
def test_what_the_manifest_knows_of_a_file(lines: list[Line], known: dict[str, File]) -> None:
    assert known_files(lines, Knobs(), Selection(), of_now) == known


def test_the_previews_pages_are_not_done_for_a_vm() -> None:
    lines = [line("a.png", model="dots-ocr-cpu-preview")]
    assert known_files(lines, Knobs(), Selection(), of_now) == {"a.png": File(1, 0)}
    assert known_files(lines, LOCAL, Selection(), of_now) == {"a.png": File(1, 1)}


def test_doubtful_pages_are_left_where_they_are_to_be_read_again() -> None:
    by_ink = dataclasses.replace(line("a.png"), status="doubtful")
    by_reader = dataclasses.replace(by_ink, read_as="ok", reader_lines=[{"text": "a"}])
    for doubtful, done in ((False, 1), (True, 0)):
        knobs = Knobs(doubtful=doubtful)
        for doubted in (by_ink, by_reader):
            assert known_files([doubted], knobs, Selection(), of_now) == {"a.png": File(1, done)}


@pytest.mark.parametrize(
    ("known", "wanted", "pages", "done"),
    [
        ({}, "", 10, 0),
        ({"a.png": File(1, 1), "p.pdf": File(7, 7)}, "", 2, 8),
        ({"p.pdf": File(0, 3)}, "", 7, 3),
        ({"p.pdf": File(7, 3)}, "2-4", 0, 3),
    ],
)
def test_the_pages_of_all_files(
    known: Mapping[str, File], wanted: str, pages: int, done: int
) -> None:
    """Two pictures, a PDF of seven pages, and a file that cannot be counted: it counts as one."""
    inputs = Inputs(Path("/in"), ("a.png", "b.JPG", "p.pdf", "torn.pdf"))

    def count(paths: Sequence[Path]) -> dict[Path, int]:
        return {path: 7 for path in paths if path.name == "p.pdf"}

    found = left_of.left(inputs, known, selection_from(wanted), count)
    assert found == Left(pages, done, uncounted=1)


def test_a_file_that_is_older_than_its_results_is_not_read(tmp_path: Path) -> None:
    """A file is only hashed if it may have changed since its results."""
    page = tmp_path / "a.png"
    page.write_bytes(b"new")
    lines = [line("a.png", sha256="told")]
    for finished_at, sha256 in ((1e12, "told"), (1.0, "11507a0e2f5e69d5dfa40a62a1bd7b6e")):
        found = content_of(page, [dataclasses.replace(lines[0], finished_at=finished_at)])
        assert (found or "").startswith(sha256)
    page.unlink()
    assert content_of(page, lines) is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["a.pdf", "a.tif"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    assert count_in(tmp_path / name, "") == 0
    assert sha256_or_none(tmp_path / name) is None
