"""Files with pages that fail alike: when they are given up, and the message about the rest."""

from __future__ import annotations

import pytest

from alike import MOST_ALIKE, Alike
from read_page import Settings, Task
from results.manifest import Record
from results.pages import Page

Outcome = tuple[str, str, list[int]]
DAMAGED: Outcome = ("failed", "damaged PDF page: no object {}", [])
SERVER = ("failed", "no answer in {} s", [1, 1])
OK = ("ok", "", [1, 1])


def record(name: str, number: int | None, outcome: Outcome) -> Record:
    status, reason, size = outcome
    place = f"{name}/{number}"
    return Record(place, name, number, status, reason.format(number), original_size=size)


def pages_of(name: str, count: int) -> list[Page]:
    return [Page(name, f"{name}/{number}", number) for number in range(count)]


def after(*outcomes: Outcome, name: str = "a.pdf") -> Alike:
    alike = Alike()
    for number, outcome in enumerate(outcomes):
        alike.count(record(name, number, outcome))
    return alike


@pytest.mark.parametrize(
    ("outcomes", "is_given_up"),
    [
        ([DAMAGED] * MOST_ALIKE, True),
        ([OK, *[DAMAGED] * MOST_ALIKE], True),
        ([DAMAGED] * (MOST_ALIKE - 1), False),
        ([*[DAMAGED] * (MOST_ALIKE - 1), OK, DAMAGED], False),
        ([*[DAMAGED] * (MOST_ALIKE - 1), ("failed", "damaged otherwise", []), DAMAGED], False),
        ([SERVER] * 2 * MOST_ALIKE, False),  # not a fault of the file
    ],
)
def test_given_up_after_some_dozens_alike(outcomes: list[Outcome], is_given_up: bool) -> None:
    task = Task(Page("a.pdf", "a/a_page_99", 99))
    assert after(*outcomes).is_wanted(task) is not is_given_up


def test_another_file_and_pictures_are_not_meant() -> None:
    alike = Alike()
    for number in range(MOST_ALIKE * 2):
        alike.count(record(f"{number % 3}.pdf", number, DAMAGED if number % 3 else OK))
        alike.count(record("a.png", None, DAMAGED))
    assert alike.given_up == {"1.pdf", "2.pdf"}.intersection(alike.given_up)
    assert alike.is_wanted(Task(Page("0.pdf", "0", 1)))
    assert alike.is_wanted(Task(Page("a.png", "a")))


def test_the_rest_is_one_line(settings: Settings) -> None:
    pages = pages_of("a.pdf", 1_000_000 // 500)
    alike = after(*[DAMAGED] * (MOST_ALIKE + 2))
    (rest,) = alike.rest([Task(page) for page in pages], settings)
    assert (rest.status, rest.pdf_page) == ("failed", 42)
    assert rest.reason == "pages 42 to 1,999: not tried, as the ones before failed"
    assert [page.pdf_page for page in alike.without_rest(pages)] == list(range(43))


def test_nothing_is_left_of_a_file_that_was_tried_to_its_end(settings: Settings) -> None:
    pages = pages_of("a.pdf", MOST_ALIKE)
    alike = after(*[DAMAGED] * MOST_ALIKE)
    assert alike.rest([Task(page) for page in pages], settings) == []
    assert alike.without_rest(pages) == pages
