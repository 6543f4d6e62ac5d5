"""A job that nobody follows any more: its client is killed, and nobody comes back."""

from __future__ import annotations

import signal
from pathlib import Path

from rig.cloud.cloud import Cloud
from rig.cloud.toolkit import CloudToolkit
from rig.command import wait_until

PAGES = 6


def leave_alone(cloud: Cloud, folder: Path, image_tar: Path) -> CloudToolkit:
    """Start a VM and a job of some seconds on it, and kill the client with SIGKILL."""
    slow = "--network host --env RIG_LATENCY_S=2"
    kit = CloudToolkit(cloud, folder / "desk", CONTAINER_ARGS=slow, IDLE_MINUTES="1", PROCESSES="1")
    cloud.add_vm(kit.vm, image_tar=image_tar)
    kit.write_pages(PAGES)
    for name in ("start", "upload"):
        done = kit.run(name)
        assert done.code == 0, done.err
    client = kit.verb("process")
    manifest = kit.home("result/manifest.jsonl")
    wait_until(lambda: manifest.exists() and manifest.read_text(), 60)
    client.process.send_signal(signal.SIGKILL)
    assert client.finish().code == -signal.SIGKILL
    return kit
