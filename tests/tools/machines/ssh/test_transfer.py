"""Folders over a real ssh: only changes are sent, and what arrives is checked."""

import io
import os
import shutil
import uuid
from pathlib import Path

import pytest

from lib.machines.machine import CHANGED, Moved
from lib.machines.ssh.shell import Shell
from lib.machines.ssh.transfer import Padded, fetch, listing, mirror_up
from rig.cloud.login import Login
from rig.toolkit import files_below

NAMES = (
    "page.png",
    "two words/page one.png",
    "한글/쪽 1.png",
    "line\nbreak.png",
    "-r.png",
    "--help/x.png",
    "quote'\"$HOME`id`.png",
    "back\\slash.png",
    "st*r [1]?.png",
    " leading and trailing ",
    "#1%20.png",
    f"{'long' * 30}/{'name' * 40}.png",
    os.fsdecode(b"latin-\xe9.png"),
)


class Place:
    """A folder on our side and one on the machine's."""

    def __init__(self, login: Login, ours: Path) -> None:
        self.shell, self.ours = login.shell, ours
        self.name = f"folder-{uuid.uuid4().hex}"
        self.theirs = login.home / self.name
        ours.mkdir()

    def write(self, name: str, text: str = "", at: int = 1_000_000_000) -> None:
        """Write a file on our side."""
        path = self.ours / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text or name, errors="surrogateescape")
        os.utime(path, (at, at))

    def up(self) -> Moved:
        """Mirror our whole folder."""
        return mirror_up(self.shell, self.ours, files_below(self.ours), self.name)

    def assert_same(self) -> None:
        """Check that both sides have the same files."""
        assert files_below(self.theirs) == files_below(self.ours)
        for name in files_below(self.ours):
            assert (self.theirs / name).read_bytes() == (self.ours / name).read_bytes(), name


@pytest.fixture
def place(login: Login, tmp_path: Path) -> Place:
    return Place(login, tmp_path / "ours")


def counts(moved: Moved) -> tuple[int, int, int]:
    assert moved.failed == {}
    return moved.new, moved.same, moved.removed


def test_strange_names_go_up_and_come_home(place: Place, tmp_path: Path) -> None:
    for name in NAMES:
        place.write(name)
    assert counts(place.up()) == (len(NAMES), 0, 0)
    place.assert_same()
    assert counts(place.up()) == (0, len(NAMES), 0)
    home = tmp_path / "home"
    assert counts(fetch(place.shell, place.name, NAMES, home)) == (len(NAMES), 0, 0)
    assert files_below(home) == files_below(place.ours)
    assert {(home / name).read_bytes() for name in NAMES} == {os.fsencode(n) for n in NAMES}
    assert counts(fetch(place.shell, place.name, NAMES, home)) == (0, len(NAMES), 0)


def test_only_what_changed_travels(place: Place) -> None:
    for number in range(5):
        place.write(f"{number}.png")
    place.up()
    before = {name: (place.theirs / name).stat().st_ino for name in files_below(place.theirs)}
    place.write("0.png", "other, and longer")
    place.write("1.png", "1.pnG", at=1_000_000_001)  # the same size
    place.write("2.png", at=1_000_000_002)  # only its time differs
    (place.ours / "3.png").unlink()
    place.write("5.png")
    assert counts(place.up()) == (3, 2, 1)
    place.assert_same()
    for name in ("2.png", "4.png"):
        assert (place.theirs / name).stat().st_ino == before[name]


def test_a_time_tells_nothing_of_the_content(place: Place, tmp_path: Path) -> None:
    """Changed within a second, or unpacked with an old time, for example of 1980."""
    for text in ("BBBB", "CCCC", "DDDD"):
        place.write("page.png", text, at=315_532_800)
        assert counts(place.up()) == (1, 0, 0)
        place.assert_same()
    home = tmp_path / "home"
    fetch(place.shell, place.name, ["page.png"], home)
    os.utime(place.theirs / "page.png", ns=(0, 315_532_800_000_000_001))
    (place.theirs / "page.png").write_text("EEEE")
    os.utime(place.theirs / "page.png", ns=(0, 315_532_800_000_000_001))  # less than a second later
    assert counts(fetch(place.shell, place.name, ["page.png"], home)) == (1, 0, 0)
    assert (home / "page.png").read_text() == "EEEE"
    assert (home / "page.png").stat().st_mtime_ns == 315_532_800_000_000_001


