"""Every deliberate difference from the reference client, each seen on both sides.

A test's name is that of its entry in README.md, where the reason stands.
"""

import base64
import inspect
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from PIL import Image, ImageCms

from parity.both import (
    EMBEDDED,
    Batch,
    Made,
    Reference,
    decoded,
    fingerprint,
    layout,
    run_ours,
)
from rig import pages
from rig.model_server import ModelServer, Reply
from rig.pages import article
from rig.replies import in_turn

SIZE = (414, 585)  # article(50)
SENT = (868, 1232)  # what the model sees of it


# ---- one page, or one answer, on both sides ----


@dataclass(frozen=True)
class Both:
    """Reads one page with both clients."""

    reference: Reference
    server: ModelServer
    folder: Path

    def picture(self, path: Path, *options: str | int, **job: Any) -> tuple[Image.Image, Made]:
        """Our picture, as it arrived, and what the reference made of the same file."""
        self.server.script = None
        run = run_ours(self.server, path.parent, self.folder / "out", *options)
        (request,) = run.requests
        return decoded(request.picture), self.reference.read(path, **job)

    def answer(self, *answers: str, mode: str = "layout_all", **job: Any) -> tuple[Batch, Made]:
        """What both make of these answers to page.png; the reference asks once."""
        path = self.page()
        self.server.script = in_turn(*map(Reply, answers))
        options = ("--prompt-mode", mode, "--retries", len(answers) - 1)
        run = run_ours(self.server, path.parent, self.folder / "out", *options)
        return run, self.reference.read(path, list(answers), **job)

    def page(self, name: str = "page.png") -> Path:
        """Write an A4 page of SIZE."""
        path = self.input / name
        article(50, 1).save(path)
        return path

    @property
    def input(self) -> Path:
        folder = self.folder / "in"
        folder.mkdir(exist_ok=True)
        return folder


@pytest.fixture
def both(reference: Reference, server: ModelServer, tmp_path: Path) -> Both:
    return Both(reference, server, tmp_path)


def cell(**changes: Any) -> dict[str, Any]:
    return {"bbox": [84, 62, 700, 400], "category": "Text", "text": "text", **changes}


def is_lost(made: Made) -> bool:
    """Whether the reference wrote the model's words in the place of cells."""
    return bool(made.pages and made.pages[0]["filtered"] and isinstance(made.cells, str))


def markdown(run: Batch) -> str:
    return run.text("page/page", ".md")


def white_share(picture: Image.Image) -> float:
    histogram = picture.convert("L").histogram()
    return sum(histogram[200:]) / sum(histogram)


# ---- pictures ----


@pytest.mark.parametrize("dpi", [120, 200])
def test_large_pictures_are_not_enlarged(dpi: int, both: Both) -> None:
    path = both.input / "page.png"
    article(dpi).save(path)
    ours, enlarged = both.picture(path)
    assert fingerprint(ours) != enlarged.sent[0]["sha256"]
    assert fingerprint(ours) == both.reference.read(path, upsample=False).sent[0]["sha256"]
    always, _ = both.picture(path, "--upsample-below", 10**9, "--force")
    # where the reference's guard does not shrink the page instead, the limit is all that differs
    assert (fingerprint(always) == enlarged.sent[0]["sha256"]) == (dpi == 120)


def test_nothing_is_shrunk_by_the_guard(both: Both) -> None:
    path = both.input / "page.png"
    article(100).resize((2300, 400)).save(path)
    ours, made = both.picture(path)
    assert ours.size == (2296, 392)
    assert made.size() == (1736, 308)
    assert fingerprint(ours) == both.reference.read(path, upsample=False).sent[0]["sha256"]


def test_exif_orientation(both: Both) -> None:
    ours, made = both.picture(pages.rotated_jpeg(both.input))
    assert ours.size == (868, 1232)
    assert made.size() == (1232, 868)


@pytest.mark.parametrize("kind", ["gray_alpha", "palette", "colour_key"])
def test_transparency(kind: str, both: Both) -> None:
    if kind == "colour_key":
        path = both.input / "page.png"
        article(120).point(lambda v: 0 if v > 127 else 60).save(path, transparency=0)
    else:
        writer = {"gray_alpha": pages.gray_alpha, "palette": pages.palette_transparent}[kind]
        path = writer(both.input)
    ours, made = both.picture(path, upsample=kind != "colour_key")
    assert white_share(ours) > 0.8
    assert made.sent[0]["sha256"] != fingerprint(ours)


