"""A client is killed with SIGKILL at any moment, and nobody returns: the VM turns itself off.

The guard's minutes are short here. Other times of the machine are not shortened.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rig.cloud.clock import lengthen_minutes, shorten_minutes
from rig.cloud.cloud import Cloud
from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.toolkit import CloudToolkit
from rig.command import wait_until
from rig.toolkit import line, statuses_in

MINUTE_S = 4.0  # length of a guard's minute, from the kill on
IDLE_MINUTES = 2
OTHER_S = 240.0  # boot and shutdown, at most, on a busy machine
LONGEST_S = (IDLE_MINUTES + 2) * MINUTE_S + OTHER_S
FETCH_S = 4 * MINUTE_S  # twice the time that an idle machine lives
PAGES = 3
TIMER = "dots-ocr-idle.timer"
# a gcloud that fetches slowly
GCLOUD = """#!/bin/sh
case "$*" in "storage rsync"*/input*) sleep {seconds} ;; esac
exec /usr/bin/gcloud "$@"
"""


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One rig for all these tests."""
    with (
        skipped_where_unavailable(),
        Cloud(tmp_path_factory.mktemp("hasty") / "cloud") as rig,
    ):
        yield rig


@pytest.fixture
def unseen(hasty: Cloud) -> Iterator[Cloud]:
    """The same rig; its next VMs have short minutes from the start, without a login."""
    hasty.minute_s = MINUTE_S
    yield hasty
    hasty.minute_s = 60


def kit_of(hasty: Cloud, folder: Path, vm: str, **knobs: str) -> CloudToolkit:
    """A user's computer with a VM of this name."""
    kit = CloudToolkit(hasty, folder, VM=vm, IDLE_MINUTES=str(IDLE_MINUTES))
    kit.knobs |= knobs
    return kit


def kill_at(kit: CloudToolkit, verb: str, moment: Callable[[], object]) -> None:
    """Run a verb until this moment, then kill it with all that it started here."""
    with kit.verb(verb) as client:
        wait_until(moment, 120)
        client.signal_group(signal.SIGKILL)
        assert client.finish().code == -signal.SIGKILL


def ends_by_itself(hasty: Cloud, vm: str) -> None:
    hasty.gce.wait_for_status(vm, "TERMINATED", LONGEST_S)
    assert f"dots-ocr: idle for {IDLE_MINUTES} minutes, turning off" in hasty.vms[vm].console()


def ends_soon(hasty: Cloud, vm: str) -> None:
    """Make the VM's minutes short, and check that it ends."""
    shorten_minutes(hasty.vms[vm], MINUTE_S)
    ends_by_itself(hasty, vm)


# ---- before anybody has logged in ----


def test_before_anybody_has_logged_in(unseen: Cloud, tmp_path: Path) -> None:
    """Killed right after create, right after the turn-on, and before ssh: no login on these VMs."""
    gce = unseen.gce
    made = kit_of(unseen, tmp_path / "made", "made")
    kill_at(made, "create", lambda: gce.count("POST", "/instances"))
    gce.wait_for_status("made", "RUNNING")
    moments: dict[str, Callable[[], object]] = {
        "asked": lambda: gce.count("POST", "/asked/start"),
        "booted": lambda: gce.status("booted") == "RUNNING",
    }
    for vm, moment in moments.items():
        unseen.add_vm(vm)
        kill_at(kit_of(unseen, tmp_path / vm, vm), "start", moment)
    for vm in ("made", *moments):
        ends_by_itself(unseen, vm)
    assert (made.calls.count("stop"), gce.count("POST", "/stop")) == (0, 0)


# ---- at work ----


@pytest.fixture(scope="module")
def worked(hasty: Cloud, image_tar: Path, tmp_path_factory: pytest.TempPathFactory) -> CloudToolkit:
    """A VM that is off, after the model has run on it."""
    hasty.gcs.make_bucket("unused")  # the VM is told where Cloud Storage is
    folder = tmp_path_factory.mktemp("desk")
    slow = "--network host --env RIG_LATENCY_S=2"
    kit = kit_of(hasty, folder, "worked", CONTAINER_ARGS=slow, PROCESSES="1")
    hasty.add_vm("worked", image_tar=image_tar)
    for verb in ("start", "stop"):
        end = kit.run_here(verb)
        assert end.code == 0, end.err
    return kit


@pytest.fixture
def kit(worked: CloudToolkit) -> Iterator[CloudToolkit]:
    """The same VM, turned on by hand; the model starts by itself."""
    worked.gce.start(worked.vm)
    guest = worked.cloud.vms[worked.vm]
    guest.wait_for_boot()
    yield worked
    assert worked.run_here("stop").code == 0  # normally it is off already
    lengthen_minutes(guest)


