"""A bucket as a folder's mirror, and as the way home, with a stand-in for Cloud Storage."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import google.auth.credentials
import pytest

from lib.console import Failure
from lib.machines.gcp.bucket import Bucket, open_system
from lib.machines.machine import Moved
from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.gcs import GcsServer
from rig.toolkit import files_below

STRANGE = ("한글/쪽 1.png", "a#1.png", "100%.png", "q?.png", "st*r.png", "page[1].png", "-r.png")
UPLOAD = "/upload/"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GcsServer]:
    with skipped_where_unavailable(), GcsServer(tmp_path_factory.mktemp("gcs")) as gcs:
        yield gcs


@pytest.fixture
def bucket(server: GcsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A folder of the test's own in a bucket."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    if "pages" not in server.buckets():
        server.make_bucket("pages")
    (tmp_path / "in").mkdir()
    yield Bucket(f"gs://pages/{tmp_path.name}/")


def write(tmp_path: Path, *names: str) -> list[str]:
    """Write files that contain their names; return all files."""
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(name)
    return files_below(tmp_path / "in")


def up(bucket: Bucket, tmp_path: Path) -> Moved:
    return bucket.mirror_up(tmp_path / "in", files_below(tmp_path / "in"), "input")


def there(server: GcsServer, tmp_path: Path) -> list[str]:
    start = f"{tmp_path.name}/input/"
    return [name.removeprefix(start) for name in server.names("pages", start)]


def test_an_exact_mirror(bucket: Bucket, server: GcsServer, tmp_path: Path) -> None:
    names = write(tmp_path, "a.png", "b/c.png", "d.png")
    assert up(bucket, tmp_path) == Moved(new=3)
    assert there(server, tmp_path) == names
    (tmp_path / "in" / "a.png").unlink()
    (tmp_path / "in" / "d.png").write_text("D.png")  # the same size
    assert up(bucket, tmp_path) == Moved(new=1, same=1, removed=1)
    assert there(server, tmp_path) == ["b/c.png", "d.png"]


MANY = 1_100  # a page of a bucket's listing has a thousand names


def test_more_files_than_a_list_has_are_not_sent_again(
    bucket: Bucket, server: GcsServer, tmp_path: Path
) -> None:
    write(tmp_path, *(f"{number % 7}/{number}.png" for number in range(MANY)))
    before = server.count("POST", UPLOAD)
    assert up(bucket, tmp_path) == Moved(new=MANY)
    assert server.count("POST", UPLOAD) == before + MANY
    for path in (tmp_path / "in").rglob("*.png"):
        os.utime(path, (1, 1))  # as after a copy: only the content counts
    assert up(bucket, tmp_path) == Moved(same=MANY)
    write(tmp_path, "new.png")
    assert up(bucket, tmp_path) == Moved(new=1, same=MANY)
    assert server.count("POST", UPLOAD) == before + MANY + 1


def test_strange_names(bucket: Bucket, server: GcsServer, tmp_path: Path) -> None:
    names = write(tmp_path, *STRANGE)
    assert up(bucket, tmp_path) == Moved(new=len(names))
    assert there(server, tmp_path) == names
    assert up(bucket, tmp_path) == Moved(same=len(names))
    assert bucket.fetch("input", names, tmp_path / "home") == Moved(new=len(names))
    assert files_below(tmp_path / "home") == names
    for name in names:
        assert (tmp_path / "home" / name).read_text() == name


def test_a_name_is_no_pattern(bucket: Bucket, server: GcsServer, tmp_path: Path) -> None:
    """Only the file with that name goes, not all that its * would match."""
    patterns = ("page[1].png", "st*r.png", "q?.png")
    write(tmp_path, *patterns, "page1.png", "star.png", "q1.png")
    up(bucket, tmp_path)
    for name in patterns:
        (tmp_path / "in" / name).unlink()
    assert up(bucket, tmp_path) == Moved(same=3, removed=3)
    assert there(server, tmp_path) == ["page1.png", "q1.png", "star.png"]
    bucket.empty("input")
    assert there(server, tmp_path) == []
    bucket.empty("input")


def test_what_cannot_be_sent_does_not_keep_the_others(
    bucket: Bucket, server: GcsServer, tmp_path: Path
) -> None:
    write(tmp_path, "a.png", "line\nbreak.png")
    (tmp_path / "in" / "dangling.png").symlink_to("nowhere")
    # reading it fails, as on a broken disk
    (tmp_path / "in" / "broken.png").symlink_to("/proc/self/mem")
    moved = up(bucket, tmp_path)
    assert moved.new == 1
    assert moved.failed.keys() == {"line\nbreak.png", "dangling.png", "broken.png"}
    assert moved.failed["broken.png"] == "Input/output error"
    assert there(server, tmp_path) == ["a.png"]


def test_a_full_disk_is_no_fault_of_the_bucket(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a.json")
    up(bucket, tmp_path)

    def full(*more: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bucket._system, "get", full)
    with pytest.raises(OSError, match=r"No space left on device.*home"):
        bucket.fetch("input", ["a.json"], tmp_path / "home")


def test_results_come_home_whole_or_not_at_all(
    bucket: Bucket, server: GcsServer, tmp_path: Path
) -> None:
    write(tmp_path, "a.json", "b.json", "c.json")
    up(bucket, tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    (home / "a.json").write_text("a.json")
    (home / "b.json").write_text("old")
    kept = (home / "a.json").stat().st_ino
    wanted = ["a.json", "b.json", "nobody.json", "../out.json", "/etc/out.json"]
    moved = bucket.fetch("input", wanted, home)
    assert moved == Moved(new=1, same=1, failed={"nobody.json": "not in the bucket"})
    assert files_below(tmp_path / "home") == ["a.json", "b.json"]
    assert (home / "b.json").read_text() == "b.json"
    assert (home / "a.json").stat().st_ino == kept
    assert bucket.read_text("input/a.json") == "a.json"
    assert bucket.read_text("input/nobody.json") == ""


def test_what_comes_damaged_is_not_kept(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a.json")
    up(bucket, tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/a.json").write_text("old")

    def damage(theirs: list[str], ours: list[str], **options: object) -> None:
        for name in ours:
            Path(name).write_text("A.json")

    monkeypatch.setattr(bucket._system, "get", damage)
    moved = bucket.fetch("input", ["a.json"], tmp_path / "home")
    assert moved.failed == {"a.json": "changed while it was copied; run again"}
    assert files_below(tmp_path / "home") == ["a.json"]
    assert (tmp_path / "home/a.json").read_text() == "old"


def test_no_such_bucket(bucket: Bucket, tmp_path: Path) -> None:
    write(tmp_path, "a.png")
    with pytest.raises(Failure, match=r"gs://nobody does not exist\n  → make it"):
        up(Bucket("gs://nobody"), tmp_path)


@pytest.mark.parametrize("url", ["pages", "s3://pages", "gs://", "gs:pages"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(Failure, match="is not gs://name"):
        Bucket(url)


def test_the_credentials_are_those_of_the_other_calls(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They come from the token's file, as for gcloud. Without any, the error says so."""
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(Failure, match="no Google credentials"):
        open_system()
    (tmp_path / "token").write_text("of the file\n")
    credentials: google.auth.credentials.Credentials = open_system().credentials.credentials
    assert credentials.token == "of the file"


def test_a_pipe_is_told_and_not_waited_for(bucket: Bucket, tmp_path: Path) -> None:
    write(tmp_path, "a.png")
    os.mkfifo(tmp_path / "in" / "x.png")
    (tmp_path / "in" / "zero.png").symlink_to("/dev/zero")
    why = "not a regular file (a pipe, a device or a socket)"
    names = ["a.png", "x.png", "zero.png"]
    for moved in (Moved(new=1), Moved(same=1)):
        moved.failed = {"x.png": why, "zero.png": why}
        assert bucket.mirror_up(tmp_path / "in", names, "input") == moved
