"""What is left to do, as far as this computer can know it."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from contract import NO_BETTER, PREVIEW_MODEL, recipe_of
from cpu_endpoint import protocol
from lib.inputs import Inputs
from lib.knobs import Knobs
from lib.results import Line
from lib.todo import Todo, Work, look, todo
from picture_files import PICTURE_FORMS

KNOBS = Knobs()
NOTHING, FETCH, READ = Work.NOTHING, Work.FETCH, Work.READ


def line(name: str = "a.png", pdf_page: int | None = None, **more: Any) -> Line:
    """The line of a page that was read in its present form."""
    stem = name.rpartition(".")[0]
    page = stem if pdf_page is None else f"{stem}_page_{pdf_page}"
    values: dict[str, Any] = {
        "sha256": "now",
        "model": "dots",
        "settings": recipe_of(KNOBS),
        "finished_at": 1.0,
    }
    values |= {"status": "ok", "pdf_pages": 0, **more}
    return Line("", f"{stem}/{page}", name, pdf_page, **values)


def book(*pages: int, count: int = 3, **more: Any) -> list[Line]:
    """Lines of pages of a PDF."""
    return [line("b.pdf", page, pdf_pages=count, **more) for page in pages]


def work(files: list[str], lines: list[Line], knobs: Knobs = KNOBS, lost: str = "-") -> Work:
    """What must be done, if each file's content is "now" and only one result is missing."""
    return todo(files, lines, knobs, lambda name: "now", lambda name: not name.endswith(lost)).work


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, NOTHING),
        ({"status": "repaired"}, NOTHING),
        ({"status": "partial"}, NOTHING),
        ({"status": "blank"}, NOTHING),
        ({"status": "doubtful"}, NOTHING),
        ({"status": "corrected"}, NOTHING),
        ({"status": "corrected", "sha256": "before"}, READ),
        ({"status": "failed"}, READ),
        ({"status": "left"}, READ),
        ({"sha256": "before"}, READ),
        ({"sha256": ""}, READ),
        ({"settings": {}}, READ),
        ({"settings": {**recipe_of(KNOBS), "max_pixels": 1}}, READ),
        ({"settings": {**recipe_of(KNOBS), "one_more": 1}}, READ),
        ({"settings": {**recipe_of(KNOBS), "rotate": "0"}}, READ),
        ({"settings": {k: v for k, v in recipe_of(KNOBS).items() if k != "rotate"}}, NOTHING),
        ({"rotation": 90}, NOTHING),
        ({"model": ""}, READ),
        ({"model": PREVIEW_MODEL}, READ),
    ],
)
def test_a_page(more: dict[str, Any], expected: Work) -> None:
    assert work(["a.png"], [line(**more)]) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"model": "dots"}, NOTHING),
        ({"model": "mocr"}, READ),
        ({"max_pixels": 1_000_000}, READ),
        ({"upsample_below": 0}, READ),
        ({"prompt_mode": "ocr"}, READ),
        ({"rotate": "0"}, NOTHING),  # auto had not turned it either
        ({"rotate": "90"}, READ),
        ({"processes": 3, "retries": 0}, NOTHING),
    ],
)
def test_knobs(change: dict[str, Any], expected: Work) -> None:
    assert work(["a.png"], [line()], dataclasses.replace(KNOBS, **change)) == expected


@pytest.mark.parametrize(
    ("pictures_as", "wanted", "expected"),
    [
        ("files", "files", NOTHING),
        ("inline", "inline", NOTHING),
        ("files", "inline", FETCH),
        ("inline", "files", FETCH),
        ("files", "none", FETCH),
        *(("any", wanted, NOTHING) for wanted in PICTURE_FORMS),
        # from the time before there was a choice
        *(("", wanted, NOTHING) for wanted in PICTURE_FORMS),
    ],
)
def test_the_form_of_pictures(pictures_as: str, wanted: str, expected: Work) -> None:
    """No page is read for it. Nothing is rented for results of an older version either."""
    knobs = dataclasses.replace(KNOBS, pictures=wanted)
    assert work(["a.png"], [line(pictures_as=pictures_as)], knobs) == expected
    assert work(["b.pdf"], [*book(0, 1), *book(2, pictures_as=pictures_as)], knobs) == expected


def test_a_picture_that_is_not_here_is_to_be_fetched() -> None:
    shown = line(pictures=["1.png", "2.png"], pictures_as="files")
    assert work(["a.png"], [shown]) == NOTHING
    assert work(["a.png"], [shown], lost="a/pictures/2.png") == FETCH


