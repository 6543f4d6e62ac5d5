"""Scripts, punctuation and the joining of lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cpu_endpoint.geometry import Line, rows

# The recogniser was trained on Chinese: it often writes full-width marks in any script.
_HALF_WIDTH = {
    ord(wide): chr(ord(wide) - 0xFEE0) for wide in "！（），：；？［］％＋－．／＝＊＂＆"
}
BULLETS = "•●○◦▪■□◆◇▶►‣∙·ㆍㅇ*-–—"


def is_han_or_kana(char: str) -> bool:
    ranges = (("\u3040", "\u30ff"), ("\u3400", "\u9fff"), ("\uf900", "\ufaff"))
    return any(low <= char <= high for low, high in ranges)


def hangul_count(text: str) -> int:
    """Count whole syllables only; single letters are mostly misread marks."""
    return sum("\uac00" <= char <= "\ud7a3" for char in text)


def cjk_share(text: str) -> float:
    """Return the share of Han and kana among all letters and digits, 0 to 1."""
    solid = [char for char in text if char.isalnum()]
    return sum(map(is_han_or_kana, solid)) / len(solid) if solid else 0.0


def tidy(text: str) -> str:
    """Make spaces single, and punctuation half-width unless the text is Chinese or Japanese."""
    if not any(map(is_han_or_kana, text)):
        text = text.translate(_HALF_WIDTH)
        text = re.sub(r"(?<=[A-Za-z]),(?=[A-Za-z])", ", ", text)
        text = re.sub(r"^(\d{1,2}(?:\.\d{1,2})*\.?)([A-Z][a-z]{2})", r"\1 \2", text)
    return re.sub(r"\s+", " ", text).strip()


def has_content(text: str) -> bool:
    """Whether there is a letter or digit of any script."""
    return any(char.isalnum() for char in text)


def glue(parts: Sequence[str]) -> str:
    """Join lines of one paragraph with spaces, but with none between Han or kana."""
    joined = ""
    for part in filter(None, parts):
        both_cjk = bool(joined) and is_cjk_edge(joined[-1]) and is_cjk_edge(part[0])
        joined += part if not joined or both_cjk else f" {part}"
    return joined


def is_cjk_edge(char: str) -> bool:
    return is_han_or_kana(char) or char in "、。，．：；！？」』）「『（《》〈〉"


def paragraph(lines: Sequence[Line]) -> str:
    """Return the text of lines in reading order; vertical writing runs from right to left."""
    if lines and sum(line.vertical for line in lines) * 2 > len(lines):
        ordered = sorted(lines, key=lambda line: -line.box[0])
    else:
        ordered = [line for row in rows(lines) for line in row]
    return glue([line.text for line in ordered])
