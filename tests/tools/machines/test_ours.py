"""Only what is ours is deleted: in a folder, in a home over ssh, in a bucket."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.console import Failure
from lib.inputs import Inputs, find_inputs
from lib.knobs import Knobs
from lib.machines.gcp.bucket import Bucket
from lib.machines.gcp.prefix import claim_for
from lib.machines.local import LocalMachine
from lib.machines.machine import Machine
from lib.machines.ours import CODE, INPUT, RESULT, Found, foreign
from lib.machines.ssh.machine import RemoteMachine
from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.gcs import GcsServer
from rig.cloud.login import Login
from rig.toolkit import files_below, line


@pytest.mark.parametrize(
    ("folder", "found", "count"),
    [
        (INPUT, Found(), 0),
        (INPUT, Found(["a.png"]), 1),  # pages, too: nobody knows who owns them
        (INPUT, Found(["a.png", "b/c.PDF"], was_used=True), 0),
        (INPUT, Found(["a.png", "thesis/chapter1.tex", ".b.png"], was_used=True), 2),
        (RESULT, Found(["a/a.md"]), 1),
        (RESULT, Found(["a/a.md"], was_used=True), 0),
        ("trial-result", Found(["a/a.md"], was_used=True), 1),  # no earlier version had this folder
        (CODE, Found(["mine.py"]), 1),
        (CODE, Found(["batch.py"], was_used=True), 0),
    ],
)
def test_how_many_are_not_ours(folder: str, found: Found, count: int) -> None:
    assert foreign(folder, found) == count


class Place:
    """A machine with folders below `home`, as its user sees them."""

    def __init__(self, home: Path, make: Callable[[Knobs], Any], pages: Path) -> None:
        self.home, self._make, self.pages = home, make, pages

    def machine(self, take: bool = False) -> Machine:
        made: Machine = self._make(Knobs(take=take))
        return made

    def write(self, *names: str) -> None:
        for name in names:
            path = self.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        self.hand_over()

    def hand_over(self) -> None:
        """Give all files to the machine's user."""
        owner = self.home.stat()
        for path in self.home.rglob("*"):
            os.lchown(path, owner.st_uid, owner.st_gid)

    def inputs(self) -> Inputs:
        (self.pages / "b").mkdir(parents=True, exist_ok=True)
        (self.pages / "b" / "page.png").write_text("page")
        return find_inputs(str(self.pages), str(self.pages.parent / "out"))

    @property
    def input(self) -> list[str]:
        return files_below(self.home / "input")


