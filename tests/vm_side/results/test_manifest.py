"""What has been done: the manifest survives crashes, and the summary adds up."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from contract import DONE, STATUSES
from picture_files import AS_FILES
from results import manifest as module
from results.files import NO_PAGE, Wanted, results_of, write_results
from results.kinds import KINDS
from results.manifest import (
    Manifest,
    Record,
    is_done,
    load,
    read_record,
    summary,
)
from results.pages import Page

DOUBT = {"kind": "missed", "bbox": [1, 2, 30, 40], "cell": None, "detail": {"lines": 2}}
ODD_NUMBERS = (10**400, 1e308 * 10, -(10**400), -1, True, "7", None, [7])
SETTINGS = {
    "prompt_mode": "layout_all",
    "max_pixels": 2_000_000,
    "upsample_below": 1_200_000,
    "rotate": "auto",
}


def record(name: str = "a", status: str = "ok", **more: Any) -> Record:
    values = {"sha256": "5" * 64, "model": "dots", "settings": SETTINGS, **more}
    return Record(f"{name}/{name}", f"{name}.png", None, status, **values)


def page(name: str = "a") -> Page:
    return Page(f"{name}.png", f"{name}/{name}")


def put_results(folder: Path, *records: Record) -> None:
    for each in records:
        wanted = Wanted(each.page, False, AS_FILES)
        write_results(folder, each.page, results_of([], NO_PAGE, wanted))


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "manifest.jsonl").read_text(encoding="utf-8")
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


# ---- a line ----


def test_a_record_is_a_line_and_a_line_a_record() -> None:
    full = Record(
        page="한글/a/a",
        input="한글/a.pdf",
        pdf_page=3,
        status="partial",
        reason='two\nlines, "quoted"\u2028and\u2029more\x85',
        notes=["1 boxes turned"],
        sha256="0" * 64,
        rotation=90,
        original_size=[827, 1170],
        model_size=[1204, 1652],
        cells=25,
        pictures=["page_3_1.png", "page_3_2.jpg"],
        pictures_as="files",
        tokens_in=2537,
        tokens_out=900,
        doubt_tokens=1000,
        attempts=2,
        seconds=1.5,
        finish_reason="length",
        trust=0.25,
        doubts=[DOUBT, {**DOUBT, "kind": "amount", "cell": 3, "detail": {"ratio": 0.5}}],
        model="dots",
        settings=SETTINGS,
    )
    line = full.line()
    assert line.count("\n") == 1
    assert "한글" in line
    assert read_record(line) == full
    assert set(json.loads(line)) == set(KINDS)


def test_a_name_that_is_no_text_can_be_written_and_read(tmp_path: Path) -> None:
    odd = dataclasses.replace(record(), input=os.fsdecode(b"\xb0\xa1/\xff.png"))
    with Manifest(tmp_path) as manifest:
        manifest.add(odd)
        manifest.finish([Page(odd.input, odd.page)])
    assert load(tmp_path) == {odd.key: odd}
    assert os.fsencode(load(tmp_path)[odd.key].input) == b"\xb0\xa1/\xff.png"


@pytest.mark.parametrize(
    "line",
    [
        "",
        " ",
        "null",
        "7",
        "[]",
        "[" * 100_000,
        '"text"',
        "{}",
        '{"page": "a/a", "input": "a.png"}',
        '{"page": 1, "input": "a.png", "pdf_page": null, "status": "ok"}',
        '{"page": "a/a", "input": ["a"], "pdf_page": null, "status": "ok"}',
        '{"page": "a/a", "input": "a.png", "pdf_page": null, "status": "fine"}',
        record().line()[:-2],
        record().line()[: len(record().line()) // 2],
        record().line()[:-1] * 2,
    ],
)
def test_what_is_no_record_is_none(line: str) -> None:
    assert read_record(line) is None


def test_fields_of_a_newer_version_are_ignored_and_of_an_older_one_filled_in() -> None:
    newer = json.dumps({**json.loads(record().line()), "colour": "blue"})
    assert read_record(newer) == record()
    older = '{"page": "a/a", "input": "a.png", "pdf_page": null, "status": "ok"}'
    assert read_record(older) == Record("a/a", "a.png", None, "ok")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, v) for name in ("seconds", "tokens_in", "pdf_pages") for v in ODD_NUMBERS),
        *(("rotation", v) for v in (*ODD_NUMBERS, 45, 90.0)),
        ("tokens_out", 1.5),
        ("original_size", 7),
        ("model_size", [1, 10**400]),
        ("notes", "one"),
        ("notes", [1]),
        ("reason", None),
        ("sha256", 7),
        ("model", ["dots"]),
        ("settings", ["dots"]),
        *(("pictures", v) for v in ("1.png", {"1.png": 1}, [1], ["../1.png"], ["1.png", "a.png"])),
        *(("pictures_as", v) for v in ("links", None, ["files"], 1)),
        *(("trust", value) for value in (1.01, -0.1, True, "1", [1])),
        ("doubts", {}),
        *(("doubts", [value]) for value in (None, "missed", {}, {**DOUBT, "more": 1})),
        *(("doubts", [DOUBT, {**DOUBT, "kind": kind}]) for kind in ("else", ["missed"])),
        *(("doubts", [{**DOUBT, "bbox": box}]) for box in ([1, 2, 3], [1, 2, 3, "4"], [0.5] * 4)),
        *(("doubts", [{**DOUBT, "cell": cell}]) for cell in (-1, 1.0, True, "1")),
        *(("doubts", [{**DOUBT, "detail": detail}]) for detail in (7, {"a": None}, {"a": [1]})),
    ],
)
def test_an_odd_value_is_left_out_and_its_page_is_not(name: str, value: Any) -> None:
    """Whatever is done with a record later: it is added up, compared and written."""
    line = json.dumps({**json.loads(record().line()), name: value})
    found = read_record(line)
    assert found is not None and found.key == record().key
    assert getattr(found, name) == getattr(Record("a/a", "a.png", None, "ok"), name)
    json.dumps(summary([found], [found], 7.0, 1.0, 1))
    assert not is_done(found, page(), "0" * 64, {"model": "dots", **SETTINGS})
    assert read_record(found.line()) == found


@pytest.mark.parametrize("value", [-1, 1.5, True, "1", 10**400])
def test_an_odd_page_number_names_no_page(value: Any) -> None:
    assert read_record(json.dumps({**json.loads(record().line()), "pdf_page": value})) is None


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
    """page1.jpg was read, then page1.png in its place: page1.jpg is not done any more."""
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
    """page1.jpg came and went beside page1.png, whose results were named otherwise meanwhile."""
    moved = dataclasses.replace(record(), page="a.png/a.png")
    with Manifest(tmp_path) as manifest:
        for each in (record(), moved, record()):
            manifest.add(each)
    assert load(tmp_path) == {record().key: record()}


# ---- done ----


@pytest.mark.parametrize("status", STATUSES)
def test_a_page_is_done_unless_it_failed_or_was_not_reached(status: str) -> None:
    wanted = {"model": "dots", **SETTINGS}
    assert is_done(record(status=status), page(), "5" * 64, wanted) == (status in DONE)
    assert set(STATUSES) - set(DONE) == {"failed", "left"}


@pytest.mark.parametrize(
    ("change", "sha256", "wanted"),
    [
        ({}, "6" * 64, {}),
        ({}, "", {}),
        ({}, "5" * 64, {"model": "other"}),
        ({}, "5" * 64, {"max_pixels": 1_000_000}),
        ({}, "5" * 64, {"prompt_mode": "ocr"}),
        ({}, "5" * 64, {"upsample_below": 0}),
        ({}, "5" * 64, {"a_new_setting": 1}),
        ({"page": "a.png/a.png"}, "5" * 64, {}),
        ({"settings": {}}, "5" * 64, {}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_other_content_settings_model_or_place_is_not_done(
    change: dict[str, Any], sha256: str, wanted: dict[str, Any]
) -> None:
    before = dataclasses.replace(record(), **change)
    assert not is_done(before, page(), sha256, {"model": "dots", **SETTINGS, **wanted})
    assert not is_done(None, page(), sha256, {"model": "dots", **SETTINGS})


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
    """So that who has the manifest alone can tell whether one is missing."""
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
        (2, "before", False),  # of an older content
        (3, "now", False),  # which the file no longer has
        (None, "now", False),
    ],
)
def test_pages_that_a_trial_leaves_out_stay(
    tmp_path: Path, page: int | None, sha256: str, kept: bool
) -> None:
    """PAGES=1-2 of a file of three: what was read of it before need not be read again."""
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


# ---- the lock ----

HOLDER = """
import sys, time
from pathlib import Path
from results.manifest import Manifest, Record
with Manifest(Path(sys.argv[1])) as manifest:
    manifest.add(Record("a/a", "a.png", None, "ok"))
    print("open", flush=True)
    time.sleep(60)
