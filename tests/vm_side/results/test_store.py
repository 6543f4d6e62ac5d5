"""Pages and results in a bucket, with a stand-in for Cloud Storage."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from results.manifest import Manifest, Record, load
from results.pages import Page, find_pages, sha256_of
from results.store import Remote, listing, place_of, size_of
from rig import pages
from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.gcs import GcsServer
from rig.command import Batch
from rig.toolkit import files_below


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GcsServer]:
    with skipped_where_unavailable(), GcsServer(tmp_path_factory.mktemp("gcs")) as gcs:
        gcs.make_bucket("pages")
        yield gcs


@pytest.fixture
def root(server: GcsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    """A folder of the test's own in the bucket; the cache of listings is cleared."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    listing.cache_clear()
    yield Remote(f"gs://pages/{tmp_path.name}")
    listing.cache_clear()


def look_again(root: Remote) -> set[str]:
    """The names of all files, as a new process would see them."""
    listing.cache_clear()
    return set(listing(root.root))


def test_files_are_written_seen_read_and_removed(root: Remote) -> None:
    names = {"a.json", "상자 1/쪽 #1.json", "b/c/d%20[1].json"}
    root.write_files({name: name.encode() for name in names})
    assert look_again(root) == names
    for name in names:
        assert (root / name).read_bytes() == name.encode()
        assert (root / name).is_file() and size_of(root / name) == len(name.encode())
    before = (root / "a.json").version
    root.write_files({"a.json": b"other"})
    assert look_again(root) == names
    assert (root / "a.json").version not in ("", before)
    (root / "a.json").unlink()
    (root / "a.json").unlink(missing_ok=True)
    assert look_again(root) == names - {"a.json"} and not (root / "a.json").is_file()


def test_what_is_not_there(root: Remote) -> None:
    assert look_again(root) == set()
    for ask in ((root / "a").read_bytes, (root / "a").unlink, lambda: (root / "a").size):
        with pytest.raises(FileNotFoundError, match=f"{root}/a is not there"):
            ask()
    with pytest.raises(FileNotFoundError, match="gs://nobody is not there"):
        listing("gs://nobody")
    with pytest.raises(OSError, match="nothing://pages: Protocol not known"):
        listing("nothing://pages")


def test_places_as_people_write_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert place_of("gs://pages/input/") == Remote("gs://pages/input")
    assert place_of("pages") == tmp_path / "pages"
    assert str(Remote("gs://a") / "b" / "c.png") == "gs://a/b/c.png"
    assert pickle.loads(pickle.dumps(Remote("gs://a", "b"))) == Remote("gs://a", "b")


def test_pages_are_found_as_on_a_disk(root: Remote, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for name in ("b/page10.png", "b/page2.png", "a.PDF", ".hidden/x.png", "b/.y.png", "b/z.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    pages.pdf(folder / "a.PDF", pages=2)
    (folder / "bad.pdf").touch()
    names = files_below(folder)
    root.write_files({name: (folder / name).read_bytes() for name in names})
    found = find_pages(root)
    assert [replace(page, sha256="") for page in found] == find_pages(folder)
    assert {page.sha256 for page in found if page.pdf_page} == {sha256_of(folder / "a.PDF")}
    assert sha256_of(root / "a.PDF") == sha256_of(folder / "a.PDF")


def test_names_that_only_a_bucket_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in would simplify such names."""
    names = ("a//b.png", "/x.png", "./y.png", "good.png", "c//notes.txt")
    monkeypatch.setattr("results.pages.listing", lambda root: dict.fromkeys(names))
    found = find_pages(Remote("gs://pages"))
    assert sorted(page.input for page in found) == sorted(names[:4])
    assert [page.input for page in found if not page.fault] == ["good.png"]


def test_a_results_folder_that_cannot_be_written_is_told_before_pages_are_read(
    root: Remote, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="gs://nobody"), Manifest(tmp_path, Remote("gs://nobody")):
        pass


def test_the_manifest_comes_from_the_bucket_and_goes_there(root: Remote, tmp_path: Path) -> None:
    record = Record("a/a", "a.png", None, "ok", sha256="5", version="7")
    results = ("a/a.json", "a/a.md", "a/a_nohf.md")
    root.write_files({"manifest.jsonl": record.line().encode(), **dict.fromkeys(results, b"[]")})
    with Manifest(tmp_path / "state", root) as manifest:
        assert manifest.records == {record.key: record}
        manifest.finish([Page("b.png", "b/b")])
        manifest.write_summary({"pages": 1})
    lines = (root / "manifest.jsonl").read_bytes().decode().splitlines()
    # a.png's results are there
    assert [json.loads(line)["status"] for line in lines] == ["left", "ok"]
    assert (root / "summary.json").read_bytes() == b'{\n  "pages": 1\n}\n'
    root.write_files({"manifest.jsonl": b""})
    with Manifest(tmp_path / "state", root) as manifest:  # the file that grew here is newer
        assert record.key in manifest.records and load(tmp_path / "state")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"INPUT": "gs://pages/in"}, "only a fleet reads and writes gs://pages/in"),
        ({"OUTPUT": "gs://pages/out", "SCHEDULER": "tcp://127.0.0.1:9"}, "give a --state"),
        ({"INPUT": "gs://a", "OUTPUT": "gs://a/b", "SCHEDULER": "x"}, "lies inside the input"),
    ],
)
def test_usage_errors(tmp_path: Path, options: dict[str, str], said: str) -> None:
    batch = Batch(tmp_path, "http://127.0.0.1:9")
    batch.write_pages(1)
    finished = batch.run_here(environment=options)
    assert finished.code == 2 and said in finished.err
    assert not batch.output.exists()
