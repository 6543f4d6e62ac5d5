"""How far a batch is: small files in the results, for those who follow it from elsewhere."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from contract import FAILED, STATUSES
from results.manifest import Record
from results.metrics import METRICS, Metric

PROGRESS = ".progress.json"
PROGRESS_INTERVAL_S = 1.0
ENOUGH = 8  # pages: so many tell how long the rest will take


class Progress:
    """The files, kept up to date. usd() tells what the machines have cost so far.

    The files also tell the cost at the end, if each page left takes as long as those that are done.
    """

    def __init__(
        self,
        folder: Path,
        pages: int,
        done: int,
        usd_per_hour: float = 0.0,
        usd: Callable[[], float] = float,
    ) -> None:
        self._folder = folder
        self._pages, self._done_before = pages, done
        self._read, self._tokens = Counter[str](), Counter[str]()
        self._page_s, self._began_s = 0.0, time.monotonic()
        self._usd_per_hour, self._usd = usd_per_hour, usd
        self.write()

    def count(self, record: Record) -> None:
        """Count a page. The files are written about once a second."""
        self._read[record.status] += 1
        self._tokens.update({"in": record.tokens_in, "out": record.tokens_out})
        self._page_s += record.seconds
        if time.monotonic() - self._written > PROGRESS_INTERVAL_S:
            self.write()

    def content(self) -> dict[str, float]:
        """Return what the file says."""
        read = self._read.total()
        done = self._done_before + read
        content: dict[str, float] = {"pages": self._pages, "done": done}
        content["failed"] = self._read[FAILED]
        if self._usd_per_hour:
            content["usd"] = round(self._usd(), 4)
            if read >= ENOUGH:
                page_s = (time.monotonic() - self._began_s) / read
                rest_usd = (self._pages - done) * page_s * self._usd_per_hour / 3600
                content["usd_at_end"] = round(self._usd() + rest_usd, 4)
        return content

    def metrics(self) -> list[Metric]:
        """Return the same for Prometheus; its counters count this run only."""
        content = self.content()
        read = {status: self._read[status] for status in STATUSES}
        tokens = {way: self._tokens[way] for way in ("in", "out")}
        page_s = {"": round(self._page_s, 3)}
        found = [
            Metric("dots_ocr_pages", "gauge", "Pages of the input.", {"": content["pages"]}),
            Metric("dots_ocr_pages_done", "gauge", "Those done with.", {"": content["done"]}),
            Metric("dots_ocr_run_pages_total", "counter", "Pages read.", read, label="status"),
            Metric("dots_ocr_tokens_total", "counter", "Tokens.", tokens, label="direction"),
            Metric("dots_ocr_page_seconds_total", "counter", "Seconds, of all pages.", page_s),
        ]
        for name, text in (
            ("usd", "Spent so far."),
            ("usd_at_end", "Spent, probably, at the end."),
        ):
            if name in content:
                found.append(Metric(f"dots_ocr_{name}", "gauge", text, {"": content[name]}))
        return found

    def write(self) -> None:
        """Write the files."""
        self._written = time.monotonic()
        texts = {PROGRESS: json.dumps(self.content()), METRICS: "".join(map(str, self.metrics()))}
        for name, text in texts.items():
            part = self._folder / f"{name}.part"
            part.write_text(text, encoding="utf-8")
            part.replace(self._folder / name)
