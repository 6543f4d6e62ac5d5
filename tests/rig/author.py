"""Made-up documents in English and Korean: headings, tables, lists, notes and pictures.

    made = make_document(random.Random(1), pages=20)
    made.pages   # the cells of each page, as dots.ocr would give them
    made.truth   # (kind, text, level) of all that a reader should find, in order

A trap is a place where two paragraphs, or two tables, look like one that continues.
"""

from __future__ import annotations

import random
from bisect import bisect_right

from rig.page_layout import LINE, ROW, Layout, Made, wrapped

ENGLISH = """
the of and to a in is that it was for on are as with his they at be this from have or by one had
not but what all were when we there can an your which their said if do will each about how up out
them then she many some so these would other into has more her two like him see time could no make
than first been its who now people over new after under while machine letter paragraph document
reading evidence between column different important information international particular question
development government although without children following something experience understanding
"""
KOREAN = """
문서는 여러 페이지에 걸쳐 이어지는 문단을 하나로 합치는 과정을 거친다 이 연구에서는 표와 그림을
함께 다루며 결과를 확인하고 다음 단계로 넘어가는 방법을 제안하였다 시스템의 성능은 입력 자료에 따라
크게 달라지므로 사용자는 설정을 조정하여 사용할 수 있다 은행에서 제공하는 서비스에 대한 평가가
이루어졌으며 그 내용은 보고서에 실려 있다 정부는 국민의 안전을 위하여 새로운 정책을 추진하고 있으며
관련 기관과 협의를 진행하는 중이다 학생에게 필요한 교육을 제공하기 위한 예산도 확보되었다 지역
사회와 협력하여 문제를 해결하려는 노력이 계속되고 있다
"""


class Author:
    """Writes sentences, tables and the parts of a document, by chance."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.words, self.eojeols = chance, ENGLISH.split(), KOREAN.split()

    def english(self, words: int) -> str:
        """A paragraph of sentences."""
        found = [self.chance.choice(self.words) for _ in range(words)]
        for place in range(0, words, 12):
            found[place] = found[place].capitalize()
            found[place - 1] += "."
        return " ".join(found).rstrip(".") + "."

    def korean(self, words: int) -> str:
        """A paragraph of Korean sentences, with Korean sentence endings."""
        start = self.chance.randrange(len(self.eojeols))
        found = [self.eojeols[(start + place) % len(self.eojeols)] for place in range(words)]
        found = [f"{word}." if word.endswith("다") else word for word in found]
        return f"{' '.join(found).rstrip('.')} 것으로 나타났다."

    def text(self) -> str:
        """A paragraph in one of the two languages."""
        words = self.chance.randint(20, 160)
        return self.english(words) if self.chance.random() < 0.6 else self.korean(words // 2)

    def rows(self, head: list[str]) -> list[list[str]]:
        """A table's rows, with this header."""
        count = self.chance.randint(3, 30)
        return [head] + [
            [
                self.chance.choice(self.words),
                *(f"{self.chance.uniform(0, 99):.1f}" for _ in head[1:]),
            ]
            for _ in range(count)
        ]


def make_document(chance: random.Random, pages: int, traps: bool = False) -> Made:
    """Make a document of so many pages: the first half in one column, the second in two."""
    layout, author = Layout(chance, 1), Author(chance)
    layout.heading("A document that was made up", 1, "Title")
    chapter = section = table = 0
    while len(layout.made.pages) <= pages:
        if len(layout.made.pages) == pages // 2 + 1 and len(layout.columns) == 1:
            layout.set_columns(2)
        what = chance.choices(
            ("text", "section", "table", "list", "note", "picture"), (9, 2, 2, 1, 1, 1)
        )[0]
        if what == "section":
            is_chapter = not chapter or chance.random() < 0.3
            chapter, section = chapter + is_chapter, 0 if is_chapter else section + 1
            name = chance.choice(("Results", "방법과 자료", "Discussion", "결론"))
            number = f"{chapter}" if is_chapter else f"{chapter}.{section}"
            layout.heading(f"{number} {name}", 2 if is_chapter else 3)
        elif what == "table":
            table += 1
            head = [f"Table {table}", *(f"Column {n}" for n in range(chance.randint(1, 4)))]
            layout.table(author.rows(head), repeats=chance.random() < 0.5)
        elif what == "list":
            for _ in range(chance.randint(2, 4)):
                layout.other("List-item", f"- {author.english(6)}")
            layout.other("Formula", r"E = mc^2")
        elif what == "note" and len(layout.notes) < 3 and layout.room(LINE) > 4:
            layout.notes.append(f"$^{{{len(layout.notes) + 1}}}$ {author.english(7)}")
        elif what == "picture":
            layout.floats.append(f"Figure: {author.english(5)}")
        elif traps and chance.random() < 0.3:
            set_trap(layout, author)
        layout.paragraph(author.text())
    layout.end_page()
    return layout.made


TRAPS = {  # what ends a page without a full stop, and what begins the next one
    "a capital": ("the signature of the director", "Another paragraph begins here."),
    "a list in words": ("the conditions of the agreement", "b) the second condition."),
    "a Korean noun": ("관계 기관과 협의하여 사업을 추진", "예산은 다음과 같이 확보한다."),
    "a Korean clause": ("이 조항은 공포한 날부터 시행함", "제출 서류는 다음과 같다."),
    "a small letter": ("the signature of the director", "eBay is written with a small letter."),
}


def set_trap(layout: Layout, author: Author) -> None:
    """Fill the column to its end. What begins the next column must not be joined to it."""
    kind = layout.chance.choice((*TRAPS, "another table", "a table of that header"))
    if kind in TRAPS:
        end, begin = TRAPS[kind]
        width = layout.width // (7 if end.isascii() else 14)
        words = end.split()
        source = author.english if end.isascii() else author.korean
        while layout.room(LINE) < 3:
            layout.next_column()
        lead = source(20 * layout.room(LINE)).split()

        def lines(count: int) -> int:
            return len(wrapped(" ".join([*lead[:count], *words]), width))

        count = bisect_right(range(len(lead)), layout.room(LINE), key=lines) - 1
        layout.paragraph(" ".join([*lead[:count], *words]))
        layout.next_column()
        layout.paragraph(begin)
        layout.made.traps[len(layout.made.truth) - 1] = kind
        return
    while layout.room(ROW) < 4:
        layout.next_column()
    head = ["Name", "One", "Two"]
    layout.table([head, *([["a", "1.5", "2.5"]] * (layout.room(ROW) - 1))], repeats=False)
    layout.next_column()
    other = head if kind == "a table of that header" else ["Other", "One", "Two"]
    layout.table([other, *([["b", "3.5", "4.5"]] * 3)], repeats=False)
    layout.made.traps[len(layout.made.truth) - 1] = kind
