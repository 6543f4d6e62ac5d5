"""How far a batch is, in a small file of the results, for those who follow from elsewhere."""

import json
import time
from pathlib import Path

from contract import FAILED
from results.manifest import Record

PROGRESS = ".progress.json"
PROGRESS_INTERVAL_S = 1.0


class Progress:
    """The file, kept up to date."""

    def __init__(self, folder: Path, pages: int, done: int) -> None:
        self._path = folder / PROGRESS
        self._pages, self._done, self._failed = pages, done, 0
        self.write()

    def count(self, record: Record) -> None:
        """Count a page; the file follows about once a second."""
        self._done += 1
        self._failed += record.status == FAILED
        if time.monotonic() - self._written > PROGRESS_INTERVAL_S:
            self.write()

    def write(self) -> None:
        """Write the file."""
        self._written = time.monotonic()
        content = {"pages": self._pages, "done": self._done, "failed": self._failed}
        part = self._path.with_name(self._path.name + ".part")
        part.write_text(json.dumps(content), encoding="utf-8")
        part.replace(self._path)
