"""make apply: corrections of the report become results, and stay."""

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from lib.pages.editable import mark_of
from results.files import Wanted, pictured, results_of
from rig.browser import Watched, until
from rig.command import records_in
from rig.model_server import ModelServer
from rig.toolkit import Toolkit, files_below, line, statuses_in
from rig.true_page import in_pixels, true_page

ENDINGS = (".json", ".md", "_nohf.md")


class Desk:
    """A page below INPUT and its results in OUTPUT, with a picture of a part of it."""

    def __init__(self, kit: Toolkit, form: str) -> None:
        self.kit, self.form = kit, form
        self.page, cells = true_page(dpi=60)
        self.cells: list[dict[str, Any]] = [
            cell | {"bbox": list(in_pixels(cell, self.page.size))} for cell in cells
        ]
        self.cells.append({"bbox": [50, 100, 200, 160], "category": "Picture"})
        self.page.save(kit.input / "a.png")
        self.lines: list[dict[str, Any]] = []
        for name in ("a", "b"):
            self.write(name)
        self.write_manifest()

    def write(self, name: str) -> None:
        """Write a page's files, as the machine makes them, and its line."""
        (self.kit.output / name).mkdir(parents=True)
        page = f"{name}/{name}"
        files = results_of(self.cells, self.page, Wanted(page, False, self.form))
        for file, content in files.items():
            (self.kit.output / file).parent.mkdir(exist_ok=True)
            (self.kit.output / file).write_bytes(content)
        facts: dict[str, Any] = {
            **pictured(self.cells, files, Wanted(page, False, self.form)),
            "status": "doubtful" if name == "a" else "ok",
            "sha256": self.hash,
            "original_size": list(self.page.size),
            "cells": len(self.cells),
            "trust": 0.2,
            "doubts": [{"kind": "amount", "bbox": [1, 2, 3, 4], "cell": 1, "detail": {}}],
            "finished_at": 1.5,
            "model": "dots.ocr",
        }
        self.lines.append(line(f"{name}/{name}", f"{name}.png") | facts)

    def write_manifest(self) -> None:
        text = "".join(json.dumps(entry) + "\n" for entry in self.lines)
        (self.kit.output / "manifest.jsonl").write_text(text)
        totals = {"pages": 2, "ok": 1, "doubtful": 1, "corrected": 0, "doubts": {"amount": 2}}
        (self.kit.output / "summary.json").write_text(json.dumps(totals))

    @property
    def hash(self) -> str:
        return sha256((self.kit.input / "a.png").read_bytes()).hexdigest()

    def read(self, name: str) -> str:
        return (self.kit.output / name).read_text()

    def correction(self, name: str = "a", **more: Any) -> dict[str, Any]:
        """A correction of a page: it replaces its first text."""
        which = {"page": f"{name}/{name}", "input": f"{name}.png", "pdf_page": None}
        reading = mark_of((self.kit.output / f"{name}/{name}.json").read_bytes())
        cells = [self.cells[0] | {"text": "By a person"}, *self.cells[1:]]
        return {**which, "sha256": self.hash, "reading": reading, "cells": cells} | more

    def save(self, *pages: Any, name: str = "corrections (1).json") -> Path:
        path = self.kit.folder / name
        path.write_text(json.dumps({"dots_ocr_corrections": 1, "pages": pages}))
        return path

    @property
    def statuses(self) -> list[str]:
        return [entry["status"] for entry in records_in(self.kit.output)]

    def old(self) -> list[str]:
        return [name for name in files_below(self.kit.output) if ".old" in name]


@pytest.fixture
def desk(kit: Toolkit) -> Desk:
    return Desk(kit, "files")


def test_a_correction_is_written_and_the_pictures_stay(desk: Desk) -> None:
    """A second time changes nothing; the old files are kept beside."""
    desk.kit.knobs["INPUT"] = ""
    before = {ending: desk.read(f"a/a{ending}") for ending in ENDINGS}
    path = desk.save(desk.correction())
    end = desk.kit.run_here("apply", "--json", CORRECTIONS=str(path))
    assert (end.code, end.err) == (0, "")
    assert json.loads(end.out) == {"new": 1, "known": 0, "refused": {}}
    assert json.loads(desk.read("a/a.json"))[0]["text"] == "By a person"
    assert desk.read("a/a.md") == before[".md"].replace("A true page", "By a person")
    assert "![](pictures/1.png)" in desk.read("a/a.md")
    assert (desk.kit.output / "a/pictures/1.png").is_file()
    assert {f"a/a{ending}.old" for ending in ENDINGS} == set(desk.old())
    assert {ending: desk.read(f"a/a{ending}.old") for ending in ENDINGS} == before
    (first, second) = records_in(desk.kit.output)
    assert (first["status"], first["trust"], first["doubts"]) == ("corrected", 1.0, [])
    assert second == desk.lines[1]
    counts = {"ok": 1, "doubtful": 0, "corrected": 1, "doubts": {"amount": 1}}
    assert json.loads(desk.read("summary.json")) == {"pages": 2, **counts}
    standing = files_below(desk.kit.output)
    end = desk.kit.run_here("apply", "--json", str(path))
    assert (end.code, json.loads(end.out)["known"]) == (0, 1)
    assert files_below(desk.kit.output) == standing


