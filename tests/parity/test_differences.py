"""Every deliberate difference from the reference client in what is sent, each seen on both sides.

A test's name is that of its entry in README.md, where the reason stands.
"""

import inspect
import math
import re
import sys
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from PIL import Image, ImageCms

from parity import test_answer_differences
from parity.both import Made, fingerprint, layout, run_ours
from parity.one_page import Both, cell, is_lost
from rig import pages
from rig.model_server import ModelServer
from rig.pages import article

SENT = (868, 1232)  # what the model sees of a page


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
    left = 8192 - math.prod(SENT) // 28**2  # and less, for the prompt
    assert left - 600 < ours["max_completion_tokens"] < left
    assert "BadRequestError" in made.error


def test_useless_answers_are_asked_again(both: Both) -> None:
    run, made = both.answer("I see a page.", layout(cell()))
    assert [request.temperature for request in run.requests] == [0.1, 0.3]
    assert len(run.cells("page/page")) == 1
    assert (len(made.sent), is_lost(made)) == (1, True)


# ---- the list ----


def test_every_difference_stands_in_the_readme() -> None:
    """README.md, this file and test_answer_differences.py name the same differences."""
    readme = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    named = re.findall(r"^- `([a-z0-9_]+)`: \S", readme, re.MULTILINE)
    modules = (sys.modules[__name__], test_answer_differences)
    functions = {
        name for module in modules for name, _ in inspect.getmembers(module, inspect.isfunction)
    }
    tested = {name.removeprefix("test_") for name in functions if name.startswith("test_")}
    assert sorted(named) == sorted(tested - {"every_difference_stands_in_the_readme"})
