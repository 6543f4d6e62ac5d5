"""The formats that a document can be written in: FORMATS has a line for each, by its name."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from lib.files import code_below
from lib.knobs import ROOT, Knobs

HERE = Path(__file__).parent
CODE = (HERE, HERE.parent / "pages")
CODE_FILES = tuple(
    ROOT / name
    for name in (
        *("requirements.txt", "tools/lib/damage.py", "tools/lib/pdf.py"),
        *("vm_side/picture_files.py", "vm_side/prompts.py", "vm_side/walk.py"),
    )
)
USUAL = "md"


@dataclass(frozen=True)
class Format:
    """One format: the module that writes it, and what it needs."""

    module: str
    """A module of documents/formats/ with write(). It is imported only to write a document."""
    uses_input: bool = False
    """Whether a document that was made without INPUT's files is made again when they are there."""
    packages: str = ""
    """Its requirements file, below formats/; empty if it needs no extra packages."""

    @property
    def requirements(self) -> Path:
        """Where its requirements file is."""
        return HERE / "formats" / self.packages


FORMATS: Mapping[str, Format] = {
    "md": Format("markdown", uses_input=True),
    "html": Format("html", uses_input=True),
    "pdf": Format("pdf", uses_input=True),
    "docx": Format("docx", uses_input=True, packages="requirements/docx.txt"),
    "xlsx": Format("xlsx", packages="requirements/xlsx.txt"),
    "csv": Format("csv"),
    "jsonl": Format("jsonl"),
    "parquet": Format("parquet", packages="requirements/parquet.txt"),
    "docling": Format("docling", uses_input=True, packages="requirements/docling.txt"),
    "coco": Format("coco"),
    "finetune": Format("finetune", uses_input=True),
}


def wanted(names: str) -> list[str]:
    """Return the formats that a knob names, separated by commas. Raises click.UsageError."""
    found = [name for text in names.lower().split(",") if (name := text.strip())]
    unknown = [name for name in found if name not in FORMATS]
    if unknown or (names and not found):
        name, known = (unknown or [names])[0], ", ".join(FORMATS)
        raise click.UsageError(f"{name!r} is not a format of documents; there are {known}")
    return list(dict.fromkeys(found))


def wanted_now(knobs: Knobs) -> list[str]:
    """Return the formats that make export writes. Raises click.UsageError."""
    return wanted(knobs.formats or knobs.export or USUAL)


def version() -> str:
    """Return a hash of the code that writes documents, and of the packages' versions."""
    whole = hashlib.sha256()
    for path in CODE_FILES:
        whole.update(path.read_bytes())
    for folder in CODE:
        for name in sorted(code_below(folder)):
            whole.update(f"{name}\n".encode())
            whole.update((folder / name).read_bytes())
    return whole.hexdigest()
