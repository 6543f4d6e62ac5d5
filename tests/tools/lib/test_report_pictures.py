"""The pictures of a report: made once, upright, only from the file that was read."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from lib.pages.entries import Entry, read_entries
from lib.pages.originals import open_picture
from lib.report.pictures import (
    KINDS,
    PAGE_SIDE,
    Job,
    jobs,
    make,
    names_in,
    one_by_one,
    remove_others,
)
from rig.result_sets import ResultSet


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def results_of(folder: Path, *files: Path) -> list[Entry]:
    """The entries of pages read from these files."""
    results = ResultSet(folder)
    for path in files:
        pages = range(pymupdf.open(path).page_count) if path.suffix == ".pdf" else [None]
        for page in pages:
            place = f"{path.stem}/{path.stem}_page_{page}"
            results.add(path.name, [], page=place, pdf_page=page, sha256=sha256(path))
    return read_entries(results.finish())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for the pictures."""
    for kind in KINDS:
        (tmp_path / "files" / kind).mkdir(parents=True)
    return tmp_path / "files"


def write_pdf(path: Path, count: int) -> Path:
    with pymupdf.open() as document:
        for _ in range(count):
            document.new_page(width=300, height=400)
        document.save(path)
    return path


def test_pictures_and_pdf_pages_once(tmp_path: Path, folder: Path) -> None:
    Image.new("RGB", (3000, 2000), "red").save(tmp_path / "a.png")
    entries = results_of(tmp_path / "out", tmp_path / "a.png", write_pdf(tmp_path / "b.pdf", 20))
    work = list(jobs(entries, tmp_path, folder))
    assert [len(job.pages) for job in work] == [1, 16, 4]
    assert sum(map(make, work)) == 21
    for kind in KINDS:
        assert names_in(folder / kind) == {entry.picture for entry in entries}
    with Image.open(folder / "pages" / f"{entries[0].picture}.webp") as picture:
        assert picture.size == (PAGE_SIDE, 933)
    assert list(jobs(entries, tmp_path, folder)) == []
    remove_others(folder, entries[:2])
    assert names_in(folder / "thumbs") == {entry.picture for entry in entries[:2]}


def test_none_without_the_input(tmp_path: Path, folder: Path) -> None:
    Image.new("L", (30, 20)).save(tmp_path / "a.png")
    entries = results_of(tmp_path / "out", tmp_path / "a.png")
    assert list(jobs(entries, None, folder)) == []
    (tmp_path / "a.png").unlink()
    assert [make(job) for job in jobs(entries, tmp_path, folder)] == [0]


def test_none_of_a_file_that_changed_since(tmp_path: Path, folder: Path) -> None:
    Image.new("L", (30, 20)).save(tmp_path / "a.png")
    entries = results_of(tmp_path / "out", tmp_path / "a.png")
    Image.new("L", (30, 30)).save(tmp_path / "a.png")
    assert [make(job) for job in jobs(entries, tmp_path, folder)] == [0]


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x89PNG\r\n\x1a\n"]
)
def test_a_damaged_file_has_none(tmp_path: Path, folder: Path, content: bytes) -> None:
    for name in ("a.png", "b.pdf"):
        (tmp_path / name).write_bytes(content)
    results = ResultSet(tmp_path / "out")
    results.add("a.png", sha256=sha256(tmp_path / "a.png"))
    results.add("b.pdf", pdf_page=3, sha256=sha256(tmp_path / "b.pdf"))
    entries = read_entries(results.finish())
    assert [make(job) for job in jobs(entries, tmp_path, folder)] == [0, 0]
    assert not any(names_in(folder / kind) for kind in KINDS)


