"""Two VMs and one bucket: the upload for one leaves the pages of the other alone."""

from pathlib import Path

from rig.cloud.gce import GceServer
from rig.cloud.gcs import GcsServer
from rig.cloud.toolkit import GceToolkit


def test_two_vms_on_one_bucket(gce: GceServer, storage: GcsServer, tmp_path: Path) -> None:
    place = {"STORAGE_EMULATOR_HOST": storage.url}
    kits = []
    for name in ("a", "b"):
        gce.add_instance(name)
        kits.append(GceToolkit(gce, tmp_path / name, VM=name, BUCKET="gs://pages"))
        kits[-1].write_pages(2 if name == "a" else 1)
    one, other = kits
    assert one.run_here("upload", **place).code == 0
    theirs = storage.names("pages")
    assert sum(name.startswith("input/") for name in theirs) == 2

    for verb in ("upload", "start"):
        end = other.run_here(verb, **place)
        assert (end.code, "pages and results of another VM" in end.err) == (1, True), end.err
        assert "BUCKET=gs://pages/b" in end.err
    assert storage.names("pages") == theirs
    assert gce.status("b") == "TERMINATED"  # no VM was turned on for it

    assert other.run_here("upload", BUCKET="gs://pages/b", **place).code == 0
    assert set(theirs) < set(storage.names("pages"))
    assert storage.names("pages", "b/input/")
