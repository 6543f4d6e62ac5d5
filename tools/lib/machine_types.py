"""Google's machine types: how many cards each has, and whether our price can be right for it."""

import re

from lib.knobs import TABLE, Knobs

OWN_TYPE = TABLE["MACHINE_TYPE"].default  # the default prices are this type's
G2_CARDS = {"g2-standard-24": 2, "g2-standard-48": 4, "g2-standard-96": 8}  # smaller ones: 1


def cards_in(machine_type: str) -> int:
    """Return how many cards a machine type has: a3-ultragpu-8g has 8."""
    named = re.search(r"-(\d{1,2})g$", machine_type)
    return int(named[1]) if named else G2_CARDS.get(machine_type, 1)


def with_cards(machine_type: str) -> str:
    """Return a machine type with its cards, for people."""
    cards = cards_in(machine_type)
    return f"{machine_type}, with its {f'{cards} GPUs' if cards > 1 else 'GPU'}"


def prices(knobs: Knobs, has_spot: bool = False) -> tuple[str, ...]:
    """Return the knobs with the hourly prices of what runs; has_spot: spot VMs run, too."""
    is_told = knobs.workers or has_spot
    return ("PRICE_PER_HOUR", *(("PRICE_PER_WORKER_HOUR",) if is_told else ()))


def defaults(knobs: Knobs, has_spot: bool) -> list[str]:
    """Return those of these knobs that have their default value."""
    every = prices(knobs, has_spot)
    return [name for name in every if getattr(knobs, name.lower()) == TABLE[name].default]


def wrong_price(knobs: Knobs, machine_type: str, has_spot: bool = False) -> str:
    """Return why the knobs' price cannot be this machine's; empty if it may be."""
    own = defaults(knobs, has_spot)
    if not own or machine_type == OWN_TYPE:
        return ""
    return f"{' and '.join(own)}: priced for a {OWN_TYPE}, and this is a {with_cards(machine_type)}"


def price_warning(knobs: Knobs, machine_type: str, spot: bool, has_spot: bool = False) -> str:
    """Return why costs from the knobs' prices cannot be this machine's; empty if they may be."""
    if why := wrong_price(knobs, machine_type, has_spot):
        return why
    if spot and knobs.price_per_hour == TABLE["PRICE_PER_HOUR"].default:
        return "PRICE_PER_HOUR: the price on demand, and this is a spot VM"
    return ""


def unpriced(knobs: Knobs, machine_type: str) -> str:
    """Return why this machine cannot keep a BUDGET; empty if it can, has none, or is local."""
    if not knobs.budget or knobs.target == "local":
        return ""
    if free := [name for name in prices(knobs) if not getattr(knobs, name.lower())]:
        names = " and ".join(free)
        return f"BUDGET limits nothing with {names} of 0 (say what an hour costs, or BUDGET=0)"
    why = wrong_price(knobs, machine_type) if knobs.target == "gcp" else ""
    return f"BUDGET needs the machine's own price: {why}" if why else ""
