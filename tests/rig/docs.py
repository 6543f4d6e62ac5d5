"""The pages of README and docs/, in both languages, as the tests read them."""

import re
from pathlib import Path

from rig.toolkit import ROOT

ENGLISH, KOREAN = "", ".ko"
LANGUAGES = {"English": ENGLISH, "Korean": KOREAN}


def pages(language: str) -> list[Path]:
    """Return README and the pages in docs/, in one language."""
    found = sorted((ROOT / "docs").glob("*.md"))
    return [
        ROOT / f"README{language}.md",
        *(path for path in found if path.name.endswith(".ko.md") == (language == KOREAN)),
    ]


def read(name: str) -> str:
    """A page by its path from the project's folder."""
    return (ROOT / name).read_text(encoding="utf-8")


def all_of(language: str) -> str:
    """README and docs/ as one text."""
    return "\n".join(path.read_text(encoding="utf-8") for path in pages(language))


def rows(text: str) -> dict[str, str]:
    """The tables' rows: first cell (without backticks) to the rest."""
    found = re.findall(r"^\| ([^|]+) \|(.*)\|$", text, re.MULTILINE)
    return {first.replace("`", ""): rest for first, rest in found}


def headings(text: str) -> list[str]:
    """Its headings, with their `#`."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ .*$", prose, re.MULTILINE)
