"""Decide by the end of one text and the start of another if it goes on there, and join the two.

They are joined only if that is nearly sure. Otherwise they stay two paragraphs: a reader can still
put those together, but nobody can see that two were joined by mistake.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

ENDS = set(".!?:;…‥。．！？：；؟۔।")
CLOSING = re.compile(  # what may follow the end of a sentence: brackets, notes, emphasis
    r"(?:[\s\"'”’»)\]}）」』】〉》*_]|\[[0-9, ]{1,9}\]|\$?\^\{?[0-9*†‡, ]{1,9}\}?\$?|[¹²³⁰-⁹†‡])+$"
)
OPENING = re.compile(r"^[\s\"'“‘«(\[（「『【*_]+")
BEGINS_ANEW = re.compile(  # a list's sign, a number, a note's mark: this text is not a sequel
    r"\s*(?:[-*+•‣◦▪■□○●◇◆※▶►–—·#>|]|\(?(?:[0-9]{1,4}|[a-zA-Z]|[ivxIVX]{1,5}|[가-힣])[.)]"
    r"|\[[0-9]{1,3}\]|[①-⑳㉠-㉻]|제\s?[0-9]{1,4}\s?(?:[조항호장절관편])|\$?\^)"
)
HYPHENATED = re.compile(r"([^\W\d_]+)([-\u2010\u00ad])$")
CAMEL = re.compile(r"[a-z][A-Z]")  # iPhone may begin a sentence
WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
KOREAN_END, KOREAN_BEGIN = re.compile(r"[가-힣]+$"), re.compile(r"[가-힣]+")
LETTERS = re.compile(r"[^\W\d_]+")
ENGLISH = """
the a an and or nor of to from with by for in into at as than that which whose if because although
while is are was were be been has have had can could will would may might must should its their our
your this these those between through during under over
"""
UNFINISHED = frozenset(ENGLISH.split())  # words that do not end a sentence
UNFINISHED_KOREAN = re.compile(  # particles, endings and words that do not end one; no nouns
    r"[가-힣](?:을|를|은|는|에|와|며|에서|에게|에는|에도|하고|하여|되고|되어|이고|지만|면서|거나|도록)$"
    r"|(?:위한|위해|위하여|대한|대해|대하여|통한|통해|통하여|따른|따라|관한|관하여|하는|되는|있는|없는)$"
    r"|(?:^|\s)(?:및|또는|그리고|그러나|하지만|따라서|즉|그|모든|여러|다른|새로운|이러한|필요한)$"
)
GOES_ON_KOREAN = {  # syllable -> what may follow in the same word, which may have been cut there
    "은": "행퇴폐", "는": "데지가", "에": "게서도는만야", "와": "의는도", "고": "자서는도",
    "서": "는도의만", "한": "다민국", "지": "만", "도": "록",
}  # fmt: skip
LONG = 40  # a Chinese or Japanese text with so many characters should have a full stop


def words_of(texts: Iterable[str]) -> Counter[str]:
    """Count each word in texts. Hyphens inside a word are part of it."""
    return Counter(word.lower() for text in texts for word in WORD.findall(text))


def joined(before: str, after: str, words: Counter[str]) -> str | None:
    """Return both texts in one if the first goes on in the second; words are the document's."""
    before, after = before.rstrip(), after.lstrip()
    if not before or not after or BEGINS_ANEW.match(after):
        return None
    if hyphen := HYPHENATED.search(before):
        return unhyphenated(before, after, hyphen, words)
    end, begin = CLOSING.sub("", before)[-1:], OPENING.sub("", after)[:1]
    if not end or not begin or end in ENDS:
        return None
    if is_korean(before[-1]):
        return joined_in_korean(before, after, words)
    if goes_on_in_chinese(before, end, begin):
        return before + after
    goes_on = (end == "," and is_korean(begin)) or goes_on_in_latin(before, end, after)
    return f"{before} {after}" if goes_on else None


def unhyphenated(before: str, after: str, hyphen: re.Match[str], words: Counter[str]) -> str | None:
    """Join a word that was split. Its hyphen stays if the document has it only so elsewhere.

    None if the second text does not begin with a small letter.
    """
    rest = LETTERS.match(after)
    if not rest or not after[0].islower():
        return None
    first, sign, second = hyphen[1].lower(), hyphen[2], rest[0].lower()
    is_its_own = f"{first}-{second}" in words and first + second not in words
    return before + after if is_its_own and sign != "\u00ad" else before[:-1] + after


def goes_on_in_latin(before: str, end: str, after: str) -> bool:
    """Whether a text goes on, by small and capital letters (also Greek and Cyrillic) and words."""
    begin = OPENING.sub("", after)[:1]
    if not (end.isalnum() or end in ",$"):
        return False
    last = before.rpartition(" ")[2].lower()
    return (begin.islower() and not CAMEL.match(after)) or (last in UNFINISHED and begin.isalnum())


def joined_in_korean(before: str, after: str, words: Counter[str]) -> str | None:
    """Join two Korean texts, after a word that does not end a sentence, or in the middle of a word.

    A line may end after any syllable. A word was split if the document has it elsewhere, and at
    least one of its parts is nowhere else.
    """
    first, second = KOREAN_END.search(before), KOREAN_BEGIN.match(after)
    if first and second:
        parts = (first[0], second[0])
        if words["".join(parts)] and min(words[part] for part in parts) <= 1:
            return before + after
        if second[0][0] in GOES_ON_KOREAN.get(first[0][-1], ""):
            return None
    goes_on = UNFINISHED_KOREAN.search(before) and OPENING.sub("", after)[:1].isalnum()
    return f"{before} {after}" if goes_on else None


def goes_on_in_chinese(before: str, end: str, begin: str) -> bool:
    """Whether a text goes on in Chinese or Japanese, so that it is joined without a blank.

    It ends with a comma, or it is long and has full stops, but none at its end.
    """
    if not is_chinese(begin):
        return False
    has_stops = len(before) >= LONG and any(stop in before for stop in "。！？")
    return end in "，、" or (has_stops and is_chinese(end))


def is_chinese(sign: str) -> bool:
    """Whether it is a Chinese or Japanese character."""
    return unicodedata.name(sign, "").startswith(("CJK UNIFIED", "HIRAGANA", "KATAKANA"))


def is_korean(sign: str) -> bool:
    """Whether it is a Korean syllable."""
    return "가" <= sign <= "힣"
