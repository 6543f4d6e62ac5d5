"""Google takes the VM in the middle, or a user ends `make all`: the next run reads the rest."""

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.cloud.cloud import Cloud
from rig.cloud.ssh_toolkit import model_in, page_requests, wait_for_requests
from rig.cloud.toolkit import CloudToolkit
from rig.command import wait_until
from rig.model_server import ModelServer, Reply, Request
from rig.toolkit import Marked, statuses_in

PAGES = 6


@contextmanager
def all_with_a_model(kit: CloudToolkit, answers: int) -> Iterator[tuple[Marked, ModelServer]]:
    """Run `make all`; the model on its VM answers so many pages and then no more."""
    with kit.verb("all") as running:
        wait_until(lambda: kit.gce.status(kit.vm) == "RUNNING")
        goes_on = threading.Event()
        with model_in(kit.cloud.vms[kit.vm]) as model:

            def answer(request: Request) -> Reply:
                if request.size != (28, 28) and page_requests(model).index(request) >= answers:
                    goes_on.wait(600)
                return Reply()

            model.script = answer
            yield running, model
            goes_on.set()


def read_there(kit: CloudToolkit) -> list[str]:
    """The pages that were read, in the manifest on the VM's disk."""
    if not kit.home("result/manifest.jsonl").exists():
        return []
    statuses = statuses_in(kit.home("result"))
    return [page for page, status in statuses.items() if status == "ok"]


def wait_for_pages(kit: CloudToolkit, running: Marked, count: int) -> None:
    """Wait until so many pages were read; fail if the command ends before."""
    wait_until(lambda: len(read_there(kit)) >= count or running.process.poll() is not None, 120)
    assert running.process.poll() is None, running.finish().err


def test_the_next_run_reads_only_what_is_missing(
    cloud: Cloud, tmp_path: Path, image_tar: Path
) -> None:
    kit = CloudToolkit(cloud, tmp_path / "desk", CONTAINER_ARGS="--network none", PROCESSES="1")
    cloud.add_vm(kit.vm, image_tar=image_tar)
    kit.write_pages(PAGES)

    with all_with_a_model(kit, answers=3) as (running, model):
        wait_for_pages(kit, running, 3)
        wait_for_requests(model, 4)
        cloud.gce.preempt(kit.vm)
        done = running.finish()
    assert done.code == 1, done.err
    off = rf"{kit.vm} is (STOPPING|TERMINATED): preempted, idle, or stopped by someone"
    assert re.search(off, done.err), done.err
    assert "→ make all goes on where it ended" in done.err
    assert cloud.gce.status(kit.vm) == "TERMINATED"

    with all_with_a_model(kit, answers=1) as (running, model):
        wait_for_pages(kit, running, 4)
        wait_for_requests(model, 2)
        running.process.send_signal(signal.SIGTERM)
        done = running.finish()
        assert done.code == 130, done.err
        assert cloud.gce.status(kit.vm) == "TERMINATED"
        assert not cloud.vms[kit.vm].is_on

    with all_with_a_model(kit, answers=PAGES) as (running, model):
        done = running.finish()
        assert done.code == 0, done.err
        assert len(page_requests(model)) == PAGES - 4
    assert cloud.gce.status(kit.vm) == "TERMINATED"
    assert list(statuses_in(kit.output).values()) == ["ok"] * PAGES
    assert kit.calls.count("start") == 3