def test_in_an_upload(hasty: Cloud, kit: CloudToolkit) -> None:
    (kit.input / "large.png").write_bytes(bytes(4_000_000))
    hasty.vms[kit.vm].rate("2mbit")
    kill_at(kit, "upload", kit.home("input/large.png").exists)
    ends_soon(hasty, kit.vm)
    (kit.input / "large.png").unlink()


def test_in_a_fetch_from_the_bucket(hasty: Cloud, kit: CloudToolkit, tmp_path: Path) -> None:
    """The fetch continues without the client, and the guard does not cut it short."""
    with_bucket = CloudToolkit(
        hasty, tmp_path, bucket=True, VM=kit.vm, IDLE_MINUTES=str(IDLE_MINUTES)
    )
    with_bucket.write_pages(PAGES)
    assert with_bucket.run_here("upload").code == 0
    gcloud = GCLOUD.format(seconds=FETCH_S)
    guest = hasty.vms[kit.vm]
    guest.run("cat >/usr/local/bin/gcloud; chmod +x /usr/local/bin/gcloud", stdin=gcloud)
    kill_at(with_bucket, "process", kit.home(".dots-ocr/input.lock").exists)
    shorten_minutes(guest, MINUTE_S)
    wait_until(lambda: list(kit.home("input").rglob("*.png")), FETCH_S + OTHER_S)
    assert hasty.gce.status(kit.vm) == "RUNNING"
    ends_by_itself(hasty, kit.vm)
    guest.path("/usr/local/bin/gcloud").unlink()


def test_in_a_job_which_goes_on_to_its_end(hasty: Cloud, kit: CloudToolkit) -> None:
    kit.write_pages(PAGES)
    assert kit.run_here("upload").code == 0
    manifest = kit.home("result/manifest.jsonl")
    kill_at(kit, "process", lambda: manifest.exists() and manifest.read_text())
    ends_soon(hasty, kit.vm)
    assert set(statuses_in(kit.home("result")).values()) == {"ok"}
    assert json.loads(kit.home(".dots-ocr/job.json").read_text())["code"] == 0


def test_in_a_download(hasty: Cloud, kit: CloudToolkit) -> None:
    guest = hasty.vms[kit.vm]
    (kit.input / "page.png").touch()
    manifest = json.dumps(line("page/page", "page.png")) + "\n"
    guest.run(
        "mkdir -p /home/rig/result/page && cd /home/rig/result && cat >manifest.jsonl && "
        "head -c 4000000 /dev/urandom | tee page/page.json page/page.md >page/page_nohf.md",
        stdin=manifest,
    )
    guest.rate("2mbit")
    kill_at(kit, "download", lambda: list(kit.output.rglob("*.part")))
    ends_soon(hasty, kit.vm)


# ---- its hours, and when it may stay ----


def test_its_hours_end_on_a_vm_that_was_on_before_us(hasty: Cloud, tmp_path: Path) -> None:
    """Google cannot set a limit for a running VM. A job that hangs does not keep it on longer."""
    kit = kit_of(hasty, tmp_path, "long", MAX_HOURS="0.1")
    guest = hasty.add_vm("long")
    hasty.gce.start("long")
    guest.wait_for_boot()
    kill_at(kit, "start", guest.path("/usr/local/lib/dots-ocr/guard.sh").exists)
    lock = "/home/rig/.dots-ocr/job.lock"
    guest.run(f"touch {lock}; setsid flock {lock} sleep 999 >/dev/null 2>&1 & sleep 0.2")
    guest.run("until [ -e /run/dots-ocr/on ]; do sleep 0.1; done")
    guest.run(f"systemctl stop {TIMER} dots-ocr-idle.service")  # until its minutes are short
    guest.run("touch -d '7 minutes ago' /run/dots-ocr/on")
    shorten_minutes(guest, MINUTE_S)
    hasty.gce.wait_for_status("long", "TERMINATED", LONGEST_S)
    assert "dots-ocr: on for 6 minutes, turning off" in guest.console()


def test_it_stays_where_that_is_wished(hasty: Cloud, kit: CloudToolkit) -> None:
    vm = hasty.vms[kit.vm]
    assert vm.run(f"systemctl is-active {TIMER}").stdout == "active\n"  # since its boot
    is_up = "docker inspect --format '{{.State.Running}}' dots-ocr-model"
    wait_until(lambda: vm.run(is_up, check=False).stdout == "true\n")  # the model starts by itself
    kit.knobs |= {"IDLE_MINUTES": "0", "MAX_HOURS": "0"}
    assert kit.run_here("start").code == 0
    assert vm.run(f"systemctl is-active {TIMER}", check=False).stdout == "inactive\n"
    assert vm.run(f"systemctl is-enabled {TIMER}", check=False).stdout == "disabled\n"
    assert kit.run_here("stop").code == 0