@pytest.mark.parametrize("status", ["ok", "repaired", "partial", "blank", "doubtful"])
def test_doubtful_pages_are_read_again_if_that_is_wanted(status: str) -> None:
    expected = READ if status == "doubtful" else NOTHING
    again = dataclasses.replace(KNOBS, doubtful=True)
    assert work(["a.png"], [line(status=status)], again) == expected
    assert work(["b.pdf"], [*book(0, 1), *book(2, status=status)], again) == expected
    assert work(["b.pdf"], book(0, 1, 2, status=status)) == NOTHING
    at_home = line(status="doubtful", read_as="ok")
    assert work(["a.png"], [at_home], again) == NOTHING, "who doubts it could not hear an answer"
    heard = dataclasses.replace(at_home, reader_lines=[{"bbox": [1, 2, 3, 4], "text": "a"}])
    assert work(["a.png"], [heard], again) == READ
    assert work(["a.png"], [heard]) == NOTHING
    twice = dataclasses.replace(heard, notes=[NO_BETTER])
    assert work(["a.png"], [twice], again) == NOTHING
    twice = line(status=status, notes=["a note", NO_BETTER])
    assert work(["a.png"], [twice], again) == NOTHING, "twice is enough"
    off = dataclasses.replace(KNOBS, witness="off")
    assert work(["a.png"], [line(status=status)], off) == NOTHING, "nothing depends on it"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (book(0, 1, 2), NOTHING),
        (book(0, 1), READ),
        (book(1, 2), READ),
        (book(0, 1, 2, count=0), READ),  # of a run that did not end: are there more pages?
        (book(0, 1) + book(2, count=0), NOTHING),  # read again since then
        (book(0, 1) + book(2, status="failed"), READ),
        (book(0, 1) + book(2, sha256="before"), READ),
        (book(0, 1, 2, count=3) + book(3, 4, count=5, sha256="before"), NOTHING),
        (book(0, 1, 3), READ),
        ([line("b.pdf")], NOTHING),  # a picture, whatever its name says
        ([line("b.pdf"), *book(0, 1, 2)], READ),
        ([line("b.pdf", pdf_pages=3)], READ),
        ([], READ),
    ],
)
def test_a_pdf_is_done_when_all_its_pages_are(lines: list[Line], expected: Work) -> None:
    assert work(["b.pdf"], lines) == expected


def test_a_trial_of_nothing_is_told() -> None:
    knobs = dataclasses.replace(KNOBS, pages="2-")
    for names in (["a.png", "b.HEIC"], []):
        found = todo(names, [], knobs, lambda name: "now", lambda name: True)
        assert (found.work, found.is_empty) == (NOTHING, True)


@pytest.mark.parametrize(
    ("pages", "lines", "expected"),
    [
        ("1-2", book(0, 1), NOTHING),
        ("1-2", book(0, 2), READ),
        ("2-", book(0, 1), READ),
        ("2-", book(1, 2), NOTHING),
        ("2,9", book(1), NOTHING),
        ("9", book(0), NOTHING),  # there is no page 9
        ("9", [], READ),  # it may exist
        ("1-2", book(0, 1, count=10**15), NOTHING),
        ("1-", book(0, 1, count=10**15), READ),
        ("1", [line("b.pdf")], NOTHING),
    ],
)
def test_a_trial_is_done_when_its_pages_are(pages: str, lines: list[Line], expected: Work) -> None:
    knobs = dataclasses.replace(KNOBS, pages=pages)
    assert work(["b.pdf"], lines, knobs) == expected
    assert work(["b.pdf", "a.png"], lines, knobs) == (READ if pages[0] == "1" else expected)


def test_files() -> None:
    both = [line("a.png"), line("c.png")]
    assert work(["a.png", "c.png"], both) == NOTHING
    assert work(["a.png"], both) == NOTHING  # one was taken away: nothing is left to read
    assert work(["a.png", "new.png"], both) == READ


def test_which_model_counts_where_none_is_named() -> None:
    """The model of the last run. The CPU preview's pages do not count as dots.ocr's."""
    old, new = line("a.png"), line("c.png", model="mocr", finished_at=2.0)
    assert work(["a.png", "c.png"], [old, new]) == READ
    assert work(["c.png"], [new]) == NOTHING
    preview = line(model=PREVIEW_MODEL)
    assert work(["a.png"], [preview], dataclasses.replace(KNOBS, target="local")) == NOTHING
    assert work(["a.png"], [preview], dataclasses.replace(KNOBS, model=PREVIEW_MODEL)) == NOTHING
    assert protocol.MODEL == PREVIEW_MODEL


@pytest.mark.parametrize("ending", [".json", ".md", "_nohf.md", ".jpg"])
def test_results_that_are_not_here(ending: str) -> None:
    drawn = dataclasses.replace(KNOBS, images=True)
    assert work(["a.png"], [line()], drawn, lost=f"a/a{ending}") == FETCH
    assert work(["a.png"], [line()], lost="a/a.jpg") == NOTHING


def test_a_damaged_manifest_is_told_before_pages_are_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_text('{"page": "a/a", "inp\n')
    look(Inputs(tmp_path, ()), dataclasses.replace(KNOBS, output=str(tmp_path)))
    fate = "their pages are brought, or read again"
    said = f"{path} is damaged: 1 of its lines cannot be read; {fate}\n"
    assert capsys.readouterr().err == said


def test_files_that_cannot_be_read_here_start_nothing() -> None:
    def content_of(name: str) -> str:
        if name == "gone.png":
            raise FileNotFoundError(2, "No such file or directory")
        return "now"

    found = todo(["a.png", "gone.png"], [line()], KNOBS, content_of, bool)
    assert found == Todo(NOTHING, 1, {"gone.png": "No such file or directory"})
    assert todo(["gone.png", "b.png"], [line()], KNOBS, content_of, bool).work == READ


def test_files_are_not_read_where_one_is_new() -> None:
    read = []

    def content_of(name: str) -> str:
        read.append(name)
        return "now"

    files = [f"{number}.png" for number in range(9)]
    todo([*files, "new.png"], [line(name) for name in files], KNOBS, content_of, bool)
    assert read == ["new.png"]
