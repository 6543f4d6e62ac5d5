"""Which node of a fleet gets the next page: each has its own best number, and some are quicker.

At the end of a batch a slow node would keep all others waiting for its last pages. So it gets none
that the quicker ones would end sooner, though they have all that waits to read first.
"""

import statistics
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

LAST_PAGES = 64  # of a node, by which it is known how long a page takes there


@dataclass
class Share:
    """A node: how many pages it may have in hand, and how many it has.

    usual_s is what a page takes there, 0 while that is not known; heard_s when a page last ended
    there, or the first of these was given. Times are of one clock that only goes forward.
    """

    limit: int = 0
    held: int = 0
    usual_s: float = 0.0
    heard_s: float = 0.0
    _taken_s: deque[float] = field(default_factory=lambda: deque(maxlen=LAST_PAGES))

    def take(self, now_s: float) -> None:
        """It gets a page."""
        if not self.held:
            self.heard_s = now_s
        self.held += 1

    def end(self, page_s: float, now_s: float) -> None:
        """A page has ended there, and took so long."""
        self.held -= 1
        self.heard_s = now_s
        self._taken_s.append(page_s)
        self.usual_s = statistics.median(self._taken_s)

    def page_s(self, now_s: float) -> float:
        """What a page takes: no less than its silence, since a node that hangs is not quick."""
        silence_s = now_s - self.heard_s if self.usual_s and self.held else 0.0
        return max(self.usual_s, silence_s)


def next_node(shares: Mapping[str, Share], waiting: int, now_s: float) -> str | None:
    """Who gets the next of so many waiting pages: of those with room the emptiest; None: nobody."""
    paces = [(share.page_s(now_s), share.limit) for share in shares.values() if share.limit]
    open_ones = [(node, share) for node, share in shares.items() if share.held < share.limit]
    for node, share in sorted(open_ones, key=lambda one: one[1].held / one[1].limit):
        if not is_too_slow(share.page_s(now_s), paces, waiting):
            return node
    return None


def is_too_slow(page_s: float, paces: list[tuple[float, int]], waiting: int) -> bool:
    """Whether the quicker nodes would read all that waits, one after the other, in less time.

    paces: of each node, what a page takes and how many it reads at once.
    """
    quicker = [(one_s, limit) for one_s, limit in paces if 0 < one_s < page_s]
    if not quicker:
        return False
    pages_per_s = sum(limit / one_s for one_s, limit in quicker)
    return waiting / pages_per_s + max(one_s for one_s, _ in quicker) < page_s
