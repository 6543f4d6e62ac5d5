"""What both sides name: exit codes, which files are pages, what becomes of them, in which files.

vm_side/ travels alone; of it tools/ imports this and walk.py alone (see tools/lib/__init__.py).
"""

import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


class ExitCode(enum.IntEnum):
    """How a script ends."""

    OK = 0  # done, or nothing to do
    FAILED = 1  # the operation failed
    USAGE = 2  # wrong options, or a wrong config.env
    PAGES_FAILED = 3  # finished, but some pages failed: run again
    INTERRUPTED = 130


KEY, KEY_FILE = "API_KEY", "API_KEY_FILE"  # of the environment: the model server's key

PICTURES = (  # one page each
    *(".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".jp2"),
    *(".heic", ".heif", ".avif"),
)
MANY_PAGES = (".pdf", ".tif", ".tiff")
PAGE_ENDINGS = (*PICTURES, *MANY_PAGES)

MANIFEST, SUMMARY = "manifest.jsonl", "summary.json"
RESULT_ENDINGS = (".json", ".md", "_nohf.md")
DRAWING_ENDING = ".jpg"

DONE = ("ok", "repaired", "partial", "blank")
WHOLE = ("ok", "repaired")  # nothing of the page is lost
FAILED = "failed"
LEFT = "left"  # not reached: the batch was interrupted, or the server went away
STATUSES = (*DONE, FAILED, LEFT)

RECIPE = ("prompt_mode", "max_pixels", "upsample_below")  # the settings that decide a page's cells
PREVIEW_MODEL = "dots-ocr-cpu-preview"

CATEGORIES = (
    "Caption",
    "Footnote",
    "Formula",
    "List-item",
    "Page-footer",
    "Page-header",
    "Picture",
    "Section-header",
    "Table",
    "Text",
    "Title",
)


def is_page_file(name: str) -> bool:
    """Whether a file of this name is read as pages; hidden files are not."""
    return not name.startswith(".") and name.lower().endswith(PAGE_ENDINGS)


class Recorded(Protocol):
    """What a page's line in the manifest says of how it was read."""

    @property
    def status(self) -> str:
        """What became of it."""

    @property
    def sha256(self) -> str:
        """Of the whole input file."""

    @property
    def model(self) -> str:
        """Who read it."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The recipe by which it was read."""


def recipe_of(settings: object) -> dict[str, Any]:
    """The recipe in settings that have more."""
    return {name: getattr(settings, name) for name in RECIPE}


def is_read(record: Recorded, sha256: str, wanted: Mapping[str, Any]) -> bool:
    """Whether a record says that a page was read: with this content, in the wanted way.

    wanted is the recipe and, under "model", the model's name.
    """
    return (
        record.status in DONE
        and record.sha256 == sha256
        and {"model": record.model, **record.settings} == wanted
    )


def key_from(key: str, file: str) -> str:
    """The model server's key: as it is given, or what stands in its file; empty: there is none.

    Raises ValueError, in whose words the key is not.
    """
    if not key and file:
        try:
            key = Path(file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "no text"
            raise ValueError(f"{KEY_FILE}: {file} cannot be read ({why})") from None
        if not key:
            raise ValueError(f"{KEY_FILE}: {file} is empty")
    if not all("!" <= letter <= "~" for letter in key):
        raise ValueError(f"{KEY}: a key is one word of ASCII letters, digits and signs")
    return key
