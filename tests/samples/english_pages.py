"""The English sample pages, one function for each; all texts were written for this project."""

from __future__ import annotations

import pymupdf

from samples.typesetting import A4_HEIGHT, A4_WIDTH, GREY, Column, Style, put

BODY = Style(size=11.5, align="justify")
LIST = Style(size=11.5)
SMALL = Style(size=9, leading=1.3)
CAPTION = Style(font="tiit", size=9, leading=1.3, align="centre")
RUNNING_HEAD = Style(font="tiit", size=9, colour=GREY)

# The data of the two pages of the report.
HARVEST_KG = [
    ("Beans", 38),
    ("Carrots", 54),
    ("Courgettes", 71),
    ("Potatoes", 126),
    ("Tomatoes", 97),
]


def article(page: pymupdf.Page) -> None:
    """English, one column: title, sections, list, running head, page number and a footnote."""
    put(page, 72, 50, "The Weather Notebook", RUNNING_HEAD)
    put(page, A4_WIDTH - 72, 50, "Spring issue", Style("tiit", 9, colour=GREY, align="right"))
    page.draw_line((72, 57), (A4_WIDTH - 72, 57), width=0.5)
    heading = Style(font="tibo", size=13)

    column = Column(page)
    column.text("Keeping a Rain Diary", Style(font="tibo", size=24), after=4)
    column.text("A jar, a ruler and two minutes a day", Style("tiit", 13, colour=GREY), after=14)
    column.text(
        "Most people remember a wet summer or a dry one, but few can say how wet or how dry it "
        "was. A rain diary answers that question. It costs almost nothing, it asks for two minutes "
        "each morning, and after a year it tells you something about your own street that no "
        "forecast ever will.",
        BODY,
        after=12,
    )
    column.text("Choosing a place", heading, after=3)
    column.text(
        "Put the jar in the open, at least twice as far from a wall or a tree as the wall or the "
        "tree is high. Rain that falls beside a house is often blown around it, and leaves keep "
        "back the first drops of every shower and let the last ones go much later. A post at the "
        "height of your knee is better than the ground, because heavy rain splashes.¹",
        BODY,
        after=12,
    )
    column.text("What to write down", heading, after=3)
    column.text(
        "Read the jar at the same hour every day and empty it afterwards. One line is enough:",
        BODY,
        after=5,
    )
    column.items(
        [
            "the date, and the hour if it was not the usual one;",
            "the depth of the water, to the nearest millimetre;",
            "the kind of rain: drizzle, a steady fall, a short shower, hail or snow;",
            "anything that may have spoiled the reading, such as a fallen leaf or a thirsty cat.",
        ],
        LIST,
        after=8,
    )
    column.text(
        "Write a zero on dry days. An empty line can mean that no rain fell or that nobody looked, "
        "and in November you will no longer know which of the two it was.",
        BODY,
        after=12,
    )
    column.text("Reading a whole year", heading, after=3)
    column.text(
        "Add up the days of each month and draw twelve bars on a sheet of squared paper. The first "
        "year is only a picture. The second year is a comparison, and by the third you begin to "
        "notice that the wettest month is not the one with the most rainy days. In our garden, May "
        "had eighteen days with rain and gave 61 mm; August had seven and gave 94 mm, most of it "
        "in a single evening.",
        BODY,
        after=8,
    )
    column.text(
        "Keep the notebook near the door with a pencil tied to it. Pens fail in the cold, and a "
        "diary that lies in a drawer is soon a diary of good intentions.",
        BODY,
    )
    note = Column(page, top=730, bottom=780)
    note.rule(thickness=0.5, after=5, length=120)
    note.text(
        "¹ A drop that hits bare soil can throw water as high as 60 cm. Short grass around the "
        "post reduces this to a few centimetres.",
        SMALL,
    )
    put(page, A4_WIDTH / 2, A4_HEIGHT - 40, "14", Style(size=9.5, align="centre"))


def timetable(page: pymupdf.Page) -> None:
    """English, with one ruled table and its caption."""
    blue = (0.12, 0.29, 0.49)
    page.draw_rect(pymupdf.Rect(0, 0, A4_WIDTH, 14), color=None, fill=blue)
    column = Column(page)
    column.text("Island Ferry", Style("hebo", 24, colour=blue), after=2)
    column.text(
        "Summer timetable, 1 June to 30 September", Style("helv", 12, colour=GREY), after=16
    )
    sans = Style("helv", 10, leading=1.5)
    column.text(
        "The ferry calls at four islands on its way to the lighthouse and returns by the same "
        "route. Times are departures. Please be at the pier ten minutes before; bicycles travel "
        "free of charge if there is room on deck.",
        sans,
        after=16,
    )
    column.text("Table 1. Departures on weekdays", Style("hebo", 10), after=6)
    column.table(
        [
            ["Pier", "Early", "Morning", "Noon", "Evening", "Fare"],
            ["Old Harbour", "06:40", "09:15", "12:30", "17:45", "–"],
            ["Heron Island", "07:05", "09:40", "12:55", "18:10", "2.40"],
            ["Salt Quay", "07:30", "10:05", "13:20", "18:35", "3.80"],
            ["Pine Point", "07:50", "–", "13:40", "18:55", "4.60"],
            ["Long Sand", "08:15", "10:40", "14:05", "–", "5.20"],
            ["Lighthouse", "08:35", "11:00", "14:25", "19:25", "6.00"],
        ],
        [1.6, 1, 1, 1, 1, 0.8],
        Style("helv", 10),
        Style("hebo", 10),
        row_height=25,
        head_fill=(0.83, 0.89, 0.95),
        after=8,
    )
    column.text(
        "Fares are for one adult, one way, in crowns. A dash means that the ferry does not stop.",
        Style("helv", 8.5, colour=GREY),
        after=20,
    )
    column.text("Good to know", Style("hebo", 13, colour=blue), after=4)
    column.items(
        [
            "Children under six travel free; from six to fifteen they pay half the fare.",
            "A day ticket costs 9.50 and is valid on every boat until midnight.",
            "In strong wind the stop at Pine Point may be left out at short notice.",
        ],
        sans,
    )
    page.draw_line((72, 784), (A4_WIDTH - 72, 784), width=0.5)
    put(page, 72, 798, "Harbour Office, Pier 2", Style("helv", 8.5, colour=GREY))
    put(page, A4_WIDTH - 72, 798, "Page 1 of 1", Style("helv", 8.5, colour=GREY, align="right"))


