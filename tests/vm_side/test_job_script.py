"""What job.sh copies to the bucket; stand-ins for docker and gcloud note their calls."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.command import SCRIPT
from rig.fleet import NO_DASHBOARD

JOB = SCRIPT.parent / "machine" / "job.sh"
DOCKER = """#!/bin/bash
echo "docker $*" >>"$HOME/called"
[ "$1" != info ] || cat "$HOME/memory-limit" 2>/dev/null
[ "$1" = run ] || exit 0
for word; do case $word in *:/state) state=${word%:/state} ;; esac; done
case "$*" in *"--state /state"*) echo new >"$state/manifest.jsonl" ;; esac
"""
GCLOUD = """#!/bin/bash
echo "gcloud $*" >>"$HOME/called"
"""


def copies(home: Path, *arguments: str) -> list[str]:
    """What a job asks gcloud to do."""
    (home / "bin").mkdir(exist_ok=True)
    for name, text in {"docker": DOCKER, "gcloud": GCLOUD}.items():
        (home / "bin" / name).write_text(text)
        (home / "bin" / name).chmod(0o755)
    (home / "called").unlink(missing_ok=True)
    environment = {"HOME": str(home), "PATH": f"{home}/bin:{os.environ['PATH']}"}
    command = ["bash", str(JOB), "image", "gs://pages", "input", "result", *arguments]
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    lines = (home / "called").read_text().splitlines()
    return [line for line in lines if line.startswith("gcloud")]


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("API_KEY_FILE", "api-key"),
        ("PDF_PASSWORD_FILE", "pdf-password"),
        ("CHECKS", "checks.jsonl"),
    ],
)
def test_what_only_the_job_may_know_goes_into_it_by_its_file(
    tmp_path: Path, variable: str, name: str
) -> None:
    state = tmp_path / ".dots-ocr"
    state.mkdir()
    for content in ("", "s3cret"):
        (state / name).write_text(content)
        copies(tmp_path)
        called = (tmp_path / "called").read_text()
        mounted = f"--env {variable}=/{name} --volume {state}/{name}:/{name}:ro --volume"
        assert (mounted in called) == bool(content) and "s3cret" not in called


def test_a_job_alone_copies_its_results(tmp_path: Path) -> None:
    (call,) = copies(tmp_path, "--processes", "2")
    assert call.startswith("gcloud storage rsync") and "gs://pages/result" in call


def test_what_an_earlier_job_left_here_is_not_put_over_what_a_fleet_wrote(tmp_path: Path) -> None:
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "page.json").write_text("old")
    (call,) = copies(tmp_path, "--scheduler", "tcp://10.0.0.2:8786", "--state", "/state")
    words = call.split()
    assert words[:3] == ["gcloud", "storage", "cp"] and words[-1] == "gs://pages/result/"
    assert Path(words[-2]).name == "manifest.jsonl" and Path(words[-2]).read_text() == "new\n"
    certificate = f"--volume {tmp_path}/.dots-ocr/fleet.pem:/fleet.pem:ro"
    # it uses this certificate with the workers
    assert certificate in (tmp_path / "called").read_text()


def test_each_bucket_has_a_manifest_of_its_own(tmp_path: Path) -> None:
    copies(tmp_path, "--state", "/state")
    (folder,) = (tmp_path / ".dots-ocr").glob("fleet-*")
    assert folder.name == "fleet-" + "144dff8f"


def test_on_a_full_disk_the_last_state_that_was_written_stays(tmp_path: Path) -> None:
    state = tmp_path / ".dots-ocr"
    state.mkdir()
    (state / "job.json").write_text("before")
    (state / "job.json.part").symlink_to("/dev/full")
    copies(tmp_path)
    assert not (state / "job.json").is_symlink() and (state / "job.json").read_text() == "before"


def start_a_worker(home: Path) -> None:
    """Start a node of a fleet."""
    words = ["/vm_side", "/packages", "/fleet.pem", "image", "tls://10.0.0.2:8786", "10.0.0.3"]
    words += ["head", "64", "http://127.0.0.1:8000"]
    environment = {"HOME": str(home), "PATH": f"{home}/bin:{os.environ['PATH']}"}
    command = ["bash", str(JOB.parent / "dask_worker.sh"), *words]
    subprocess.run(command, env=environment, check=True)


def test_a_worker_starts_without_a_dashboard(tmp_path: Path) -> None:
    copies(tmp_path)  # makes the stand-ins
    (tmp_path / "called").unlink()
    start_a_worker(tmp_path)
    assert f" {' '.join(NO_DASHBOARD)} " in (tmp_path / "called").read_text()


@pytest.mark.parametrize("start", [copies, start_a_worker])
def test_what_opens_pages_leaves_memory_to_the_model_server(
    tmp_path: Path, start: Callable[[Path], object]
) -> None:
    copies(tmp_path)  # makes the stand-ins

    def started() -> list[str]:
        (tmp_path / "called").unlink()
        start(tmp_path)
        calls = (tmp_path / "called").read_text().splitlines()
        (words,) = [line.split() for line in calls if line.startswith("docker run")]
        return words

    assert "--memory" not in started()  # without this cgroup docker would warn
    (tmp_path / "memory-limit").write_text("true\n")
    words = started()
    total_mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    memory = words[words.index("--memory") + 1]
    assert memory == words[words.index("--memory-swap") + 1] and memory.endswith("m")
    left_mib = total_mib - int(memory[:-1])
    assert abs(left_mib - min(8192, total_mib // 2)) <= 1