def test_who_cannot_be_applied_is_named_and_the_others_are_applied(desk: Desk) -> None:
    out = desk.kit.folder / "elsewhere"
    out.mkdir()
    (desk.kit.output / "led").symlink_to(out)
    desk.lines.append(desk.lines[0] | {"page": "led/out", "input": "led.png"})
    desk.lines.append(line("f/f", "f.png", status="failed"))
    desk.write_manifest()
    (out / "out.json").write_text("[]")
    pages = [
        desk.correction(page="../../a", input="x.png"),
        desk.correction(page="/etc/passwd"),
        desk.correction("b", reading="0" * 16),
        desk.correction(page="led/out", input="led.png", reading=mark_of(b"[]"), cells=[]),
        desk.correction("b", page="f/f", input="f.png"),
        {"page": "a/a"},
        desk.correction(),
    ]
    end = desk.kit.run_here("apply", str(desk.save(*pages)))
    assert end.code == 3
    assert sorted(end.err.splitlines()) == [
        "apply: refused: ../../a: OUTPUT has no such page",
        "apply: refused: a/a: not in the report's form",
        "apply: refused: b/b: it was made for another reading: make report, and correct that one",
        "apply: refused: f/f: the page is failed: there is no answer to correct",
        "apply: refused: led/out: a link in OUTPUT leads out of it",
    ]
    assert desk.statuses == ["corrected", "ok", "doubtful", "failed"]
    assert files_below(out) == ["out.json"]


def test_lines_of_the_manifest_that_are_lost_are_told(desk: Desk) -> None:
    """The manifest is written again without them."""
    path = desk.kit.output / "manifest.jsonl"
    path.write_text(path.read_text() + '{"page": "c/c", "inp\n')
    end = desk.kit.run_here("apply", str(desk.save(desk.correction())))
    assert end.code == 0
    assert f"{path} is damaged: 1 of its lines cannot be read; their pages are left out" in end.err


def test_files_that_are_none_fail_and_the_others_are_applied(desk: Desk) -> None:
    none = desk.kit.folder / "none.json"
    none.write_text("[]")
    path = desk.save(desk.correction(), name="good.json")
    end = desk.kit.run_here("apply", CORRECTIONS=f"{none}:{path}")
    assert (end.code, desk.statuses) == (1, ["corrected", "ok"])
    assert "none.json is not a file of corrections" in end.err
    assert desk.kit.run_here("apply", str(none)).code == 1
    assert desk.kit.run_here("apply").code == 2


def test_a_picture_that_was_moved_wants_its_page(desk: Desk) -> None:
    moved = [*desk.cells[:-1], {"bbox": [10, 20, 90, 110], "category": "Picture"}]
    path = desk.save(desk.correction(cells=moved))
    end = desk.kit.run_here("apply", "--input", "", str(path))
    assert (end.code, "give the INPUT that was read" in end.err) == (3, True)
    assert (desk.statuses[0], desk.old()) == ("doubtful", [])
    assert desk.kit.run_here("apply", str(path)).code == 0
    expected = results_of(moved, desk.page, Wanted("a/a", False, "files"))
    for name, content in expected.items():
        assert (desk.kit.output / name).read_bytes() == content
    assert "a/pictures/1.png.old" in desk.old()


def test_a_picture_that_is_none_any_more_goes(kit: Toolkit) -> None:
    """A drawing of the older cells goes too, as the page is missing. Both are kept beside."""
    desk = Desk(kit, "files")
    (kit.output / "b/b.jpg").write_bytes(b"of the older cells")
    cells = [*desk.cells[:-1], desk.cells[-1] | {"category": "Text", "text": "a caption"}]
    assert kit.run_here("apply", str(desk.save(desk.correction("b", cells=cells)))).code == 0
    standing = [name for name in files_below(kit.output) if name.startswith("b/")]
    new = [f"b/b{ending}" for ending in ENDINGS]
    assert set(standing) == {*new, *(f"{name}.old" for name in new)} | {
        "b/b.jpg.old",
        "b/pictures/1.png.old",
    }
    assert records_in(kit.output)[1]["pictures"] == []


