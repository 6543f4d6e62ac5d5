"""Data that a report loads from disk, as scripts that call dots(name, value).

Scripts, because a page that is opened from disk cannot use fetch.
"""

import json
from pathlib import Path
from typing import Any

from lib import files
from lib.pages.values import clean


def write_script(folder: Path, name: str, value: Any) -> None:
    """Write folder/name.js. No text from outside may be a key in value: it could be __proto__."""
    path = folder / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    files.write_whole(path, f'dots("{name}",{clean(text)})\n')


def remove_above(folder: Path, count: int) -> None:
    """Remove folder/N.js for all N from count on: chunks of an older, longer report."""
    for path in folder.glob("*.js"):
        if path.stem.isdecimal() and int(path.stem) >= count:
            path.unlink()
