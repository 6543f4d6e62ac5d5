"""What has been done: the manifest survives crashes, and at the end has a line for each page."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from picture_files import AS_FILES
from results.files import NO_PAGE, Wanted, results_of, write_results
from results.manifest import Manifest, Record, load
from results.pages import Page
from rig.records import lines, page, record


def put_results(folder: Path, *records: Record) -> None:
    for each in records:
        wanted = Wanted(each.page, False, AS_FILES)
        write_results(folder, each.page, results_of([], NO_PAGE, wanted))


# ---- the file ----


def test_no_manifest_is_no_records(tmp_path: Path) -> None:
    assert load(tmp_path) == {}


def test_a_later_line_of_a_page_replaces_an_earlier_one(tmp_path: Path) -> None:
    with Manifest(tmp_path) as manifest:
        manifest.add(record(status="failed", reason="why"))
        manifest.add(record("b"))
        manifest.add(record())
    assert len(lines(tmp_path)) == 3
    assert load(tmp_path) == {record().key: record(), record("b").key: record("b")}


def test_a_last_line_torn_anywhere_is_no_line_and_swallows_no_other(tmp_path: Path) -> None:
    whole, last = record().line().encode(), record("가").line().encode()
    path = tmp_path / "manifest.jsonl"
    for size in range(1, len(last) - 1):
        path.write_bytes(whole + last[:size])
        assert list(load(tmp_path).values()) == [record()], size
    for size in (*range(1, len(last) - 1, 37), len(last) - 2):
        path.write_bytes(whole + last[:size])
        with Manifest(tmp_path) as manifest:
            manifest.add(record("c"))
        assert list(load(tmp_path).values()) == [record(), record("c")], size


def test_a_last_line_that_lacks_but_its_end_counts(tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").write_bytes(record().line().encode()[:-1])
    with Manifest(tmp_path) as manifest:
        manifest.add(record("c"))
    assert list(load(tmp_path).values()) == [record(), record("c")]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0c", "\x1c"])
def test_what_only_some_call_a_line_break_is_none(tmp_path: Path, separator: str) -> None:
    odd = record(reason=f"one{separator}two")
    with Manifest(tmp_path) as manifest:
        manifest.add(odd)
    assert list(load(tmp_path).values()) == [odd]


@pytest.mark.parametrize("junk", [b"{\n", b"\n\n", b"\xff\xfe\n", b"\0\0\0\n", b"not json\n"])
def test_junk_between_lines_is_passed_over(tmp_path: Path, junk: bytes) -> None:
    content = record().line().encode() + junk + record("b").line().encode()
    (tmp_path / "manifest.jsonl").write_bytes(content)
    assert list(load(tmp_path).values()) == [record(), record("b")]


def test_every_record_is_on_disk_as_soon_as_it_is_added(tmp_path: Path) -> None:
    with Manifest(tmp_path) as manifest:
        manifest.add(record())
        assert list(load(tmp_path).values()) == [record()]


def test_results_belong_to_the_last_input_that_made_them(tmp_path: Path) -> None:
    """page1.jpg was read, then page1.png in its place: then page1.jpg does not count as done."""
    old = dataclasses.replace(record(), input="a.jpg")
    put_results(tmp_path, record())
    with Manifest(tmp_path) as manifest:
        manifest.add(old)
        manifest.add(record())
    assert load(tmp_path) == {record().key: record()}
    with Manifest(tmp_path) as manifest:
        manifest.add(old)
        manifest.finish([Page("a.jpg", "a/a")])
    assert [line["input"] for line in lines(tmp_path)] == ["a.jpg"]


def test_the_last_line_counts_of_results_that_moved_and_came_back(tmp_path: Path) -> None:
    """page1.jpg came and went beside page1.png; in between, page1.png had other names."""
    moved = dataclasses.replace(record(), page="a.png/a.png")
    with Manifest(tmp_path) as manifest:
        for each in (record(), moved, record()):
            manifest.add(each)
    assert load(tmp_path) == {record().key: record()}


def test_results_are_made_in_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    with Manifest(tmp_path / "a" / "b") as manifest:
        manifest.finish([])
    assert (tmp_path / "a" / "b" / "manifest.jsonl").read_bytes() == b""


# ---- the end of a batch ----


def test_finish_leaves_one_line_a_page_in_the_order_of_the_input(tmp_path: Path) -> None:
    with Manifest(tmp_path) as manifest:
        for each in (record("c"), record("a", "failed", reason="why"), record("a")):
            manifest.add(each)
        left = manifest.finish([page("a"), page("b"), page("c")])
    assert [(line["input"], line["status"]) for line in lines(tmp_path)] == [
        ("a.png", "ok"),
        ("b.png", "left"),
        ("c.png", "ok"),
    ]
    assert left == list(load(tmp_path).values())
    assert left[1].reason == "not reached: run again"


def test_how_many_pages_a_pdf_has_is_known_when_the_batch_has_ended(tmp_path: Path) -> None:
    """So the manifest alone shows whether a page is missing."""
    book = [Page("b.pdf", f"b/b_page_{number}", number, pdf_pages=3) for number in range(3)]
    read = Record(book[0].result, "b.pdf", 0, "ok")
    with Manifest(tmp_path) as manifest:
        manifest.add(read)
        manifest.add(record("a"))
        assert load(tmp_path)["b.pdf", 0].pdf_pages == 0
        manifest.finish([page("a"), *book])
    assert [line["pdf_pages"] for line in lines(tmp_path)] == [0, 3, 3, 3]


def test_pages_of_an_earlier_input_stay_as_long_as_their_results_stand(tmp_path: Path) -> None:
    earlier = [record("good"), record("gone"), record("bad", "failed"), record("blank", "blank")]
    put_results(tmp_path, earlier[0], earlier[2], earlier[3])
    with Manifest(tmp_path) as manifest:
        for each in earlier:
            manifest.add(each)
        manifest.finish([])
    for _ in range(2):
        with Manifest(tmp_path) as manifest:
            manifest.add(record())
            assert manifest.finish([page()]) == [record()]
        assert [line["input"] for line in lines(tmp_path)] == ["a.png", "good.png", "blank.png"]


@pytest.mark.parametrize(
    ("page", "sha256", "kept"),
    [
        (2, "now", True),
        (2, "before", False),  # of older content
        (3, "now", False),  # the file no longer has this page
        (None, "now", False),
    ],
)
def test_pages_that_a_trial_leaves_out_stay(
    tmp_path: Path, page: int | None, sha256: str, kept: bool
) -> None:
    """PAGES=1-2 of a file of three pages: page 3, read earlier, need not be read again."""
    book = [Page("b.pdf", f"b/b_page_{number}", number, pdf_pages=3) for number in range(2)]
    name = "b/b" if page is None else f"b/b_page_{page}"
    other = Record(name, "b.pdf", page, "ok", sha256=sha256)
    put_results(tmp_path, other)
    with Manifest(tmp_path) as manifest:
        manifest.add(other)
        manifest.add(Record(book[0].result, "b.pdf", 0, "ok", sha256="now"))
        assert [record.pdf_page for record in manifest.finish(book)] == [0, 1]
    assert [line["pdf_page"] for line in lines(tmp_path)] == [0, 1, *([page] if kept else [])]


def test_pages_of_a_pdf_are_told_apart(tmp_path: Path) -> None:
    pages = [Page("a.pdf", f"a/a_page_{i}", i) for i in range(2)]
    with Manifest(tmp_path) as manifest:
        manifest.add(Record("a/a_page_1", "a.pdf", 1, "ok"))
        assert [each.status for each in manifest.finish(pages)] == ["left", "ok"]


# ---- pictures of earlier readings ----


@pytest.mark.parametrize(
    ("lines", "stay"),
    [
        ([("ok", ["1.png"])], ["1.png"]),
        ([("ok", [])], []),
        ([("ok", ["1.jpg", "2.png"])], ["2.png"]),
        ([("failed", [])], ["1.png", "2.png"]),
        ([("left", [])], ["1.png", "2.png"]),
        ([("ok", []), ("ok", ["2.png"])], ["2.png"]),
        ([("failed", []), ("ok", ["2.png"])], ["2.png"]),
        ([("ok", ["../../b/pictures/1.png"])], []),
        ([], ["1.png", "2.png"]),
    ],
    ids=str,
)
def test_pictures_that_no_line_names_any_more_go(
    tmp_path: Path, lines: list[tuple[str, list[str]]], stay: list[str]
) -> None:
    """They go when the batch ends, and no other pictures go."""
    before, other = ["1.png", "2.png"], tmp_path / "b/pictures/1.png"
    for path in (*(tmp_path / "a/pictures" / name for name in before), other):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a picture")
    with Manifest(tmp_path) as manifest:
        manifest.add(record(pictures=before))
        manifest.add(record("b", pictures=["1.png"]))
    with Manifest(tmp_path) as manifest:
        for status, pictures in lines:
            manifest.add(record(status=status, pictures=pictures))
        assert len(list((tmp_path / "a/pictures").iterdir())) == 2
        manifest.finish([page("a"), page("b")])
    assert sorted(path.name for path in (tmp_path / "a/pictures").iterdir()) == stay
    assert other.exists()


def test_a_page_of_which_a_picture_is_gone_is_no_earlier_one(tmp_path: Path) -> None:
    put_results(tmp_path, record())
    for pictures, left in (([], 1), (["1.png"], 0)):
        with Manifest(tmp_path) as manifest:
            manifest.add(record(pictures=pictures))
            manifest.finish([])
        assert len(load(tmp_path)) == left
