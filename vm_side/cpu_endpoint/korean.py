"""When a line is Korean, and which of two readings of it to keep.

PP-OCR reads Chinese, Japanese and Latin well, and leaves Hangul out. Tesseract with Korean
data reads Hangul, and knows little else. A line goes to Tesseract only if PP-OCR's reading
does not hold, and only on pages where a sample of such lines turns out to be Korean.
"""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from cpu_endpoint.tesseract import Word, scaled, spaced
from cpu_endpoint.text import BULLETS, cjk_share, hangul_count, has_content, tidy

SURE = 0.93
_SAMPLE = 6
_PROOF_CONFIDENCE = 70.0


class Verdict(enum.Enum):
    """What to do with PP-OCR's reading of a line."""

    KEEP = "holds"
    CHECK = "holds as far as it goes; Hangul may follow a number, so ask on Korean pages"
    ASK = "does not hold"


@dataclass(frozen=True)
class Reading:
    """PP-OCR's reading of one line; aspect is the line's width over its height."""

    text: str
    score: float
    aspect: float


class Reader(Protocol):
    """What this module needs of Tesseract."""

    languages: str

    def read(self, lines: Sequence[np.ndarray[Any, Any]], languages: str) -> list[list[Word]]:
        """Return the words of each scaled line picture."""


def verdict(reading: Reading) -> Verdict:
    """Judge a reading by its script, its score and how much of the line it covers."""
    text = tidy(reading.text)
    solid = text.replace(" ", "")
    per_height = len(solid) / reading.aspect
    if reading.aspect < 0.5:
        return Verdict.KEEP  # vertical writing: Tesseract's line mode cannot read it
    if not has_content(text):
        mark = bool(solid) and reading.aspect < 1.5 and reading.score >= SURE
        return Verdict.KEEP if mark else Verdict.ASK
    if cjk_share(text) >= 0.3:
        return _verdict_on_cjk(len(solid), reading.score, per_height)
    # If a sure reading has only two letters for a long line, it has left out the rest.
    if not text.isascii() or reading.score < SURE or per_height < 1.0:
        return Verdict.ASK
    letters = sum(char.isalpha() for char in text)
    return Verdict.KEEP if letters >= 12 else Verdict.CHECK


def _verdict_on_cjk(length: int, score: float, per_height: float) -> Verdict:
    if score < (0.8 if length > 2 else 0.95) or per_height < 0.6:
        return Verdict.ASK
    # PP-OCR sometimes takes Hangul for Han characters that look similar.
    return Verdict.KEEP if score >= 0.97 else Verdict.CHECK


def is_korean(samples: Sequence[Sequence[Word]]) -> bool:
    """Whether a third of the sampled lines (words by Tesseract) are surely Hangul."""
    proofs = sum(map(_proves_korean, samples))
    return proofs > 0 and proofs * 3 >= len(samples)


def _proves_korean(words: Sequence[Word]) -> bool:
    hangul = [word for word in words if hangul_count(word.text)]
    letters = sum(char.isalpha() for word in words for char in word.text)
    count = sum(hangul_count(word.text) for word in hangul)
    if count < 2 or count < 0.5 * letters:
        return False
    return sum(word.confidence for word in hangul) / len(hangul) >= _PROOF_CONFIDENCE


def choose(reading: Reading, kind: Verdict, other: str, confidence: float) -> str:
    """Choose PP-OCR's reading or Tesseract's (other, with its mean confidence 0 to 100)."""
    text, other = tidy(reading.text), tidy(other)
    if kind is Verdict.KEEP or not hangul_count(other):
        return text
    if kind is Verdict.CHECK and cjk_share(text):
        return other if hangul_count(other) >= 2 and confidence >= 70.0 else text
    if kind is Verdict.CHECK:
        # Tesseract must repeat all that PP-OCR read, and may add only Hangul.
        rest = re.sub(r"[\uac00-\ud7a3\s]", "", other)
        return other if rest == text.replace(" ", "") else text
    if confidence < 50.0 and has_content(text):
        return text
    return with_bullet(text, with_latin(text, other))