@pytest.fixture(params=["local", "ssh"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """A machine on which nothing of ours ever was."""
    if request.param == "local":
        home = tmp_path / "machine"
        yield Place(home, lambda k: LocalMachine(with_dir(k, home)), tmp_path / "in")
        return
    login: Login = request.getfixturevalue("login")
    monkeypatch.setattr(RemoteMachine, "shell", property(lambda machine: login.shell))
    for name in ("input", "result", "vm_side", ".dots-ocr"):
        shutil.rmtree(login.home / name, ignore_errors=True)
    yield Place(login.home, RemoteMachine, tmp_path / "in")


def with_dir(knobs: Knobs, folder: Path) -> Knobs:
    return Knobs(take=knobs.take, machine_dir=str(folder))


def test_a_folder_of_others_is_refused_with_what_it_holds(place: Place) -> None:
    place.write("input/thesis/chapter1.tex", "input/notes.txt", "result/grades.csv")
    before = place.input
    for _ in range(2):
        with pytest.raises(Failure, match=r"input on \S+ holds 2 files that are not ours") as told:
            place.machine().push(place.inputs())
        assert "TAKE=1 takes the folder over" in told.value.message
        with pytest.raises(Failure, match="files that are not ours"):
            place.machine().clean()
    assert (place.input, files_below(place.home / "result")) == (before, ["grades.csv"])


def test_it_is_taken_over_when_that_is_said(place: Place) -> None:
    """Only this folder is taken over; from then on it is ours, without a question."""
    place.write("input/thesis/chapter1.tex", "result/grades.csv")
    moved = place.machine(take=True).push(place.inputs())
    assert (moved.new, moved.removed, place.input) == (1, 1, ["b/page.png"])
    place.write("input/left over.txt")
    assert place.machine().push(place.inputs()).removed == 1
    with pytest.raises(Failure, match=r"result on \S+ holds 1 files"):
        place.machine().clean()
    place.machine(take=True).clean()
    assert (place.input, files_below(place.home / "result")) == ([], [])


def test_an_empty_folder_is_ours_and_one_made_anew_is_not(place: Place) -> None:
    (place.home / "input" / "empty").mkdir(parents=True)
    place.hand_over()
    assert place.machine().push(place.inputs()).new == 1
    assert place.machine().push(place.inputs()).same == 1
    (place.home / "input").rename(place.home / "elsewhere")
    place.write("input/thesis/chapter1.tex")
    with pytest.raises(Failure, match=r"input on \S+ holds 1 files"):
        place.machine().push(place.inputs())
    shutil.rmtree(place.home / "elsewhere")


def test_links_and_what_cannot_be_listed_are_not_nothing(place: Place) -> None:
    """A clean would delete them with the rights of root."""
    place.write("elsewhere/a.txt", "result/b/c.txt")
    (place.home / "input").mkdir()
    (place.home / "input" / "link").symlink_to(place.home / "elsewhere")
    place.hand_over()
    with pytest.raises(Failure, match=r"input on \S+ holds 1 files"):
        place.machine().push(place.inputs())
    closed = place.home / "result" / "b"
    if os.geteuid() == 0:
        os.lchown(closed, 0, 0)
        closed.chmod(0o700)
    else:  # an ordinary user cannot give files away, but can close them to himself
        closed.chmod(0)
    with pytest.raises(Failure, match="files that are not ours"):
        place.machine().clean()
    closed.chmod(0o700)
    assert (place.home / "result/b/c.txt").is_file()
    assert (place.home / "input/link").is_symlink()
    shutil.rmtree(place.home / "elsewhere")


def leave_traces(place: Place) -> None:
    """Leave what today's version leaves after a job, but no marks."""
    place.write("input/old.png", "result/old/old.md", "result/manifest.jsonl")
    place.write("vm_side/contract.py", ".dots-ocr/job.json", ".dots-ocr/packages/click.py")


def test_a_machine_of_an_earlier_version_goes_on(place: Place) -> None:
    leave_traces(place)
    moved = place.machine().push(place.inputs())
    assert (moved.new, moved.removed, place.input) == (1, 1, ["b/page.png"])
    place.machine().clean()
    assert place.input == []


def test_but_not_with_what_an_earlier_version_never_put_there(place: Place) -> None:
    """Such traces count only once: later files are ours only with the mark."""
    leave_traces(place)
    place.write("input/thesis/chapter1.tex")
    for _ in range(2):
        with pytest.raises(Failure, match=r"input on \S+ holds \d files"):
            place.machine().push(place.inputs())
    assert place.input == ["old.png", "thesis/chapter1.tex"]


# ---- a bucket ----


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GcsServer]:
    with skipped_where_unavailable(), GcsServer(tmp_path_factory.mktemp("gcs")) as gcs:
        gcs.make_bucket("pages")
        yield gcs


@pytest.fixture
def bucket(server: GcsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A folder of the test's own in a bucket."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    return Bucket(f"gs://pages/{tmp_path.name}")


def put(bucket: Bucket, name: str, text: str = "theirs") -> None:
    bucket.write_text(name, text, is_new=False)


def test_a_bucket_of_others(bucket: Bucket) -> None:
    put(bucket, "input/other-team/data.csv")
    with pytest.raises(Failure, match=r"input on gs://\S+ holds 1 files that are not ours"):
        claim_for(Knobs(), bucket, INPUT)
    claim_for(Knobs(take=True), bucket, INPUT)
    claim_for(Knobs(), bucket, INPUT)
    put(bucket, "result/other-team/data.csv")
    claim_for(Knobs(), bucket, INPUT, RESULT)  # it was empty when we came


def test_a_bucket_of_an_earlier_version(bucket: Bucket) -> None:
    put(bucket, "input/a.png")
    put(bucket, "result/manifest.jsonl", json.dumps(line("a/a", "a.png")) + "\n")
    claim_for(Knobs(), bucket, INPUT, RESULT)


def test_a_bucket_serves_one_vm(bucket: Bucket) -> None:
    """An upload for another VM would delete the pages of a run."""
    claim_for(Knobs(vm="a"), bucket, INPUT)
    put(bucket, "input/a.png")
    for folders in ((), (INPUT,), (INPUT, RESULT)):
        with pytest.raises(Failure, match="pages and results of another VM, dev-giyoung/") as told:
            claim_for(Knobs(vm="b"), bucket, *folders)
        assert f"BUCKET={bucket.url}/b" in told.value.message
    own = Bucket(f"{bucket.url}/b")
    claim_for(Knobs(vm="b"), own, INPUT, RESULT)
    claim_for(Knobs(vm="a"), bucket, INPUT)
    put(bucket, "result/a/a.md")
    claim_for(Knobs(vm="b", take=True), bucket, INPUT)
    claim_for(Knobs(vm="b"), bucket, INPUT, RESULT)  # to take only one of the two would mix them up
    with pytest.raises(Failure, match="another VM"):
        claim_for(Knobs(vm="a"), bucket, INPUT)


def test_of_two_vms_at_the_same_moment_one_gets_it(bucket: Bucket) -> None:
    bucket.write_text("mark", "a", is_new=True)
    with pytest.raises(Failure, match="was taken by another run just now"):
        bucket.write_text("mark", "b", is_new=True)
    assert bucket.read_text("mark") == "a"
