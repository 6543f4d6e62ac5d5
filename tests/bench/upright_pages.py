"""Upright pages of many kinds, to measure how well turned pages are found: bench/upright.py.

The words come from a page of docs/, in English or Korean, in the order of the prose. The fonts are
MuPDF's own and, if the system has them, DejaVu's; the caller may give more.
"""

from __future__ import annotations

import functools
import io
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pymupdf
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

ROOT = Path(__file__).resolve().parents[2]
DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
PROSE = {"en": "docs/vm.md", "ko": "docs/vm.ko.md"}
WORD = {"en": re.compile(r"[A-Za-z][a-z',]*\.?"), "ko": re.compile(r"[가-힣]+[.,]?|[A-Za-z]+")}
BUILT_IN = {"en": ["tiro", "tibo", "tiit", "helv", "hebo", "cour"], "ko": ["korea"]}
FILES = {"en": ["DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansCondensed-Bold.ttf"], "ko": []}

Ink = int
Box = tuple[float, float, float, float]  # in points: left, top, right, bottom


@functools.cache
def prose(language: str) -> list[str]:
    """The words of a page of docs/, in their order."""
    text = (ROOT / PROSE[language]).read_text(encoding="utf-8")
    text = re.sub(r"(?s)```.*?```|`[^`]*`|\]\([^)]*\)", " ", text)
    return [word for word in WORD[language].findall(text) if len(word) < 14]


@functools.cache
def font_data(name: str) -> bytes:
    """A font's file: a path if the name has a slash, else MuPDF's font of this name."""
    return Path(name).read_bytes() if "/" in name else bytes(pymupdf.Font(name).buffer)


@functools.lru_cache(maxsize=64)
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(io.BytesIO(font_data(name)), size)


def fonts(language: str, more: tuple[str, ...] = ()) -> list[str]:
    """The fonts for a page. `more` are files: `ko:…` or `en:…`."""
    given = [each.removeprefix(f"{language}:") for each in more if each.startswith(language)]
    files = [str(DEJAVU / name) for name in FILES[language] if (DEJAVU / name).exists()]
    return [*BUILT_IN[language], *files, *given]


