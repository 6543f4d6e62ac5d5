"""Two texts of the same place: what counts as the same, and what does not."""

from __future__ import annotations

import pytest

from trust.text.agreement import agreement, pieces_of
from trust.text.compared import words_said
from trust.text.folding import words_of

SENTENCE = "The ferry leaves the harbour at seven, and nobody on the island sees it go."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("**Bold** and `code`", ["bold", "and", "code"]),
        ("# A title\n- item", ["a", "title", "item"]),
        ("<table><tr><td colspan=2>A&amp;B</td><td>7</td></tr></table>", ["a", "b", "7"]),
        (r"$\frac{a}{b}$ of \textbf{it}", ["a", "b", "of", "it"]),
        ("har-\nbour and har\u2010\n  bour", ["harbour", "and", "harbour"]),
        ("Ｆｕｌｌ　ｗｉｄｔｈ ﬁve", ["full", "width", "five"]),
        ("Café naïve STRASSE Straße", ["cafe", "naive", "strasse", "strasse"]),
        ("배는 7시에", ["배는", "7", "시에"]),
        ("TEX2の基本", ["tex2", "の基本"]),
        ("10\u207b\u00b3 \u00bd", ["10", "3", "1", "2"]),
        ("[the ferry](https://example.org/timetable)", ["the", "ferry"]),
        (r"$\sin x$ is $\mathrm{odd}$", ["sin", "x", "is", "odd"]),
        ("a < b and c > d", ["a", "b", "and", "c", "d"]),
        ("see <https://example.org/x>", ["see", "https", "example", "org", "x"]),
    ],
)
def test_what_stands_on_the_page(text: str, words: list[str]) -> None:
    assert words_said({"text": text}) == words


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("of", []),
        ("sea", []),
        ("108", ["108"]),
        ("ferry", ["ferry"]),
        ("harbourisland", ["harbour", "island"]),
        ("항구를", ["항구"]),
        ("渡船七点", ["渡船", "七点"]),
        ("배", []),
    ],
)
def test_what_is_looked_for_of_a_word(word: str, pieces: list[str]) -> None:
    assert pieces_of(word) == pieces


@pytest.mark.parametrize(
    ("said", "there", "precision", "recall", "digits"),
    [
        (SENTENCE, SENTENCE, 1, 1, 0),
        (SENTENCE.upper(), SENTENCE.replace("harbour", "har-\nbour"), 1, 1, 0),
        (SENTENCE.replace(" ", ""), SENTENCE, 1, 1, 0),
        (SENTENCE[:36], SENTENCE, 1, 0.5, 0),
        (f"{SENTENCE} {SENTENCE}", SENTENCE, 0.5, 1, 0),
        ("Nothing of this was written there.", SENTENCE, 0, 0, 0),
        ("Total 1,240.50", "Total 1 240.50", 1, 1, 0),
        ("Total of all 1,240.50", "Total of all 1,247.50", 0.6, 0.6, 1),
        ("10^{-3} of a metre", "10\u207b\u00b3 of a metre", 1, 1, 0),
        ("the metre", "1 the metre", 1, 1, 0),  # a number that one side lacks is in the margin
        ("at", "to", 1, 1, 0),
        ("", SENTENCE, 1, 0, 0),
    ],
)
def test_agreement(said: str, there: str, precision: float, recall: float, digits: int) -> None:
    read = words_of(there)
    found = agreement(words_said({"text": said}), words_of(said), read, read)
    assert found.precision == pytest.approx(precision, abs=0.12)
    assert found.recall == pytest.approx(recall, abs=0.12)
    assert found.digits == digits
