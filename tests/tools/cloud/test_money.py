"""Every way in which a machine could go on billing, and the test that shows what ends it."""

from __future__ import annotations

import ast
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.machines.gcp import guard
from lib.machines.gcp.machine import GcpMachine
from rig.cloud.gce import GceServer
from rig.cloud.gce_errors import permission_denied, quota_error
from rig.cloud.toolkit import VM, GceToolkit
from rig.command import wait_until
from rig.toolkit import ROOT

PROVED = {
    "the client is killed, wherever it is": (
        "tools/cloud/test_left_alone.py::test_before_anybody_has_logged_in",
        "tools/cloud/test_left_alone.py::test_in_an_upload",
        "tools/cloud/test_left_alone.py::test_in_a_fetch_from_the_bucket",
        "tools/cloud/test_left_alone.py::test_in_a_job_which_goes_on_to_its_end",
        "tools/cloud/test_left_alone.py::test_in_a_download",
    ),
    "Ctrl-C, TERM or HUP": (
        "tools/cloud/test_interrupted.py::test_the_vm_is_stopped",
        "tools/cloud/test_money.py::test_an_interrupted_start_tells_that_it_is_on",
    ),
    "make create": ("tools/cloud/test_money.py::test_create_turns_it_off_again",),
    "make create, and the stop fails": (
        "tools/cloud/test_money.py::test_a_create_that_cannot_turn_it_off_is_loud",
    ),
    "a first start fails before its packages, or its image": (
        "tools/cloud/test_money.py::test_what_fails_behind_the_turn_on_tells_that_it_is_on",
        "tools/cloud/test_left_alone.py::test_before_anybody_has_logged_in",
    ),
    "the VM was on, or slept": (
        "tools/cloud/test_left_alone.py::test_its_hours_end_on_a_vm_that_was_on_before_us",
        "tools/cloud/test_watchdog.py::test_one_that_slept_waits_for_its_minutes_again",
        "tools/cloud/test_money.py::test_its_guard_is_its_startup_script",
    ),
    "its startup script is somebody's": (
        "tools/cloud/test_money.py::test_a_startup_script_of_somebody_stays",
    ),
    "the longest run cannot be set": (
        "tools/cloud/test_money.py::test_without_its_guards_it_is_not_turned_on",
    ),
    "MAX_HOURS is no time": ("tools/lib/test_knobs.py::test_numbers_that_are_none",),
    "MAX_HOURS and IDLE_MINUTES are 0": (
        "tools/cloud/test_left_alone.py::test_it_stays_where_that_is_wished",
    ),
    "a page that does not end": ("vm_side/test_hostages.py", "vm_side/workers/test_bounds.py"),
    "a job that hangs": (
        "tools/cloud/test_watchdog.py::test_whatever_it_does_its_hours_end",
        "tools/cloud/test_left_alone.py::test_its_hours_end_on_a_vm_that_was_on_before_us",
    ),
    "a request that is stuck": (
        "tools/cloud/test_watchdog.py::test_a_request_keeps_it_on_and_an_idle_model_does_not",
    ),
    "metrics that are away, or nonsense": (
        "tools/cloud/test_watchdog.py::test_it_waits_for_its_minutes",
        "tools/cloud/test_watchdog.py::test_metrics_that_tell_little",
    ),
    "somebody watches make status": (
        "tools/cloud/test_watchdog.py::test_who_only_looks_does_not_keep_it_on",
    ),
    "a prompt left open, a program that prints": (
        "tools/cloud/test_watchdog.py::test_a_terminal_keeps_it_on_while_somebody_types",
    ),
    "the stop: Google, the network or the login is away": (
        "tools/cloud/test_stop_away.py::test_make_all_stops_the_vm_once_google_is_back",
        "tools/cloud/test_stop_away.py::test_a_stop_by_hand_is_loud",
        "tools/cloud/test_stop_away.py::test_make_all_ends_with_the_loud_line",
    ),
    "the stop: what answers is not Google": (
        "tools/cloud/test_states.py::test_what_is_not_google_says_nothing_about_the_vm",
    ),
    "the stop: a fault that nobody has foreseen": (
        "tools/cloud/test_stop_away.py::test_a_fault_that_nobody_has_foreseen_ends_with_the_loud_line",
    ),
    "the stop: config.env is wrong": (
        "tools/cloud/test_stop_away.py::test_a_config_that_is_spoilt_meanwhile_does_not_keep_the_stop",
        "tools/cloud/test_stop_away.py::test_what_a_stop_does_not_need_does_not_keep_it",
        "tools/cloud/test_stop_away.py::test_a_config_that_may_mean_another_vm_is_loud",
    ),
    "the stop: the lock cannot be read": (
        "tools/cloud/test_stop_away.py::test_who_may_not_look_may_stop",
    ),
    "the stop ends in another state": (
        "tools/cloud/test_states.py::test_a_stop_that_does_not_end_is_loud",
        "tools/cloud/test_states.py::test_a_stop_that_cannot_be_asked_for_is_loud",
    ),
    # if such a VM exists, it is the one that is meant
    "the stop: VM, ZONE or PROJECT is another": (
        "tools/cloud/test_messages.py::test_a_missing_vm_is_told_by_every_verb",
    ),
    "two runs": ("tools/cloud/test_lock.py",),
    "make image leaves it on": ("tools/cloud/test_image.py::test_it_turns_a_vm_on",),
    "spot, preempted": ("tools/cloud/test_preempted.py",),
    "a worker that may not delete itself": (
        "tools/cloud/test_fleet_calls.py::test_what_turns_itself_off_is_not_made_anew_for_ever",
    ),
    "workers that may not be looked at": (
        "tools/cloud/test_money.py::test_workers_that_may_not_be_looked_at_are_loud",
    ),
    "a worker alone": (
        "tools/machines/gcp/test_workers.py::test_without_a_scheduler_it_leaves_after_its_minutes",
    ),
    # If the VM's clock is set back, its minutes last longer by as much. Google's clock is right,
    # and its limit does not use the guest's clock. There is no test, because the rig's guests have
    # this machine's clock.
}
LOUD = f"{VM} MAY STILL RUN, AND BILL"
IS_ON = f"the VM is on: {VM} bills 1.096 USD an hour: make stop turns it off\n"