def test_gray_of_16_bits(both: Both) -> None:
    ours, made = both.picture(pages.gray_16_bit(both.input))
    article(50).save(both.input / "eight.png")
    eight_bits = both.reference.read(both.input / "eight.png")
    assert fingerprint(ours) == eight_bits.sent[0]["sha256"] != made.sent[0]["sha256"]


def test_colour_profiles(both: Both) -> None:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.find(b"rXYZ"), profile.find(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    path = both.input / "page.png"
    article(50, colour=True).save(path, icc_profile=bytes(profile))
    ours, made = both.picture(path)
    assert fingerprint(ours) != made.sent[0]["sha256"]
    article(50, colour=True).save(path)
    assert fingerprint(ours) == both.reference.read(path).sent[0]["sha256"]


def test_lines_of_one_pixel(both: Both) -> None:
    path = both.input / "page.png"
    line = Image.new("L", (40, 1), 255)
    line.paste(0, (10, 0, 20, 1))
    line.save(path)
    ours, made = both.picture(path)
    assert (ours.size, made.size()) == ((308, 28), (56, 56))


def test_gray_stays_one_channel(both: Both) -> None:
    path = both.input / "page.png"
    article(50).convert("RGB").save(path)
    ours, made = both.picture(path)
    assert (ours.mode, made.sent[0]["mode"]) == ("L", "RGB")
    assert fingerprint(ours) == made.sent[0]["sha256"]


def test_blank_pages_are_not_sent(both: Both) -> None:
    path = pages.blank(both.input)
    both.server.script = None
    run = run_ours(both.server, path.parent, both.folder / "out")
    assert (run.requests, run.cells("blank/blank")) == ([], [])
    assert len(both.reference.read(path).sent) == 1


def test_formats_other_than_a_page_has(both: Both) -> None:
    path = both.input / "page.png"
    article(50, colour=True).save(path, "PPM")
    run = run_ours(both.server, path.parent, both.folder / "out")
    assert run.records["page/page"]["status"] == "failed"
    assert len(both.reference.read(path).sent) == 1


# ---- files ----


def test_endings_in_capitals(both: Both) -> None:
    path = both.page("PAGE.PNG")
    both.server.script = None
    assert len(run_ours(both.server, path.parent, both.folder / "out").requests) == 1
    assert "not supported" in both.reference.read(path).error


def test_files_of_one_name(both: Both) -> None:
    paths = pages.same_name(both.input)[:2]
    both.server.script = None
    run = run_ours(both.server, both.input, both.folder / "out")
    assert {"page1.png/page1.png", "page1.jpg/page1.jpg"} < set(run.records)
    output = both.folder / "theirs"
    made = [both.reference.read(path, output=output).pages[0]["json_path"] for path in paths]
    assert made[0] == made[1]


def test_one_bad_page(both: Both) -> None:
    path = both.input / "document.pdf"
    pages.pdf(path, 2)
    with pymupdf.open(path) as document:
        document.new_page(1, width=1500, height=5)
        document.saveIncr()
    both.server.script = None
    run = run_ours(both.server, both.input, both.folder / "out")
    statuses = [run.records[f"document/document_page_{n}"]["status"] for n in range(3)]
    assert statuses == ["ok", "failed", "ok"]
    made = both.reference.read(path, [layout()] * 3)
    assert "aspect ratio" in made.error
    assert made.pages == []


def test_drawings_on_demand(both: Both) -> None:
    output = both.folder / "theirs"
    run, made = both.answer(layout(cell()), output=output)
    assert not made.error
    assert not list(run.output.rglob("*.jpg"))
    assert list(output.rglob("*.jpg"))


# ---- requests ----


def requests_of_both(both: Both, server: ModelServer) -> tuple[dict[str, Any], list[Any], Made]:
    """The bodies of our request and of the reference's, and what became of the latter."""
    path = both.page()
    ours = run_ours(server, path.parent, both.folder / "out").requests[0].body
    server.reset()
    made = both.reference.read(path, port=int(server.url.rpartition(":")[2]))
    return ours, [request.body for request in server.requests], made


def test_sampling(both: Both) -> None:
    both.server.script = None
    ours, (theirs,), _ = requests_of_both(both, both.server)
    assert (ours["top_p"], theirs["top_p"]) == (0.9, 1.0)
    assert "repetition_detection" in ours
    assert "repetition_detection" not in theirs


def test_streaming(both: Both) -> None:
    both.server.script = None
    ours, (theirs,), _ = requests_of_both(both, both.server)
    assert ours["stream"]
    assert "stream" not in theirs


def test_models_of_a_shorter_context(both: Both) -> None:
    with ModelServer(max_model_len=8192) as server:
        ours, _, made = requests_of_both(both, server)
    assert ours["max_completion_tokens"] == 8192
    assert "BadRequestError" in made.error


def test_useless_answers_are_asked_again(both: Both) -> None:
    run, made = both.answer("I see a page.", layout(cell()))
    assert [request.temperature for request in run.requests] == [0.1, 0.3]
    assert len(run.cells("page/page")) == 1
    assert (len(made.sent), is_lost(made)) == (1, True)


# ---- cells ----


def test_boxes_inside_out(both: Both) -> None:
    run, made = both.answer(layout(cell(bbox=[700, 400, 84, 62])))
    assert run.cells("page/page")[0]["bbox"] == [40, 29, 333, 189]
    assert made.cells[0]["bbox"] == [333, 189, 40, 29]


def test_boxes_off_the_page(both: Both) -> None:
    run, made = both.answer(layout(cell(bbox=[-84, -62, 1000, 1500], category="Picture")))
    assert run.cells("page/page")[0]["bbox"] == [0, 0, *SIZE]
    assert made.cells[0]["bbox"] == [-40, -29, 476, 712]
    crops = [EMBEDDED.search(text) for text in (markdown(run), made.pages[0]["md"])]
    sizes = [decoded(base64.b64decode(crop[1])).size for crop in crops if crop]
    assert sizes == [SIZE, (516, 741)]


def test_boxes_of_strips(both: Both) -> None:
    """A strip may pass -m; the reference scales by the size within -m that it did not send."""
    path = both.input / "page.png"
    article(50).resize((2100, 20)).save(path)
    answer = layout(cell(bbox=[0, 0, 1000, 28]))
    both.server.script = lambda request: Reply(answer)
    run = run_ours(both.server, both.input, both.folder / "out", "-m", 3136)
    made = both.reference.read(path, [answer], upsample=True, max_pixels=3136)
    assert run.requests[0].size == made.size()
    wide = run.requests[0].size[0]
    assert run.cells("page/page")[0]["bbox"][2] == min(2100, 1000 * 2100 // wide)
    assert made.cells[0]["bbox"] != run.cells("page/page")[0]["bbox"]


def test_exact_repeats(both: Both) -> None:
    run, made = both.answer(layout(cell(), cell(), cell(text="other"), cell()))
    assert [c["text"] for c in run.cells("page/page")] == ["text", "other"]
    assert len(made.cells) == 4


def test_categories(both: Both) -> None:
    named = ("Abstract", "list_item", "TITLE", None)
    run, made = both.answer(layout(*(cell(category=name) for name in named)))
    found = [c["category"] for c in run.cells("page/page")]
    assert found == ["Text", "List-item", "Title"]  # None is Text as well, and so a repeat
    assert [c["category"] for c in made.cells] == [*named]


def test_no_category(both: Both) -> None:
    run, made = both.answer('[{"bbox": [84, 62, 700, 400], "text": "text"}]')
    assert run.cells("page/page")[0]["category"] == "Text"
    assert "KeyError" in made.error


def test_other_keys(both: Both) -> None:
    run, made = both.answer(layout(cell(confidence=0.5)))
    assert list(run.cells("page/page")[0]) == ["bbox", "category", "text"]
    assert made.cells[0]["confidence"] == 0.5


TWO = layout(cell(), cell(text="more"))


DAMAGED = {  # the answer, and how many cells are in it
    "cut short": (TWO[:-12], 2),
    "a fence around": (f"```json\n{TWO}\n```", 2),
    "more words": (f"{TWO}\nThat is all.", 2),
    "no comma": (TWO.replace("}, {", "} {"), 2),
    "a quote": (TWO.replace('"more"', '"m"or"e"'), 2),
    "three numbers": (layout(cell(bbox=[84, 62, 700]), cell()), 1),
    "no number": (layout(cell(bbox=[84, 62, "x", 400]), cell()), 1),
    "no box": (layout({"category": "Text", "text": "text"}, cell()), 1),
    "one object": (json.dumps(cell()), 1),
    "an object around": (json.dumps({"layout": [cell()]}), 1),
}


def test_damaged_answers(both: Both) -> None:
    for number in range(len(DAMAGED)):
        both.page(f"page{number}.png")
    both.server.script = in_turn(*(Reply(answer) for answer, _ in DAMAGED.values()))
    run = run_ours(both.server, both.input, both.folder / "out", "-p", 1, "--retries", 0)
    for number, (name, (answer, count)) in enumerate(DAMAGED.items()):
        page = f"page{number}/page{number}"
        assert run.records[page]["status"] == "repaired", name
        assert len(run.cells(page)) == count, name
        assert run.cells(page)[0]["bbox"] == [40, 29, 333, 189], name
        assert is_lost(both.reference.read(both.input / f"page{number}.png", [answer])), name


def test_boxes_of_five_numbers(both: Both) -> None:
    run, made = both.answer(layout(cell(bbox=[84, 62, 700, 400, 1]), cell(text="other")))
    assert [c["text"] for c in run.cells("page/page")] == ["other"]
    assert len(made.cells) == 2


def test_empty_array(both: Both) -> None:
    run, made = both.answer("[]")
    assert run.records["page/page"]["status"] == "blank"
    assert run.cells("page/page") == []
    assert is_lost(made)


def test_prose(both: Both) -> None:
    run, made = both.answer("I see a page.")
    assert run.records["page/page"]["status"] == "failed"
    assert not (run.output / "page/page.json").exists()
    assert made.cells == "I see a page."


def test_text_that_is_no_string(both: Both) -> None:
    run, made = both.answer(layout(cell(text=5)))
    assert "text" not in run.cells("page/page")[0]
    assert "AttributeError" in made.error


def test_text_that_is_no_unicode(both: Both) -> None:
    run, made = both.answer(
        '[{"bbox": [84, 62, 700, 400], "category": "Text", "text": "a\\ud800"}]'
    )
    assert run.cells("page/page")[0]["text"] == "a?"
    assert "UnicodeEncodeError" in made.error


# ---- Markdown ----


FORMULAS = (  # the text of a cell, our Markdown, the reference's
    ("E = mc^2", "$$\nE = mc^2\n$$", "E = mc^2"),
    (r"\(x\)", r"\(x\)", "$$\n\\(x\\)\n$$"),
    ("a \\[\nx\n\\] b", "a \\[\nx\n\\] b", "$$\na \\[\nx\n\\] b\n$$"),
    (r"\[a\] b \[c\]", r"\[a\] b \[c\]", "$$\na\\] b \\[c\n$$"),
    (r"\[$x$\]", r"\[$x$\]", "$$\n$x$\n$$"),
    (r"\usepackage{a}\beta", "$$\n\\usepackage{a}\\beta\n$$", "$$\n\\beta\n$$"),
)


def test_formulas(both: Both) -> None:
    texts, ours, theirs = zip(*FORMULAS, strict=True)
    run, made = both.answer(layout(*(cell(category="Formula", text=text) for text in texts)))
    assert run.cells("page/page") == made.cells
    assert markdown(run) == "\n\n".join(ours)
    assert made.pages[0]["md"] == "\n\n".join(theirs)


def test_pictures_without_area(both: Both) -> None:
    run, made = both.answer(layout(cell(bbox=[84, 62, 84, 400], category="Picture")))
    assert markdown(run) == "![]()"
    assert made.error


def test_embedded_files(both: Both) -> None:
    run, made = both.answer(layout({"bbox": [84, 62, 700, 400], "category": "Picture"}))
    crops = [EMBEDDED.search(text) for text in (markdown(run), made.pages[0]["md"])]
    ours, theirs = (base64.b64decode(crop[1]) for crop in crops if crop)
    assert ours != theirs
    assert fingerprint(decoded(ours)) == fingerprint(decoded(theirs))


def test_layout_only(both: Both) -> None:
    answer = '[{"bbox": [84, 62, 700, 400], "category": "Text"}]'
    run, made = both.answer(answer, mode="layout_only", prompt="prompt_layout_only_en")
    assert run.cells("page/page") == made.cells
    assert markdown(run) == ""
    assert made.pages[0]["md"] is None


def test_ocr(both: Both) -> None:
    run, made = both.answer("All the text.", mode="ocr", prompt="prompt_ocr")
    whole_page = {"bbox": [0, 0, *SIZE], "category": "Text", "text": "All the text."}
    assert run.cells("page/page") == [whole_page]
    assert made.pages[0]["json"] is None
    assert markdown(run) == made.pages[0]["md"] == "All the text."


# ---- the list ----


def test_every_difference_stands_in_the_readme() -> None:
    """README.md and this file name the same differences."""
    readme = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    named = re.findall(r"^- `([a-z0-9_]+)`: \S", readme, re.MULTILINE)
    functions = inspect.getmembers(sys.modules[__name__], inspect.isfunction)
    tested = {name.removeprefix("test_") for name, _ in functions if name.startswith("test_")}
    assert sorted(named) == sorted(tested - {"every_difference_stands_in_the_readme"})
