"""The sample page that looks like a paper: two columns, a figure and a formula."""

from __future__ import annotations

import math

import pymupdf

from samples.typesetting import A4_HEIGHT, A4_WIDTH, GREY, Column, Style, put


def _temperature(hours: float, air: float, start: float, decay_hours: float) -> float:
    """Temperature in °C of water that cools from `start` towards `air`."""
    return air + (start - air) * math.exp(-hours / decay_hours)


def _cooling_figure(page: pymupdf.Page, box: pymupdf.Rect) -> None:
    """Two cooling curves with axes, ticks and a legend."""
    label = Style(font="helv", size=7)
    area = pymupdf.Rect(box.x0 + 26, box.y0 + 6, box.x1 - 4, box.y1 - 26)

    def at(hours: float, celsius: float) -> tuple[float, float]:
        return area.x0 + hours / 10 * area.width, area.y1 - (celsius - 12) / 12 * area.height

    for celsius in (15, 18, 21):
        page.draw_line(at(0, celsius), at(10, celsius), color=(0.85,) * 3, width=0.4)
    for celsius in range(12, 25, 3):
        y = at(0, celsius)[1]
        page.draw_line((area.x0 - 3, y), (area.x0, y), width=0.5)
        put(page, area.x0 - 5, y + 2.5, str(celsius), Style("helv", 7, align="right"))
    for hours in range(0, 11, 2):
        x = at(hours, 12)[0]
        page.draw_line((x, area.y1), (x, area.y1 + 3), width=0.5)
        put(page, x, area.y1 + 11, str(hours), Style("helv", 7, align="centre"))
    for decay_hours, width, dashes in ((3.0, 1.3, None), (7.5, 1.1, "[4 2] 0")):
        curve = [at(h / 4, _temperature(h / 4, 13.0, 23.5, decay_hours)) for h in range(41)]
        page.draw_polyline(curve, width=width, dashes=dashes)
    for hour, error in enumerate((0, 0.2, -0.3, 0.1, 0.3, -0.2, -0.1, 0.3, -0.2, 0.1, -0.1)):
        measured = _temperature(hour, 13.0, 23.5, 3.0) + error
        page.draw_circle(at(hour, measured), 1.8, fill=(0, 0, 0))
    page.draw_rect(area, width=0.7)
    for row, (text, dashes) in enumerate((("20 cm deep", None), ("50 cm deep", "[4 2] 0"))):
        y = area.y0 + 11 + 11 * row
        page.draw_line((area.x1 - 68, y), (area.x1 - 48, y), width=1.2, dashes=dashes)
        put(page, area.x1 - 44, y + 2.5, text, label)
    put(
        page,
        (area.x0 + area.x1) / 2,
        box.y1 - 4,
        "hours after sunset",
        Style("helv", 7.5, align="centre"),
    )
    put(page, box.x0 + 2, box.y0 + 4, "°C", Style("helv", 7.5))


