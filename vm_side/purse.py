"""What the machines cost while a batch runs, and how long the budget allows to give out pages.

No clock of another machine is used: the money spent before is given in USD, and from then on this
job's own time counts.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from contract import least_drain_s, reserve_s


@dataclass
class Purse:
    """The cost of all machines in USD per hour, the money spent before, and the budget.

    A budget of 0 is no limit. now_s is a clock that only goes forward, in seconds.
    """

    usd_per_hour: float = 0.0
    spent_usd: float = 0.0
    budget_usd: float = 0.0
    now_s: Callable[[], float] = time.monotonic
    slowest_s: float = 0.0
    """The longest time that a page has taken so far."""
    is_shut: bool = False
    """Whether a page was not given out because the money did not suffice."""
    _began_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._began_s = self.now_s()

    @property
    def usd(self) -> float:
        """What the machines have cost so far."""
        return self.spent_usd + (self.now_s() - self._began_s) * self.usd_per_hour / 3600

    @property
    def ends_s(self) -> float:
        """The time, by now_s, by which every page must have ended.

        The money that is left then pays for bringing results home and turning the machines off.
        """
        if not (self.budget_usd and self.usd_per_hour):
            return math.inf
        left_s = (self.budget_usd - self.spent_usd) / self.usd_per_hour * 3600
        return self._began_s + left_s - reserve_s(self._whole_s)

    def gives_out(self) -> bool:
        """Whether there is money for one more page, if it takes as long as the slowest one."""
        if math.isinf(self.ends_s):
            return True
        drain_s = max(least_drain_s(self._whole_s), self.slowest_s)
        if self.now_s() < self.ends_s - drain_s:
            return True
        self.is_shut = True
        return False

    @property
    def has_run_out(self) -> bool:
        """Whether lack of money is the reason, if any pages are left."""
        return self.is_shut or self.now_s() >= self.ends_s

    def count(self, page_s: float) -> None:
        """Note how many seconds a page has taken."""
        self.slowest_s = max(self.slowest_s, page_s)

    @property
    def _whole_s(self) -> float:
        return self.budget_usd / self.usd_per_hour * 3600
