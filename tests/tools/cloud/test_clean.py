"""make clean of a bucket: its files cost money whether there is a VM or not."""

from pathlib import Path

import pytest

from lib.machines.gcp.bucket import Bucket
from rig.cloud.gce import GceServer
from rig.cloud.gcs import GcsServer
from rig.cloud.toolkit import GceToolkit
from rig.command import Finished

VM, OTHER = "reader", "other"
LEFT = [".dots-ocr/ours.json", "mine.txt"]


@pytest.fixture
def kit(
    gce: GceServer, storage: GcsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> GceToolkit:
    """A VM that is off, and its bucket with two pages and one result."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    gce.add_instance(VM)
    kit = GceToolkit(gce, tmp_path, VM=VM, BUCKET="gs://pages")
    kit.write_pages(2)
    assert run(kit, storage, "upload").code == 0
    bucket = Bucket("gs://pages")
    for name in ("result/page1/page1.md", "mine.txt"):
        bucket.write_text(name, "# One", is_new=True)
    return kit


def run(kit: GceToolkit, storage: GcsServer, verb: str, **environment: str) -> Finished:
    return kit.run_here(verb, STORAGE_EMULATOR_HOST=storage.url, **environment)


def test_where_the_vm_is_deleted_the_bucket_is_emptied(kit: GceToolkit, storage: GcsServer) -> None:
    assert run(kit, storage, "delete", YES="1").code == 0
    assert len(storage.names("pages")) == 3 + len(LEFT)
    for _ in range(2):
        end = run(kit, storage, "clean")
        assert (end.code, end.out, end.err) == (0, "", "")
        assert storage.names("pages") == LEFT


def test_where_the_vm_is_off_its_disk_is_named(kit: GceToolkit, storage: GcsServer) -> None:
    end = run(kit, storage, "clean")
    said = f"gs://pages is clean; the disk of {VM} is not: it is TERMINATED"
    assert (end.code, end.err) == (1, f"Error: {said}\n  → make start, then make clean\n")
    assert storage.names("pages") == LEFT


def test_a_name_of_no_vm_empties_nobody_elses_bucket(kit: GceToolkit, storage: GcsServer) -> None:
    before = storage.names("pages")
    end = run(kit, storage, "clean", VM=OTHER)
    assert (end.code, "pages and results of another VM" in end.err) == (1, True)
    assert storage.names("pages") == before


def test_without_a_bucket_it_says_that_there_is_no_vm(gce: GceServer, tmp_path: Path) -> None:
    end = GceToolkit(gce, tmp_path, VM=OTHER).run_here("clean")
    assert (end.code, f"there is no VM {OTHER}" in end.err) == (1, True)
