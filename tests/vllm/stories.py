"""What the tiny model can say. A prompt that holds "[name]" is answered with that story."""

import json
from dataclasses import dataclass

PAGE = json.dumps(
    [
        {"bbox": [56, 84, 560, 140], "category": "Title", "text": "# Tiny vLLM page"},
        {"bbox": [56, 168, 560, 308], "category": "Text", "text": "Grüße, 日本語: first block."},
        {"bbox": [56, 336, 560, 700], "category": "Picture"},
    ],
    ensure_ascii=False,
)
SENTENCE = "The committee resolved that the minutes of the last meeting be approved as read. "


@dataclass(frozen=True)
class Story:
    """Tokens said once, and tokens said again and again; without those it ends."""

    once: tuple[str, ...]
    again: tuple[str, ...] = ()


def pieces(text: str, size: int) -> tuple[str, ...]:
    """A text in pieces of so many characters."""
    return tuple(text[at : at + size] for at in range(0, len(text), size))


def beginning(number: int, category: str, text: str) -> tuple[str, ...]:
    """The beginning of a cell that no other story has, as one token."""
    return (f'[{{"bbox": [{number}, 2, 300, 400], "category": "{category}", "text": "{text}',)


STORIES = {
    "page": Story(pieces(PAGE, 4)),
    "dots": Story(beginning(1, "Text", "Contents "), ("....",)),
    "cells": Story(beginning(2, "Table", "<table><tr>"), ("<td", "></", "td", ">")),
    "sentence": Story(beginning(3, "Text", "Resolved. "), pieces(SENTENCE, 2)),
    # long, and no loop: each number once, by no even step
    "count": Story(tuple(f" no. {number * 1237 % 3001:04}" for number in range(3000))),
}
