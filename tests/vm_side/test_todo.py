"""What a batch decides before it acts: which pages to read, to draw, or to leave alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract import NO_BETTER
from picture_files import AS_FILES
from read_page import Settings, Task
from results.files import NO_PAGE, Wanted, results_of, write_results
from results.manifest import Record
from results.pages import Page, sha256_of
from rig.settings import PAGE, PDF_PAGES, SHA256
from todo import longest_first, plan


def done(settings: Settings, page: Page = PAGE, **changes: Any) -> Record:
    """Write the files of a page that was read with these settings; return its record."""
    files = results_of([], NO_PAGE, Wanted(page.result, False, AS_FILES))
    write_results(settings.output, page.result, files)
    record = Record(page.result, page.input, page.pdf_page, "ok", sha256=SHA256)
    return replace(record, model=settings.model, settings=settings.recipe, **changes)


def planned(settings: Settings, record: Record, page: Page = PAGE) -> list[Task]:
    return plan([page], {record.key: record}, settings)


def test_the_largest_pages_go_first(tmp_path: Path) -> None:
    """A PDF's bytes are shared by its pages. Equal pages keep their order; drawings come last."""
    sizes = {"small.png": 100, "equal.png": 100, "large.png": 900, "done.png": 5000, "a.pdf": 1200}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(b"x" * size)
    pages = [Page(name, name, None) for name in ("small.png", "equal.png", "large.png", "gone.png")]
    book = [Page("a.pdf", f"a_page_{index}", index) for index in range(3)]
    drawn = Page("done.png", "done", None)
    tasks = [Task(page) for page in (*pages, *book[1:])]
    drawing = Task(drawn, lacking=Record("done", "done.png", None, "ok"))
    ordered = longest_first([drawing, *tasks], [*pages, *book, drawn], tmp_path)
    names = [(task.page.input, task.page.pdf_page) for task in ordered]
    assert names == [
        ("large.png", None),
        ("a.pdf", 1),
        ("a.pdf", 2),
        ("small.png", None),
        ("equal.png", None),
        ("gone.png", None),
        ("done.png", None),
    ]


@pytest.mark.parametrize(("count", "first"), [(8, [7, 6, 5, 4]), (9, [8, 3, 7, 2, 6, 1, 5, 0, 4])])
def test_short_pages_are_among_the_first_of_many(
    tmp_path: Path, count: int, first: list[int]
) -> None:
    """So the first pages have all sizes, and a refusal of all of them is a refusal of any page."""
    pages = [Page(f"{number}.png", str(number)) for number in range(count)]
    for number, page in enumerate(pages):
        (tmp_path / page.input).write_bytes(b"x" * number)
    ordered = [int(t.page.result) for t in longest_first([*map(Task, pages)], pages, tmp_path)]
    later = ordered[len(first) - 1 :]
    assert ordered[: len(first)] == first and later == sorted(later, reverse=True)
    assert sorted(ordered) == list(range(count))


@pytest.mark.parametrize("status", ["ok", "partial", "blank", "doubtful"])
def test_a_doubtful_page_is_read_again_if_that_is_wanted(settings: Settings, status: str) -> None:
    """The old result stays until there is a better one. WITNESS makes no difference."""
    record = done(settings, status=status, trust=0.1)
    assert planned(settings, record) == planned(replace(settings, witness="off"), record) == []
    again = [Task(PAGE, SHA256, doubted=record)] if status == "doubtful" else []
    wanted = replace(settings, doubtful=True)
    assert planned(wanted, record) == again
    assert planned(wanted, replace(record, notes=["a note", NO_BETTER])) == [], "twice is enough"
    checked = replace(record, read_as="ok")
    assert planned(wanted, checked) == [], "who doubts it could not hear the new answer"
    heard = replace(checked, reader_lines=[{"bbox": [1, 2, 3, 4], "text": "a"}])
    assert [task.doubted for task in planned(wanted, heard)] == [heard] * len(again)
    assert planned(settings, heard) == []
    assert planned(wanted, replace(record, sha256="0" * 64)) == [Task(PAGE, SHA256)]
    (settings.output / f"{PAGE.result}.md").unlink()
    assert planned(wanted, record) == [Task(PAGE, SHA256)], "nothing stands that could be kept"


def test_a_new_page_is_read_and_hashed_by_its_worker(settings: Settings) -> None:
    assert plan([PAGE], {}, settings) == [Task(PAGE, "")]


