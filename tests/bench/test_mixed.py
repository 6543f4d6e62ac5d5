"""Cards of two speeds in one fleet, on paper: who gets the next page, and the result."""

from __future__ import annotations

import pytest

from bench.mixed import MIXED, QUICK, SLOW, Kind, of_sum, pages_per_s_on, some_jobs
from workers import shares

H200_LIKE = Kind("ten times as quick", 10.0, 96)


@pytest.mark.parametrize(
    ("kinds", "pages"),
    [(MIXED, 2_400), ((SLOW,) * 4, 2_400), ((SLOW, H200_LIKE), 8_000)],
)
def test_together_they_read_what_they_read_alone(kinds: tuple[Kind, ...], pages: int) -> None:
    assert of_sum(kinds, pages) > 0.95


def test_a_slow_card_does_not_keep_the_quick_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    with_rule = pages_per_s_on(MIXED, some_jobs(2_400))
    monkeypatch.setattr(shares, "is_too_slow", lambda *_: False)
    assert with_rule > 1.02 * pages_per_s_on(MIXED, some_jobs(2_400))
    assert pages_per_s_on((QUICK,), some_jobs(600)) > 2.5 * pages_per_s_on((SLOW,), some_jobs(200))