def with_bullet(text: str, other: str) -> str:
    """Give Tesseract's reading (other) the bullet that PP-OCR saw, or mend a misread bullet."""
    if text[:1] and text[0] in BULLETS and (other[0] in BULLETS or not other[0].isalnum()):
        return f"{text[0]} {other[1:].lstrip()}"
    if text[:1] in {"•", "●", "○", "■", "□"} and other[0] not in BULLETS:
        return f"{text[0]} {other}"
    if re.match(r"[©®＊+»=]\s", other):
        return f"• {other[1:].lstrip()}"
    return other


def with_latin(text: str, other: str) -> str:
    """Correct Latin words in Tesseract's reading (other) by those of PP-OCR."""
    known = re.findall(r"[A-Za-z][A-Za-z0-9]{2,}", text)

    def better(match: re.Match[str]) -> str:
        word = match.group()
        close = [] if word in known else difflib.get_close_matches(word, known, 1, 0.65)
        # The longer reading has seen more, since PP-OCR drops letters next to Hangul.
        return close[0] if close and len(close[0]) >= len(word) - 1 else word

    return re.sub(r"[A-Za-z][A-Za-z0-9]{2,}", better, other)


def suspects(words: Sequence[Word], reading: str) -> list[int]:
    """Return indices of words in Latin letters that PP-OCR, which is good at them, did not see."""
    seen = re.sub(r"\W", "", reading).lower()
    found = []
    for i, word in enumerate(words):
        bare = re.sub(r"\W", "", word.text).lower()
        if re.search(r"[A-Za-z]", bare) and bare not in seen:
            found.append(i)
    return found


def replaced(words: Sequence[Word], wrong: Sequence[int], korean: Sequence[Word]) -> list[Word]:
    """Replace wrong words by those of the Korean-only pass, where these are in Hangul."""
    result: list[Word] = []
    for i, word in enumerate(words):
        inside = [k for k in korean if word.left - 2 < (k.left + k.right) / 2 < word.right + 2]
        text = "".join(k.text for k in inside)
        if i in wrong and hangul_count(text) * 2 > len(text):
            result += inside
        else:
            result.append(word)
    return result


def read_korean(
    readings: Sequence[Reading], crops: Sequence[np.ndarray[Any, Any]], reader: Reader | None
) -> list[str]:
    """Return the final text of each line. Without a reader, PP-OCR's readings are kept."""
    kinds = [verdict(reading) for reading in readings]
    texts = [tidy(reading.text) for reading in readings]
    asked = [i for i, kind in enumerate(kinds) if kind is Verdict.ASK]
    if reader is None or not asked:
        return texts
    # The longest lines tell most; a few of them are enough to judge the page.
    sample = sorted(asked, key=lambda i: -readings[i].aspect)[: _SAMPLE * 4]
    sample = sample[:: max(1, len(sample) // _SAMPLE)][:_SAMPLE]
    lines = {i: scaled(crops[i]) for i in sample}
    words = dict(
        zip(sample, reader.read([lines[i] for i in sample], reader.languages), strict=True)
    )
    if not is_korean([words[i] for i in sample]):
        return texts
    rest = [i for i, kind in enumerate(kinds) if kind is not Verdict.KEEP and i not in words]
    lines.update({i: scaled(crops[i]) for i in rest})
    if rest:
        words.update(
            zip(rest, reader.read([lines[i] for i in rest], reader.languages), strict=True)
        )
    wrong = {i: found for i in words if (found := suspects(words[i], texts[i]))}
    if wrong and reader.languages != "kor":
        again = reader.read([lines[i] for i in wrong], "kor")
        for i, korean in zip(wrong, again, strict=True):
            words[i] = replaced(words[i], wrong[i], korean)
    for i, found_words in words.items():
        if found_words:
            confidence = sum(word.confidence for word in found_words) / len(found_words)
            texts[i] = choose(readings[i], kinds[i], spaced(found_words, lines[i]), confidence)
    return texts