"""


@contextlib.contextmanager
def holder(folder: Path) -> Any:
    """Another process that has the manifest of this folder open."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path(module.__file__).parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"open\n"
            yield process
        finally:
            process.kill()


def test_a_second_batch_is_told_who_writes_and_since_when(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with pytest.raises(BlockingIOError) as error:
            Manifest(tmp_path)
        pattern = r"(.*) is being written by process (\d+), since (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"
        found = re.fullmatch(pattern, str(error.value))
        assert found
        assert (found[1], found[2]) == (str(tmp_path), str(process.pid))
        began = time.mktime(time.strptime(found[3], "%Y-%m-%d %H:%M:%S"))
        assert abs(time.time() - began) < 60
        assert [line["input"] for line in lines(tmp_path)] == ["a.png"], "a refusal changes nothing"


def test_the_lock_goes_with_its_holder_however_that_ends(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with Manifest(tmp_path) as manifest:
            assert list(manifest.records) == [("a.png", None)]


def test_the_lock_is_given_back_at_the_end(tmp_path: Path) -> None:
    for _ in range(3):
        with Manifest(tmp_path) as manifest:
            with pytest.raises(BlockingIOError) as error:
                Manifest(tmp_path)
            assert re.fullmatch(rf".* by process {os.getpid()}, since [-0-9 :]*", str(error.value))
            manifest.finish([])


def test_the_lock_is_given_back_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), Manifest(tmp_path):
        raise KeyError
    with Manifest(tmp_path):
        pass


def test_results_are_made_in_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    with Manifest(tmp_path / "a" / "b") as manifest:
        manifest.finish([])
    assert (tmp_path / "a" / "b" / "manifest.jsonl").read_bytes() == b""


# ---- the summary ----


def test_the_summary_adds_up() -> None:
    records = [
        record("a", tokens_in=100, tokens_out=10, attempts=1),
        record("b", "repaired", tokens_in=200, tokens_out=20, attempts=2, seconds=3600.0),
        record("c", "partial", tokens_in=300, tokens_out=30, attempts=3, doubts=[DOUBT]),
        record("d", "blank"),
        record("i", "doubtful", doubts=[{**DOUBT, "kind": "empty"}, DOUBT], doubt_tokens=50),
        record("j", "corrected", trust=1.0),
        record("e", "failed", reason="why"),
        record("f", "failed", reason="because"),
        record("g", "failed", reason="why"),
        record("h", "left", reason="not reached: run again"),
    ]
    totals = summary(
        records, records[1:5] + records[6:8] + records[9:], 7200.0, price_per_hour=0.7, gpus=1
    )
    assert totals == {
        "pages": 10,
        "ok": 1,
        "repaired": 1,
        "partial": 1,
        "blank": 1,
        "doubtful": 1,
        "corrected": 1,
        "failed": 3,
        "left": 1,
        "tokens_in": 600,
        "tokens_out": 60,
        "doubt_tokens": 50,
        "doubts": {"missed": 2, "empty": 1},
        "failures": {"why": 2, "because": 1},
        "run": {
            "pages": 6,
            "failed": 2,
            "attempts": 5,
            "tokens_out": 50,
            "doubt_tokens": 50,
            "seconds": 7200.0,
            "pages_per_second": 0.001,
            "pages_in_flight": 0.5,
            "gpu_hours": 2.0,
            "cost_usd": 1.4,
        },
    }
    assert list(totals["failures"]) == ["why", "because"]


def test_the_other_machines_of_a_fleet_have_their_price() -> None:
    run = summary([], [], 3600.0, 1.0, 1, worker_hours=7.0, price_per_worker_hour=0.25)["run"]
    assert (run["gpu_hours"], run["cost_usd"]) == (8.0, 2.75)


def test_the_summary_of_nothing_divides_by_nothing() -> None:
    totals = summary([], [], 0.0, price_per_hour=0.7, gpus=0)
    assert totals["run"]["pages_per_second"] == 0.0
    assert totals["run"]["gpu_hours"] == totals["run"]["cost_usd"] == 0.0
    assert sum(totals[status] for status in STATUSES) == totals["pages"] == 0


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
    """When the batch ends, and no others."""
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