def test_a_frame_that_is_not_there_has_none(tmp_path: Path, folder: Path) -> None:
    """Whatever the manifest says: the other pages still get their pictures."""
    Image.new("L", (30, 20)).save(tmp_path / "a.tif")
    results = ResultSet(tmp_path / "out")
    for frame in (0, 7):
        results.add("a.tif", page=f"a/{frame}", pdf_page=frame, sha256=sha256(tmp_path / "a.tif"))
    work = jobs(read_entries(results.finish()), tmp_path, folder)
    assert [make(job) for job in work] == [1]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_every_mode_is_shown_as_what_it_is(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    gray = 255 if mode == "1" else 200
    if mode == "I;16":
        Image.new(mode, (40, 60), gray * 257).save(path)
    else:
        Image.new("L", (40, 60), gray).convert("RGB" if mode == "CMYK" else "L").convert(mode).save(
            path
        )
    shown = open_picture(path, b"", 0, PAGE_SIDE)
    assert shown.size == (40, 60)
    assert list(shown.convert("L").getextrema()) == pytest.approx([gray, gray], abs=3)


def test_what_is_transparent_is_white_and_a_turned_page_upright(tmp_path: Path) -> None:
    Image.new("RGBA", (40, 60), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert open_picture(tmp_path / "a.png", b"", 0, PAGE_SIDE).getpixel((0, 0)) == (255, 255, 255)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (40, 60)).save(tmp_path / "b.jpg", exif=turned)
    assert open_picture(tmp_path / "b.jpg", b"", 0, PAGE_SIDE).size == (60, 40)


@pytest.mark.parametrize(
    "name", ["/dev/zero", "../secret.png", "a/../../secret.png", "pipe.png", "zero.png", "folder"]
)
def test_only_regular_files_below_the_input_are_opened(
    tmp_path: Path, folder: Path, name: str
) -> None:
    """The manifest may name anything."""
    source = tmp_path / "in"
    (source / "folder").mkdir(parents=True)
    Image.new("L", (30, 30)).save(tmp_path / "secret.png")
    os.mkfifo(source / "pipe.png")
    (source / "zero.png").symlink_to("/dev/zero")
    results = ResultSet(tmp_path / "out")
    results.add(name, [], page="a/a", sha256=sha256(tmp_path / "secret.png"))
    work = list(jobs(read_entries(results.finish()), source, folder))
    assert sum(map(make, work)) == 0


def test_a_job_in_parts_is_one_for_each_page(tmp_path: Path, folder: Path) -> None:
    (job,) = jobs(results_of(tmp_path / "out", write_pdf(tmp_path / "b.pdf", 3)), tmp_path, folder)
    parts = one_by_one(job)
    assert [part.pages for part in parts] == [(page,) for page in job.pages[::-1]]
    assert one_by_one(parts[0]) == []


def test_a_job_that_is_left_out_is_told_by_its_file() -> None:
    book = Job(Path("in/a.pdf"), "0", Path("out"), ((0, 0, "x"), (1, 90, "y")))
    assert (str(book), str(replace(book, pages=((None, 0, "x"),)))) == ("a.pdf page 0, 1", "a.pdf")


@pytest.mark.parametrize(
    ("rotation", "corner"),
    [(0, (0, 0)), (90, (-1, 0)), (180, (-1, -1)), (270, (0, -1)), (45, (0, 0)), ("x", (0, 0))],
)
def test_a_page_is_shown_as_it_was_turned(
    tmp_path: Path, folder: Path, rotation: int, corner: tuple[int, int]
) -> None:
    """A page that was read again with another turn gets a picture with another name."""
    picture = Image.new("L", (300, 200), 255)
    picture.paste(0, (0, 0, 40, 40))
    picture.save(tmp_path / "a.png")
    results = ResultSet(tmp_path / "out")
    results.add("a.png", [], sha256=sha256(tmp_path / "a.png"), rotation=rotation)
    (entry,) = read_entries(results.finish())
    (plain,) = results_of(tmp_path / "plain", tmp_path / "a.png")
    assert (entry.picture == plain.picture) == (corner == (0, 0))
    assert sum(map(make, jobs([entry], tmp_path, folder))) == 1
    with Image.open(folder / "pages" / f"{entry.picture}.webp") as shown:
        at = [side - 10 if end else 10 for side, end in zip(shown.size, corner, strict=True)]
        assert shown.convert("L").getpixel((at[0], at[1])) < 60  # type: ignore[operator]  # of mode L
        assert (shown.width < shown.height) == (rotation in (90, 270))
