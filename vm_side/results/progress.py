"""How far a batch is, in a small file of the results, for those who follow from elsewhere."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from contract import FAILED
from results.manifest import Record

PROGRESS = ".progress.json"
PROGRESS_INTERVAL_S = 1.0
ENOUGH = 8  # pages, to tell from them what the rest takes


class Progress:
    """The file, kept up to date. usd tells what the machines have cost so far.

    It also says what they will have cost at the end, if the rest takes as long as what is done.
    """

    def __init__(
        self,
        folder: Path,
        pages: int,
        done: int,
        usd_per_hour: float = 0.0,
        usd: Callable[[], float] = float,
    ) -> None:
        self._path = folder / PROGRESS
        self._pages, self._done, self._failed = pages, done, 0
        self._done_before, self._began_s = done, time.monotonic()
        self._usd_per_hour, self._usd = usd_per_hour, usd
        self.write()

    def count(self, record: Record) -> None:
        """Count a page; the file follows about once a second."""
        self._done += 1
        self._failed += record.status == FAILED
        if time.monotonic() - self._written > PROGRESS_INTERVAL_S:
            self.write()

    def content(self) -> dict[str, float]:
        """What the file says."""
        content: dict[str, float] = {
            "pages": self._pages,
            "done": self._done,
            "failed": self._failed,
        }
        if self._usd_per_hour:
            content["usd"] = round(self._usd(), 4)
            if (read := self._done - self._done_before) >= ENOUGH:
                page_s = (time.monotonic() - self._began_s) / read
                rest_usd = (self._pages - self._done) * page_s * self._usd_per_hour / 3600
                content["usd_at_end"] = round(self._usd() + rest_usd, 4)
        return content

    def write(self) -> None:
        """Write the file."""
        self._written = time.monotonic()
        part = self._path.with_name(self._path.name + ".part")
        part.write_text(json.dumps(self.content()), encoding="utf-8")
        part.replace(self._path)
