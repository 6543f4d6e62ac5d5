"""The time that a card takes for a picture and for a step, fitted to measured work.

A second of a working card is (steps) x (a + b x batch) + (pictures read) x P. Each step gives each
request of the batch a token: steps = tokens / batch. A window is several seconds together. A
least-squares fit over the windows of all runs gives a, b and P.

May import: bench.card.looks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bench.card.looks import Look

# counters move in jumps: a step together with its pictures
WINDOW_S, PICTURES, LONGEST_S = 6.0, 8, 30.0
LEAST = 8  # windows
# times the smallest batch: with one size alone, the two parts of a step cannot be separated
SPAN = 2.0


@dataclass(frozen=True)
class Fit:
    """`picture_s` seconds a picture, and `step_s` + batch x `page_step_s` seconds a step.

    `residual`: the standard deviation of the windows from this fit, over their mean length.
    """

    picture_s: float
    step_s: float
    page_step_s: float
    windows: int
    residual: float

    def page_s(self, batch: int, tokens: float) -> float:
        """Seconds of the card for a page in this batch; its answer has so many tokens."""
        return self.picture_s + tokens * (self.step_s / batch + self.page_step_s)


@dataclass(frozen=True)
class Window:
    """Seconds in which the card always had a page, and what it did in them."""

    seconds: float
    steps: float
    tokens: float
    pictures: float


def windows_of(looks: Sequence[Look]) -> Iterator[Window]:
    """Yield windows one after the other, each with enough seconds and pictures; drop the rest."""
    sums = Window(0, 0, 0, 0)
    for one, other in pairwise(looks):
        if not (one.running and other.running):
            sums = Window(0, 0, 0, 0)
            continue
        tokens = other.tokens - one.tokens
        sums = Window(
            sums.seconds + other.t - one.t,
            sums.steps + tokens / ((one.running + other.running) / 2),
            sums.tokens + tokens,
            sums.pictures + other.begun - one.begun,
        )
        if sums.seconds >= (WINDOW_S if sums.pictures >= PICTURES else LONGEST_S):
            yield sums
            sums = Window(0, 0, 0, 0)


def fit_of(runs: Iterable[Sequence[Look]]) -> Fit | None:
    """Fit all runs. None if there are too few windows, or if all batches have a similar size."""
    windows = [window for looks in runs for window in windows_of(looks) if window.tokens]
    batches = [window.tokens / window.steps for window in windows]
    if len(windows) < LEAST or max(batches) < SPAN * min(batches):
        return None
    work = np.array([(each.steps, each.tokens, each.pictures) for each in windows])
    seconds = np.array([each.seconds for each in windows])
    solution, *_ = np.linalg.lstsq(work, seconds, rcond=None)
    step_s, page_step_s, picture_s = map(float, solution)
    if min(step_s, page_step_s, picture_s) < 0:
        return None
    residual = float((seconds - work @ solution).std() / seconds.mean())
    return Fit(picture_s, step_s, page_step_s, len(windows), residual)
