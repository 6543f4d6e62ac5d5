"""A batch with pages and results in a bucket, with a stand-in for Cloud Storage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.machines.gcp.bucket import Bucket
from results.store import Remote
from rig import pages
from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.gcs import GcsServer
from rig.command import Batch
from rig.fleet import FleetRig
from rig.model_server import ModelServer
from rig.toolkit import files_below


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GcsServer]:
    with skipped_where_unavailable(), GcsServer(tmp_path / "gcs") as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        server.make_bucket("pages")
        yield server


def test_a_batch_over_a_bucket_is_gone_on_with(
    fleet: FleetRig, bucket: GcsServer, tmp_path: Path
) -> None:
    root = Remote("gs://pages")
    mirror = Bucket(root.root).mirror_up
    with ModelServer() as model:
        fleet.add_node()
        batch = Batch(tmp_path, model.url)
        batch.write_pages(3)
        pages.pdf(batch.input / "book.pdf", pages=2)
        (batch.input / "bad.png").write_bytes(b"no picture")
        mirror(batch.input, files_below(batch.input), "input")

        def run(*options: str) -> int:
            places = {"INPUT": str(root / "input"), "OUTPUT": str(root / "result")}
            options = ("--scheduler", fleet.url, "--state", str(batch.output), *options)
            return batch.run(*options, environment=places | {"MAX_PIXELS": "50000"}).code

        assert run("--images") == 3 and len(model.requests) == 5
        assert sorted(batch.statuses().values()) == ["failed", *["ok"] * 4]  # by file
        result = "result/"
        files = [name.removeprefix(result) for name in bucket.names("pages", result)]
        assert len(files) == 5 * 5 + 2 and "book/book_page_1.jpg" in files
        assert "book/pictures/page_1_1.png" in files

        pages.tiny(99).save(batch.input / "bad.png")
        names = files_below(batch.input)
        mirror(batch.input, names, "input")
        reads = count_reads(bucket)
        assert reads == 4 + 2, "each picture once; the PDF to count its pages, and to read them"
        assert run("--images") == 0 and len(model.requests) == 6
        assert count_reads(bucket) == reads + 2  # the new page, and the PDF, to count its pages

        assert run() == 0 and len(model.requests) == 6  # nothing to do
        assert run("--pictures", "inline") == 0 and len(model.requests) == 6
        assert not [name for name in bucket.names("pages", result) if "/pictures/" in name]
        assert b"](data:image/png" in (root / "result/book/book_page_1.md").read_bytes()
        manifest = batch.output / "manifest.jsonl"
        doubtful = manifest.read_text().replace('"status": "ok"', '"status": "doubtful"', 1)
        manifest.write_text(doubtful.replace('"trust": null', '"trust": 1.0', 1))
        again = ("--doubtful", "--witness", "ink", "--retries", "0")
        assert run(*again) == 0 and len(model.requests) == 7
        assert (root / "result/manifest.jsonl").read_bytes().count(b'"doubtful"') == 1, "no better"
        assert f"{result}book/pictures/page_1_1.png" in bucket.names("pages", result)
        assert b"](pictures/page_1_1.png)" in (root / "result/book/book_page_1.md").read_bytes()
        manifest.write_text(manifest.read_text().replace('"doubtful"', '"ok"'))

        assert run("--force") == 0 and len(model.requests) == 13
        assert not [name for name in bucket.names("pages", result) if name.endswith(".jpg")]


def count_reads(bucket: GcsServer) -> int:
    """How often a page's file was fetched from the bucket."""
    return sum("/input%2F" in one.path and one.method == "GET" for one in bucket.requests)
