"""The second reader while the pages are read (WITNESS=ocr): it uses idle cores.

What it finds on a page is added to the page's line in the manifest. It does not have the page read
again. If it has not reached a page when the batch ends, `make check` reads that page. What
`make check` finds comes here before such a page is read again.
"""

import importlib.util
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from checks import Changes, Reading, reading_of
from contract import OCR, has_no_second_reading, is_to_be_read_again
from read_page import Settings
from results.manifest import Manifest, Record, read_record
from workers import bounds
from workers.beside import Beside
from workers.pool import PoolError, Worker, start_worker

if TYPE_CHECKING:
    from second_reading import Opinion, Places

MOST_READERS = 4  # half a gigabyte each; one reads a page in 3 s, the model on an L4 in 2 s
PACKAGES = ("rapidocr", "cv2")  # the other packages that it needs come with these


def second_reader(
    settings: Settings, manifest: Manifest, say: Callable[[str], object]
) -> Beside[Record]:
    """Return the second readers; there are none if that is not wanted, or cores are too few."""

    def lay_on(record: Record, opinion: "Opinion") -> None:
        from second_reading import heard  # noqa: PLC0415 - it loads numpy, and only this needs it

        if opinion.reader and manifest.records[record.key] is record:  # no newer record
            manifest.add(replace(record, **heard(record, opinion)))

    def fall_silent(why: str) -> None:
        say(f"no second reader while the pages are read: {why}; make check has one")

    is_wanted = settings.witness == OCR
    readers = readers_for(os.cpu_count() or 1) if is_wanted else 0
    return Beside(lambda: start(settings), readers, lay_on, fall_silent)


def doubted_elsewhere(
    records: Iterable[Record], checks: Mapping[Reading, Changes]
) -> Iterator[Record]:
    """Yield the records, changed by checks made elsewhere, of the pages to be read again."""
    for record in records:
        changes = checks.get(reading_of(record))
        if changes is None or not has_no_second_reading(record):
            continue
        changed = read_record(json.dumps(asdict(record) | dict(changes)))  # these may hold anything
        if changed is not None and is_to_be_read_again(changed):
            yield changed


def readers_for(cores: int) -> int:
    """Return how many readers: at most half of the cores. Pages and the server need the others."""
    return min(MOST_READERS, cores // 2)


def start(settings: Settings) -> Worker[Record]:
    """Start one second reader. Raises PoolError."""
    if lacking := [name for name in PACKAGES if importlib.util.find_spec(name) is None]:
        raise PoolError(f"{lacking[0]} is not installed here")
    from second_reading import Places  # noqa: PLC0415 - the same

    assert isinstance(settings.input, Path) and isinstance(settings.output, Path)
    places = Places(settings.input, settings.output, settings.page_timeout_s, settings.password)
    return start_worker(make_idle_reader, (places,))


def make_idle_reader(places: "Places") -> Callable[[Record], "Opinion"]:
    """Return the page function of a second reader's process."""
    from second_reading import make_second_reader  # noqa: PLC0415 - the same

    bounds.use_idle_cores_alone()
    return make_second_reader(places)
