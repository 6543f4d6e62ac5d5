"""A client is killed while its job runs, and nobody comes back."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from rig.cloud.cloud import Cloud
from rig.cloud.toolkit import CloudToolkit
from rig.command import wait_until
from rig.toolkit import statuses_in

PAGES = 6
TIMER = "dots-ocr-idle.timer"
LONGEST_OFF_S = 60 + 60 + 15 + 20  # idle, then the next look of the timer, then the shutdown


@pytest.mark.timeout(600)
def test_a_machine_that_everybody_left_ends_its_job_and_turns_itself_off(
    cloud: Cloud, image_tar: Path, tmp_path: Path
) -> None:
    slow = "--network host --env RIG_LATENCY_S=2"
    kit = CloudToolkit(
        cloud, tmp_path / "desk", CONTAINER_ARGS=slow, IDLE_MINUTES="1", PROCESSES="1"
    )
    vm = cloud.add_vm(kit.vm, image_tar=image_tar)
    leave_alone(kit)
    cloud.gce.wait_for_status(kit.vm, "TERMINATED", timeout_s=60 + LONGEST_OFF_S)
    assert set(statuses_in(kit.home("result")).values()) == {"ok"}
    job = json.loads(kit.home(".dots-ocr/job.json").read_text())
    assert job["code"] == 0
    assert "idle for 1 minutes, turning off" in vm.console()

    assert cloud.gcloud("compute", "instances", "start", kit.vm).returncode == 0  # by hand
    vm.wait_for_boot()
    assert vm.run(f"systemctl is-active {TIMER}").stdout == "active\n"
    form = "{{.State.Running}}"
    is_up = f"docker inspect --format '{form}' dots-ocr-model"
    wait_until(lambda: vm.run(is_up, check=False).stdout == "true\n", 30)  # it loads by itself
    kit.knobs["IDLE_MINUTES"] = "0"
    assert kit.run("start").code == 0
    assert vm.run(f"systemctl is-active {TIMER}", check=False).stdout == "inactive\n"
    assert vm.run(f"systemctl is-enabled {TIMER}", check=False).stdout == "disabled\n"
    for name in ("process", "download"):
        done = kit.run(name)
        assert done.code == 0, done.err
    assert kit.asked() == PAGES  # each was asked for by the job that was left alone
    assert len(statuses_in(kit.output)) == PAGES
    assert kit.run("stop").code == 0


def leave_alone(kit: CloudToolkit) -> None:
    """Start a job of some seconds, and kill the client with SIGKILL."""
    kit.write_pages(PAGES)
    for name in ("start", "upload"):
        done = kit.run(name)
        assert done.code == 0, done.err
    client = kit.verb("process")
    manifest = kit.home("result/manifest.jsonl")
    wait_until(lambda: manifest.exists() and manifest.read_text(), 60)
    client.process.send_signal(signal.SIGKILL)
    assert client.finish().code == -signal.SIGKILL
