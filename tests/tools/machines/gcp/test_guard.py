"""The longest run of a VM: what Google is told, depending on the present values."""

from __future__ import annotations

import dataclasses

import pytest

from lib.kinds import Hours
from lib.knobs import Knobs
from lib.machines.gcp.guard import hours_for, script
from lib.plan.budget import within_budget

OWN = Knobs(max_hours=0.0)
PAID = within_budget(dataclasses.replace(OWN, budget=1.0, price_per_hour=3.0))
PAID_S = int(PAID.max_hours * 3600)


@pytest.mark.parametrize(
    ("max_hours", "seconds", "before", "hours"),
    [
        (12.0, 0, "", 12.0),
        (12.0, PAID_S, script(PAID), 12.0),
        (0.0, 0, "", 0.0),
        (0.0, PAID_S, script(PAID), Hours.MOST),  # from a BUDGET of the run before
        (0.0, 43_200, script(dataclasses.replace(OWN, max_hours=12.0)), Hours.MOST),
        (0.0, PAID_S, script(OWN), 0.0),  # set by another person
        (0.0, 43_200, script(PAID), 0.0),
        (0.0, PAID_S, "#!/bin/sh\nLONGEST=20\n", 0.0),
        (0.0, 0, script(PAID), 0.0),
    ],
)
def test_a_limit_of_ours_does_not_outlive_its_budget(
    max_hours: float, seconds: int, before: str, hours: float
) -> None:
    assert hours_for(max_hours, seconds, before) == hours
