"""A text -> its words, folded, so that two texts are compared by their letters and digits alone.

Then case, width, accents, spaces, line ends and hyphens do not count.
"""

import re
import unicodedata

GLUE = re.compile(r"[-\u2010\u2011]\s*\n\s*")  # of a word that goes on in the next line
EAST = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"
EAST_ASIAN = re.compile(f"[{EAST}]")
HANGUL = re.compile("[\uac00-\ud7a3]")
WORD = re.compile(rf"[{EAST}]+|[^\W_{EAST}]+")


def folded(text: str) -> str:
    """A text in which signs that look alike are one: small letters, half width, no accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return unicodedata.normalize("NFC", bare)  # Hangul has come apart, too


def words_of(text: str) -> list[str]:
    """The words of a text, folded; what is no letter and no digit parts them."""
    return WORD.findall(folded(GLUE.sub("", text)))
