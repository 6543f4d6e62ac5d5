"""What the commands say when Google Cloud says no: what, why, and the next thing to type."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib.knobs import Knobs
from lib.machines.gcp import api, compute, credentials
from lib.machines.gcp import machine as gcp
from lib.machines.gcp.machine import GcpMachine
from rig.cloud.gce import GceServer
from rig.cloud.gce_errors import permission_denied, quota_error
from rig.cloud.toolkit import VM, GceToolkit

GOOGLE = Path("google")


def stock_out(gce: GceServer) -> None:
    gce.fail_start("ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", zones_available=["zone-b"])


def quota(gce: GceServer) -> None:
    gce.fail_start(quota_error())


def no_role(gce: GceServer) -> None:
    gce.refuse(permission_denied("compute.instances.start", VM), "POST", "/start")


def no_role_at_all(gce: GceServer) -> None:
    gce.refuse(permission_denied("compute.instances.get", VM))


def other_token(gce: GceServer) -> None:
    gce.token = "not ours"


def away(gce: GceServer) -> None:
    gce.lose_answer("", "", times=None)


def stays(gce: GceServer) -> None:
    gce.set_status(VM, "REPAIRING")


TO_START: dict[Callable[[GceServer], None], tuple[str, str]] = {
    stock_out: ("has had no such machine to give for 1 s", "move the disk to zone-b"),
    quota: ("quota: Quota 'NVIDIA_L4_GPUS' exceeded", "ask for more at https://"),
    no_role: ("no permission: Required 'compute.instances.start'", "ask for the role"),
    no_role_at_all: ("no permission: Required 'compute.instances.get'", "ask for the role"),
    other_token: ("no Google credentials: ", "gcloud auth application-default login"),
    away: ("Google Compute Engine cannot be reached", "try again"),
    stays: ("dots-ocr-vm is still REPAIRING after 1 s", "make status"),
}


@pytest.mark.parametrize("fault", TO_START)
def test_a_start_that_cannot_be(
    gce: GceServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[GceServer], None],
) -> None:
    monkeypatch.setattr(compute, "POLL_S", 0.1)
    monkeypatch.setattr(api, "LOST_ANSWER_PAUSES_S", (0.01, 0.02))
    gce.add_instance(VM)
    fault(gce)
    end = GceToolkit(gce, tmp_path, START_TIMEOUT="1").run_here("start")
    what, then = TO_START[fault]
    assert (end.code, end.out) == (1, ""), end.err
    assert what in end.err
    assert then in end.err.partition("→")[2]
    assert "Traceback" not in end.err


def test_a_missing_vm_is_told_by_every_verb(gce: GceServer, tmp_path: Path) -> None:
    kit = GceToolkit(gce, tmp_path)
    kit.write_pages(1)
    for verb in ("all", "start", "upload", "stop", "status"):
        end = kit.run_here(verb)
        assert (end.code, end.out) == (1, ""), verb
        assert f"there is no VM {VM} in asia-northeast3-a of project rig-project" in end.err
        assert "→ make create" in end.err
    assert kit.calls == []


def test_no_credentials(gce: GceServer, tmp_path: Path) -> None:
    gce.add_instance(VM)
    kit = GceToolkit(gce, tmp_path)
    for cure in ({"CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": ""}, {"CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": "x"}):
        end = kit.run_here("start", **cure)
        assert end.code == 1
        assert "no Google credentials: " in end.err
        assert "→ gcloud auth application-default login" in end.err
    assert kit.calls == []


def test_the_token_of_a_file_is_sent(gce: GceServer, tmp_path: Path) -> None:
    gce.token = "of the file"
    gce.add_instance(VM)
    kit = GceToolkit(gce, tmp_path)
    (tmp_path / "token").write_text("of the file\n")
    end = kit.run_here("stop", CLOUDSDK_AUTH_ACCESS_TOKEN_FILE=str(tmp_path / "token"))
    assert (end.code, end.err) == (0, "")


def test_which_project_is_meant(gce: GceServer, tmp_path: Path) -> None:
    """The order: our knob in the environment, then gcloud's variable, then config.env."""
    kit = GceToolkit(gce, tmp_path, PROJECT="config-env")
    assert "of project rig-project" in kit.run_here("stop").err
    assert "of project ours" in kit.run_here("stop", PROJECT="ours").err
    assert "of project config-env" in kit.run_here("stop", CLOUDSDK_CORE_PROJECT="").err


@pytest.mark.parametrize(
    ("variable", "endpoint"),
    [
        ("", ""),
        ("http://127.0.0.1:9/compute/v1/", "http://127.0.0.1:9"),
        ("http://127.0.0.1:9/compute/v1", "http://127.0.0.1:9"),
        ("https://compute.example.com/", "https://compute.example.com"),
    ],
)
def test_another_endpoint(monkeypatch: pytest.MonkeyPatch, variable: str, endpoint: str) -> None:
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", variable)
    assert credentials.api_endpoint() == endpoint


# ---- what gcloud is called with ----


@pytest.mark.parametrize("iap", [False, True])
def test_ssh_goes_through_iap_where_told(
    gce: GceServer, monkeypatch: pytest.MonkeyPatch, iap: bool
) -> None:
    gce.add_instance(VM, status="RUNNING")
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", gce.url)
    monkeypatch.setenv("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true")
    called: list[list[str]] = []

    def run(command: list[str]) -> Any:
        called.append(command)
        line = "picture of a key\n/usr/bin/ssh -t -i key rig@10.0.0.2 --\n"
        return subprocess.CompletedProcess(command, 0, line, "")

    monkeypatch.setattr(gcp, "run_gcloud", run)
    monkeypatch.setattr("lib.machines.ssh.shell.Shell.is_open", lambda shell: True)
    shell = GcpMachine(Knobs(vm=VM, project="rig-project", iap=iap)).shell
    assert len(called) == 1
    assert ("--tunnel-through-iap" in called[0]) == iap
    assert "--zone=asia-northeast3-a" in called[0]
    assert shell.login[0] == "/usr/bin/ssh"
    assert shell.login[-3:] == ["-i", "key", "rig@10.0.0.2"]


@pytest.mark.parametrize(
    ("program", "said", "then"),
    [
        ("", "gcloud is not installed, or not on PATH", "https://cloud.google.com/sdk/docs/inst"),
        ("echo ERROR: no account >&2; exit 1", "gcloud: ERROR: no account", "gcloud auth login"),
    ],
)
def test_without_gcloud_or_its_login_nothing_is_rented(
    gce: GceServer, tmp_path: Path, program: str, said: str, then: str
) -> None:
    """Under cron PATH is short. gcloud's login is not the login of Google's packages."""
    gce.add_instance(VM)
    kit = GceToolkit(gce, tmp_path)
    if program:
        (tmp_path / "gcloud").write_text(f"#!/bin/sh\n{program}\n")
        (tmp_path / "gcloud").chmod(0o755)
    end = kit.run_here("start", PATH=str(tmp_path))
    assert (end.code, gce.status(VM), kit.calls) == (1, "TERMINATED", [])
    assert f"Error: {said}" in end.err and f"→ {then}" in end.err