def test_what_was_right_as_it_is_is_trusted_and_stays_as_it_was(desk: Desk) -> None:
    assert desk.kit.run_here("apply", str(desk.save(desk.correction(cells=desk.cells)))).code == 0
    assert (desk.statuses, desk.old()) == (["corrected", "ok"], [])


def test_a_correction_outlives_runs_and_is_shown_by_compare(
    kit: Toolkit, server: ModelServer
) -> None:
    """Also if the machine is lost, and reads all pages again. --force keeps it beside."""

    def read(*options: str) -> str:
        """The messages while all is read and brought home."""
        ends = [kit.run_here("start"), kit.run("upload"), kit.run("process", *options)]
        ends.append(kit.run_here("download"))
        assert [end.code for end in ends] == [0, 0, 0, 0]
        return "".join(end.err for end in ends)

    name = kit.write_pages(1)[0]
    read()
    page = records_in(kit.output)[0]
    place = kit.output / f"{page['page']}.json"
    shutil.copytree(kit.output, kit.folder / "before")
    cells = json.loads(place.read_text())
    cells[0]["text"] = "by a person"
    which = {name: page[name] for name in ("page", "input", "pdf_page", "sha256")}
    correction = {**which, "reading": mark_of(place.read_bytes()), "cells": cells}
    path = kit.folder / "corrections.json"
    path.write_text(json.dumps({"dots_ocr_corrections": 1, "pages": [correction]}))
    assert kit.make("apply", f"CORRECTIONS={path}").finish().code == 0
    end = kit.run_here("compare", A=str(kit.folder / "before"), B=str(kit.output))
    assert "ok → corrected" in end.out
    shutil.rmtree(kit.machine)
    assert (read(), len(server.requests)) == ("", 2)
    assert json.loads(place.read_text()) == cells
    assert statuses_in(kit.output) == {name: "corrected"}
    assert "kept next to what is new" in read("--force")
    assert json.loads(place.read_text()) != cells
    assert json.loads(place.with_name(f"{place.name}.old2").read_text()) == cells
    assert statuses_in(kit.output) == {name: "ok"}


# ---- from the report to the results, and back ----


def saved(page: Page, path: Path) -> Path:
    """Save with the report's button; return the file."""
    with page.expect_download() as download:
        page.locator(".viewer .save").click()
    assert download.value.suggested_filename == "corrections.json"
    download.value.save_as(path)
    return path


def shown(page: Page) -> list[str]:
    return page.locator(".cell .content").all_inner_texts()


def correct_all_that_can_be(page: Page, desk: Desk) -> None:
    """Change a text, a category, a box (twice), the order; add and remove a cell."""
    page.get_by_label("Text of cell 1", exact=True).fill("<img src=x onerror=alert(1)>\n둘째 줄")
    page.get_by_label("Category of cell 2").select_option("Footnote")
    page.wait_for_selector(".edit.Footnote")
    left = page.get_by_label("Box of cell 2: left")
    left.fill("9999")
    page.keyboard.press("Tab")
    assert left.input_value() == str(desk.cells[1]["bbox"][2]), "no further than its right side"
    left.fill("5")
    page.get_by_label("Read cell 3 later").click()
    until(page, "document.activeElement.ariaLabel === 'Text of cell 4'")
    page.get_by_label("Remove cell 6").click()
    until(page, "document.querySelectorAll('.edit').length === 5")
    page.get_by_text("Add a cell").click()
    until(page, "document.activeElement.ariaLabel === 'Text of cell 6'")
    page.keyboard.type("added")
    corner = page.locator(".box.chosen .handle.se").bounding_box()
    assert corner
    page.mouse.move(corner["x"] + 6, corner["y"] + 6)
    page.mouse.down()
    page.mouse.move(corner["x"] + 46, corner["y"] + 6, steps=3)
    page.mouse.up()
    before = round(0.7 * desk.page.width)
    assert int(page.get_by_label("Box of cell 6: right").input_value()) > before + 10


