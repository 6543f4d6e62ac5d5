"""The Korean sample pages, one of them mixed; all texts were written for this project.

Each page has a function.
"""

from __future__ import annotations

import pymupdf

from samples.english_pages import HARVEST_KG
from samples.typesetting import A4_HEIGHT, A4_WIDTH, GREY, Column, Style, put

KOREAN = Style(font="korea", size=11.5, leading=1.7)
KOREAN_BOLD = Style(font="korea", size=11.5, leading=1.7, thick=True)
KOREAN_HEADING = Style(font="korea", size=14, leading=1.6, thick=True)
KOREAN_SMALL = Style(font="korea", size=9, leading=1.5, colour=GREY)


def library_notice(page: pymupdf.Page) -> None:
    """Korean notice with headings, a list, a small table and a footer."""
    put(page, 72, 52, "솔숲마을 작은도서관", KOREAN_SMALL)
    put(page, A4_WIDTH - 72, 52, "알림 제12호", Style("korea", 9, colour=GREY, align="right"))
    page.draw_line((72, 60), (A4_WIDTH - 72, 60), width=0.8)
    column = Column(page, top=88)
    column.text("여름철 도서관 이용 안내", Style("korea", 22, align="centre", thick=True), after=14)
    column.text(
        "안녕하세요. 언제나 도서관을 아껴 주시는 주민 여러분께 감사드립니다. 여름 방학을 맞아 "
        "7월 1일부터 8월 31일까지 문 여는 시간을 늘리고, 아이들과 어른이 함께할 수 있는 여러 "
        "행사를 준비했습니다. 아래 내용을 살펴보시고 많이 찾아 주시기 바랍니다.",
        KOREAN,
        after=12,
    )
    column.text("1. 문 여는 시간", KOREAN_HEADING, after=4)
    column.table(
        [
            ["구분", "평일", "토요일", "일요일"],
            ["열람실", "09:00 ~ 21:00", "09:00 ~ 18:00", "10:00 ~ 17:00"],
            ["어린이방", "09:00 ~ 19:00", "09:00 ~ 18:00", "휴관"],
            ["책 반납함", "24시간", "24시간", "24시간"],
        ],
        [1, 1.3, 1.3, 1.3],
        Style("korea", 10),
        Style("korea", 10, thick=True),
        row_height=24,
        after=14,
    )
    column.text("2. 여름 행사", KOREAN_HEADING, after=3)
    column.items(
        [
            "그림책 읽는 밤: 매주 금요일 저녁 7시, 어린이방에서 불을 조금 낮추고 함께 읽습니다.",
            "헌책 바꾸기: 7월 20일 토요일 오전 10시부터 앞마당에서 열립니다. 한 사람이 다섯 권까지 "
            "가져올 수 있습니다.",
            "별 보기 모임: 8월 12일 저녁 8시 30분, 옥상에서 망원경으로 별을 봅니다. 비가 오면 다음 "
            "날로 미룹니다.",
        ],
        KOREAN,
        after=12,
    )
    column.text("3. 함께 지켜 주세요", KOREAN_HEADING, after=3)
    column.text(
        "열람실에서는 휴대전화를 무음으로 바꾸어 주시고, 음료는 뚜껑이 있는 컵에 담아 주십시오. "
        "빌린 책은 두 주 안에 돌려주시면 됩니다. 더 읽고 싶으실 때에는 전화로 한 번 더 연장할 수 "
        "있습니다.",
        KOREAN,
        after=22,
    )
    column.text("솔숲마을 작은도서관 드림", Style("korea", 12, align="right", thick=True))
    page.draw_line((72, 782), (A4_WIDTH - 72, 782), width=0.5)
    put(
        page,
        A4_WIDTH / 2,
        798,
        "문의: 1층 안내대 · 행사는 모두 무료입니다",
        Style("korea", 9, colour=GREY, align="centre"),
    )


