"""What a state or an error of Google's requires: only tables."""

import json

import pytest
from google.cloud import compute_v1

from lib.console import Failure
from lib.machines.gcp.compute import Action, next_to_start, next_to_stop
from lib.machines.gcp.faults import StockOut, fault_of
from rig.cloud.gce_errors import OperationError, quota_error, stockout

STATES = {
    "PENDING": (Action.WAIT, Action.STOP),
    "PROVISIONING": (Action.WAIT, Action.STOP),
    "STAGING": (Action.WAIT, Action.STOP),
    "RUNNING": (Action.NOTHING, Action.STOP),
    "REPAIRING": (Action.WAIT, Action.STOP),
    "STOPPING": (Action.WAIT, Action.WAIT),
    "PENDING_STOP": (Action.WAIT, Action.WAIT),
    "SUSPENDING": (Action.WAIT, Action.WAIT),
    "SUSPENDED": (Action.RESUME, Action.STOP),
    "TERMINATED": (Action.START, Action.NOTHING),
    "STOPPED": (Action.START, Action.NOTHING),
    "DEPROVISIONING": (Action.WAIT, Action.STOP),
    "A_STATE_OF_NEXT_YEAR": (Action.WAIT, Action.STOP),
}


@pytest.mark.parametrize(("status", "actions"), STATES.items(), ids=list(STATES))
def test_what_a_state_asks_for(status: str, actions: tuple[Action, Action]) -> None:
    assert (next_to_start(status), next_to_stop(status)) == actions


def test_every_state_of_the_api_is_in_the_table() -> None:
    known = set(compute_v1.Instance.Status.__members__) - {"UNDEFINED_STATUS"}
    assert known <= STATES.keys()


def fault(error: OperationError | None) -> Exception | None:
    """The fault of an operation, in the form that the library would give us."""
    text = json.dumps({} if error is None else {"error": error.fields()["error"]})
    operation = compute_v1.Operation.from_json(text, ignore_unknown_fields=True)
    return fault_of(operation)


def out_of_stock(code: str, zones: tuple[str, ...] = ()) -> OperationError:
    return stockout(code, "projects/p/zones/asia-northeast3-a", "g2-standard-8", zones)


@pytest.mark.parametrize(
    "code", ["ZONE_RESOURCE_POOL_EXHAUSTED", "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS"]
)
def test_a_stock_out_in_both_its_forms(code: str) -> None:
    found = fault(out_of_stock(code))
    assert isinstance(found, StockOut)
    assert found.zones == ""


def test_a_stock_out_says_who_has_some() -> None:
    code = "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS"
    found = fault(out_of_stock(code, ("asia-northeast3-b", "asia-northeast3-c")))
    assert isinstance(found, StockOut)
    assert found.zones == "asia-northeast3-b,asia-northeast3-c"


def test_a_quota_is_no_stock_out() -> None:
    found = fault(quota_error("NVIDIA_L4_GPUS"))
    assert isinstance(found, Failure)
    assert "quota: Quota 'NVIDIA_L4_GPUS' exceeded" in found.message
    assert "→ ask for more" in found.message


def test_another_error_is_told_as_it_is() -> None:
    found = fault(OperationError("RESOURCE_IN_USE", "the disk is in use", 400))
    assert isinstance(found, Failure)
    assert found.message.startswith("RESOURCE_IN_USE: the disk is in use")


def test_an_operation_without_errors_went_well() -> None:
    assert fault(None) is None
