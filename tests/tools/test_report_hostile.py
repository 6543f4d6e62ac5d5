"""The report in a browser: all content of a page is hostile, and there are many pages."""

import time
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page

from contract import DOUBT_KINDS
from rig.browser import Watched, until
from rig.hostile import NAMES, NUMBERS, PAYLOADS, hostile_doubts
from rig.reports import build
from rig.result_sets import ResultSet, cell, write_book


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report in which every text, name, reason, note and table is an attack."""
    results = ResultSet(tmp_path_factory.mktemp("hostile") / "<img src=x onerror=alert(30)>")
    categories = ("Text", "Table", "Formula", "Title", "List-item", "Picture")
    for number, payload in enumerate(PAYLOADS):
        texts = (payload, f"<table><tr><td>{payload}</td></tr></table>", f"$${payload}$$")
        cells = [
            cell(category, text, (80, 20 * row, 700, 20 * row + 15))
            for row, (category, text) in enumerate((c, t) for c in categories for t in texts)
        ]
        values = {"model": payload, "notes": [payload], "reason": payload}
        results.add(f"{number:02}.png", cells, status="partial", **values)
        results.add(f"{number:02} failed.png", status="failed", reason=payload, sha256=payload)
    for name in NAMES:
        results.add(name, [cell("Text", name, (80, 20, 700, 90))])
    for number, value in enumerate(hostile_doubts(DOUBT_KINDS)):
        text = [cell("Text", "doubted", (80, 20, 700, 90))]
        doubts = {"doubts": value, "trust": NUMBERS[number % len(NUMBERS)]}
        results.add(f"doubted {number}.png", text, status="doubtful", **doubts)
    return build(results.finish(lacks=PAYLOADS[0]))


def test_nothing_hostile_happens(watched: Watched, hostile: Path) -> None:
    page = watched.page
    page.goto(hostile.as_uri())
    page.wait_for_selector(".row")
    assert PAYLOADS[0] in page.locator("#lacks").inner_text()
    seen: set[str] = set()
    for _ in range(2 * len(PAYLOADS) + len(NAMES) + len(hostile_doubts(DOUBT_KINDS))):
        if not seen:
            page.locator(".row a").first.click()
        else:
            page.keyboard.press("j")
        until(
            page,
            "(seen) => document.querySelectorAll('#text .facts').length"
            " && !seen.includes(document.querySelector('#page-place').textContent)",
            list(seen),
        )
        seen.add(page.locator("#page-place").inner_text())
        page.keyboard.press("d")
    page.keyboard.press("Escape")
    for word in ("alert", "<script", "__proto__", "onerror", "(", "\\"):
        page.locator("#search").fill(word)
        page.wait_for_timeout(160)
        page.wait_for_selector("#list[data-ready=true]")
        assert page.locator(".row").count() > 0
    page.wait_for_timeout(200)
    assert page.evaluate("Object.prototype.constructor === Object")


def test_nothing_hostile_happens_where_it_is_corrected(watched: Watched, hostile: Path) -> None:
    page = watched.page
    page.goto(f"{hostile.as_uri()}#page=00/00&sort=order")
    page.wait_for_selector(".cell")
    page.keyboard.press("e")
    for number, payload in enumerate(PAYLOADS):
        page.goto(f"{hostile.as_uri()}#page={number:02}/{number:02}&sort=order")
        until(
            page,
            "(text) => document.querySelector('.edit textarea')?.value === text",
            payload.replace("\ud800", "?"),
        )
        page.get_by_text("Right as it is").click()
        page.wait_for_selector("#page-status.edited")
    page.keyboard.press("e")
    page.wait_for_selector(".cell:not(.edit)")


def test_a_hostile_name_is_a_name(watched: Watched, hostile: Path) -> None:
    page = watched.page
    for name in NAMES:
        place = str(Path(name).with_suffix("") / Path(name).stem)
        page.goto(f"{hostile.as_uri()}#page={quote(place)}")
        page.reload()  # as for a person who opens the link
        until(
            page,
            "(name) => document.querySelector('#page-name b')?.textContent === name"
            " && document.querySelector('.cell')",
            Path(name).name,
        )
        for link in page.locator(".facts a").all():
            assert link.evaluate("(e) => e.href").startswith("file:///")


ATTEMPTS = {
    "document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/'}))": "img-src",
    "fetch('http://127.0.0.1:9/').catch(() => 0)": "connect-src",
    "document.body.setAttribute('style', 'color: red')": "style-src",
    "document.body.innerHTML = '<b>x</b>'": "'TrustedHTML'",
    "document.createElement('script').src = 'x.js'": "'TrustedScriptURL'",
    "setTimeout('1')": "'TrustedScript'",
}


def attempt(page: Page, code: str, says: str) -> None:
    """Run code in a page, and wait until the console shows its error."""
    with page.expect_console_message(lambda message: says in message.text):
        page.evaluate(
            f"() => {{ try {{ {code} }} catch (error) {{ console.error(error.message) }} }}"
        )


def test_the_policy_would_stop_what_got_through(browser: Browser, samples: Path) -> None:
    """The listener hears these attempts, so its silence in the tests above means something."""
    watched = Watched.open(browser)
    watched.page.goto(samples.as_uri())
    watched.page.wait_for_selector(".row")
    for code, says in ATTEMPTS.items():
        watched.trouble.clear()
        attempt(watched.page, code, says)
        assert any(says in heard for heard in watched.trouble), watched.trouble
    watched.page.close()


def test_a_thousand_pages_are_a_list_of_a_few_rows(watched: Watched, tmp_path: Path) -> None:
    report = build(write_book(tmp_path / "book", 1000))
    page = watched.page
    started = time.monotonic()
    page.goto(report.as_uri())
    page.wait_for_selector(".row")
    assert time.monotonic() - started < 5  # it takes a tenth of this; the machine may be busy
    assert page.locator(".row").count() < 40
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    until(page, "document.querySelector('.row:last-child').textContent.includes('01000')")
    page.locator("#search").fill("no such word")
    page.wait_for_selector("#nothing:visible")
    page.locator("#search").fill("formulas 00")
    page.wait_for_selector(".row mark")