@pytest.mark.parametrize("way", PROVED)
def test_every_way_has_its_test(way: str) -> None:
    for name in PROVED[way]:
        path, _, function = name.partition("::")
        tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
        tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert function in tests if function else any(one.startswith("test_") for one in tests)


# ---- create ----


def test_create_turns_it_off_again(gce: GceServer, tmp_path: Path) -> None:
    kit = GceToolkit(gce, tmp_path)
    assert kit.run_here("create").code == 0
    assert (gce.status(VM), kit.calls) == ("TERMINATED", ["instances", "stop"])
    assert guard.MARK in gce.metadata(VM)["startup-script"]  # it was guarded from its first boot


def test_a_create_that_cannot_turn_it_off_is_loud(gce: GceServer, tmp_path: Path) -> None:
    gce.refuse(permission_denied("compute.instances.stop", VM), "POST", "/stop")
    end = GceToolkit(gce, tmp_path).run_here("create")
    assert (end.code, gce.status(VM)) == (1, "RUNNING")
    assert end.err.endswith(IS_ON)


@pytest.mark.parametrize("options", [["--dry-run"], []])
def test_a_create_that_cannot_begin_has_nothing_on(
    gce: GceServer, tmp_path: Path, options: list[str]
) -> None:
    """For example, the first command of a user without a login: no VM exists that could bill."""
    kit = GceToolkit(gce, tmp_path)
    end = kit.run_here("create", *options, CLOUDSDK_AUTH_ACCESS_TOKEN_FILE="")
    assert (end.code, "no Google credentials" in end.err, "BILL" in end.err) == (1, True, False)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_stop_that_fails_is_told_to_who_is_named(
    gce: GceServer, tmp_path: Path, is_there: bool
) -> None:
    """The message here comes first. A NOTIFY command that fails changes neither it nor the end."""
    gce.add_instance(VM)
    gce.refuse(permission_denied("compute.instances.stop", VM), "POST", "/stop")
    told = tmp_path / "told"
    command = f"/usr/bin/tee {told}" if is_there else "/nowhere/tee"
    kit = GceToolkit(gce, tmp_path, NOTIFY=command)
    kit.write_pages(1)
    end = kit.run_here("all", PATH=kit.shut_out)
    assert (end.code, gce.status(VM)) == (1, "RUNNING")
    if is_there:
        assert LOUD in told.read_text() and end.err.rstrip().rpartition("\n")[2].startswith(LOUD)
    else:
        before, _, after = end.err.partition("NOTIFY failed: the command cannot be run")
        assert LOUD in before and after.count("\n") == 1


def test_a_vm_that_was_on_and_cannot_be_held_is_told(gce: GceServer, tmp_path: Path) -> None:
    """In this case nobody turns it off. NOTIFY is told, too."""
    gce.add_instance(VM)
    gce.start(VM)
    gce.refuse(permission_denied("compute.instances.setMetadata", VM), "POST", "/setMetadata")
    told = tmp_path / "told"
    kit = GceToolkit(gce, tmp_path, NOTIFY=f"/usr/bin/tee {told}")
    kit.write_pages(1)
    end = kit.run_here("all")
    assert (end.code, gce.status(VM)) == (1, "RUNNING")
    assert end.err.endswith(IS_ON) and IS_ON in told.read_text()


