"""A stop that fails: it tries again and again, and the last line says what may still bill.

Against the API server alone. No test depends on a fixed wait: each waits for calls.
"""

import re
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rig.cloud.gce import GceServer
from rig.cloud.gce_errors import permission_denied
from rig.cloud.toolkit import VM, GceToolkit
from rig.command import wait_until

PLACE = "--zone asia-northeast3-a --project rig-project"
LOUD = (
    rf"{VM} MAY STILL RUN, AND BILL(, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d)?, 1.096 USD an hour: "
)
LOUD += f"gcloud compute instances stop {VM} {PLACE}"
RETURNS_S = 60.0  # from the network's return until the VM is off


def last_line(text: str) -> str:
    return text.rstrip("\n").rpartition("\n")[2]


def no_login(gce: GceServer) -> None:
    gce.token = "another"


def no_network(gce: GceServer) -> None:
    gce.lose_answer("", "", times=None)


def no_right(gce: GceServer) -> None:
    gce.refuse(permission_denied("compute.instances.stop", VM), "POST", "/stop")


def no_right_at_all(gce: GceServer) -> None:
    gce.refuse(permission_denied("compute.instances.get", VM))


def wait_until_it_starts(gce: GceServer) -> None:
    """Wait until `make all` holds the VM, and its start looks at the VM again and again."""
    wait_until(lambda: "dots-ocr-lock" in gce.metadata(VM))
    held = len(gce.calls)
    wait_until(lambda: len(gce.calls) > held + 3)


FAULTS = (no_login, no_network, no_right, no_right_at_all)
Fault = Callable[[GceServer], None]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("force", ["", "1"])
def test_a_stop_by_hand_is_loud(gce: GceServer, tmp_path: Path, fault: Fault, force: str) -> None:
    gce.add_instance(VM, status="RUNNING")
    fault(gce)
    end = GceToolkit(gce, tmp_path).run_here("stop", "--patience=0", FORCE=force)
    assert (end.code, gce.status(VM)) == (1, "RUNNING")
    assert re.fullmatch(LOUD, last_line(end.err)), end.err
    assert "Traceback" not in end.err


def test_a_fault_that_nobody_has_foreseen_ends_with_the_loud_line(
    gce: GceServer, tmp_path: Path
) -> None:
    key = tmp_path / "key.json"
    key.write_text("[]")  # google-auth expects an object
    own = {"CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": "", "GOOGLE_APPLICATION_CREDENTIALS": str(key)}
    end = GceToolkit(gce, tmp_path).run("stop", "--patience=0", **own)
    assert end.code == 1
    assert re.fullmatch(LOUD, last_line(end.err)), end.err


def test_since_when_it_bills_is_said_where_that_can_be_seen(gce: GceServer, tmp_path: Path) -> None:
    gce.add_instance(VM, status="RUNNING")
    gce.instance(VM)["lastStartTimestamp"] = "2026-05-01T02:03:04.000+00:00"
    no_right(gce)
    end = GceToolkit(gce, tmp_path).run("stop", TZ="UTC")
    assert ", since 2026-05-01 02:03:04, 1.096 USD an hour" in last_line(end.err)


@pytest.mark.parametrize("fault", [no_login, no_network])
def test_make_all_stops_the_vm_once_google_is_back(
    gce: GceServer, tmp_path: Path, fault: Fault
) -> None:
    """It is interrupted, and interrupted again while it tries to stop."""
    gce.add_instance(VM, status="REPAIRING")  # so that its start waits
    kit = GceToolkit(gce, tmp_path)
    kit.write_pages(1)
    with kit.verb("all") as job:
        wait_until_it_starts(gce)
        fault(gce)
        job.process.send_signal(signal.SIGTERM)
        group = f"/{VM}-workers"  # only the stop asks for it
        wait_until(lambda: gce.count("GET", group) > 5, 120)  # it has tried more than once
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            job.signal_group(number)
        assert gce.status(VM) == "REPAIRING"
        gce.token = None
        gce.heal()
        wait_until(lambda: gce.status(VM) == "TERMINATED", RETURNS_S)
        end = job.finish()
        job.wait_until_nobody_is_left()
    assert end.code == 130, end.err
    assert end.err.count("keeps trying for 10 minutes") == 1
    assert "MAY STILL RUN" not in end.err
    assert "dots-ocr-lock" not in gce.metadata(VM)


