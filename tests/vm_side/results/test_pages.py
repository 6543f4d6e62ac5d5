"""Which files are pages, their order, and the names of their results."""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections import Counter
from pathlib import Path, PurePosixPath

import pymupdf
import pytest

from contract import RESERVED
from results.counting import Counted
from results.pages import Page, find_pages, pages_of, select, sha256_of
from rig import pages as rig
from walk import BEYOND
from wanted_pages import selection_from


def found(root: Path, *names: str) -> list[Page]:
    """The pages below root, after making these files (their content is not read)."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return find_pages(root)


def results(root: Path, *names: str) -> dict[str, str]:
    return {page.input: page.result for page in found(root, *names)}


# ---- which files ----


def test_pictures_and_pdfs_are_pages_in_any_letter_case(tmp_path: Path) -> None:
    names = ["a.png", "b.PNG", "c.jpg", "d.Jpeg", "e/f.JPG", "f.TIFF", "g.tif", "h.WebP"]
    names += ["i.bmp", "j.gif", "k.jp2", "l.jfif", "m.HEIC", "n.heif", "o.avif"]
    others = ["g.txt", "h.svg", "png", "i.png.txt", "j.png~", "k.json", "l.eps", "m.cbz"]
    assert [page.input for page in found(tmp_path, *names, *others)] == names


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    names = [".a.png", ".git/b.png", "c/.d/e.png", "c/._f.png", "g.png"]
    assert results(tmp_path, *names) == {"g.png": "g/g"}


def test_an_empty_folder_has_no_pages(tmp_path: Path) -> None:
    assert find_pages(tmp_path) == []


def test_a_folder_named_like_a_picture_is_a_folder(tmp_path: Path) -> None:
    assert results(tmp_path, "scans.png/a.png") == {"scans.png/a.png": "scans.png/a/a"}


def test_a_link_to_a_file_is_a_page(tmp_path: Path) -> None:
    rig.tiny(1).save(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to("a.png")
    rig.pdf(tmp_path / "c.pdf", pages=1)
    (tmp_path / "d.pdf").symlink_to(tmp_path / "c.pdf")
    assert [(page.input, page.fault) for page in find_pages(tmp_path)] == [
        ("a.png", ""),
        ("b.png", ""),
        ("c.pdf", ""),
        ("d.pdf", ""),
    ]


def test_a_link_to_nowhere_is_a_page_too_so_that_its_failure_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to("nowhere.png")
    (tmp_path / "b.pdf").symlink_to("nowhere.pdf")
    assert [(page.input, page.fault) for page in find_pages(tmp_path)] == [
        ("a.png", ""),  # the worker notices it when it opens the file
        ("b.pdf", "the file cannot be opened: No such file or directory"),
    ]


def test_the_input_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert results(tmp_path / "link", "a/b.png") == {"a/b.png": "a/b/b"}


# ---- names of results ----


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("page1.png", "page1/page1"),
        ("100dpi/page1.png", "100dpi/page1/page1"),
        ("a b/두 번째 장.jpg", "a b/두 번째 장/두 번째 장"),
        ("v1.2.png", "v1.2/v1.2"),
        ("a#$%&'\"`;|*?.png", "a#$%&'\"`;|*?/a#$%&'\"`;|*?"),
        ("-rf.png", "-rf/-rf"),
        ("x.png.png", "x.png/x.png"),
    ],
)
def test_results_keep_the_folders_of_the_input(tmp_path: Path, name: str, result: str) -> None:
    assert results(tmp_path, name) == {name: result}


def test_pages_of_a_pdf_are_numbered_from_0(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    rig.pdf(tmp_path / "a" / "report.PDF", pages=3)
    assert find_pages(tmp_path) == [
        Page("a/report.PDF", f"a/report/report_page_{i}", pdf_page=i) for i in range(3)
    ]


def test_a_picture_named_pdf_is_the_picture(tmp_path: Path) -> None:
    rig.article(50).save(tmp_path / "a.pdf", "PNG")
    assert find_pages(tmp_path) == [Page("a.pdf", "a/a")]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["page1.png", "page1.jpg"], ["page1.png", "page1.jpg"]),
        (["page1.png", "page1.PNG"], ["page1.png", "page1.PNG"]),
        (["page1.png", "PAGE1.jpg"], ["page1.png", "PAGE1.jpg"]),
        (["Straße.png", "STRASSE.png"], ["Straße.png", "STRASSE.png"]),
        (["é.png", unicodedata.normalize("NFD", "é") + ".jpg"], None),
        (["가.png", unicodedata.normalize("NFD", "가") + ".png"], None),
        (["a.png", "b.jpg"], ["a", "b"]),
        (["x/a.png", "y/a.png"], ["x/a", "y/a"]),
        # The name of one file is the stem of another.
        (["a.png", "a.jpg", "a.png.png"], ["a.png", "a.jpg", "a.png.png"]),
        (["a.png", "A.PNG.jpg"], ["a", "A.PNG.jpg"]),
    ],
)
def test_two_inputs_that_would_share_a_name_keep_their_endings(
    tmp_path: Path, names: list[str], expected: list[str] | None
) -> None:
    given = results(tmp_path, *names)
    folders = [str(Path(given[name]).parent) for name in names]
    assert folders == (expected or names)
    assert all(Path(result).name == Path(result).parent.name for result in given.values())
    plain = {unicodedata.normalize("NFC", folder).casefold() for folder in folders}
    assert len(plain) == len(names) or expected != ["a", "b"]
    assert len(set(given.values())) == len(names)


def test_a_pdf_and_a_picture_of_one_name_keep_their_endings(tmp_path: Path) -> None:
    rig.same_name(tmp_path)
    assert [page.result for page in find_pages(tmp_path)] == [
        "page1.jpg/page1.jpg",
        "page1.pdf/page1.pdf_page_0",
        "page1.png/page1.png",
    ]


@pytest.mark.parametrize("reserved", [*RESERVED, "Manifest.JSONL"])
def test_the_batchs_own_files_are_not_taken(tmp_path: Path, reserved: str) -> None:
    name = f"{reserved}.png"
    assert results(tmp_path, name, f"sub/{name}") == {
        name: f"{name}/{name}",
        f"sub/{name}": f"sub/{reserved}/{reserved}",
    }


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["x.png", "x/x.json.png"], ["x", "x/x.json.png"]),
        (["x.png", "x/x.JSON.png", "x/x.md.gif"], ["x", "x/x.JSON.png", "x/x.md.gif"]),
        (["x.png", "x/x_nohf.md.png", "x/x.jpg.png"], ["x", "x/x_nohf.md.png", "x/x.jpg.png"]),
        (["x.png", "x/x.json.part.png"], ["x", "x/x.json.part.png"]),
        (["x.pdf", "x/x_page_0.json.png"], ["x", "x/x_page_0.json.png"]),
        # a drawing or a picture could have exactly this name
        (["x.png", "x/x.jpg", "x/x.png"], ["x", "x/x.jpg_", "x/x.png"]),
        (["x.png", "x/x.jpg", "x/x.png", "x/x.jpg_.png"], ["x", "x/x.jpg_", "x/x.png", None]),
        (["x/pictures/1.png", "x/pictures/1.jpg"], ["x/pictures/1.png_", "x/pictures/1.jpg_"]),
        (["x/pictures/page_0_1.png.png"], ["x/pictures/page_0_1.png.png"]),
        # names that only look like this
        (["x/pictures/1.png"], ["x/pictures/1"]),
        (["x/y.json.png", "x.json.png", "pictures/a.png"], ["x/y.json", "x.json", "pictures/a"]),
        (["x/xx.json.png", "x/x_page.json.png"], ["x/xx.json", "x/x_page.json"]),
    ],
)
def test_no_result_lies_where_a_file_of_other_results_may_be(
    tmp_path: Path, names: list[str], expected: list[str | None]
) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        rig.tiny(1).save(tmp_path / name, "PNG")
    given = {page.input: str(Path(page.result).parent) for page in find_pages(tmp_path)}
    wanted = zip(names, expected, strict=True)
    assert given == {name: folder or name for name, folder in wanted}


@pytest.mark.parametrize(
    ("names", "blocked"),
    [
        (["x.png", "x/x.json/a.png", "x/x.json/b/c.png"], "x/x.json"),
        (["x.png", "x/pictures/1.png/a.png"], "x/pictures/1.png"),
        (["summary.json/a.png"], "summary.json"),
        (["y.png", "x/x.json/a.png"], ""),
        (["x.json/a.png", "x/summary.json/a.png"], ""),
    ],
)
def test_a_folder_that_is_called_as_a_file_of_results_is_a_fault(
    tmp_path: Path, names: list[str], blocked: str
) -> None:
    for page in found(tmp_path, *names):
        fault = f"the folder {blocked} has the name of a file of results: rename it"
        assert page.fault == (fault if blocked and page.input.startswith(blocked) else "")


# ---- order ----


def test_pages_are_in_natural_order(tmp_path: Path) -> None:
    names = ["2/b.png", "10/a.png", "page1.png", "page2.png", "page02.jpg", "page10.png", "쪽9.png"]
    assert [page.input for page in found(tmp_path, *reversed(names))] == [
        "2/b.png",
        "10/a.png",
        "page1.png",
        "page02.jpg",
        "page2.png",
        "page10.png",
        "쪽9.png",
    ]


def test_digits_of_other_scripts_and_long_numbers_can_be_sorted(tmp_path: Path) -> None:
    names = ["²/a.png", "٣/a.png", "9" * 200 + ".png", "9" * 199 + ".png", "a.png", "1/2/3.png"]
    assert len(found(tmp_path, *names)) == len(names)


def test_pages_of_a_pdf_stay_in_order(tmp_path: Path) -> None:
    rig.pdf(tmp_path / "a.pdf", pages=12)
    assert [page.pdf_page for page in find_pages(tmp_path)] == list(range(12))


# ---- faults that show at once ----


def test_a_name_too_long_for_its_results_is_a_fault(tmp_path: Path) -> None:
    path = rig.long_name_png(tmp_path)
    (page,) = find_pages(tmp_path)
    assert page.input == path.name
    assert page.fault == "the name is 9 bytes too long for its results: rename the file"


@pytest.mark.parametrize("letter", ["n", "가"])
def test_the_longest_name_without_fault_holds_its_results(tmp_path: Path, letter: str) -> None:
    size = len(letter.encode())
    stem = letter * (242 // size)
    (page,) = found(tmp_path, stem + ".png")
    assert page.fault == ""
    part = tmp_path / "out" / (page.result + "_nohf.md.part")
    part.parent.mkdir(parents=True)
    part.touch()
    (tmp_path / (stem + ".png")).rename(tmp_path / (stem + letter + ".png"))
    shutil.rmtree(tmp_path / "out")
    (page,) = find_pages(tmp_path)
    assert "too long" in page.fault


def test_a_long_pdf_name_leaves_room_for_the_page_number(tmp_path: Path) -> None:
    rig.pdf(tmp_path / ("n" * 235 + ".pdf"), pages=2)
    (page,) = find_pages(tmp_path)
    assert "bytes too long" in page.fault


@pytest.mark.parametrize(
    "name", [b"two\nlines.png", b"tab\there.png", b"latin-\xe9.png", b"\xb0\xa1/a.png", b"\xff.pdf"]
)
def test_a_name_that_is_no_text_is_a_fault(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    (page,) = found(tmp_path, os.fsdecode(name))
    assert tmp_path / page.input == path
    assert page.fault == "the name has a line break or bytes that are not text: rename the file"


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (
            "encrypted_pdf",
            "the PDF wants a password: give it in PDF_PASSWORD, or save a copy without one",
        ),
        ("truncated_pdf", "damaged beyond repair, or no PDF at all"),
    ],
)
def test_a_pdf_that_cannot_be_opened_is_one_page_with_its_fault(
    tmp_path: Path, kind: str, fault: str
) -> None:
    path = rig.BAD[kind](tmp_path)
    assert find_pages(tmp_path) == [Page(path.name, f"{path.stem}/{path.stem}", fault=fault)]


def test_an_empty_pdf_is_one_page_with_its_fault(tmp_path: Path) -> None:
    (page,) = found(tmp_path, "a.pdf")
    assert page.fault == "the file is empty"


def test_a_pdf_without_pages_is_one_page_with_its_fault(tmp_path: Path) -> None:
    with pymupdf.open() as document:
        document.new_page()
        raw = document.tobytes()
    raw = raw.replace(b"/Count 1", b"/Count 0").replace(b"/Kids[", b"/Kid1[")
    (tmp_path / "a.pdf").write_bytes(raw)
    (page,) = find_pages(tmp_path)
    assert page.fault


def test_a_folder_that_cannot_be_listed_is_one_page_with_its_fault(tmp_path: Path) -> None:
    """Its path is too long for the system, which stops root, too."""
    rig.tiny(1).save(tmp_path / "a.png")
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=folder)
        deeper = os.open("d" * 250, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = deeper
    os.close(folder)
    good, bad = find_pages(tmp_path)
    assert good == Page("a.png", "a/a")
    assert bad.input.endswith("d/")
    assert bad.fault == "the folder cannot be listed: File name too long"


def test_a_folder_that_is_gone_has_a_fault(tmp_path: Path) -> None:
    (page,) = find_pages(tmp_path / "gone")
    assert page.fault == "the folder cannot be listed: No such file or directory"


# ---- keys ----


def test_keys_and_results_of_all_pages_differ(tmp_path: Path) -> None:
    rig.bad_inputs(tmp_path / "bad")
    rig.odd_good_inputs(tmp_path / "odd")
    rig.same_name(tmp_path / "same")
    rig.pdf(tmp_path / "a.pdf", pages=3)
    every = find_pages(tmp_path)
    assert len(every) == len({page.key for page in every}) == len({page.result for page in every})
    assert Page("a.pdf", "a/a_page_2", 2).key == ("a.pdf", 2)


# ---- which of them are wanted ----

ALL = [
    *(Page("a.pdf", f"a/a_page_{number}", number) for number in range(3)),
    *(Page("b.pdf", f"b/b_page_{number}", number) for number in range(2)),
    Page("c.png", "c/c"),
    Page("d.pdf", "d/d", fault="it cannot be opened"),
    Page("e.pdf", "e/e_page_9", 9, fault="it says it has more pages than it holds"),
]


@pytest.mark.parametrize(
    ("wanted", "selected", "left_out"),
    [
        ("", ["a_page_0", "a_page_1", "a_page_2", "b_page_0", "b_page_1", "c", "d", "e_page_9"], 0),
        ("2", ["a_page_1", "b_page_1", "d"], 2),  # nobody knows which pages d.pdf has
        ("3-5", ["a_page_2", "d"], 3),
        ("1", ["a_page_0", "b_page_0", "c", "d"], 1),
        ("7", ["d"], 4),
    ],
)
def test_which_pages_are_wanted(wanted: str, selected: list[str], left_out: int) -> None:
    """A file without a wanted page counts as one that is not read."""
    not_read = Counter({BEYOND: 5})
    found = select(ALL, selection_from(wanted), not_read)
    assert [PurePosixPath(page.result).name for page in found] == selected
    assert not_read[BEYOND] == 5 + left_out


def test_pages_that_a_file_only_says_it_has_are_one_page_with_their_fault() -> None:
    found = list(pages_of(PurePosixPath("a.pdf"), "a/a", Counted(pages=2, said=1000)))
    assert [(page.result, page.pdf_page, page.fault) for page in found] == [
        ("a/a_page_0", 0, ""),
        ("a/a_page_1", 1, ""),
        ("a/a_page_2", 2, "the PDF says it has 1,000 pages, and holds 2"),
    ]
    assert {page.pdf_pages for page in found} == {3}


def test_what_is_in_a_file_beyond_its_pages_is_one_page_with_its_fault() -> None:
    counted = Counted(pages=1, said=1, beyond="a file is attached, and is not read")
    found = list(pages_of(PurePosixPath("a.pdf"), "a/a", counted))
    assert [(page.result, page.fault) for page in found] == [
        ("a/a_page_0", ""),
        ("a/a_page_1", "a file is attached, and is not read"),
    ]


def test_the_hash_is_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "a") == known