def letter(page: pymupdf.Page) -> None:
    """English letter, in large type because it is rendered at a low resolution."""
    body = Style(size=14, leading=1.45)
    sender = Style(size=14, leading=1.3)
    column = Column(page, left=80, right=A4_WIDTH - 80, top=80)
    for line in ("The Reading Room", "3 Mill Lane", "Oakfield"):
        column.text(line, sender)
    column.y += 16
    column.text("12 October", Style(size=14, align="right"), after=16)
    column.text("Dear members,", body, after=8)
    column.text(
        "The old clock above our front door has been silent since spring. Thanks to your gifts it "
        "has now been cleaned, and its missing wheel has been cut anew by the workshop at the "
        "mill.",
        body,
        after=8,
    )
    column.text(
        "On Saturday, 26 October, at three in the afternoon, we will wind it for the first time. "
        "There will be tea, apple cake and a short talk about the people who looked after the "
        "clock during its first hundred years.",
        body,
        after=8,
    )
    column.text("Three small requests:", body, after=4)
    column.items(
        [
            "Tell us by 20 October whether you will come.",
            "Bring a cup, because we only own twenty.",
            "Bring any photograph that shows the clock.",
        ],
        body,
        numbered=True,
        after=10,
    )
    column.text("We look forward to an afternoon that strikes on time.", body, after=18)
    column.text("With kind regards,", body, after=24)
    column.text("The committee", Style("tiit", 16), after=40)
    column.rule(thickness=0.6, after=6)
    column.text("Open Tuesday to Saturday, 10 a.m. to 6 p.m.", Style(size=12, align="centre"))


def garden_english(page: pymupdf.Page) -> None:
    """First page of the report: English, with a bar chart."""
    green = (0.18, 0.42, 0.25)
    column = Column(page, top=72)
    column.text("The Station Road Garden", Style("hebo", 22, colour=green), after=2)
    column.text("One year in numbers", Style("helv", 13, colour=GREY), after=16)
    column.text(
        "Two years ago the strip of land behind the station was a car park for broken trolleys. "
        "This year it fed, in part, thirty-one households. Each of them looks after a bed of eight "
        "square metres and gives two Saturdays to the paths, the compost and the shared tools.",
        BODY,
        after=8,
    )
    column.text(
        "We weighed everything that left the gate between May and October. The total was 386 kg, "
        "of which almost a third were potatoes. Courgettes surprised no one but themselves.",
        BODY,
        after=14,
    )
    chart = column.take(190, after=6)
    floor, scale = chart.y1 - 20, 1.2
    for kilograms in (0, 50, 100):
        y = floor - kilograms * scale
        page.draw_line((chart.x0 + 36, y), (chart.x1, y), color=(0.8,) * 3, width=0.5)
        put(page, chart.x0 + 30, y + 3, str(kilograms), Style("helv", 8, align="right"))
    for number, (name, kilograms) in enumerate(HARVEST_KG):
        x = chart.x0 + 58 + number * 78
        bar = pymupdf.Rect(x, floor - kilograms * scale, x + 46, floor)
        page.draw_rect(bar, color=None, fill=(0.45, 0.66, 0.45))
        put(page, x + 23, bar.y0 - 4, str(kilograms), Style("hebo", 9, align="centre"))
        put(page, x + 23, floor + 13, name, Style("helv", 9, align="centre"))
    page.draw_line((chart.x0 + 36, floor), (chart.x1, floor), width=0.8)
    column.text("Figure 1. Harvest of the shared year in kilograms.", CAPTION, after=16)
    column.text("What we learned", Style("hebo", 13, colour=green), after=4)
    column.items(
        [
            "Water is the limit. Three barrels more would have saved the second sowing of beans.",
            "Beds beside the railway fence ripen ten days earlier than the others.",
            "A notice board works better than a message group: everyone passes it.",
        ],
        LIST,
        after=14,
    )
    column.text("Next year", Style("hebo", 13, colour=green), after=4)
    column.text(
        "We will plant a hedge of currants along the platform, build a bench from the old gate, "
        "and open the garden to visitors on the first Sunday of every month.",
        BODY,
    )
    put(page, A4_WIDTH / 2, A4_HEIGHT - 40, "1", Style("helv", 9, align="centre"))