def workshop(page: pymupdf.Page) -> None:
    """Korean and English on one page, with a numbered list."""
    column = Column(page, top=72)
    column.text("사진 정리 워크숍", Style("korea", 22, thick=True), after=0)
    column.text("Photo Sorting Workshop", Style("hebo", 15, colour=GREY), after=8)
    column.rule(thickness=1.2, after=14)
    column.text(
        "휴대전화 속에 쌓인 사진 수천 장, 언제 한번 정리해야지 하면서도 손이 가지 않습니다. 이 "
        "워크숍에서는 세 시간 동안 사진을 고르고(select), 이름을 붙이고(rename), 안전하게 "
        "보관하는(backup) 방법을 차근차근 배웁니다.",
        KOREAN,
        after=8,
    )
    english = Style("helv", 10.5, leading=1.6)
    column.text(
        "Bring your own laptop or phone and about 200 pictures. No experience is needed, and "
        "nobody has to show a photograph that they would rather keep to themselves.",
        english,
        after=14,
    )
    column.text("진행 순서 (Schedule)", KOREAN_HEADING, after=3)
    column.items(
        [
            "10:00 인사와 준비 – Welcome and setting up",
            "10:20 사진 고르기: 흐린 사진과 같은 사진(duplicate)을 먼저 지웁니다.",
            "11:10 이름 붙이기: “날짜_장소_번호” 규칙을 씁니다. 예) 0514_market_03.jpg",
            "12:00 보관하기: 서로 다른 곳에 사본 두 개 – Keep two copies in two places",
            "12:40 질문과 답 – Questions and answers",
        ],
        KOREAN,
        numbered=True,
        after=14,
    )
    column.text("준비물 (What to bring)", KOREAN_HEADING, after=3)
    column.items(
        [
            "노트북 또는 휴대전화, 그리고 충전기(charger)",
            "USB 메모리 32 GB 이상 – 없으면 빌려 드립니다.",
            "정리하고 싶은 사진 200장 안팎",
        ],
        KOREAN,
        after=14,
    )
    note = column.take(79, after=18)
    page.draw_rect(note, color=GREY, fill=(0.94, 0.94, 0.94), width=0.6)
    inner = Column(page, note.x0 + 14, note.x1 - 14, note.y0 + 10, note.y1)
    inner.text("꼭 기억하세요 (Remember)", KOREAN_BOLD, after=1)
    inner.text("원본(original)은 지우기 전에 반드시 두 번 확인합니다.", KOREAN)
    inner.text("Delete nothing on the day you copy it.", english)
    column.text("때: 5월 18일 토요일 오전 10시 ~ 오후 1시", KOREAN)
    column.text("곳: 마을회관 2층 배움방 (Room 204)", KOREAN)
    column.text("신청: 5월 10일까지, 선착순 15명 (first come, first served)", KOREAN)
    put(page, A4_WIDTH / 2, A4_HEIGHT - 40, "– 1 –", Style("helv", 9, align="centre"))


def garden_korean(page: pymupdf.Page) -> None:
    """Second page of the report: the same in Korean, with a table."""
    names = ["콩", "당근", "애호박", "감자", "토마토"]
    total_kg = sum(kilograms for _, kilograms in HARVEST_KG)
    column = Column(page, top=72)
    column.text(
        "역 앞 텃밭의 한 해", Style("korea", 22, colour=(0.18, 0.42, 0.25), thick=True), after=2
    )
    column.text("숫자로 보는 올해 이야기", Style("korea", 13, colour=GREY), after=14)
    column.text(
        "두 해 전만 해도 역 뒤의 좁은 땅에는 고장 난 손수레만 가득했습니다. 올해 이곳에서는 서른한 "
        "집이 저마다 여덟 제곱미터의 밭을 가꾸었습니다. 한 달에 두 번 토요일마다 모여 길을 고치고, "
        "거름을 뒤집고, 함께 쓰는 연장을 손질했습니다.",
        KOREAN,
        after=8,
    )
    column.text(
        f"5월부터 10월까지 거둔 것을 모두 달아 보니 {total_kg} kg이었습니다. 그 가운데 감자가 거의 "
        "삼분의 일을 차지했습니다.",
        KOREAN,
        after=14,
    )
    column.text("표 1. 올해 거둔 채소", KOREAN_BOLD, after=4)
    column.table(
        [
            ["채소", "거둔 양 (kg)", "비율 (%)"],
            *(
                [name, str(kilograms), f"{100 * kilograms / total_kg:.1f}"]
                for name, (_, kilograms) in zip(names, HARVEST_KG, strict=True)
            ),
            ["모두", str(total_kg), "100.0"],
        ],
        [1, 1, 1],
        Style("korea", 10),
        Style("korea", 10, thick=True),
        row_height=23,
        head_fill=(0.86, 0.93, 0.86),
        after=16,
    )
    column.text("배운 점", KOREAN_HEADING, after=3)
    column.items(
        [
            "물이 가장 모자랐습니다. 빗물 통 세 개를 더 놓기로 했습니다.",
            "철길 울타리 옆의 밭은 다른 곳보다 열흘쯤 일찍 익습니다.",
            "알림판이 단체 대화방보다 낫습니다. 누구나 그 앞을 지나가기 때문입니다.",
        ],
        KOREAN,
        after=14,
    )
    column.text("내년 계획", KOREAN_HEADING, after=3)
    column.text(
        "승강장을 따라 까치밥나무를 심고, 낡은 문짝으로 긴 의자를 만들겠습니다. 매달 첫째 일요일에 "
        "누구나 둘러볼 수 있도록 텃밭을 엽니다.",
        KOREAN,
    )
    put(page, A4_WIDTH / 2, A4_HEIGHT - 40, "2", Style("helv", 9, align="centre"))
