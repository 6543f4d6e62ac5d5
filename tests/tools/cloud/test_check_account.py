"""make check-account: it says what is right or wrong and what to do, and leaves nothing on."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.console import Failure
from lib.knobs import Knobs
from lib.machines.gcp import account, api, trial
from rig.cloud.cloud import Cloud
from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.gce import GceServer
from rig.cloud.gce_errors import OfAnother, Refusal, permission_denied
from rig.cloud.gcs import GcsServer
from rig.cloud.toolkit import VM, CloudToolkit, GceToolkit
from rig.command import Finished, wait_until

TRIAL = re.compile(rf"{VM}-check-[0-9a-f]{{8}}")
# The user's programs, and those of a VM. This computer plays the VM: ssh runs its last word here.
PROGRAMS = {
    "gcloud": 'case "$*" in *--dry-run) echo "$BIN/ssh vm --" ;; esac',
    "ssh": 'for last; do :; done\ncase "$*" in *"-O exit"*) ;; *) exec sh -c "$last" ;; esac',
    "nvidia-smi": "echo NVIDIA L4, 580.95",
    "docker": "echo 20.10",
    "systemctl": "echo active",
}


class Desk(GceToolkit):
    """A user's computer with an ssh that leads to a VM with everything that is needed."""

    def __init__(self, gce: GceServer, folder: Path, **knobs: str) -> None:
        super().__init__(gce, folder, **knobs)
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name, script in PROGRAMS.items():
            self.put(name, script)

    def put(self, name: str, script: str) -> None:
        """Write a program of the user's, or of the VM's."""
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def environment(self, **more: str) -> dict[str, str]:
        """The environment with these programs first in PATH."""
        known = super().environment(**more)
        return {**known, "BIN": str(self.bin), "PATH": f"{self.bin}:{known['PATH']}"}


def steps(end: Finished) -> dict[str, str]:
    """The result of each step, by the step's name."""
    found = re.findall(r"^(right|wrong|unknown) +(.{12}) ", end.out, re.MULTILINE)
    return {name.strip(): state for state, name in found}


@pytest.fixture
def desk(gce: GceServer, tmp_path: Path) -> Desk:
    """A desk and a VM that is off."""
    gce.add_instance(VM)
    return Desk(gce, tmp_path)


# ---- what costs nothing ----


def none(desk: Desk) -> None:
    """The zone has no such machine."""
    desk.knobs["MACHINE_TYPE"] = "g2-standard-96"


def no_quota(desk: Desk) -> None:
    desk.gce.quotas["NVIDIA_L4_GPUS"] = 0.0


def no_quota_for_workers(desk: Desk) -> None:
    desk.knobs["WORKERS"] = "9"


def no_permission(desk: Desk) -> None:
    desk.gce.permit("compute.instances.get", "compute.instances.start")


def no_gcloud_login(desk: Desk) -> None:
    desk.put("gcloud", 'echo "ERROR: you do not have an active account" >&2; exit 1')


def api_is_off(desk: Desk) -> None:
    said = "Compute Engine API has not been used in project 7 before or it is disabled."
    desk.gce.refuse(Refusal(403, "accessNotConfigured", said), "GET")


def no_image(desk: Desk) -> None:
    desk.knobs |= {"VM": "another", "IMAGE_FAMILY": "of-yesterday"}


