"""Endless answers of the kind that models were seen to give."""

import itertools
import json
from collections.abc import Iterator


def sliding(text: str, step: int = 7) -> Iterator[str]:
    """Yield cells with the same text. Their boxes slide down the page, then start at its top."""
    for n in itertools.count():
        top = 50 + n * step % 1500
        box = [100, top, 900, top + 20 + n // 200]
        yield json.dumps({"bbox": box, "category": "Text", "text": text}, ensure_ascii=False)
