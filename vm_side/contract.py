"""What both sides name: exit codes, which files are pages, what becomes of them, in which files.

vm_side/ travels alone; this is the one file of it that tools/ imports (see tools/lib/__init__.py).
"""

import enum


class ExitCode(enum.IntEnum):
    """How a script ends."""

    OK = 0  # done, or nothing to do
    FAILED = 1  # the operation failed
    USAGE = 2  # wrong options, or a wrong config.env
    PAGES_FAILED = 3  # finished, but some pages failed: run again
    INTERRUPTED = 130


PICTURES = (".png", ".jpg", ".jpeg")
PDFS = (".pdf",)
PAGE_ENDINGS = (*PICTURES, *PDFS)

MANIFEST, SUMMARY = "manifest.jsonl", "summary.json"
RESULT_ENDINGS = (".json", ".md", "_nohf.md")
DRAWING_ENDING = ".jpg"

DONE = ("ok", "repaired", "partial", "blank")
FAILED = "failed"
LEFT = "left"  # not reached: the batch was interrupted, or the server went away
STATUSES = (*DONE, FAILED, LEFT)

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
