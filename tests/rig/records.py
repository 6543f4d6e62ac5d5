"""Manifest lines, as tests write them and read them again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from results.manifest import Record
from results.pages import Page

DOUBT = {"kind": "missed", "bbox": [1, 2, 30, 40], "cell": None, "detail": {"lines": 2}}
SETTINGS = {
    "prompt_mode": "layout_all",
    "max_pixels": 2_000_000,
    "upsample_below": 1_200_000,
    "rotate": "auto",
}


def record(name: str = "a", status: str = "ok", **more: Any) -> Record:
    """The manifest record of a page that is a picture."""
    values = {"sha256": "5" * 64, "model": "dots", "settings": SETTINGS, **more}
    return Record(f"{name}/{name}", f"{name}.png", None, status, **values)


def page(name: str = "a") -> Page:
    """The page of that record."""
    return Page(f"{name}.png", f"{name}/{name}")


def lines(folder: Path) -> list[dict[str, Any]]:
    """Read the manifest of a folder and check that each line is complete."""
    text = (folder / "manifest.jsonl").read_text(encoding="utf-8")
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]