def test_a_pdf_is_hashed_once_for_all_its_pages(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def count(path: Path) -> str:
        hashed.append(path.name)
        return sha256_of(path)

    monkeypatch.setattr("todo.sha256_of", count)
    assert plan(PDF_PAGES, {}, settings) == [Task(page, SHA256) for page in PDF_PAGES]
    assert hashed == ["report.pdf"]


@pytest.mark.parametrize("status", ["ok", "repaired", "partial", "blank"])
def test_a_page_that_is_done_is_left_alone(settings: Settings, status: str) -> None:
    assert planned(settings, done(settings, status=status)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "failed"},
        {"status": "left"},
        {"sha256": "of another content"},
        {"sha256": ""},
        {"page": "a/page1.png/page1.png"},
        {"model": "another"},
        {"settings": {}},
    ],
    ids=str,
)
def test_anything_else_is_read_again(settings: Settings, changes: dict[str, Any]) -> None:
    assert [t.page for t in planned(settings, replace(done(settings), **changes))] == [PAGE]


@pytest.mark.parametrize(
    "changes",
    [{"max_pixels": 1}, {"upsample_below": 1}, {"prompt_mode": "ocr"}, {"model": "another"}],
    ids=str,
)
def test_other_settings_read_again(settings: Settings, changes: dict[str, Any]) -> None:
    assert planned(replace(settings, **changes), done(settings)) != []


def test_patience_is_no_setting_of_the_result(settings: Settings) -> None:
    patient = replace(settings, request_timeout_s=99.0, ready_timeout_s=99.0, retries=9)
    assert planned(patient, done(settings)) == []


@pytest.mark.parametrize("ending", [".json", ".md", "_nohf.md"])
def test_a_lost_result_is_read_again(settings: Settings, ending: str) -> None:
    record = done(settings)
    (settings.output / (PAGE.result + ending)).unlink()
    (task,) = planned(settings, record)
    assert task.lacking is None


def test_a_missing_drawing_is_drawn(settings: Settings) -> None:
    record = done(settings)
    drawing = replace(settings, images=True)
    lacks = Wanted(PAGE.result, drawing=True, pictures="")
    assert planned(drawing, record) == [Task(PAGE, SHA256, lacking=record, lacks=lacks)]
    Path(f"{settings.output}/{PAGE.result}.jpg").write_bytes(b"a drawing")
    assert planned(drawing, record) == []
    assert planned(settings, record) == []  # a drawing that nobody wants causes no work


def test_pictures_in_another_form_are_no_reason_to_ask_the_model(settings: Settings) -> None:
    """Nor are lost picture files. A page without pictures is right in each form."""
    inline = replace(settings, pictures="inline")
    record = done(settings, cells=2, pictures=["1.png"], pictures_as="files")
    lacks = Wanted(PAGE.result, drawing=False, pictures="files")
    assert planned(settings, record) == [Task(PAGE, SHA256, lacking=record, lacks=lacks)]
    path = Path(f"{settings.output}/a/page1/pictures/1.png")
    path.parent.mkdir()
    path.write_bytes(b"a picture")
    assert planned(settings, record) == []
    lacks = replace(lacks, pictures="inline")
    assert planned(inline, record) == [Task(PAGE, SHA256, lacking=record, lacks=lacks)]
    doubted = replace(record, status="doubtful")
    again = Task(PAGE, SHA256, doubted=doubted, lacks=lacks)
    assert planned(replace(inline, doubtful=True), doubted) == [again]
    for pictures_as in ("any", "inline", ""):
        assert planned(inline, replace(record, pictures=[], pictures_as=pictures_as)) == []
    before = replace(record, pictures=[], pictures_as="")
    assert [task.lacking for task in planned(settings, before)] == [before], "it is inline"
    assert planned(settings, replace(before, cells=0)) == []


def test_a_file_that_went_away_is_left_to_its_worker(settings: Settings) -> None:
    record = done(settings)
    (settings.input / PAGE.input).unlink()
    assert planned(settings, record) == [Task(PAGE, "")]


def test_a_page_with_a_fault_is_not_opened(settings: Settings) -> None:
    page = replace(PDF_PAGES[0], input="none.pdf", fault="damaged")
    assert plan([page], {}, settings) == [Task(page, "")]
