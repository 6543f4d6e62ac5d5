"""The model's container dies: docker restarts it once, and a waiting client is told why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.cloud.ssh_toolkit import SshToolkit
from rig.cloud.vm import Vm
from rig.command import wait_until

MODEL = "dots-ocr-model"
OUT_OF_MEMORY = "torch.OutOfMemoryError: CUDA out of memory"
STARTED_AGAIN = "the model's container died and was started again"
INSPECT = "docker inspect --format '{{.State.Pid}} {{.RestartCount}} {{.State.Status}}' " + MODEL
PAGES = 6


class Desk(SshToolkit):
    """A desk with a model in a container, which it can kill as the kernel would."""

    def start_model(self, **rig: float) -> None:
        """Start the machine with a container that behaves so."""
        variables = "".join(f" --env RIG_{name.upper()}={value}" for name, value in rig.items())
        self.knobs["CONTAINER_ARGS"] = f"--network host{variables}"
        done = self.run_here("start")
        assert done.code == 0, done.err

    def asked(self) -> int:
        """How many pages were requested from this container."""
        log = self.on_vm(f"docker logs {MODEL} 2>&1")
        return log.count('"POST /v1/chat/completions') - log.count('HTTP/1.1" 28x28')

    def kill_model(self) -> None:
        """Kill its process after a last message, and wait until it has ended or restarted."""
        pid, restarts, _ = self.on_vm(INSPECT).split()
        self.vm.run(f"echo 'CUDA error: an illegal access' >/proc/{pid}/fd/1; kill -9 {pid}")

        def is_over() -> bool:
            _, now, state = self.on_vm(INSPECT).split()
            return state == "exited" or (state == "running" and now > restarts)

        wait_until(is_over)


@pytest.fixture
def desk(box: Vm, tmp_path: Path) -> Iterator[Desk]:
    """A desk with pages that are already on the machine."""
    kit = Desk(box, tmp_path, PROCESSES="1", RETRIES="3")
    kit.clear()
    kit.write_pages(PAGES)
    assert kit.run_here("upload").code == 0
    yield kit
    kit.on_vm(f"docker rm -f {MODEL} >/dev/null")


def test_a_model_that_cannot_load_ends_the_waiting(desk: Desk) -> None:
    desk.knobs["READY_TIMEOUT"] = "900"  # longer than this test may last
    desk.start_model(startup_s=900, dies_after_s=1, dies_times=99)
    done = desk.run_here("process")
    assert done.code == 1
    assert "the model's container ended with 1" in done.err
    assert done.err.count(OUT_OF_MEMORY) >= 2  # docker has restarted it once
    assert "→ fix what the log says, then make start" in done.err
    assert desk.on_vm(INSPECT) == "0 1 exited\n"


def test_a_model_that_loads_at_the_second_try_is_told(desk: Desk) -> None:
    desk.start_model(startup_s=3, dies_after_s=1, dies_times=1)
    done = desk.run_here("process")
    assert done.code == 0
    assert done.err.count(STARTED_AGAIN) == 1
    assert OUT_OF_MEMORY in done.err
    assert list(desk.statuses_there().values()) == ["ok"] * PAGES


def test_a_model_that_dies_in_the_middle_costs_no_page(desk: Desk) -> None:
    desk.start_model(holds_times=1)
    job = desk.verb("process")
    wait_until(lambda: desk.asked() >= 2)
    desk.kill_model()
    done = job.finish()
    assert done.code == 0, done.err
    assert done.err.count(STARTED_AGAIN) == 1
    assert "CUDA error" in done.err
    assert list(desk.statuses_there().values()) == ["ok"] * PAGES


def test_a_model_that_dies_for_good_ends_the_job_and_the_rest_is_read_later(desk: Desk) -> None:
    desk.start_model(holds_times=2)
    job = desk.verb("process")
    wait_until(lambda: desk.asked() >= 2)
    desk.kill_model()
    wait_until(lambda: desk.asked() >= 4)
    desk.kill_model()
    done = job.finish()
    assert done.code == 1, done.err
    assert "the model's container ended with 137" in done.err
    assert "CUDA error" in done.err
    assert "→ make start starts it again, and make process reads the rest" in done.err
    assert not desk.job_runs()
    assert json.loads(desk.home(".dots-ocr/job.json").read_text())["code"] == 130
    before = list(desk.statuses_there().values())
    assert before.count("ok") + before.count("left") == PAGES
    assert before.count("left") >= 1

    desk.start_model(latency_s=0)
    assert desk.run_here("process").code == 0
    assert list(desk.statuses_there().values()) == ["ok"] * PAGES
    assert desk.asked() == before.count("left")


def test_start_revives_the_model_of_a_job_that_waits_for_it(desk: Desk) -> None:
    desk.start_model(holds_times=2)
    job = desk.verb("process")
    wait_until(lambda: desk.asked() >= 2)
    job.process.kill()  # nobody follows the job now, and it waits for its model
    job.finish()
    desk.kill_model()
    wait_until(lambda: desk.asked() >= 4)
    desk.kill_model()
    assert desk.job_runs()
    desk.start_model(latency_s=0)
    done = desk.run_here("process")
    assert done.code == 0, done.err
    assert list(desk.statuses_there().values()) == ["ok"] * PAGES