# ---- start ----


@pytest.mark.parametrize("verb", ["start", "image"])
def test_what_fails_behind_the_turn_on_tells_that_it_is_on(
    gce: GceServer, tmp_path: Path, verb: str
) -> None:
    """This is true for any failure; here ssh leads nowhere."""
    gce.add_instance(VM)
    kit = GceToolkit(gce, tmp_path, MODEL_REVISION="5" * 40)
    end = kit.run_here(verb, PATH=kit.shut_out)
    assert (end.code, gce.status(VM)) == (1, "RUNNING")
    assert "gcloud compute ssh: no way in" in end.err
    assert end.err.endswith(IS_ON)


@pytest.mark.parametrize("verb", ["upload", "download"])
def test_a_step_by_hand_that_fails_tells_that_it_is_on(
    gce: GceServer, tmp_path: Path, verb: str
) -> None:
    gce.add_instance(VM)
    gce.start(VM)
    kit = GceToolkit(gce, tmp_path)
    kit.write_pages(1)
    end = kit.run_here(verb, PATH=kit.shut_out)
    assert (end.code, "gcloud compute ssh: no way in" in end.err) == (1, True), end.err
    assert end.err.endswith(IS_ON)
    gce.set_status(VM, "TERMINATED")
    assert "bills" not in kit.run_here(verb, PATH=kit.shut_out).err
    gce.token = "another"  # an upload or a download need not say whether the VM is on
    assert "BILL" not in kit.run_here(verb, PATH=kit.shut_out).err