def two_columns(page: pymupdf.Page) -> None:
    """English, laid out like a paper: abstract, sections, figure, caption and formula."""
    body = Style(size=10, leading=1.32, align="justify")
    heading = Style(font="tibo", size=11, leading=1.4)
    caption = Style(font="tiit", size=9, leading=1.3, align="centre")

    top = Column(page, left=54, right=A4_WIDTH - 54, top=56)
    top.text("Evening Cooling of Shallow Garden Ponds", Style("tibo", 18, align="centre"), after=2)
    top.text(
        "A short note from two ponds and one thermometer",
        Style("tiit", 11, colour=GREY, align="centre"),
        after=10,
    )
    abstract = Column(page, left=90, right=A4_WIDTH - 90, top=top.y)
    abstract.text("Abstract", Style("tibo", 9.5, align="centre"), after=1)
    abstract.text(
        "We measured how two garden ponds of the same surface but of different depth lose their "
        "warmth after sunset. One exponential curve for each pond describes nine clear evenings to "
        "within 0.3 °C. The shallow pond cools two and a half times as fast as the deep one, which "
        "is what their depths alone would suggest.",
        Style(size=9.5, leading=1.3, align="justify"),
        after=14,
    )
    left = Column(page, left=54, right=288, top=abstract.y, bottom=A4_HEIGHT - 60)
    right = Column(page, left=307, right=A4_WIDTH - 54, top=abstract.y, bottom=A4_HEIGHT - 60)

    left.text("1 Introduction", heading, after=2)
    left.text(
        "A pond is a slow thermometer. During the day it stores the warmth of the sun, and at "
        "night it gives that warmth back to the air above it. Anyone who has put a hand into a "
        "pond late on a summer evening knows that the water can be much warmer than the grass "
        "beside it. How long this lasts depends on the wind, on the clouds and, most of all, on "
        "the depth of the water.",
        body,
        after=5,
    )
    left.text(
        "Large lakes have been studied with care. Small ponds have not, although there are many "
        "more of them, and although frogs and newts depend on their warmth.",
        body,
        after=9,
    )
    left.text("2 Method", heading, after=2)
    left.text(
        "Both ponds are square tubs of 1.5 m by 1.5 m, sunk into the same lawn. The first is 20 cm "
        "deep and the second 50\u00a0cm. A waterproof probe hung at half depth in each of them "
        "and was read once an hour, from sunset until ten hours later. We kept only evenings "
        "without clouds and with no wind that would move a candle flame. Nine evenings in July "
        "were left.",
        body,
        after=5,
    )
    left.text(
        "If the pond is well mixed and the air stays at one temperature, the water should follow",
        body,
        after=3,
    )
    italic, upright = Style("tiit", 11), Style("tiro", 11)
    low, high = Style("tiit", 7.5), Style("tiit", 8)
    left.formula(
        [
            ("T", italic, 0),
            (" (", upright, 0),
            ("t", italic, 0),
            (")  =  ", upright, 0),
            ("T", italic, 0),
            ("a", low, -2.5),
            ("  +  (", upright, 0),
            ("T", italic, 0),
            ("0", low, -2.5),
            (" – ", upright, 0),
            ("T", italic, 0),
            ("a", low, -2.5),
            (") ", upright, 0),
            ("e", italic, 0),
            ("–t / ", high, 4.5),
            ("τ", Style("symb", 8), 4.5),
        ],
        "(1)",
        after=4,
    )
    left.text(
        "in which the first term is the temperature of the air, the bracket is the difference at "
        "sunset, and the last factor falls to one third in a little more than the time constant.",
        body,
        after=5,
    )
    left.text(
        "The time constant is the only number that we fitted. It grows with the depth, because a "
        "deeper pond holds more warmth below each square metre of its surface.",
        body,
        after=9,
    )
    left.text("3 Results", heading, after=2)
    left.text(
        "Figure 1 shows a typical evening. The shallow pond starts at 23.5 °C, loses half of its "
        "excess warmth in two hours, and after six hours is within one and a half degrees of the "
        "air. The deep pond needs more than five hours for the same step and is still warm when "
        "the birds begin to sing.",
        body,
    )

    _cooling_figure(page, right.take(158, after=4))
    right.text(
        "Figure 1: Water temperature on a clear evening, measured (dots) and after equation (1).",
        caption,
        after=10,
    )
    right.text(
        "Over the nine evenings the time constant was 3.0 hours for the shallow pond and 7.5 hours "
        "for the deep one. Their ratio is 2.5, which is also the ratio of the two depths. The "
        "largest difference between a reading and its curve was 0.3\u00a0°C, about the size of one "
        "step of the probe.",
        body,
        after=9,
    )
    right.text("4 Discussion", heading, after=2)
    right.text(
        "Equation (1) leaves out the wind, the ground and the vapour that rises from the water. On "
        "calm and clear evenings none of them is needed. We tried one windy evening for "
        "comparison: both ponds then cooled faster at first, and no single curve would fit.",
        body,
        after=5,
    )
    right.text(
        "For a gardener the lesson is simple. Twice the depth keeps the warmth twice as long. A "
        "pond that is meant for animals should be at least half a metre deep in one corner, and "
        "shallow at the edge where they climb out.",
        body,
        after=9,
    )
    right.text("Acknowledgement", heading, after=2)
    right.text("We thank our neighbours for their patience with the torch.", body)
    put(page, A4_WIDTH / 2, A4_HEIGHT - 36, "1", Style(size=9, align="centre"))
