"""From a number of pages to hours and money, by the last run of this kind or by the table of cards.

What cannot be known is None, and the plan says why: nothing is invented for a card that nobody has
measured.
"""

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

from lib.knobs import Knobs
from lib.machine_types import cards_in
from lib.plan.cards import TOKENS, Card, card_of
from lib.plan.left import Left
from lib.plan.prices import Cost, cost
from lib.plan.runs import Run

BOOT_AND_LOAD_S = 190.0  # until a VM reads its first page: tests/bench/bill.py
STOP_S = 20.0
MANY = (8, 64)
OF_LINEAR = 0.95  # eight machines reach this part of the sum of their rates: tests/bench/scaling.py
BY_TABLE = "the table of cards, since no run of this kind has ended here"


@dataclass(frozen=True)
class Basis:
    """What a forecast is based on, as numbers and in words.

    run: the last run of this kind; card: the machine's card, if it is known. With neither, there
    is no forecast. cards: how many such cards a machine has.
    """

    run: Run | None
    card: Card | None
    cards: int = 1

    @property
    def says(self) -> str:
        """In words, what the forecast is based on."""
        if self.run:
            return str(self.run)
        if self.card:
            times = f"{self.cards} × " if self.cards > 1 else ""
            return f"{BY_TABLE}: {times}{self.card.name}, {self.card.how}"
        return ""

    @property
    def start_s(self) -> float:
        """Seconds from the turn-on to the first page, plus those from the last page to the end."""
        return self.run.start_s + self.run.end_s if self.run else BOOT_AND_LOAD_S + STOP_S

    def reading_s(self, pages: int, machines: int, max_pixels: int) -> float | None:
        """Seconds to read so many pages on so many machines; None if that is not known."""
        each = pages / machines / (OF_LINEAR if machines > 1 else 1)
        on_card = each / self.cards
        if self.run is None:
            return seconds_of(self.card, on_card, TOKENS, max_pixels) if self.card else None
        of_run = self.run.pages / self.run.machines
        of_run /= OF_LINEAR if self.run.machines > 1 else 1
        if self.card is None:
            return self.run.reading_s * each / of_run
        tokens = self.run.tokens or TOKENS
        by_table = seconds_of(self.card, of_run / self.cards, tokens, max_pixels)
        return seconds_of(self.card, on_card, tokens, max_pixels) * self.run.reading_s / by_table

    @property
    def knows_line(self) -> bool:
        """Whether it is known how long pages and results take over ssh."""
        return self.run is not None and not self.run.bucket

    def travel_s(self, left: Left) -> float:
        """Seconds that the machine waits for upload and download over ssh; 0 if not known."""
        if self.run is None or self.run.bucket:
            return 0.0
        steps = self.run.steps_s
        up_s = steps.get("upload", 0.0) * left.size_bytes / (self.run.size_bytes or 1)
        down_s = steps.get("download", 0.0) * left.pages / self.run.pages
        waits_s = max(0.0, up_s - steps.get("upload", 0.0))  # the model loads meanwhile
        return waits_s + down_s


def seconds_of(card: Card, pages: float, tokens: float, max_pixels: int) -> float:
    """Seconds for so many pages on one card. A part of a page takes that part of a page's time."""
    whole = max(1.0, pages)
    return card.seconds(whole, tokens, max_pixels) * pages / whole


class Way(NamedTuple):
    """A number of machines, the name of their price, and USD an hour: the first, each other."""

    machines: int
    price: str
    first: float
    others: float

    @property
    def per_hour(self) -> float:
        """USD for an hour of all of them."""
        return self.first + (self.machines - 1) * self.others


@dataclass(frozen=True)
class Forecast:
    """What one way takes: hours from the turn-on to the end, and USD."""

    way: Way
    hours: float
    cost: Cost


def basis_of(run: Run | None, knobs: Knobs) -> Basis:
    """Return the last run of this kind, and the cards, as far as the knobs tell them.

    PROCESSES limits how full a card's batch can become.
    """
    card = card_of(knobs.machine_type) if knobs.target == "gcp" else None
    if card is None:
        return Basis(run, None)
    cards = cards_in(knobs.machine_type)
    slots = min(card.slots, max(1, knobs.processes // cards))
    return Basis(run, dataclasses.replace(card, slots=slots), cards)


def forecast(basis: Basis, left: Left, knobs: Knobs, way: Way) -> Forecast | None:
    """What it takes to read these pages; None if unknown. Without pages, nothing is rented."""
    is_by_bucket = knobs.target == "gcp" and (bool(knobs.bucket) or way.machines > 1)
    seconds = basis.reading_s(left.pages, way.machines, knobs.max_pixels)
    if seconds is None:
        return None
    if left.pages:
        seconds += basis.start_s + (0.0 if is_by_bucket else basis.travel_s(left))
    hours = seconds / 3600
    if knobs.target != "gcp":  # Google charges neither its disk nor its traffic
        return Forecast(way, hours, Cost(hours * way.per_hour))
    disks_gb = knobs.disk_gb * way.machines
    in_bucket_gb = left.gb if is_by_bucket else None
    return Forecast(way, hours, cost(hours, way.per_hour, disks_gb, left.pages, in_bucket_gb))


def own_way(knobs: Knobs) -> Way:
    """The way that make all takes with these knobs."""
    return Way(1 + knobs.workers, "as the knobs say", *prices_of(knobs))


def ways(knobs: Knobs) -> list[Way]:
    """Other ways: more machines, on demand or spot. There are none outside a cloud."""
    if knobs.target != "gcp":
        return []
    dear, cheap = knobs.price_per_hour, knobs.price_per_worker_hour
    if knobs.spot and dear <= cheap:  # a spot VM's price: the price on demand is not known
        return [Way(1, "spot", dear, dear)]
    found = [Way(1, "on demand", dear, dear), Way(1, "spot", cheap, cheap)]
    for machines in MANY:
        found.append(Way(machines, "on demand", dear, dear))
        found.append(Way(machines, "the VM on demand, its workers spot", dear, cheap))
    return found


def prices_of(knobs: Knobs) -> tuple[float, float]:
    """USD an hour for the machine, and for each worker, by the knobs. This computer is free."""
    if knobs.target == "local":
        return 0.0, 0.0
    return knobs.price_per_hour, knobs.price_per_worker_hour