@pytest.mark.parametrize("code", [1, 3])
def test_a_process_that_ends_with_a_code_tells_that_it_is_on(
    gce: GceServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """`make start upload process download stop` ends there."""
    gce.add_instance(VM, status="RUNNING")
    monkeypatch.setattr(GcpMachine, "wait_until_ready", lambda *_: None)
    monkeypatch.setattr(GcpMachine, "run", lambda *_: code)
    kit = GceToolkit(gce, tmp_path)
    assert kit.run_here("process").err == IS_ON
    within = kit.run_here("process", DOTS_OCR_LOCK="of make all, which stops it next")
    assert (within.code, within.err) == (code, "")


def test_what_fails_before_it_says_nothing_of_the_kind(gce: GceServer, tmp_path: Path) -> None:
    gce.add_instance(VM)
    gce.fail_start(quota_error())
    end = GceToolkit(gce, tmp_path).run_here("start")
    assert (end.code, gce.status(VM)) == (1, "TERMINATED")
    assert "bills" not in end.err and "BILL" not in end.err


def test_an_interrupted_start_tells_that_it_is_on(gce: GceServer, tmp_path: Path) -> None:
    """The VM may be on soon: it is starting."""
    gce.add_instance(VM, status="REPAIRING")
    with GceToolkit(gce, tmp_path).verb("start") as job:
        wait_until(lambda: gce.count("GET", f"/{VM}") > 4)
        job.process.send_signal(signal.SIGTERM)
        end = job.finish()
    assert end.code == 130
    assert end.err.endswith(f"interrupted\n{IS_ON}")


def test_where_that_cannot_be_told_it_is_not_off(gce: GceServer, tmp_path: Path) -> None:
    gce.add_instance(VM, status="REPAIRING")
    with GceToolkit(gce, tmp_path).verb("start") as job:
        wait_until(lambda: gce.count("GET", f"/{VM}") > 4)
        gce.token = "another"
        end = job.finish()
    assert end.code == 1
    assert end.err.rstrip("\n").rpartition("\n")[2].startswith(LOUD)


@pytest.mark.parametrize("status", ["TERMINATED", "SUSPENDED", "RUNNING"])
def test_its_guard_is_its_startup_script(gce: GceServer, tmp_path: Path, status: str) -> None:
    """The script is set before the VM is on, beside other metadata. A second start keeps it."""
    gce.add_instance(VM, status=status)
    kit = GceToolkit(gce, tmp_path, MAX_HOURS="1.5", IDLE_MINUTES="7")
    for _ in range(2):
        assert kit.run_here("start", PATH=kit.shut_out).code == 1
    order = [name for name in kit.calls if name in ("setMetadata", "start", "resume")]
    turned_on = {"TERMINATED": ["start"], "SUSPENDED": ["resume"], "RUNNING": []}[status]
    assert order == ["setMetadata", *turned_on]
    script = gce.metadata(VM)["startup-script"]
    assert "\nIDLE=7\nLONGEST=90\nENDPOINT=http://127.0.0.1:8000\n" in script


def test_what_a_budget_left_is_gone_without_max_hours(gce: GceServer, tmp_path: Path) -> None:
    gce.add_instance(VM)
    for hours, longest_s in (("0.4", 1_440), ("0", 120 * 86_400)):
        gce.set_status(VM, "TERMINATED")
        kit = GceToolkit(gce, tmp_path, MAX_HOURS=hours)
        end = kit.run_here("start", PATH=kit.shut_out)
        assert "MAX_HOURS is 0" not in end.err
        assert gce.instance(VM)["scheduling"]["maxRunDuration"] == {"seconds": str(longest_s)}


def own(gce: GceServer) -> None:
    gce.instance(VM)["metadata"]["items"] = [{"key": "startup-script", "value": "echo own"}]


def own_url(gce: GceServer) -> None:
    gce.instance(VM)["metadata"]["items"] = [{"key": "startup-script-url", "value": "gs://a/b"}]


def of_project(gce: GceServer) -> None:
    gce.set_project_metadata("startup-script", "echo all")


@pytest.mark.parametrize(("script", "stays"), [(own, True), (of_project, True), (own_url, False)])
def test_a_startup_script_of_somebody_stays(
    gce: GceServer, tmp_path: Path, script: Callable[[GceServer], None], stays: bool
) -> None:
    """A VM's script stops a project's script of the same kind from running; both kinds can run."""
    gce.add_instance(VM)
    script(gce)
    before = gce.metadata(VM)
    kit = GceToolkit(gce, tmp_path)
    end = kit.run_here("start", PATH=kit.shut_out)
    assert ("has a startup script that is not ours, which stays" in end.err) is stays
    after = gce.metadata(VM)
    assert before.items() <= after.items()
    assert (after == before) is stays


@pytest.mark.parametrize("call", ["setScheduling", "setMetadata"])
def test_without_its_guards_it_is_not_turned_on(gce: GceServer, tmp_path: Path, call: str) -> None:
    gce.add_instance(VM)
    gce.refuse(permission_denied(f"compute.instances.{call}", VM), "POST", f"/{call}")
    end = GceToolkit(gce, tmp_path).run_here("start")
    assert (end.code, gce.status(VM)) == (1, "TERMINATED")
    assert f"no permission: Required 'compute.instances.{call}'" in end.err


def test_a_vm_that_costs_more_than_the_knobs_say_is_not_turned_on_for_a_budget(
    gce: GceServer, tmp_path: Path
) -> None:
    """`make create` used MACHINE_TYPE then; the knob may have another value now."""
    gce.add_instance(VM, machine_type="g2-standard-48")
    end = GceToolkit(gce, tmp_path, BUDGET="5").run_here("start")
    assert (end.code, gce.status(VM)) == (1, "TERMINATED")
    assert (
        "BUDGET needs the machine's own price: PRICE_PER_HOUR: priced for a g2-standard-8, and"
        in end.err
    )
    assert "troubleshooting.md#nothing-is-rented" in end.err


# ---- workers ----

GROUP = f"{VM}-workers"


@pytest.mark.parametrize("verb", ["stop", "all"])
def test_workers_that_may_not_be_looked_at_are_loud(
    gce: GceServer, tmp_path: Path, verb: str
) -> None:
    """Also under cron, and with any WORKERS. The VM is off, and no message says that it is on."""
    gce.add_instance(VM, status="RUNNING" if verb == "stop" else "TERMINATED")
    denied = permission_denied("compute.instanceGroupManagers.get", GROUP)
    gce.refuse(denied, "GET", f"/{GROUP}")
    kit = GceToolkit(gce, tmp_path)
    kit.write_pages(1)
    end = kit.run_here(verb, PATH=kit.shut_out)
    assert (end.code, gce.status(VM)) == (1, "TERMINATED")
    assert f"the workers {GROUP} MAY STILL RUN, AND BILL: no permission: " in end.err
    assert f"gcloud compute instance-groups managed resize {GROUP} --size=0" in end.err
    assert LOUD not in end.err


def test_status_tells_that_it_cannot_see_workers(gce: GceServer, tmp_path: Path) -> None:
    gce.add_instance(VM)
    denied = permission_denied("compute.instanceGroupManagers.get", GROUP)
    gce.refuse(denied, "GET", f"/{GROUP}")
    end = GceToolkit(gce, tmp_path).run_here("status")
    assert end.code == 0
    assert "workers  cannot be seen: no permission: " in end.out
