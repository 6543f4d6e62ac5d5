"""Guess the language of a text from its letters."""

import re

LETTERS = (
    ("ko", re.compile("[\uac00-\ud7a3\u3131-\u318e]")),
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)
SHARE = 0.05  # of all letters: a few foreign words in a text do not change its language
LETTER = re.compile(r"[^\W\d_]")


def language(text: str) -> str:
    """Return a language's tag; empty if many languages have these letters, such as the Latin ones.

    Korean and Japanese texts have Chinese letters, too, so their own letters are counted first.
    """
    whole = len(LETTER.findall(text))
    for tag, letters in LETTERS:
        if len(letters.findall(text)) > SHARE * whole:
            return tag
    return ""
