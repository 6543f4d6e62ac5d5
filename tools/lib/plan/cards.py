"""The cards whose speed is known, as three numbers each: what a picture, a step, and each page in a
step take. The table in docs/costs.md shows the pages/s that follow from them.

In a step each page of the batch gets a token; between the steps pictures are read, one after the
other. slots is how many pages serve.sh lets into the batch. For an L4 this is the arithmetic of
tests/bench/l4.py without its scheduler, from which it differs by 5% at most, from one page to
5,000. Of an H200 it is what was fitted to a real one.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

PIXELS = 2_000_000  # of a picture: what picture_s is for
PIXELS_PER_TOKEN = 28 * 28
TOKENS = 1_250.0  # of an answer, on average
SPREAD = 0.56  # of the logarithm of that: a few answers are long


@dataclass(frozen=True)
class Card:
    """A GPU with vLLM and dots.ocr. machine begins the MACHINE_TYPEs that have it.

    of_best: how near our client comes to what the card can do.
    """

    name: str
    machine: str
    how: str
    slots: int
    picture_s: float
    step_s: float
    page_step_s: float
    of_best: float

    def seconds(self, pages: float, tokens: float = TOKENS, max_pixels: int = PIXELS) -> float:
        """Until so many pages are read; the pages' pictures have as many pixels as they may."""
        steps = max(pages * tokens / self.slots, longest(pages, tokens))
        steps_s = steps * self.step_s + pages * tokens * self.page_step_s
        return (pages * self.picture_s * weight(max_pixels) + steps_s) / self.of_best

    @property
    def pages_per_s(self) -> float:
        """While there are always enough pages."""
        many = 100 * self.slots
        return many / (self.seconds(2 * many) - self.seconds(many))


def longest(pages: float, tokens: float) -> float:
    """Tokens of the longest answer among so many, probably: it ends last, alone."""
    median = tokens / math.exp(SPREAD**2 / 2)
    return median * math.exp(SPREAD * NormalDist().inv_cdf(pages / (pages + 0.5)))


def weight(pixels: int) -> float:
    """What a picture of so many pixels takes, of one of PIXELS: by token, and by pair of tokens."""

    def work(tokens: float) -> float:
        return tokens * (1.06e-4 + 3.375e-8 * tokens)

    return work(pixels / PIXELS_PER_TOKEN) / work(PIXELS / PIXELS_PER_TOKEN)


CARDS = (
    Card("NVIDIA L4", "g2-", "simulated", 64, 0.98, 0.01373, 0.00044, 0.96),
    Card("NVIDIA H200", "a3-ultragpu-", "measured", 256, 0.127, 0.0027, 34e-6, 0.95),
)


def card_of(machine_type: str) -> Card | None:
    """The card of a type of machine; None: none that is known."""
    return next((card for card in CARDS if machine_type.startswith(card.machine)), None)
