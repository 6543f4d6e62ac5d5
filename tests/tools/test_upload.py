"""make upload: the machine's input is a mirror of INPUT, and INPUT is never changed."""

import os
import shutil
from pathlib import Path

import pytest

from rig import pages
from rig.toolkit import Toolkit, files_below


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Time and content of all files."""
    found = ((name, folder / name) for name in files_below(folder))
    return {name: (path.lstat().st_mtime_ns, path.read_bytes()) for name, path in found}


def test_mirrors_the_pages_with_their_folders(kit: Toolkit) -> None:
    """Also names with spaces and Korean."""
    names = kit.write_pages(5)
    assert {"scans/box 1/page3.png", "한글/page5.png"} < set(names)
    end = kit.run_here("upload")
    assert (end.code, end.out, end.err) == (0, "", "")
    assert kit.uploaded == sorted(names)
    assert snapshot(kit.machine / "input") == snapshot(kit.input)  # with the times of the files


def test_sends_only_pages(kit: Toolkit) -> None:
    for name in ("A.PNG", "b.jpeg", "c.JPG", "d.pdf", "notes.txt", ".hidden.png", ".git/e.png"):
        path = kit.input / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert kit.run_here("upload").code == 0
    assert kit.uploaded == ["A.PNG", "b.jpeg", "c.JPG", "d.pdf"]


def test_its_own_copies_are_no_pages(kit: Toolkit) -> None:
    """If MACHINE_DIR is inside INPUT, each night would double the pages."""
    names = kit.write_pages(2)
    kit.knobs["MACHINE_DIR"] = str(kit.input / "machine")
    assert kit.run_here("upload").code == 0
    end = kit.run_here("upload")
    assert (end.code, "→ give a MACHINE_DIR outside of INPUT" in end.err) == (1, True), end.err
    assert files_below(kit.input / "machine/input") == sorted(names)


def test_removes_from_the_machine_what_input_no_longer_has(kit: Toolkit) -> None:
    names = kit.write_pages(5)
    assert kit.run_here("upload").code == 0
    shutil.rmtree(kit.input / "scans")
    before = snapshot(kit.input)
    assert kit.run_here("upload").code == 0
    assert kit.uploaded == sorted(name for name in names if not name.startswith("scans/"))
    assert not (kit.machine / "input" / "scans").exists()
    assert snapshot(kit.input) == before


def test_an_input_without_pages_is_no_reason_to_empty_the_machine(kit: Toolkit) -> None:
    """For example, a disk is not mounted. No machine is contacted."""
    names = kit.write_pages(2)
    assert kit.run_here("upload").code == 0
    shutil.rmtree(kit.input)
    kit.input.mkdir()
    end = kit.run_here("upload")
    assert (end.code, f"below {kit.input}: nothing to do" in end.err) == (0, True), end.err
    assert kit.uploaded == sorted(names)
    nowhere = {"TARGET": "ssh", "SSH_HOST": "nobody@192.0.2.1", "PATH": "/nowhere"}
    assert kit.run_here("upload", **nowhere).code == 0
    end = kit.run_here("upload", INPUT=str(kit.folder / "no such folder"), **nowhere)
    assert (end.code, "does not exist" in end.err) == (1, True), end.err


def test_the_second_time_sends_what_changed(kit: Toolkit) -> None:
    names = kit.write_pages(3)
    assert kit.run_here("upload").code == 0
    before = {name: (kit.machine / "input" / name).stat().st_ino for name in names}
    pages.article(20, 99).save(kit.input / names[1])
    assert kit.run_here("upload").code == 0
    after = {name: (kit.machine / "input" / name).stat().st_ino for name in names}
    assert [name for name in names if before[name] != after[name]] == [names[1]]
    assert snapshot(kit.machine / "input") == snapshot(kit.input)


def test_a_changed_file_of_the_same_size_and_time_is_sent(kit: Toolkit) -> None:
    """As after unpacking an archive, or with SOURCE_DATE_EPOCH."""
    name = kit.write_pages(1)[0]
    for content in (b"EEEE", b"FFFF"):
        (kit.input / name).write_bytes(content)
        os.utime(kit.input / name, (315_532_800, 315_532_800))
        assert kit.run_here("upload").code == 0
        assert (kit.machine / "input" / name).read_bytes() == content


def test_files_and_folders_may_change_places(kit: Toolkit) -> None:
    """A file becomes a folder, and a folder becomes a file."""
    page = kit.input / kit.write_pages(1)[0]
    shutil.copy(page, kit.input / "one.png")
    (kit.input / "two.png").mkdir()
    shutil.copy(page, kit.input / "two.png" / "page.png")
    assert kit.run_here("upload").code == 0
    (kit.input / "one.png").unlink()
    (kit.input / "two.png").rename(kit.input / "one.png")
    shutil.copy(page, kit.input / "two.png")
    assert kit.run_here("upload").code == 0
    assert kit.uploaded == ["100dpi/page1.png", "one.png/page.png", "two.png"]


def test_input_may_be_one_file(kit: Toolkit) -> None:
    kit.write_pages(2)
    single = pages.korean_name(kit.folder)
    assert kit.run_here("upload").code == 0
    assert kit.run_here("upload", "--input", str(single)).code == 0
    assert kit.uploaded == [single.name]


def test_a_file_that_cannot_be_read_is_left_out(kit: Toolkit) -> None:
    names = kit.write_pages(2)
    pages.dangling_link(kit.input)
    end = kit.run_here("upload")
    assert end.code == 3
    assert "upload: dangling.png was left out: No such file" in end.err
    assert kit.uploaded == sorted(names)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"INPUT": "nowhere"}, "nowhere does not exist"),
        ({"OUTPUT": "in/results"}, "in/results lies inside INPUT"),
    ],
)
def test_refuses_before_it_touches_the_machine(
    kit: Toolkit, given: dict[str, str], message: str
) -> None:
    kit.write_pages(1)
    assert kit.run_here("upload").code == 0
    kit.knobs |= given
    end = kit.run_here("upload")
    assert end.code == 1
    assert message in end.err
    assert kit.uploaded == ["100dpi/page1.png"]
