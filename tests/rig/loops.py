"""Loops as models were seen to fall into."""

import itertools
import json
from collections.abc import Iterator


def sliding(text: str, step: int = 7) -> Iterator[str]:
    """Cells that say the same in boxes that slide down the page, and begin again at its top."""
    for n in itertools.count():
        top = 50 + n * step % 1500
        box = [100, top, 900, top + 20 + n // 200]
        yield json.dumps({"bbox": box, "category": "Text", "text": text}, ensure_ascii=False)
