"""Settings of a batch over an input of two small files, for tests that decide about it.

Also a step as a node runs it.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from read_page import Settings
from results.pages import Page
from results.steps import Sent

PAGE = Page("a/page1.png", "a/page1/page1")
PDF_PAGES = [Page("report.pdf", f"report/report_page_{index}", index) for index in range(3)]
CONTENT = b"the content of a file"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def settings_in(folder: Path) -> Settings:
    """Settings over an input folder with the files of PAGE and PDF_PAGES."""
    for page in (PAGE, PDF_PAGES[0]):
        path = folder / "in" / page.input
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENT)
    return settings_of(folder, "http://127.0.0.1:9", request_timeout_s=5.0, ready_timeout_s=0.0)


def settings_of(folder: Path, endpoint: str, **changes: Any) -> Settings:
    """Settings over a folder of pages, which need not exist."""
    settings = Settings(
        input=folder / "in",
        output=folder / "out",
        endpoint=endpoint,
        model="model",
        max_model_tokens=0,
        prompt_mode="layout_all",
        max_pixels=2_000_000,
        upsample_below=1_200_000,
        rotate="auto",
        images=False,
        request_timeout_s=60.0,
        ready_timeout_s=60.0,
        retries=0,
    )
    return replace(settings, **changes)


def without_pages(step: Any, source: Any, pdf_page: Any, values: Any, *more: Any) -> Any:
    """Run a step as a node does: the decoded page stays in another process."""
    result = step(source, pdf_page, values, *more)
    return replace(result, page=None) if isinstance(result, Sent) else result
