"""Figures that docs/ gives in sentences, in both languages, equal those of the code."""

from __future__ import annotations

import pytest

from alike import MOST_ALIKE
from lib import notify, results
from lib.documents import document, making, shown_pictures
from lib.documents.searchable import own_text
from lib.plan import cards, forecast
from lib.score import truth
from lib.tune import verdict
from picture import damaged, images, limits
from picture.large import halves
from picture.pdf import mupdf
from rig.docs import ENGLISH, KOREAN, read
from server import in_flight, room
from trust import doubts
from workers import bounds

MIB = 1 << 20
MEGA = 1_000_000
# page, figure, and the words around it: English, Korean
TOLD: list[tuple[str, float, str, str]] = [
    ("reading", in_flight.CACHE_HIGH * 100, "filled to more than {}%", "캐시가 {}% 넘게"),
    ("reading", in_flight.CACHE_FULL * 100, "Beyond {}%", "{}%를 넘거나"),
    ("reading", bounds.WAITING_MIB, "at {} MiB a page", "한 쪽에 {} MiB"),
    ("reading", room.LONGEST_ANSWER, "run on to {}", "{}토큰까지 가기 전에"),
    ("reading", limits.KEPT_BYTES / MEGA, "more than {} MB stays decoded", "{} MB가 넘는 그림"),
    ("reading", limits.LARGE_PIXELS / MEGA, "beyond {} megapixels one", "{}메가픽셀이 넘는"),
    ("reading", MOST_ALIKE, "After {} pages of a file", "한 파일에서 {}쪽이"),
    ("inputs", images.MAX_SOURCE_PIXELS, "may have {} pixels", "그림은 {}픽셀까지"),
    (
        "inputs",
        halves.MOST_BYTES // halves.BYTES["P"] // MEGA,
        "colour beyond {} m",
        "컬러는 {}메가",
    ),
    ("inputs", halves.MOST_BYTES // halves.BYTES_ELSE // MEGA, "CMYK beyond {},", "CMYK는 {},"),
    ("inputs", halves.MOST_BYTES // halves.BYTES["I;16"] // MEGA, "gray beyond {}.", "회색은 {}을"),
    ("inputs", mupdf.LARGEST_DRAWING / MEGA, "drawn at {} megapixels at", "최대 {}메가픽셀로"),
    ("inputs", damaged.MOST_MISSING * 100, "at most {}% of its rows", "줄이 {}% 이하인"),
    ("trust", doubts.TRUSTED, "Below {} the model", "{}보다 낮으면"),
    ("documents", document.LONGEST_NAME_BYTES, "more than {} bytes", "{}바이트가 넘는"),
    ("documents", making.CPU_S, "of CPU time {} s", "CPU 시간({}초"),
    ("documents", making.PAGE_CPU_S, "and {} s a page", "페이지당 {}초"),
    ("documents", shown_pictures.MOST_BYTES / MIB, "({} MiB in all)", "(모두 {} MiB까지)"),
    ("documents", own_text.ENOUGH * 100, "own text layer has {} %", "글자 쌍을 {} %"),
    ("documents", own_text.GOOD * 100, "has {} % of its page", "페이지 전체의 {} %"),
    ("costs", forecast.BOOT_AND_LOAD_S, "with {} s until", "대답하기까지 {}초"),
    ("costs", cards.TOKENS, "answers {} tokens", "평균 {}토큰"),
    ("costs", notify.PATIENCE_S, "it has {} s", "{}초 안에"),
    ("tune", verdict.LEAST_PAGE * 100, "{}% of each page's", "페이지마다 글의 {}%"),
    ("tune", verdict.MOST_ERRORS * 100, "at most {}% of the characters", "문자가 {}% 넘게"),
    ("score", truth.MOST_BLOCKS, "more than {} blocks", "블록이 {}개를 넘는"),
]


@pytest.mark.parametrize(
    ("page", "figure", "english", "korean"), TOLD, ids=[f"{row[0]}: {row[2]}" for row in TOLD]
)
def test_what_is_told_is_what_the_code_has(
    page: str, figure: float, english: str, korean: str
) -> None:
    number = f"{round(figure, 3):,}".removesuffix(".0")
    for language, said in ((ENGLISH, english), (KOREAN, korean)):
        text = " ".join(read(f"docs/{page}{language}.md").split())
        assert said.format(number) in text


def test_the_sizes_that_bound_what_a_machine_sends() -> None:
    text = " ".join(read("SECURITY.md").split())
    assert f"A result has {results.LARGEST_BYTES // MIB} MiB at most" in text
    assert f"answer of a machine {results.LARGEST_MANIFEST_BYTES // MIB} MiB" in text
