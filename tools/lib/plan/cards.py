"""The cards with a known speed. Each has three times: of a picture, of a step, and of each page in
a step. The table in docs/costs.md shows the pages/s that follow from them.

In a step, each page of the batch gets a token; between the steps, pictures are read one after the
other. slots is how many pages serve.sh lets into the batch. For an L4, this is the arithmetic of
tests/bench/l4.py without its scheduler; the two differ by 5% at most, from one page to 5,000. For
an H200, the numbers were fitted to a real one.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

PIXELS = 2_000_000  # of the picture that picture_s is for
PIXELS_PER_TOKEN = 28 * 28
TOKENS = 1_250.0  # of an answer, on average
SPREAD = 0.56  # standard deviation of the logarithm of an answer's tokens: a few answers are long


@dataclass(frozen=True)
class Card:
    """A GPU with vLLM and dots.ocr. The MACHINE_TYPEs that have it begin with `machine`.

    of_best: the part of the card's best rate that our client reaches.
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
        """Return the seconds to read so many pages, if each picture has max_pixels pixels."""
        steps = max(pages * tokens / self.slots, longest(pages, tokens))
        steps_s = steps * self.step_s + pages * tokens * self.page_step_s
        return (pages * self.picture_s * weight(max_pixels) + steps_s) / self.of_best

    @property
    def pages_per_s(self) -> float:
        """The rate while there are always enough pages to fill the batch."""
        many = 100 * self.slots
        return many / (self.seconds(2 * many) - self.seconds(many))


def longest(pages: float, tokens: float) -> float:
    """Return the probable tokens of the longest answer of so many pages. It ends last, alone."""
    median = tokens / math.exp(SPREAD**2 / 2)
    return median * math.exp(SPREAD * NormalDist().inv_cdf(pages / (pages + 0.5)))


def weight(pixels: int) -> float:
    """Return the time of a picture of so many pixels, as a multiple of that of one of PIXELS.

    The time grows with the number of tokens, and with the number of pairs of tokens.
    """

    def work(tokens: float) -> float:
        return tokens * (1.06e-4 + 3.375e-8 * tokens)

    return work(pixels / PIXELS_PER_TOKEN) / work(PIXELS / PIXELS_PER_TOKEN)


CARDS = (
    Card("NVIDIA L4", "g2-", "simulated", 64, 0.98, 0.01373, 0.00044, 0.96),
    Card("NVIDIA H200", "a3-ultragpu-", "measured", 256, 0.127, 0.0027, 34e-6, 0.95),
)


def card_of(machine_type: str) -> Card | None:
    """The card of a machine type; None if it is not a known card."""
    return next((card for card in CARDS if machine_type.startswith(card.machine)), None)
