"""A plan in words for people: a line before make all, and the table of make plan."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lib.knobs import Knobs
from lib.machine_types import cards_in, defaults, price_warning
from lib.plan.budget import too_little
from lib.plan.cards import card_of
from lib.plan.forecast import Basis, Forecast
from lib.plan.left import Left
from lib.plan.prices import G2_STANDARD_8

SEOUL = "asia-northeast3"  # the knobs' default prices are those of this region
UNKNOWN = "not known before the first run of this kind"


@dataclass(frozen=True)
class Plan:
    """What is left, what a run with these knobs takes (own: None if not known), and other ways."""

    left: Left
    basis: Basis
    own: Forecast | None
    others: list[Forecast]
    knobs: Knobs

    @property
    def refusal(self) -> str:
        """Why BUDGET keeps make all from beginning; "" if it does not."""
        return too_little(self.knobs, self.basis)

    def line(self) -> str:
        """The plan in one line."""
        what = f"{self.left.pages:,} pages to read, {self.left.done:,} done"
        if not self.left.pages:
            return what
        if self.own is None:
            return f"{what}; hours and USD: {UNKNOWN}"
        money = f", {usd(self.own.cost.total)}" if self.own.way.per_hour else ""
        return f"{what}: about {duration(self.own.hours)}{money} (by {self.basis.says})"

    def rows(self) -> Iterator[tuple[str, str]]:
        """The plan as the rows of a table with two columns."""
        left = self.left
        yield "to read", f"{left.pages:,} pages, in files of {size(left.size_bytes)}"
        yield "done", f"{left.done:,} pages"
        if left.uncounted:
            yield "not counted", f"{left.uncounted:,} files cannot be opened here: a page each"
        if self.own is None and left.pages:
            yield "hours, USD", UNKNOWN
        elif self.own is not None:
            yield "by", self.basis.says
            yield "make all", f"{duration(self.own.hours)}, {in_parts(self.own)}"
        for one in self.others:
            machines = f"{one.way.machines} machine{'s' * (one.way.machines > 1)}"
            yield machines, f"{duration(one.hours)}, {in_parts(one)}: {one.way.price}"
        yield from (("beware", text) for text in warnings(self))

    def document(self) -> dict[str, Any]:
        """The plan for scripts; own is null if hours and money are not known."""
        return {
            "pages": self.left.pages,
            "done": self.left.done,
            "size_bytes": self.left.size_bytes,
            "files_not_counted": self.left.uncounted,
            "by": self.basis.says or None,
            "own": None if self.own is None else numbers(self.own),
            "ways": [numbers(one) for one in self.others],
            "beware": list(warnings(self)),
        }


def warnings(plan: Plan) -> Iterator[str]:
    """What the reader of the plan must know besides its numbers."""
    knobs, own = plan.knobs, plan.own
    if refusal := plan.refusal:
        yield f"make all would end at once: {refusal}"
    elif own is not None and 0 < knobs.budget < own.cost.machines:
        yield f"BUDGET={knobs.budget:g} ends it before: run again for the rest"
    if knobs.target != "gcp" or own is None:
        return
    if not knobs.bucket and not plan.basis.knows_line and plan.left.pages:
        files = size(plan.left.size_bytes)
        yield f"without BUCKET the VM waits, and bills, while {files} are uploaded"
    if 0 < knobs.max_hours < own.hours:
        yield f"MAX_HOURS={knobs.max_hours:g} ends it before: run again for the rest, or raise it"
    card = card_of(knobs.machine_type)
    full = card.slots * cards_in(knobs.machine_type) if card else 0
    if knobs.processes < full:
        yield f"PROCESSES={knobs.processes}: {full} pages at once would fill the machine's cards"
    has_spot = any(knobs.price_per_worker_hour in one.way[-2:] for one in plan.others)
    if why := price_warning(knobs, knobs.machine_type, knobs.spot, has_spot):
        if why not in plan.refusal:
            yield why
        return
    region = knobs.zone.rpartition("-")[0]
    names = defaults(knobs, has_spot)
    if names and region != SEOUL:
        there = G2_STANDARD_8.get(region)
        found = f"{there.on_demand:g} and {there.spot:g}" if there else "other prices"
        are = "are" if len(names) > 1 else "is"
        yield f"{' and '.join(names)} {are} Seoul's; {region} has {found}"


def duration(hours: float) -> str:
    """A time in hours; below two hours, in minutes."""
    return f"{hours:,.1f} h" if hours >= 2 else f"{hours * 60:,.0f} min"


def size(bytes_: int) -> str:
    """A size in megabytes or gigabytes."""
    return f"{bytes_ / 1e9:,.1f} GB" if bytes_ >= 1e9 else f"{bytes_ / 1e6:,.1f} MB"


def usd(money: float) -> str:
    """Money to the cent; below ten cents, to a tenth of a cent."""
    return f"{money:,.2f} USD" if money >= 0.1 else f"{money:.3f} USD"


def in_parts(one: Forecast) -> str:
    """USD in all, and the parts of it that are not for the machines."""
    parts = {"disks": one.cost.disks, "bucket": one.cost.bucket, "egress": one.cost.egress}
    told = ", ".join(f"{name} {usd(money)[:-4]}" for name, money in parts.items() if money >= 0.001)
    return usd(one.cost.total) + (f" ({told} of it)" if told else "")


def numbers(one: Forecast) -> Mapping[str, Any]:
    """A forecast for scripts."""
    return {
        "machines": one.way.machines,
        "price": one.way.price,
        "hours": round(one.hours, 4),
        "usd": round(one.cost.total, 4),
        "usd_machines": round(one.cost.machines, 4),
        "usd_disks": round(one.cost.disks, 4),
        "usd_bucket": round(one.cost.bucket, 4),
        "usd_egress": round(one.cost.egress, 4),
    }
