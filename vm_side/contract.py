"""Names that both sides use: exit codes, page files, the status of a page, the files of results.

vm_side/ is copied to the machine alone. Of its files, tools/ imports this one, checks.py,
picture_files.py, prompts.py, saying.py, schema.py, troubles.py, version.py, walk.py and
wanted_pages.py.
"""

import enum
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol


class ExitCode(enum.IntEnum):
    """How a script ends."""

    OK = 0  # done, or nothing to do
    FAILED = 1  # the operation failed
    USAGE = 2  # wrong options, or a wrong config.env
    PAGES_FAILED = 3  # some pages failed, or were more than BUDGET pays: run again
    INTERRUPTED = 130


KEY, KEY_FILE = "API_KEY", "API_KEY_FILE"  # environment variables: the model server's key
PASSWORD, PASSWORD_FILE = "PDF_PASSWORD", "PDF_PASSWORD_FILE"  # and the password of locked PDFs
SECRETS = {KEY: KEY_FILE, PASSWORD: PASSWORD_FILE}

PICTURES = (  # one page each
    *(".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".jp2"),
    *(".heic", ".heif", ".avif"),
)
MANY_PAGES = (".pdf", ".tif", ".tiff")
PAGE_ENDINGS = (*PICTURES, *MANY_PAGES)

MANIFEST, SUMMARY = "manifest.jsonl", "summary.json"
LOCK = ".lock"  # next to the manifest: its writer keeps this file locked, and is named in it
REPORT, COMPARISON, SCORES = "report.html", "compare.html", "score.json"
TUNING = "tune.html"
RESERVED = (
    MANIFEST,
    SUMMARY,
    REPORT,
    COMPARISON,
    SCORES,
    TUNING,
)  # our own, at the top of the results
RESULT_ENDINGS = (".json", ".md", "_nohf.md")
DRAWING_ENDING = ".jpg"

DOUBT_KINDS = ("missed", "empty", "amount", "repeated", "text_layer", "reader")

DOUBTFUL = "doubtful"  # read, but a witness doubts the result: somebody should look at it
NO_BETTER = "read again: no better"  # a note in the record of such a page
CORRECTED = "corrected"  # by a person, at home; the correction is trusted
DONE = ("ok", "repaired", "partial", "blank", DOUBTFUL, CORRECTED)
WHOLE = ("ok", "repaired", CORRECTED)  # nothing of the page is lost
FAILED = "failed"
LEFT = "left"  # not reached: the batch was interrupted, or the server went away
STATUSES = (*DONE, FAILED, LEFT)

RECIPE = ("prompt_mode", "max_pixels", "upsample_below", "rotate")  # what decides a page's cells
AUTO = "auto"  # a value of rotate: as each page needs it; the other values are degrees clockwise
ROTATIONS = (AUTO, "0", "90", "180", "270")
OCR = "ocr"  # ink, and a second reader
WITNESSES = ("ink", OCR, "off")  # what compares an answer with its page
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


def least_drain_s(whole_s: float) -> float:
    """Return the seconds that pages in flight get to end, at least, of all that a budget pays."""
    return min(60.0, 0.1 * whole_s)


def reserve_s(whole_s: float) -> float:
    """Return the seconds kept at the end, to bring results home and turn the machine off."""
    return min(240.0 + 0.02 * whole_s, 0.2 * whole_s)


class Recorded(Protocol):
    """What a page's line in the manifest says about how it was read."""

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
    def rotation(self) -> int:
        """By how many degrees clockwise it was turned."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The recipe by which it was read."""


class Numbered(Protocol):
    """What a page's line says about the page, and about the content that was read."""

    @property
    def pdf_page(self) -> int | None:
        """Its number in its file, from 0; None for a picture."""

    @property
    def sha256(self) -> str:
        """Of the whole input file."""


def is_still_of(record: Numbered, pdf_pages: int, sha256: str) -> bool:
    """Whether a page can still be in a file of pdf_pages pages; sha256 is the file's, or empty."""
    is_there = record.pdf_page is not None and record.pdf_page < pdf_pages
    return is_there and sha256 in ("", record.sha256)


def recipe_of(settings: object) -> dict[str, Any]:
    """Return only the recipe from settings that have more."""
    return {name: getattr(settings, name) for name in RECIPE}


def is_read(record: Recorded, sha256: str, wanted: Mapping[str, Any]) -> bool:
    """Whether a record says that a page was read with this content and in the wanted way.

    wanted is the recipe and, under "model", the model's name.
    """
    recipe = {"model": record.model, **record.settings, "rotate": wanted["rotate"]}
    return (
        record.status in DONE
        and record.sha256 == sha256
        and recipe == wanted
        and is_turned(record, wanted["rotate"])
    )


class Doubted(Protocol):
    """What a page's line says about the doubts about it."""

    @property
    def status(self) -> str:
        """What became of it."""

    @property
    def notes(self) -> Collection[Any]:
        """Remarks on the page."""

    @property
    def read_as(self) -> str:
        """Its status before a second reader's doubts changed it; empty if they did not."""

    @property
    def reader_lines(self) -> Collection[Any]:
        """What that reader has read; empty if that was not kept."""


def is_to_be_read_again(record: Doubted) -> bool:
    """Whether DOUBTFUL=1 reads a page again: not a third time if the second was no better.

    Otherwise a machine would be rented every night for a page that nothing fixes. If only the
    second reader doubts a page, its lines must be there: a new answer is compared with them.
    """
    is_heard = bool(record.reader_lines) or not record.read_as
    return record.status == DOUBTFUL and NO_BETTER not in record.notes and is_heard


class Heard(Protocol):
    """What a page's line says about who has read it."""

    @property
    def status(self) -> str:
        """What became of it."""

    @property
    def cells(self) -> int:
        """How many cells were found."""

    @property
    def model(self) -> str:
        """Who read it."""

    @property
    def reader(self) -> str:
        """Who read it a second time; empty if nobody did."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The recipe by which it was read."""


def has_no_second_reading(record: Heard) -> bool:
    """Whether a page still needs a second reading.

    A page that the same engine has read, or that a person has corrected, needs none.
    """
    return (
        record.status in DONE
        and record.status != CORRECTED
        and record.cells > 0
        and not record.reader
        and record.model != PREVIEW_MODEL
        and record.settings.get("prompt_mode") != "layout_only"
    )


def is_turned(record: Recorded, rotate: str) -> bool:
    """Whether a page was turned as wanted now; why it was turned does not matter.

    A record older than this setting counts as AUTO. Otherwise all pages would be read again, and
    only a few would change.
    """
    if rotate == AUTO:
        return bool(record.settings.get("rotate", AUTO) == AUTO)
    return record.rotation == int(rotate)


def key_from(key: str, file: str) -> str:
    """Return the model server's key, given or read from its file; empty if there is none.

    Raises ValueError; its message does not contain the key.
    """
    if not key and file:
        key = secret_in(file, KEY_FILE).strip()
    if not all("!" <= letter <= "~" for letter in key):
        raise ValueError(f"{KEY}: a key is one word of ASCII letters, digits and signs")
    return key


def password_from(password: str, file: str) -> str:
    """Return the password that opens PDFs, in the same way: any one line. Raises ValueError."""
    if not password and file:
        password = secret_in(file, PASSWORD_FILE)
    if not password.isprintable():
        raise ValueError(f"{PASSWORD}: a password is one line of text")
    return password


def secret_in(file: str, knob: str) -> str:
    """Return the content of a secret's file, without the line's end. Raises ValueError."""
    try:
        secret = Path(file).expanduser().read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "no text"
        raise ValueError(f"{knob}: {file} cannot be read ({why})") from None
    if not secret.strip():
        raise ValueError(f"{knob}: {file} is empty")
    return secret