def test_a_budget_does_not_end_a_vm_that_was_on_before(gce: GceServer, tmp_path: Path) -> None:
    """The guard counts from the VM's start, and not from our start."""
    gce.add_instance(VM, status="RUNNING")
    started = datetime.now(UTC) - timedelta(hours=5)
    gce.instance(VM)["lastStartTimestamp"] = started.isoformat()
    kit = GceToolkit(gce, tmp_path, PRICE_PER_HOUR="1", BUDGET="1")
    kit.write_pages(1)
    with kit.verb("all") as job:
        wait_until(lambda: "startup-script" in gce.metadata(VM))
        job.process.send_signal(signal.SIGTERM)
        end = job.finish()
    (longest,) = re.findall(r"^LONGEST=(\d+)$", gce.metadata(VM)["startup-script"], re.MULTILINE)
    assert int(longest) == pytest.approx(6 * 60, abs=5)
    assert (end.code, gce.status(VM)) == (130, "TERMINATED"), end.err


def test_make_all_ends_with_the_loud_line(gce: GceServer, tmp_path: Path) -> None:
    """Also under cron. Neither a message about the lock nor the bill comes after this line."""
    gce.add_instance(VM, status="REPAIRING")
    kit = GceToolkit(gce, tmp_path, START_TIMEOUT="1")
    kit.write_pages(1)
    gce.refuse(permission_denied("compute.instances.stop", VM), "POST", "/stop")
    end = kit.run_here("all")
    assert end.code == 1
    assert ", since " in last_line(end.err)
    assert re.fullmatch(LOUD, last_line(end.err)), end.err
    assert "stop ended with 1" in end.err


def test_a_config_that_is_spoilt_meanwhile_does_not_keep_the_stop(
    gce: GceServer, tmp_path: Path
) -> None:
    gce.add_instance(VM, status="REPAIRING")
    kit = GceToolkit(gce, tmp_path)
    kit.write_pages(1)
    with kit.verb("all") as job:
        wait_until_it_starts(gce)
        kit.config.write_text("VM=another\nPROJECT=other\nMAX_PIXEL=4\nno line\n")
        job.process.send_signal(signal.SIGTERM)
        end = job.finish()
    assert (end.code, gce.status(VM)) == (130, "TERMINATED"), end.err


@pytest.mark.parametrize(
    "more",
    [
        {"BUCKET": "gs:/pages"},
        {"MAX_PIXELS": "many", "WORKERS": "some", "SPOT": "perhaps"},
        {"MAX_PIXEL": "1000000"},
        {"COLOUR": "red"},
        {"ENDPOINT": "nowhere", "INPUT": "/nowhere", "OUTPUT": "/proc/x"},
    ],
    ids=lambda more: next(iter(more)),
)
def test_what_a_stop_does_not_need_does_not_keep_it(
    gce: GceServer, tmp_path: Path, more: dict[str, str]
) -> None:
    """Other knobs are wrong, and gcloud is missing."""
    gce.add_instance(VM, status="RUNNING")
    end = GceToolkit(gce, tmp_path, **more).run_here("stop", PATH="/nowhere")
    assert (end.code, gce.status(VM)) == (0, "TERMINATED"), end.err


@pytest.mark.parametrize("text", ["ZON=elsewhere", "a line", "TARGET=gpc"])
def test_a_config_that_may_mean_another_vm_is_loud(
    gce: GceServer, tmp_path: Path, text: str
) -> None:
    gce.add_instance(VM, status="RUNNING")
    kit = GceToolkit(gce, tmp_path)
    config = tmp_path / "mine.env"
    config.write_text(f"TARGET=gcp\nVM={VM}\n{text}\n")
    end = kit.run_here("stop", CONFIG=str(config))
    assert (end.code, gce.status(VM)) == (2, "RUNNING")
    assert re.fullmatch(LOUD, last_line(end.err)), end.err


def test_who_may_not_look_may_stop(gce: GceServer, tmp_path: Path) -> None:
    """This user may not read the lock either."""
    gce.add_instance(VM, status="RUNNING")
    gce.refuse(permission_denied("compute.instances.get", VM), "GET", f"/{VM}")
    end = GceToolkit(gce, tmp_path).run_here("stop")
    assert (end.code, gce.status(VM)) == (0, "TERMINATED"), end.err
    assert "its lock could not be looked at" in end.err
