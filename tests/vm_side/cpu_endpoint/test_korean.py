"""Which reading of a line is kept, and when a page counts as Korean."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from cpu_endpoint.korean import (
    Reading,
    Verdict,
    choose,
    is_korean,
    read_korean,
    replaced,
    suspects,
    verdict,
    with_bullet,
    with_latin,
)
from cpu_endpoint.tesseract import Word, find, parse, scaled, spaced

KEEP, CHECK, ASK = Verdict.KEEP, Verdict.CHECK, Verdict.ASK


@pytest.mark.parametrize(
    ("text", "score", "aspect", "expected"),
    [
        ("The quick brown fox jumps over it", 0.98, 12.0, KEEP),
        ("The quick brown fox jumps over it", 0.80, 12.0, ASK),
        ("12，000", 0.97, 2.4, CHECK),
        ("1.", 0.98, 3.7, ASK),  # the heading after the number is not read
        ("GU20241，00030", 0.91, 30.0, ASK),
        ("", 0.0, 25.0, ASK),
        (" .", 0.55, 27.0, ASK),
        ("•", 0.97, 1.0, KEEP),
        ("故諺言曰心悲名曰志悲", 0.99, 9.0, KEEP),
        ("故諺言曰心悲名曰志悲", 0.90, 9.0, CHECK),
        ("东京都の天気", 0.98, 6.0, KEEP),
        ("7是", 0.75, 1.6, ASK),
        ("买鲁", 0.52, 1.6, ASK),
        ("号 ，ユ卫 (charger)", 0.82, 10.0, CHECK),
        (",    ,   -", 0.89, 14.0, ASK),  # it may be Cyrillic, which PP-OCR has not learnt
        ("故諺言曰", 0.60, 0.2, KEEP),  # vertical text
    ],
)
def test_verdict(text: str, score: float, aspect: float, expected: Verdict) -> None:
    assert verdict(Reading(text, score, aspect)) is expected


@pytest.mark.parametrize(
    ("text", "kind", "other", "confidence", "expected"),
    [
        ("", ASK, "최근 문서 인식", 92.0, "최근 문서 인식"),
        ("", ASK, "Me", 77.0, ""),
        ("GPU20241", ASK, "특히 GPU 서버를 2024년", 85.0, "특히 GPU 서버를 2024년"),
        ("12，000", CHECK, "12,000원", 83.0, "12,000원"),
        ("12，000", CHECK, "12,0008", 83.0, "12,000"),
        ("12，000", CHECK, "12,00원", 83.0, "12,000"),  # a digit is missing: not trusted
        ("号ユ卫", CHECK, "충전기", 90.0, "충전기"),
        ("故諺言曰", CHECK, "래트", 26.0, "故諺言曰"),
        ("唾。沫", ASK, "때", 20.0, "唾。沫"),
        ("The library", KEEP, "도서관", 99.0, "The library"),
    ],
)
def test_choose(text: str, kind: Verdict, other: str, confidence: float, expected: str) -> None:
    assert choose(Reading(text, 0.9, 8.0), kind, other, confidence) == expected


@pytest.mark.parametrize(
    ("text", "other", "expected"),
    [
        ("• .", "ㆍ 첫째 항목", "• 첫째 항목"),
        ("• .", "첫째 항목", "• 첫째 항목"),
        ("", "© 그림책 읽는 밤", "• 그림책 읽는 밤"),
        ("", "그림책 읽는 밤", "그림책 읽는 밤"),
    ],
)
def test_bullets_survive(text: str, other: str, expected: str) -> None:
    assert with_bullet(text, other) == expected


def test_latin_words_are_taken_from_the_reader_that_knows_latin() -> None:
    assert with_latin("vLLM", "연구에서는 vLbLM 기반") == "연구에서는 vLLM 기반"
    assert with_latin("dupicae", "같은 사진(duplicates)") == "같은 사진(duplicates)"


def words(*items: tuple[str, float]) -> list[Word]:
    return [Word(text, score, 40 * i, 40 * i + 30) for i, (text, score) in enumerate(items)]


def test_a_page_is_korean_when_a_third_of_its_samples_are() -> None:
    hangul = words(("도서관", 95.0), ("안내", 90.0))
    doubtful = words(("래트", 26.0), ("nee", 14.0))
    latin = words(("MOAHTBaAMH", 39.0), ("Ha", 95.0))
    assert is_korean([hangul, latin, doubtful])
    assert not is_korean([doubtful, latin])
    assert not is_korean([hangul] + [latin] * 5)
    assert not is_korean([])


def test_latin_words_that_nobody_else_saw_are_read_again_as_korean() -> None:
    line = words(("GPU", 95.0), ("MHS", 80.0), ("이용", 95.0))
    assert suspects(line, "GPU.") == [1]
    again = [Word("서버를", 90.0, 41, 69)]
    assert [w.text for w in replaced(line, [1], again)] == ["GPU", "서버를", "이용"]
    assert replaced(line, [1], [Word("4ㄴ", 40.0, 41, 69)]) == line


class Script:
    """A reader that returns this text, and counts the lines that it gets."""

    languages = "kor+eng"

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = 0

    def read(self, lines: Sequence[np.ndarray[Any, Any]], languages: str) -> list[list[Word]]:
        self.lines += len(lines)
        return [[Word(self.text, 95.0, 10, 300)] for _ in lines]


def blank_lines(count: int) -> tuple[list[Reading], list[np.ndarray[Any, Any]]]:
    crops = [np.full((30, 300, 3), 255, np.uint8)] * count
    return [Reading(" .", 0.6, 10.0)] * count, crops


def test_a_page_in_another_language_costs_only_a_sample() -> None:
    reader = Script("MOAHTBaAMH")
    assert read_korean(*blank_lines(300), reader) == ["."] * 300
    assert reader.lines <= 6


def test_a_korean_page_is_read_line_by_line() -> None:
    reader = Script("도서관")
    assert read_korean(*blank_lines(20), reader) == ["도서관"] * 20


def test_without_tesseract_the_first_readings_stand() -> None:
    assert read_korean([Reading("12，000", 0.5, 2.0)], blank_lines(1)[1], None) == ["12,000"]


def test_parse_reads_words_by_page_and_ignores_damage() -> None:
    row = "5\t{page}\t1\t1\t1\t1\t{left}\t10\t20\t30\t{conf}\t{text}"
    table = "\n".join(
        [
            "level\tpage_num",
            row.format(page=1, left=5, conf=91.5, text="도서관"),
            row.format(page=3, left=9, conf=80, text="x"),
            "5\t2\tbroken",
            row.format(page=9, left=9, conf=80, text="x"),
            row.format(page=2, left=1, conf=1, text=" "),
        ]
    )
    found = parse(table, 3)
    assert found == [[Word("도서관", 91.5, 5, 25)], [], [Word("x", 80.0, 9, 29)]]


def test_the_paper_between_words_decides_about_the_space() -> None:
    line = np.full((52, 200), 255, np.uint8)
    line[15:35, 10:30] = line[15:35, 33:53] = line[15:35, 70:90] = 0
    found = [Word("도", 90, 10, 30), Word("서", 90, 33, 53), Word("관", 90, 70, 90)]
    assert spaced(found, line) == "도서 관"
    assert spaced([], line) == ""


def test_white_on_black_is_turned() -> None:
    crop = np.zeros((40, 100, 3), np.uint8)
    crop[10:30, 20:40] = 255
    assert np.median(scaled(crop)) == 255


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert find().missing == "tesseract"