@dataclass
class Sheet:
    """A page to draw on; lengths are in points."""

    rng: random.Random
    language: str
    name: str
    """The name of its font."""
    dpi: int
    wide: float = 595
    high: float = 842
    image: Image.Image = field(init=False)
    pen: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        self.image = Image.new("L", (self.px(self.wide), self.px(self.high)), 255)
        self.pen = ImageDraw.Draw(self.image)

    def px(self, points: float) -> int:
        return round(points * self.dpi / 72)

    def font(self, size: float, name: str = "") -> ImageFont.FreeTypeFont:
        return font(name or self.name, max(6, self.px(size)))

    def words(self, count: int) -> list[str]:
        source = prose(self.language)
        start = self.rng.randrange(len(source) - count)
        return source[start : start + count]

    def put(self, x: float, y: float, text: str, size: float, name: str = "") -> None:
        """Write a line with its top at y."""
        self.pen.text((self.px(x), self.px(y)), text, 0, self.font(size, name))

    def text(self, box: Box, size: float, leading: float = 1.4, lines: int = 999) -> float:
        """Write ragged prose into a box; return the y at which it ends."""
        left, top, right, bottom = box
        face, y = self.font(size), top
        queue = self.words(min(600, len(prose(self.language)) - 2))
        while lines and y + size * leading <= bottom:
            line = [queue.pop(0)]
            while queue and face.getlength(" ".join([*line, queue[0]])) < self.px(right - left):
                line.append(queue.pop(0))
            if self.rng.random() < 0.12:
                line = line[: self.rng.randint(1, len(line))]  # the last line of a paragraph
            self.put(left, y, " ".join(line), size)
            y += size * leading
            lines -= 1
            if len(queue) < 40:
                queue += self.words(300)
        return y

    def title(self, y: float, size: float, words: int, x: float = 60) -> float:
        self.put(x, y, " ".join(self.words(words)), size)
        return y + 1.8 * size

    def line(self, box: Box, width: float = 0.7) -> None:
        self.pen.line([self.px(at) for at in box], 0, max(1, self.px(width)))

    def table(self, box: Box, rows: int, columns: int, size: float, ruled: str = "all") -> float:
        """A table; its cells are words and numbers."""
        left, top, right, _ = box
        high, wide = size * 2, (right - left) / columns
        for row in range(rows + 1):
            if ruled == "all" or (ruled == "rows" and row in (0, 1, rows)):
                self.line((left, top + row * high, right, top + row * high))
        if ruled == "all":
            for column in range(columns + 1):
                x = left + column * wide
                self.line((x, top, x, top + rows * high))
        for row in range(rows):
            for column in range(columns):
                number = f"{self.rng.uniform(0, 2000):,.{self.rng.choice((0, 1, 2))}f}"
                cell = number if row and column else self.words(1)[0]
                self.put(left + column * wide + 4, top + row * high + size / 2, cell, size)
        return top + rows * high

    def photo(self, box: Box) -> None:
        """Draw something like a photo: a sky, hills, a sun; with grain."""
        size = self.px(box[2] - box[0]), self.px(box[3] - box[1])
        photo = Image.linear_gradient("L").resize(size).point(lambda v: 90 + v // 2)
        pen = ImageDraw.Draw(photo)
        for _ in range(6):
            x, y = self.rng.randrange(size[0]), self.rng.randrange(size[1])
            r = self.rng.randint(size[0] // 20 + 1, size[0] // 4 + 2)
            pen.ellipse((x - r, y - r, x + r, y + r), self.rng.randrange(40, 230))
        grain = Image.effect_noise(size, 12)
        photo = ImageChops.add(photo.filter(ImageFilter.GaussianBlur(3)), grain, 1, -128)
        self.image.paste(photo, (self.px(box[0]), self.px(box[1])))

    def chart(self, box: Box) -> None:
        left, top, right, bottom = box
        self.line((left, top, left, bottom))
        self.line((left, bottom, right, bottom))
        for number in range(6):
            x = left + (number + 0.3) * (right - left) / 6
            y = bottom - self.rng.uniform(0.1, 0.9) * (bottom - top)
            corners = (self.px(x), self.px(y), self.px(x + 30), self.px(bottom))
            self.pen.rectangle(corners, self.rng.choice((60, 130, 190)))
            self.put(x, bottom + 4, self.words(1)[0], 8)
        for step in range(5):
            self.put(left - 24, bottom - step * (bottom - top) / 5 - 4, str(step * 25), 8)


def dense(s: Sheet) -> None:
    s.text((50, s.title(50, 16, 4), 545, 800), s.rng.choice((8, 9, 10)), 1.3)


def two_columns(s: Sheet) -> None:
    y = s.title(50, 18, 5)
    s.text((50, y, 285, 790), 9, 1.3)
    s.text((310, y, 545, 790), 9, 1.3)


def letter(s: Sheet) -> None:
    for y in (70, 85, 100):
        s.put(60, y, " ".join(s.words(3)), 11)
    end = s.text((60, 180, 530, 800), 12, 1.6, s.rng.randint(6, 14))
    s.put(60, end + 40, " ".join(s.words(2)), 12)


def few_lines(s: Sheet) -> None:
    s.text((70, s.rng.uniform(80, 500), 525, 800), 12, 1.5, s.rng.randint(2, 5))


def one_title(s: Sheet) -> None:
    s.title(s.rng.uniform(150, 400), s.rng.choice((24, 32)), s.rng.randint(2, 4))


def ruled_table(s: Sheet) -> None:
    y = s.title(60, 16, 4)
    s.table((50, y, 545, 0), s.rng.randint(8, 28), s.rng.randint(3, 6), 10)


def open_table(s: Sheet) -> None:
    y = s.text((50, 60, 545, 200), 10, 1.4, 4)
    s.table((50, y + 20, 545, 0), s.rng.randint(6, 20), s.rng.randint(4, 7), 9, "rows")


def with_photo(s: Sheet) -> None:
    y = s.text((50, s.title(50, 20, 4), 545, 300), 10, 1.4)
    s.photo((50, y + 10, 545, y + 280))
    s.text((50, y + 295, 545, 800), 10, 1.4, s.rng.randint(3, 12))


def with_chart(s: Sheet) -> None:
    y = s.text((50, s.title(50, 18, 4), 545, 260), 10, 1.4)
    s.chart((90, y + 20, 520, y + 230))
    s.text((50, y + 270, 545, 800), 10, 1.4, s.rng.randint(2, 10))


def formulas(s: Sheet) -> None:
    y = 60.0
    while y < 740:
        y = s.text((60, y, 535, 780), 10.5, 1.4, s.rng.randint(1, 4)) + 8
        a, b, c = (s.rng.choice("xyzabnk") for _ in range(3))
        s.put(180, y, f"{a}({b}) = ∑ {c}² + 3{b} − 2∫ {a}d{b}", 13, MATH)
        s.line((330, y + 8, 380, y + 8))
        s.put(345, y - 6, f"{a} + 1", 10, MATH)
        s.put(345, y + 10, f"2{c}", 10, MATH)
        y += 34


def bullet_list(s: Sheet) -> None:
    y = s.title(60, 20, 3)
    for _ in range(s.rng.randint(5, 16)):
        s.pen.ellipse((s.px(64), s.px(y + 4), s.px(68), s.px(y + 8)), 0)
        s.put(80, y, " ".join(s.words(s.rng.randint(3, 8))), 11)
        y += 24


def newspaper(s: Sheet) -> None:
    y = s.title(40, 34, 2, 50)
    s.line((50, y, 545, y), 1.5)
    for x in (50, 218, 386):
        s.text((x, y + 12, x + 156, 800), 8.5, 1.25)


def slide(s: Sheet) -> None:
    s.pen.rectangle((0, 0, s.px(s.wide), s.px(12)), 70)
    y = s.title(50, 36, 3)
    for _ in range(s.rng.randint(2, 5)):
        s.put(90, y, " ".join(s.words(s.rng.randint(2, 6))), 22)
        y += 52


def receipt(s: Sheet) -> None:
    y = s.title(20, 16, 1, 60)
    for _ in range(s.rng.randint(8, 20)):
        s.put(16, y, s.words(1)[0], 10)
        s.put(150, y, f"{s.rng.uniform(0, 90):.2f}", 10)
        y += 16
    s.line((16, y, 200, y))


def contents(s: Sheet) -> None:
    y = s.title(60, 22, 1)
    for number in range(s.rng.randint(10, 26)):
        text = " ".join(s.words(s.rng.randint(2, 5)))
        s.put(60, y, f"{number + 1}. {text} ", 11)
        start = 66 + s.font(11).getlength(f"{number + 1}. {text} ") * 72 / s.dpi
        s.put(start, y, "." * max(0, int((500 - start) / 3.3)), 11)
        s.put(515, y, str(number * 7 + 1), 11)
        y += 24


def form(s: Sheet) -> None:
    y = s.title(60, 20, 3)
    for _ in range(s.rng.randint(6, 14)):
        s.put(60, y, s.words(1)[0], 10)
        s.pen.rectangle([s.px(at) for at in (170, y - 6, 530, y + 18)], outline=0)
        y += 40


def code(s: Sheet) -> None:
    y = 60.0
    for _ in range(s.rng.randint(20, 55)):
        indent = s.rng.choice((0, 4, 4, 8))
        start = s.rng.randrange(500)
        words = [word.strip(".,") for word in prose("en")[start : start + 4]]
        s.put(60, y, " " * indent + f"{words[0]}_{words[1]} = {words[2]}({words[3]})", 9, "cour")
        y += 13


def wide_table(s: Sheet) -> None:
    s.table((40, s.title(40, 16, 4, 40), 800, 0), s.rng.randint(10, 20), 8, 10)


def letterhead(s: Sheet) -> None:
    s.pen.ellipse([s.px(at) for at in (440, 40, 520, 120)], 60)
    s.text((60, 200, 400, 800), 11, 1.5, s.rng.randint(4, 9))
    s.put(60, 790, " ".join(s.words(5)), 8)


def capitals(s: Sheet) -> None:
    y = 90.0
    for _ in range(s.rng.randint(5, 14)):
        s.put(60, y, " ".join(s.words(4)).upper(), 14)
        y += 30


def numbers(s: Sheet) -> None:
    s.table((50, 60, 545, 0), s.rng.randint(20, 36), 5, 9, "none")


def notes(s: Sheet) -> None:
    y = s.text((60, 60, 535, 560), 11, 1.4)
    s.line((60, y + 10, 200, y + 10))
    s.text((60, y + 18, 535, 800), 8, 1.3, 6)


def card(s: Sheet) -> None:
    s.title(30, 16, 2, 24)
    for number in range(3):
        s.put(24, 80 + 16 * number, " ".join(s.words(3)), 9)


def caption_only(s: Sheet) -> None:
    s.photo((50, 60, 545, 640))
    s.text((60, 660, 535, 800), 11, 1.4, s.rng.randint(2, 4))


# Held out: no number in picture/looks.py was chosen with these pages in view.


def index(s: Sheet) -> None:
    for x in (60, 310):
        y = 60.0
        for _ in range(s.rng.randint(20, 45)):
            s.put(x, y, f"{s.words(1)[0]}, {s.rng.randint(1, 300)}", 9)
            y += 15


def poem(s: Sheet) -> None:
    y = s.title(100, 16, 2, 160)
    for number in range(s.rng.randint(8, 20)):
        s.put(160, y, " ".join(s.words(s.rng.randint(2, 5))), 11)
        y += 18 if number % 4 != 3 else 36


def invoice(s: Sheet) -> None:
    s.title(50, 24, 1)
    for number in range(4):
        s.put(60, 100 + 14 * number, " ".join(s.words(3)), 9)
        s.put(380, 100 + 14 * number, f"{s.rng.randint(10**6, 10**8)}", 9)
    y = s.table((60, 190, 535, 0), s.rng.randint(4, 10), 4, 10, "rows")
    s.put(380, y + 20, f"{s.rng.uniform(0, 9999):,.2f}", 14)
    s.put(60, 780, " ".join(s.words(6)), 8)


def dialogue(s: Sheet) -> None:
    y = 60.0
    while y < 740:
        s.put(60, y, s.words(1)[0][:10].upper(), 10)
        y = s.text((150, y, 535, 800), 10, 1.4, s.rng.randint(1, 3)) + 8


def two_languages(s: Sheet) -> None:
    y = s.title(50, 18, 3)
    for _ in range(s.rng.randint(3, 6)):
        y = s.text((60, y, 535, 780), 10, 1.4, 3)
        s.language, s.name = ("ko", "korea") if s.language == "en" else ("en", "tiro")


def vertical(s: Sheet) -> None:
    """Korean from top to bottom, with columns from right to left, as in old books."""
    size = s.rng.choice((12, 14))
    for x in range(520, 60, -int(size * 1.7)):
        letters = "".join(s.words(40)).replace(".", "").replace(",", "")
        for row in range(int(700 / (size * 1.1))):
            s.put(x, 60 + row * size * 1.1, letters[row % len(letters)], size)


def photo_only(s: Sheet) -> None:
    s.photo((0, 0, s.wide, s.high))


def drawing(s: Sheet) -> None:
    for _ in range(40):
        ends = [s.rng.uniform(60, 530) for _ in range(4)]
        s.line((ends[0], ends[1], ends[2], ends[3]), s.rng.choice((0.7, 1.5)))


MATH = str(DEJAVU / "DejaVuSerif.ttf") if (DEJAVU / "DejaVuSerif.ttf").exists() else "tiro"

Draw = Callable[[Sheet], None]
TUNED: tuple[Draw, ...] = (
    dense, two_columns, letter, few_lines, one_title, ruled_table, open_table, with_photo,
    with_chart, formulas, bullet_list, newspaper, slide, receipt, contents, form, code, wide_table,
    letterhead, capitals, numbers, notes, card, caption_only,
)  # fmt: skip
HELD_OUT: tuple[Draw, ...] = (index, poem, invoice, dialogue, two_languages)
WITHOUT_WAY: tuple[Draw, ...] = (vertical, photo_only, drawing)
"""Never to be turned, in any position. It does not count whether they are found when turned."""

FEW_WORDS = (few_lines, one_title, slide, card, caption_only, letterhead, form)
"""Mostly fewer than forty words; such pages may look upright when they are upside down."""

LANDSCAPE = {
    "slide": (842, 474),
    "wide_table": (842, 595),
    "receipt": (220, 420),
    "card": (260, 150),
}
DPIS = (72, 100, 120, 150, 200)


def clean(image: Image.Image, rng: random.Random) -> Image.Image:
    return image


def skewed(image: Image.Image, rng: random.Random) -> Image.Image:
    return image.rotate(rng.choice((-2, -1, 1, 2)), Image.Resampling.BICUBIC, fillcolor=255)


def noisy(image: Image.Image, rng: random.Random) -> Image.Image:
    grain = Image.effect_noise(image.size, 40)
    return ImageChops.add(image.point(lambda v: 40 + v * 180 // 255), grain, 1, -128)


def inverted(image: Image.Image, rng: random.Random) -> Image.Image:
    return ImageChops.invert(image)


def scanned(image: Image.Image, rng: random.Random) -> Image.Image:
    """A skewed sheet on a scanner's dark ground, with uneven light, as a bad JPEG."""
    page = image.rotate(rng.uniform(-2, 2), Image.Resampling.BICUBIC, fillcolor=255)
    ground = Image.new("L", (page.width * 11 // 10, page.height * 11 // 10), 30)
    light = Image.radial_gradient("L").resize(page.size).point(lambda v: 255 - v // 3)
    ground.paste(ImageChops.multiply(page, light), (page.width // 30, page.height // 25))
    buffer = io.BytesIO()
    ground.save(buffer, "JPEG", quality=40)
    return Image.open(buffer).convert("L")


def blurred(image: Image.Image, rng: random.Random) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(image.width / 900))


DAMAGES = (clean, clean, clean, skewed, noisy, scanned, inverted, blurred)


@dataclass(frozen=True)
class Made:
    """A page, and how it was made."""

    kind: str
    language: str
    damage: str
    dpi: int
    font: str
    image: Image.Image


def make(draw: Draw, language: str, seed: int, more: tuple[str, ...] = ()) -> Made:
    """Make the page of this kind with this number: always the same, except for its noise."""
    rng = random.Random(f"{draw.__name__} {language} {seed}")
    name = rng.choice(fonts(language, more))
    dpi = rng.choice(DPIS)
    wide, high = LANDSCAPE.get(draw.__name__, (595, 842))
    if draw in (card, receipt):
        dpi = rng.choice((150, 200, 300))
    sheet = Sheet(rng, language, name, dpi, wide, high)
    draw(sheet)
    damage = rng.choice(DAMAGES)
    return Made(draw.__name__, language, damage.__name__, dpi, name, damage(sheet.image, rng))
