"""A bucket in which others choose the names of pages: nothing is written outside."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lib.machines.gcp.bucket import Bucket
from results.pages import find_pages
from results.store import Remote, listing
from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.gcloud import Gcloud, cloud_environment
from rig.cloud.hostile_bucket import hostile_bucket
from rig.command import SCRIPT
from rig.toolkit import files_below

FETCH = SCRIPT.parent / "machine" / "fetch_input.sh"
GOOD = ["..cover.png", "a,b.png", "scans/...png", "scans/page..1.png", "한글/쪽 1.png"]
EVIL = [
    "../.bashrc",
    "../../escaped.png",
    "scans/../../../escaped.png",
    "scans/..",
    "..",
    ".",
    "./dot.png",
    "scans/./dot.png",
    "//escaped.png",
    "{outside}/escaped.png",  # an absolute path
    "scans//twice.png",
    "line\nbreak.png",
    "return\r.png",
    "escape\x1b[2J.png",
    "next\x85line.png",
    "nul\0.png",
    "../scans//both.png",
]


def names_below_input(tmp_path: Path) -> list[str]:
    """The names of the good and of the evil objects."""
    evil = [name.format(outside=tmp_path / "outside") for name in EVIL]
    return [f"input/{name}" for name in (*GOOD, *evil)]


def test_what_the_vm_fetches_stays_in_its_folder(tmp_path: Path) -> None:
    """With the real gcloud. One bad name does not stop the other pages."""
    objects = {name: name.encode() for name in names_below_input(tmp_path)}
    with hostile_bucket(objects) as url, skipped_where_unavailable():
        variables = cloud_environment(tmp_path / "vm", "http://127.0.0.1:9", storage_url=url)
        gcloud = Gcloud(variables)
        home = Path(gcloud.environment["HOME"])
        (home / "input").mkdir()
        (home / "input/gone.png").touch()  # the mirror still removes what is gone from the bucket
        done = subprocess.run(
            ["bash", str(FETCH), "gs://pages", "input"],
            env=gcloud.environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert files_below(home / "input") == sorted(GOOD)
    assert sorted(path.name for path in home.iterdir()) == [".dots-ocr", "input"]
    assert not [path for path in tmp_path.rglob("*escaped*") if path.is_file()]


def test_what_workers_read_and_write_stays_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also, no page's name makes the whole manifest unacceptable at home."""
    names = names_below_input(tmp_path)
    with hostile_bucket(dict.fromkeys(names, b"")) as url:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        listing.cache_clear()
        pages = find_pages(Remote("gs://pages/input"))
        listing.cache_clear()
        theirs = Bucket("gs://pages").listing("input")
    assert len(theirs) == len(names)  # a mirror removes them all
    read = [page.input for page in pages if not page.fault]
    # no hidden file is read
    assert sorted(read) == sorted(name for name in GOOD if "/." not in f"/{name}")
    for page in pages:
        assert ".." not in Path(page.result).parts and not Path(page.result).is_absolute()
        assert page.result.isprintable()
