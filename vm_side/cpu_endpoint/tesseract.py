"""Read line pictures with the system's Tesseract command, many in one call."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from PIL import Image

APT_LINE = "sudo apt-get install tesseract-ocr tesseract-ocr-kor"
LINE_HEIGHT = 32  # the best of 32, 40, 48 and 64 pixels, and the fastest
_BORDER = 10
_OPTIONS = ("--psm", "7", "--dpi", "300")  # one line in each picture
_BATCH = 120
# Syllables of one word are closer together than this part of the line's height.
_SPACE = 0.23


@dataclass(frozen=True)
class Word:
    """One word. confidence is 0 to 100; left and right are in pixels of the scaled line."""

    text: str
    confidence: float
    left: int
    right: int


@dataclass(frozen=True)
class Found:
    """What the machine has: a command, its languages ("kor+eng"), or what is missing."""

    command: str = ""
    languages: str = ""
    missing: str = ""


def find() -> Found:
    """Look for the command and its Korean data."""
    command = shutil.which("tesseract")
    if command is None:
        return Found(missing="tesseract")
    listed = subprocess.run(
        [command, "--list-langs"], capture_output=True, text=True, timeout=20, check=False
    )
    names = set(listed.stdout.split()) | set(listed.stderr.split())
    if "kor" not in names:
        return Found(missing="its Korean data")
    return Found(command, "kor+eng" if "eng" in names else "kor")


def lacking(found: Found) -> str:
    """Say what cannot be read without the missing part, and what to type."""
    return f"Korean text is not read, for {found.missing} is missing: {APT_LINE}; then read again"


def scaled(crop: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Turn a line picture (BGR or gray) to gray of LINE_HEIGHT, dark on light, with a border."""
    gray = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) if crop.ndim == 3 else crop
    factor = LINE_HEIGHT / gray.shape[0]
    new_width = max(4, round(gray.shape[1] * factor))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    gray = cv2.resize(gray, (new_width, LINE_HEIGHT), interpolation=how)
    paper = int(np.median(gray))
    if paper < 110:
        gray, paper = 255 - gray, 255 - paper
    border = _BORDER
    return cv2.copyMakeBorder(
        gray, border, border, border, border, cv2.BORDER_CONSTANT, value=paper
    )


class Tesseract:
    """Reads line pictures; `stop` from another thread ends a call that is running."""

    def __init__(self, found: Found, timeout_s: float = 120.0) -> None:
        """timeout_s is how long it may take to read _BATCH lines."""
        self.languages = found.languages
        self._timeout_s = timeout_s
        self._command = found.command
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def read(self, lines: Sequence[np.ndarray[Any, Any]], languages: str) -> list[list[Word]]:
        """Return the words of each line (scaled pictures); [] if a line gave nothing or failed."""
        words: list[list[Word]] = []
        for start in range(0, len(lines), _BATCH):
            words += self._read_batch(lines[start : start + _BATCH], languages)
        return words

    def stop(self) -> None:
        """End the running call, and start no other."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def _read_batch(
        self, lines: Sequence[np.ndarray[Any, Any]], languages: str
    ) -> list[list[Word]]:
        pages = [Image.fromarray(line) for line in lines]
        tiff = io.BytesIO()
        pages[0].save(tiff, "TIFF", save_all=True, append_images=pages[1:])
        with self._lock:
            if self._stopped:
                return [[] for _ in lines]
            self._process = subprocess.Popen(
                [self._command, "stdin", "stdout", "-l", languages, *_OPTIONS, "tsv"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # More threads only make reading a line slower.
                env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            )
            process = self._process
        try:
            table, _ = process.communicate(tiff.getvalue(), timeout=self._timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return [[] for _ in lines]
        finally:
            with self._lock:
                self._process = None
        return parse(table.decode("utf-8", "replace"), len(lines))


def parse(table: str, count: int) -> list[list[Word]]:
    """Parse Tesseract's TSV, one page for each line picture, to the words of `count` lines."""
    found: list[list[Word]] = [[] for _ in range(count)]
    for row in table.splitlines()[1:]:
        columns = row.split("\t")
        # Rows of level 5 are words; their page number says which line picture it is.
        if len(columns) == 12 and columns[0] == "5" and columns[11].strip():
            page, left, width = int(columns[1]), int(columns[6]), int(columns[8])
            if 1 <= page <= count:
                word = Word(columns[11].strip(), float(columns[10]), left, left + width)
                found[page - 1].append(word)
    return found


def spaced(words: Sequence[Word], line: np.ndarray[Any, Any]) -> str:
    """Join words. Tesseract splits Korean syllables, so the gap between them decides on spaces."""
    text = words[0].text if words else ""
    for before, word in pairwise(words):
        latin = before.text[-1:].isascii() and word.text[:1].isascii()
        letters = before.text[-1:].isalpha() and word.text[:1].isalpha()
        apart = (latin and letters) or _gap(before, word, line) >= _SPACE * LINE_HEIGHT
        text += f" {word.text}" if apart else word.text
    return text


def _gap(before: Word, word: Word, line: np.ndarray[Any, Any]) -> int:
    """Return the longest run of columns without ink where two words meet, in pixels."""
    low = max(before.left, min(before.right, word.left) - 6)
    high = min(word.right, max(before.right, word.left) + 6)
    part = line[_BORDER:-_BORDER, max(0, low) : high]
    if part.size == 0:
        return 0
    paper = int(np.median(line))
    blank = (part.min(axis=0) > 0.62 * paper).astype(np.int8)
    longest = run = 0
    for is_blank in blank:
        run = run + 1 if is_blank else 0
        longest = max(longest, run)
    return longest