def test_corrected_in_the_report_applied_and_shown(desk: Desk, browser: Browser) -> None:
    kit = desk.kit
    assert kit.run_here("report").code == 0
    watched = Watched.open(browser)
    page = watched.page
    report = f"{(kit.output / 'report.html').as_uri()}#page=a/a"
    page.goto(report)
    page.wait_for_selector(".cell")
    page.keyboard.press("e")
    page.wait_for_selector(".edit")
    assert page.locator(".save:visible").count() == 0
    correct_all_that_can_be(page, desk)
    # typed text is kept, shown as text, and saved
    page.keyboard.press("Escape")
    page.locator("#correct").click()
    until(page, "document.querySelector('.plain') !== null")
    assert shown(page)[0] == "<img src=x onerror=alert(1)>\n둘째 줄"
    page.reload()
    page.wait_for_selector(".plain")
    assert page.locator("#page-status").inner_text() == "edited here"
    path = saved(page, kit.folder / "corrections.json")
    page.locator("#back").click()
    assert page.locator(".row .edited").count() == 1
    end = kit.run_here("apply", str(path))
    assert (end.code, end.err) == (0, "")
    cells = json.loads(desk.read("a/a.json"))
    assert [cell.get("text", "")[:12] for cell in cells] == [
        "<img src=x o",
        *(desk.cells[number]["text"][:12] for number in (1, 3, 2, 4)),
        "added",
    ]
    assert (cells[1]["category"], cells[1]["bbox"][0]) == ("Footnote", 5)
    # the report now has the correction, and no longer lists it as edited
    assert kit.run_here("report").code == 0
    page.goto(f"{report}&q=")
    page.reload()
    page.wait_for_selector(".cell")
    assert page.locator("#page-status").inner_text() == "corrected"
    assert (
        page.locator(".save:visible").count() == page.locator(".corrections:visible").count() == 0
    )
    assert shown(page)[-1] == "added"
    page.close()
    assert watched.trouble == []


def test_corrections_of_an_older_reading_are_left_out_and_it_is_said(
    desk: Desk, browser: Browser
) -> None:
    """Data of another file on this disk has no effect."""
    assert desk.kit.run_here("report").code == 0
    watched = Watched.open(browser, locale="ko-KR", color_scheme="dark")
    page = watched.page
    report = (desk.kit.output / "report.html").as_uri()
    page.goto(f"{report}#page=a/a")
    page.wait_for_selector(".cell")
    page.keyboard.press("e")
    page.get_by_text("이대로 맞음").click()
    until(page, "document.querySelector('#page-status').textContent === '여기서 고침'")
    for name, text in (("__proto__", "{"), ("b/b", '{"cells": [[1]]}')):
        page.evaluate(
            "([name, text]) => localStorage.setItem(`dots-ocr ${location.pathname} ${name}`, text)",
            [name, text],
        )
    (desk.kit.output / "a/a.json").write_text(json.dumps(desk.cells[:2]))
    desk.lines[1]["status"] = "corrected"
    desk.write_manifest()
    assert desk.kit.run_here("report").code == 0
    page.goto(report)
    page.wait_for_selector(".row")
    assert (
        page.locator(".corrections:visible").inner_text() == "이전 판독을 고친 내용 3건은 뺐습니다."
    )
    assert page.evaluate("localStorage.length") == 0
    older: dict[str, object] = {
        "input": "b.png",
        "pdfPage": None,
        "sha256": "",
        "reading": "0",
        "cells": [],
    }
    for is_saved in (True, False):  # a page that was corrected again differs from what was applied
        page.evaluate(
            "([text]) => localStorage.setItem(`dots-ocr ${location.pathname} b/b`, text)",
            [json.dumps(older | {"isSaved": is_saved})],
        )
        page.reload()
        page.wait_for_selector(".row")
        assert page.locator(".corrections:visible").count() == (0 if is_saved else 1)
    page.close()
    assert watched.trouble == []


def test_a_browser_that_keeps_nothing_is_told_before_it_is_left(
    desk: Desk, browser: Browser
) -> None:
    assert desk.kit.run_here("report").code == 0
    watched = Watched.open(browser)
    page = watched.page
    full = "throw new DOMException('full', 'QuotaExceededError')"
    page.add_init_script(f"Storage.prototype.setItem = () => {{ {full}; }}")
    page.goto(f"{(desk.kit.output / 'report.html').as_uri()}#page=a/a")
    page.wait_for_selector(".cell")
    page.keyboard.press("e")
    page.get_by_label("Text of cell 1", exact=True).fill("typed")
    assert "keeps nothing" in page.locator(".viewer .corrections").inner_text()
    leave = "!dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    assert page.evaluate(leave), "it asks"
    saved(page, desk.kit.folder / "corrections.json")
    assert not page.evaluate(leave)
    page.close()
    assert watched.trouble == []