WRONG: dict[Callable[[Desk], None], tuple[str, str, str]] = {
    none: ("zone", "has no g2-standard-96", "another ZONE or MACHINE_TYPE"),
    no_quota: ("quota", "NVIDIA_L4_GPUS: 1 needed, 0 of 0 free", "ask for more at https://"),
    no_quota_for_workers: ("quota", "PREEMPTIBLE_NVIDIA_L4_GPUS: 9 needed, 8 of 8", "ask for more"),
    no_permission: ("permissions", "missing on the VM: compute.instances.stop", "ask for the role"),
    no_gcloud_login: ("gcloud", "do not have an active account", "→ gcloud auth login"),
    api_is_off: ("project", "API has not been used", "gcloud services enable compute.google"),
    no_image: ("VM", "there is no image family of-yesterday", "another IMAGE_FAMILY"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_is_wrong_is_told_and_nothing_is_rented(
    desk: Desk, fault: Callable[[Desk], None]
) -> None:
    fault(desk)
    end = desk.run_here("check_account", "--yes")
    step, what, then = WRONG[fault]
    assert (end.code, steps(end)[step]) == (1, "wrong"), end.out
    told = end.out.partition(f"wrong    {step} ")[2]
    assert what in told and then in told
    assert desk.calls in ([], ["testIamPermissions"])
    assert "nothing is rented before that is fixed" in end.err


def test_who_is_unknown_to_google_learns_nothing_more(desk: Desk) -> None:
    desk.gce.token = "another"
    end = desk.run_here("check_account", "--yes")
    assert (end.code, steps(end)) == (1, {"gcloud": "right"})
    assert "→ gcloud auth application-default login" in end.err


def test_what_a_portal_answers_is_not_right(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "LOST_ANSWER_PAUSES_S", ())
    desk.gce.refuse(OfAnother(200, "{}"))
    end = desk.run_here("check_account", "--yes")
    assert (end.code, steps(end)) == (1, {"gcloud": "right"})
    assert "what answers is not Google" in end.err


def test_what_cannot_be_told_is_not_wrong(desk: Desk) -> None:
    """Reading a quota needs a right that nothing else needs."""
    desk.gce.refuse(permission_denied("compute.regions.get", "x"), "GET", "/asia-northeast3")
    end = desk.run_here("check_account")  # nobody answers the question that it asks
    assert (end.code, steps(end)["quota"]) == (1, "unknown")
    assert "nobody is here to answer\n  → with YES=1 nothing is asked" in end.err
    assert f"start {VM}, look, stop it: about 4 minutes, 0.07 USD (1.096 an hour)" in end.err
    assert desk.calls == ["testIamPermissions"]


@pytest.mark.parametrize(
    ("scopes", "region", "step"),
    [
        (["https://www.googleapis.com/auth/cloud-platform"], "asia-northeast3", ""),
        (["https://www.googleapis.com/auth/devstorage.read_only"], "asia-northeast3", "VM"),
        (["https://www.googleapis.com/auth/devstorage.read_write"], "europe-west4", "bucket"),
    ],
)
def test_a_bucket(desk: Desk, tmp_path: Path, scopes: list[str], region: str, step: str) -> None:
    zone = f"{region}-a"
    desk.knobs |= {"BUCKET": "gs://pages", "ZONE": zone, "VM": "with-bucket"}
    desk.gce.add_instance("with-bucket", zone=zone)
    desk.gce.instance("with-bucket")["serviceAccounts"] = [{"email": "default", "scopes": scopes}]
    with skipped_where_unavailable(), GcsServer(tmp_path / "gcs") as storage:
        storage.make_bucket("pages")
        place = {"STORAGE_EMULATOR_HOST": storage.url, "CLOUDSDK_COMPUTE_ZONE": ""}
        end = desk.run_here("check_account", **place)
        assert storage.names("pages") == []
    wrong = [name for name, state in steps(end).items() if state == "wrong"]
    assert wrong == ([step] if step else []), end.out
    assert steps(end)["bucket"] == ("wrong" if step == "bucket" else "right")


# ---- the trial ----


@pytest.mark.parametrize(
    ("status", "vm", "is_new"),
    [(None, TRIAL.pattern, True), ("TERMINATED", VM, False), ("STOPPED", VM, False)],
)
def test_what_is_turned_on(status: str | None, vm: str, is_new: bool) -> None:
    chosen = trial.trial_of(Knobs(vm=VM), status)
    assert re.fullmatch(vm, chosen.knobs.vm) and chosen.is_new == is_new


@pytest.mark.parametrize("status", ["RUNNING", "STOPPING", "SUSPENDED", "REPAIRING"])
def test_what_is_on_or_on_its_way_is_left_alone(status: str) -> None:
    with pytest.raises(Failure, match=f"is {status}"):
        trial.trial_of(Knobs(vm=VM), status)


def test_a_long_name_stays_one_that_google_takes_and_is_nobody_else_s() -> None:
    names = {trial.trial_of(Knobs(vm="a" * 63), None).knobs.vm for _ in range(9)}
    assert {len(name) for name in names} == {63} and len(names) == 9


@pytest.mark.parametrize("is_new", [False, True])
def test_a_right_account(gce: GceServer, tmp_path: Path, is_new: bool) -> None:
    if not is_new:
        gce.add_instance(VM)
    desk = Desk(gce, tmp_path)
    end = desk.run_here("check_account", "--yes")
    assert end.code == 0, end.out + end.err
    untold = {"permissions": "unknown", "image": "unknown"} if is_new else {}
    names = ("gcloud", "project", "zone", "quota", "VM", "permissions")
    assert steps(end) == {
        **dict.fromkeys((*names, "ssh", "guard", "GPU", "docker", "image"), "right"),
        **untold,
    }
    check_nothing_is_left(gce, is_new)
    turned = [name for name in desk.calls if name in ("instances", "start", "stop")]
    assert turned == (["instances"] if is_new else ["start", "stop"])
    if is_new:
        (body,) = [call.body for call in gce.calls if "disks" in call.body]
        # the last call is its delete
        assert TRIAL.fullmatch(body["name"]) and desk.calls[-1] == body["name"]
        scheduling = body["scheduling"]
        assert scheduling["instanceTerminationAction"] == "DELETE"
        assert scheduling["maxRunDuration"] == {"seconds": "3600"}


def check_nothing_is_left(gce: GceServer, is_new: bool) -> None:
    """No VM is on, no VM of ours exists, and no lock is held."""
    if is_new:
        assert gce.count("POST", "/instances") and not gce.instances()
        return
    assert gce.status(VM) == "TERMINATED"
    assert "dots-ocr-lock" not in gce.metadata(VM)


@pytest.mark.parametrize("is_new", [False, True])
def test_ctrl_c_in_the_middle_leaves_nothing(gce: GceServer, tmp_path: Path, is_new: bool) -> None:
    if not is_new:
        gce.add_instance(VM)
    desk = Desk(gce, tmp_path)
    desk.put("nvidia-smi", 'touch "$BIN/asked"; exit 1')  # its driver never comes
    with desk.verb("check_account", "--yes") as job:
        wait_until((desk.bin / "asked").exists, 120)
        job.signal_group(signal.SIGINT)
        end = job.finish()
    assert end.code == 130, end.err
    assert "BILL" not in end.err
    check_nothing_is_left(gce, is_new)


@pytest.mark.parametrize("is_new", [False, True])
def test_what_could_not_be_taken_away_is_the_last_line(
    gce: GceServer, tmp_path: Path, is_new: bool
) -> None:
    if not is_new:
        gce.add_instance(VM)
    method, path_end = ("DELETE", "") if is_new else ("POST", "/stop")
    gce.refuse(permission_denied("compute.instances.stop", VM), method, path_end)
    end = Desk(gce, tmp_path).run_here("check_account", "--yes")
    last = end.err.rstrip("\n").rpartition("\n")[2]
    loud = "MAY STILL BE THERE, AND BILL, until" if is_new else "MAY STILL RUN, AND BILL"
    name = TRIAL.pattern if is_new else VM
    assert (end.code, bool(re.match(f"{name} {loud}", last))) == (1, True), end.err


def test_a_stock_out_leaves_nothing(gce: GceServer, tmp_path: Path) -> None:
    gce.fail_start("ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", zones_available=["zone-b"])
    end = Desk(gce, tmp_path).run_here("check_account", "--yes")
    assert (end.code, "try later, or ZONE=zone-b" in end.err) == (1, True), end.err
    check_nothing_is_left(gce, is_new=True)


# ---- the decisions ----

GPUS, ALL = "NVIDIA_L4_GPUS", {"GPUS_ALL_REGIONS": 1}


@pytest.mark.parametrize(
    ("known", "wanted", "said"),
    [
        ({GPUS: (1, 0)}, {GPUS: 1}, f"{GPUS}: 1 of 1 free"),
        ({GPUS: (4, 3), "CPUS": (8, 8)}, {GPUS: 1}, f"{GPUS}: 1 of 4 free"),
        ({GPUS: (2, 0)}, {GPUS: 1, "GPUS_ALL_REGIONS": 1}, f"{GPUS}: 2 of 2 free"),
        ({}, {}, "no GPU is asked for"),
    ],
)
def test_a_quota_that_suffices(
    known: dict[str, tuple[float, float]], wanted: dict[str, int], said: str
) -> None:
    assert account.enough(known, wanted, "region") == said


def test_quotas_that_do_not() -> None:
    with pytest.raises(Failure, match="GPUS_ALL_REGIONS: 1 needed, 0 of 2 free"):
        account.enough({GPUS: (1, 0), "GPUS_ALL_REGIONS": (2, 2)}, {GPUS: 1} | ALL, "region")
    with pytest.raises(account.Untold, match="region does not say its quota of"):
        account.enough({"CPUS": (8, 0)}, {GPUS: 1}, "region")


def test_a_right_that_is_missing_is_named() -> None:
    every = account.PERMISSIONS
    assert account.allowed(every) == (
        "we may get, start, stop, resume, setScheduling, setMetadata it"
    )
    with pytest.raises(Failure, match=r"missing on the VM: compute\.instances\.setMetadata\n"):
        account.allowed(every[:-1])


# ---- on a VM ----


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Cloud]:
    with skipped_where_unavailable(), Cloud(tmp_path / "cloud") as cloud:
        yield cloud


def test_on_the_rig(rig: Cloud, image_tar: Path, tmp_path: Path) -> None:
    """With sshd, systemd, docker and Google's gcloud: first the existing VM, then a new one."""
    kit = CloudToolkit(rig, tmp_path / "desk", bucket=True).with_all()
    rig.add_vm(VM, image_tar=image_tar)
    for vm in (VM, "another"):
        end = kit.verb("check_account", "--yes", "--vm", vm).finish(400)
        assert end.code == 0, end.out + end.err
        found = steps(end)
        assert {found[name] for name in ("ssh", "guard", "GPU", "docker", "bucket there")} == {
            "right"
        }
        assert found["image"] == ("right" if vm == VM else "unknown")
    assert [(one["name"], one["status"]) for one in rig.gce.instances()] == [(VM, "TERMINATED")]
