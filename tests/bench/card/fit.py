"""What a card takes for a picture and for a step, fitted to what was seen of its work.

A second of a card at work is (steps) x (a + b x batch) + (pictures read) x P, and each step gives
each request of the batch a token: steps = tokens / batch. Some seconds together are one window;
a, b and P are those of the least squares over the windows of all runs.

May import: bench.card.looks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bench.card.looks import Look

WINDOW_S, PICTURES, LONGEST_S = 6.0, 8, 30.0  # counters move in lumps of a step with its pictures
LEAST = 8  # windows
SPAN = 2.0  # times the smallest batch: with one size alone, a step's two parts are not told apart


@dataclass(frozen=True)
class Fit:
    """picture_s a picture, and step_s + batch x page_step_s a step.

    residual: the windows' standard deviation from that, over their mean length.
    """

    picture_s: float
    step_s: float
    page_step_s: float
    windows: int
    residual: float

    def page_s(self, batch: int, tokens: float) -> float:
        """Seconds of the card for a page whose answer has so many tokens, in such a batch."""
        return self.picture_s + tokens * (self.step_s / batch + self.page_step_s)


@dataclass(frozen=True)
class Window:
    """Seconds in which the card was never without a page, and what it did in them."""

    seconds: float
    steps: float
    tokens: float
    pictures: float


def windows_of(looks: Sequence[Look]) -> Iterator[Window]:
    """One after the other, each with enough seconds and pictures; what is left over is left out."""
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
    """None if there are too few windows, or all of one size of batch."""
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
