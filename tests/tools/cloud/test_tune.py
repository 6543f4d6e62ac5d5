"""make tune with TARGET=gcp: a trial beside a run's pages and results; then the VM is off."""

from __future__ import annotations

import json
from pathlib import Path

from rig.cloud.cloud import Cloud
from rig.cloud.toolkit import BUCKET, VM, CloudToolkit
from rig.command import Finished
from rig.toolkit import files_below, statuses_in

LADDER = "20000,40000"


def test_from_terminated_to_terminated(cloud: Cloud, image_tar: Path, tmp_path: Path) -> None:
    """What a run brought to the bucket stays, and the trial leaves nothing there."""
    kit = CloudToolkit(cloud, tmp_path / "desk", bucket=True, MAX_PIXELS="30000")
    cloud.add_vm(VM, image_tar=image_tar)
    kit.write_pages(5)
    assert kit.run_here("upload").code == 0
    before = there(kit)
    assert len(before) >= 5
    end = tune(kit)
    assert (end.code, end.err) == (0, ""), end.err
    assert kit.gce.status(VM) == "TERMINATED"
    assert "dots-ocr-lock" not in kit.gce.metadata(VM)
    assert kit.calls.count("start") == kit.calls.count("stop") == 1
    found = json.loads(end.out)
    assert [row["max_pixels"] for row in found["rows"]] == [40_000, 30_000, 20_000]
    assert found["usd_per_hour"] > 0 and all(row["usd"] > 0 for row in found["rows"])
    assert len(found["sample"]) == 3 and found["pages"] == 5
    assert kit.asked() == 3 * 4  # three pages: the steps of the ladder, and once without enlarging
    assert there(kit) == before
    assert not (kit.output / "manifest.jsonl").exists()
    ways = kit.output / "tune_files"
    assert set(statuses_in(ways / "20000-0").values()) == {"ok"}
    again = tune(kit)  # all results are here already
    assert (again.code, kit.calls.count("start"), kit.asked()) == (0, 1, 12)


def tune(kit: CloudToolkit) -> Finished:
    """Run make tune with the output for scripts."""
    return kit.run_here("tune", "--json", "--sample", "3", "--ladder", LADDER)


def there(kit: CloudToolkit) -> set[str]:
    """Pages and results, on the VM and in the bucket."""
    found = {f"{name}/{path}" for name in FOLDERS for path in files_below(kit.home(name))}
    return found | {name for name in kit.cloud.gcs.names(BUCKET) if name.startswith(FOLDERS)}


FOLDERS = ("input", "result", "trial-input", "trial-result")
