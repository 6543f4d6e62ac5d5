"""Google's types of machines: how many cards each has, and whether our price can be its."""

import re

from lib.knobs import TABLE, Knobs

OWN_TYPE = TABLE["MACHINE_TYPE"].default  # whose prices the knobs' defaults are
G2_CARDS = {"g2-standard-24": 2, "g2-standard-48": 4, "g2-standard-96": 8}  # each smaller one: 1


def cards_in(machine_type: str) -> int:
    """How many cards it has: a3-ultragpu-8g has 8."""
    named = re.search(r"-(\d{1,2})g$", machine_type)
    return int(named[1]) if named else G2_CARDS.get(machine_type, 1)


def with_cards(machine_type: str) -> str:
    """It and its cards, for people."""
    cards = cards_in(machine_type)
    return f"{machine_type}, with its {f'{cards} GPUs' if cards > 1 else 'GPU'}"


def prices(knobs: Knobs, has_spot: bool = False) -> tuple[str, ...]:
    """The knobs that say what an hour of what runs costs; has_spot: of spot VMs, too."""
    is_told = knobs.workers or has_spot
    return ("PRICE_PER_HOUR", *(("PRICE_PER_WORKER_HOUR",) if is_told else ()))


def defaults(knobs: Knobs, has_spot: bool) -> list[str]:
    """Those of them that are as they came."""
    every = prices(knobs, has_spot)
    return [name for name in every if getattr(knobs, name.lower()) == TABLE[name].default]


def wrong_price(knobs: Knobs, machine_type: str, has_spot: bool = False) -> str:
    """Why the price in the knobs cannot be this machine's; empty: it may be."""
    own = defaults(knobs, has_spot)
    if not own or machine_type == OWN_TYPE:
        return ""
    return f"{' and '.join(own)}: a {OWN_TYPE}'s, and this is a {with_cards(machine_type)}"


def price_warning(knobs: Knobs, machine_type: str, spot: bool, has_spot: bool = False) -> str:
    """Why money that is told by the knobs cannot be this machine's; empty: it may be."""
    if why := wrong_price(knobs, machine_type, has_spot):
        return why
    if spot and knobs.price_per_hour == TABLE["PRICE_PER_HOUR"].default:
        return "PRICE_PER_HOUR: the price on demand, and this is a spot VM"
    return ""


def unpriced(knobs: Knobs, machine_type: str) -> str:
    """Why no BUDGET can be kept on this machine; empty: it can, or there is none, or it is ours."""
    if not knobs.budget or knobs.target == "local":
        return ""
    if free := [name for name in prices(knobs) if not getattr(knobs, name.lower())]:
        names = " and ".join(free)
        return f"BUDGET is no limit with {names} of 0 (say what an hour costs, or BUDGET=0)"
    why = wrong_price(knobs, machine_type) if knobs.target == "gcp" else ""
    return f"BUDGET needs the machine's own price: {why}" if why else ""
