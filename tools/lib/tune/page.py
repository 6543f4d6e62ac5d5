"""The page that shows what make tune has found: tune.html and tune_files/, in OUTPUT.

Next to the results of each way of reading is a comparison with the largest, to look at.
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contract import TUNING
from lib import files
from lib.knobs import Knobs, pdf_password
from lib.report import build, compare_build, pictures
from lib.report.comparison import compare
from lib.report.document import render
from lib.report.scripts import write_script
from lib.tune.judging import Reading
from lib.tune.variants import folder_of


def write(knobs: Knobs, ladder: Sequence[Reading], sample: Path, data: Mapping[str, Any]) -> Path:
    """Write the page, and the comparisons. Return the page's path."""
    folder = folder_of(knobs)
    largest, *others = ladder
    build.build(largest.side.root, sample, knobs.page_timeout, pdf_password(knobs))
    for reading in others:
        share_pictures(largest.side.root, reading.side.root)
        compare_build.write(largest.side, reading.side, compare(largest.side, reading.side))
    name = folder.parent.name
    write_script(folder, "index", {"name": name, "made": int(time.time()), **data})
    path = folder.parent / TUNING
    files.write_whole(path, document())
    return path


def document() -> str:
    """The page's HTML, the same for all results."""
    return render("tune.html", ("tune.css",), ("tune.js",))


def share_pictures(source: Path, target: Path) -> None:
    """Copy the pages' pictures: they are the same in all ways, so they are made only once."""
    for kind in pictures.KINDS:
        folder = target / build.FOLDER / kind
        folder.mkdir(parents=True, exist_ok=True)
        for picture in (source / build.FOLDER / kind).glob(f"*{pictures.ENDING}"):
            if not (folder / picture.name).exists():
                shutil.copyfile(picture, folder / picture.name)
