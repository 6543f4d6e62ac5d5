"""BUDGET: what one make all may cost.

The job stops giving out pages in time (vm_side/purse.py). The machine's longest run is also lowered
to what the budget pays: so Google and the guard end it if no process of ours is left to do that.
"""

import dataclasses

from contract import least_drain_s, reserve_s
from lib.kinds import Hours
from lib.knobs import Knobs
from lib.machine_types import unpriced
from lib.plan.forecast import Basis, own_way


def paid_s(knobs: Knobs) -> float | None:
    """Seconds that the budget pays for all machines; None without a budget or without a price."""
    per_hour = own_way(knobs).per_hour
    return knobs.budget / per_hour * 3600 if knobs.budget and per_hour else None


def within_budget(knobs: Knobs, on_s: float = 0.0) -> Knobs:
    """Return the knobs, with MAX_HOURS lowered to what the budget pays if it is more than that.

    MAX_HOURS counts from the VM's start, and the budget from now: the VM has been on for on_s
    seconds. Half of the reserve is kept, because the guard looks only once a minute and counts
    whole minutes.
    """
    whole_s = paid_s(knobs)
    if whole_s is None:
        return knobs
    hours = min((max(0.0, on_s) + whole_s - reserve_s(whole_s) / 2) / 3600, Hours.MOST)
    return dataclasses.replace(knobs, max_hours=min(hours, knobs.max_hours or hours))


def too_little(knobs: Knobs, basis: Basis) -> str:
    """Return why the budget cannot be kept, or does not pay for a page; "" if all seems well."""
    if why := unpriced(knobs, knobs.machine_type):
        return why
    whole_s = paid_s(knobs)
    if whole_s is None:
        return ""
    page_s = basis.reading_s(1, 1, knobs.max_pixels)
    start_s = 0.0 if page_s is None else basis.start_s
    work_s = start_s + max(page_s or 0.0, least_drain_s(whole_s)) + reserve_s(whole_s)
    least_s = max(work_s, Hours.LEAST * 3600 + reserve_s(whole_s) / 2)  # see within_budget()
    if whole_s >= least_s:
        return ""
    return (
        f"BUDGET={knobs.budget:g} USD pays for {whole_s / 60:.1f} minutes; the start, one page"
        f" and the download take about {least_s / 60:.1f}"
    )
