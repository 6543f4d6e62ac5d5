"""Turn a text into folded words, so that two texts are compared by letters and digits alone.

Case, width, accents, spaces, line ends and hyphens do not count.
"""

import re
import unicodedata

GLUE = re.compile(r"[-\u2010\u2011]\s*\n\s*")  # inside a word that goes on in the next line
EAST = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"
EAST_ASIAN = re.compile(f"[{EAST}]")
HANGUL = re.compile("[\uac00-\ud7a3]")
WORD = re.compile(rf"[{EAST}]+|[^\W_{EAST}]+")


def folded(text: str) -> str:
    """Return a text in which like signs are the same: small letters, half width, no accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return unicodedata.normalize("NFC", bare)  # NFKD took Hangul apart, too


def words_of(text: str) -> list[str]:
    """Return the folded words of a text; a sign that is neither letter nor digit separates them."""
    return WORD.findall(folded(GLUE.sub("", text)))