def test_files_become_folders_and_folders_files(place: Place) -> None:
    place.write("a.png")
    place.write("b.png/c/d.png")
    place.up()
    shutil.rmtree(place.ours / "b.png")
    (place.ours / "a.png").unlink()
    place.write("a.png/x.png")
    place.write("b.png")
    assert counts(place.up()) == (2, 0, 2)
    place.assert_same()


def test_folders_that_are_empty_go(place: Place) -> None:
    place.write("a/b/c.png")
    place.write("d.png")
    place.up()
    shutil.rmtree(place.ours / "a")
    place.up()
    assert [path.name for path in place.theirs.iterdir()] == ["d.png"]


def test_what_cannot_be_read_does_not_keep_the_others(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("good.png")
    place.write("locked.png")
    place.up()
    place.write("good.png", "new")
    place.write("locked.png", "lOcked.png", at=5)
    (place.ours / "dangling.png").symlink_to("nowhere")
    real = Path.open

    def refusing(path: Path, *arguments: object) -> object:
        if path.name == "locked.png":  # root can read everything, so the error is faked
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments)  # type: ignore[call-overload]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refusing)
        moved = place.up()
    assert moved.failed.keys() == {"locked.png", "dangling.png"}
    assert moved.failed["locked.png"] == "Permission denied"
    assert (moved.new, (place.theirs / "good.png").read_text()) == (1, "new")


def test_an_empty_list_empties_the_machine(place: Place) -> None:
    place.write("a.png")
    place.up()
    assert mirror_up(place.shell, place.ours, [], place.name) == Moved(removed=1)
    assert files_below(place.theirs) == []


def test_names_that_lead_out_are_never_asked_for(place: Place, tmp_path: Path) -> None:
    place.write("a.png")
    place.up()
    home = tmp_path / "deep" / "home"
    moved = fetch(place.shell, place.name, ["../../out", "/etc/passwd", "a.png", "b.png"], home)
    assert (moved.new, moved.failed) == (1, {"b.png": "not on the machine"})
    assert files_below(tmp_path / "deep") == ["home/a.png"]


def test_an_old_file_at_home_is_replaced_whole(place: Place, tmp_path: Path) -> None:
    place.write("a.json", "new")
    place.write("b.json", "the same")
    place.up()
    home = tmp_path / "home"
    home.mkdir()
    (home / "a.json").write_text("old")
    (home / "b.json").write_text("the same")
    kept = (home / "b.json").stat().st_ino
    assert counts(fetch(place.shell, place.name, ["a.json", "b.json"], home)) == (1, 1, 0)
    assert (home / "a.json").read_text() == "new"
    assert (home / "b.json").stat().st_ino == kept
    assert not list(home.glob("*.part"))


def test_no_folder_has_no_files(place: Place) -> None:
    assert listing(place.shell, "nowhere") == {}


def test_a_pipe_is_told_and_not_waited_for(place: Place) -> None:
    place.write("a.png")
    os.mkfifo(place.ours / "x.png")
    (place.ours / "zero.png").symlink_to("/dev/zero")
    why = "not a regular file (a pipe, a device or a socket)"
    names = ["a.png", "x.png", "zero.png"]
    for moved in (Moved(new=1), Moved(same=1)):
        moved.failed = {"x.png": why, "zero.png": why}
        assert mirror_up(place.shell, place.ours, names, place.name) == moved


def test_a_file_that_ends_early_does_not_keep_the_others(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("a.png", ""), ("b.png", "b" * 300_000), ("c.png", "")):
        place.write(name, text)
    short = place.ours / "b.png"

    def shorten(shell: Shell) -> None:
        os.truncate(short, max(0, short.stat().st_size - 50_000))

    monkeypatch.setattr(Shell, "stay_seen", shorten)  # it is called before each read
    assert place.up() == Moved(new=2, failed={"b.png": CHANGED})
    assert files_below(place.theirs) == ["a.png", "c.png"], "no half of it is read as a page"


def test_what_a_disk_does_not_give_is_told() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    padded = Padded(Broken())
    assert (padded.read(3), padded.fault) == (b"\0\0\0", "Input/output error")
