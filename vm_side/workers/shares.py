"""Which node of a fleet gets the next page: each has its own best number, and some are quicker.

At the end of a batch, all other nodes would have to wait for a slow node's last pages. So it gets
no page that the quicker nodes would finish sooner, even after all other waiting pages.
"""

import statistics
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

LAST_PAGES = 64  # of a node; they tell how long a page takes there


@dataclass
class Share:
    """A node: how many pages it may have in hand, and how many it has.

    usual_s is how long a page takes there; 0 while that is not known. heard_s is when a page last
    ended there, or when the node got a page while it had none. All times are of one clock that only
    goes forward.
    """

    limit: int = 0
    held: int = 0
    usual_s: float = 0.0
    heard_s: float = 0.0
    _taken_s: deque[float] = field(default_factory=lambda: deque(maxlen=LAST_PAGES))

    def take(self, now_s: float) -> None:
        """Note that the node gets a page."""
        if not self.held:
            self.heard_s = now_s
        self.held += 1

    def end(self, page_s: float, now_s: float) -> None:
        """Note that a page has ended there, after page_s seconds."""
        self.held -= 1
        self.heard_s = now_s
        self._taken_s.append(page_s)
        self.usual_s = statistics.median(self._taken_s)

    def page_s(self, now_s: float) -> float:
        """How long a page takes: at least the node's silence, since a node that hangs is slow."""
        silence_s = now_s - self.heard_s if self.usual_s and self.held else 0.0
        return max(self.usual_s, silence_s)


def next_node(shares: Mapping[str, Share], waiting: int, now_s: float) -> str | None:
    """Return the emptiest node with room that is not too slow; None if the next page must wait."""
    paces = [(share.page_s(now_s), share.limit) for share in shares.values() if share.limit]
    open_ones = [(node, share) for node, share in shares.items() if share.held < share.limit]
    for node, share in sorted(open_ones, key=lambda one: one[1].held / one[1].limit):
        if not is_too_slow(share.page_s(now_s), paces, waiting):
            return node
    return None


def is_too_slow(page_s: float, paces: list[tuple[float, int]], waiting: int) -> bool:
    """Whether the quicker nodes would read all waiting pages in less time than page_s.

    paces: for each node, the seconds of one page, and how many pages it reads at once.
    """
    quicker = [(one_s, limit) for one_s, limit in paces if 0 < one_s < page_s]
    if not quicker:
        return False
    pages_per_s = sum(limit / one_s for one_s, limit in quicker)
    return waiting / pages_per_s + max(one_s for one_s, _ in quicker) < page_s
