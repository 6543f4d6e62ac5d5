"""A turned page through the command: sent, cut, drawn and written like the upright one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from PIL import Image

from picture.upright import turned
from rig import pages
from rig.command import Batch, batch_of
from rig.model_server import ModelServer

KEPT_APART = ("input", "page", "sha256", "rotation", "seconds", "finished_at", "version")


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Batch, ModelServer]]:
    """Read one page unturned, turned by each angle, tagged, in a PDF, and with an empty page."""
    with batch_of(tmp_path_factory.mktemp("upright"), 0) as (batch, server):
        page = pages.article(100)
        for angle in (0, 90, 180, 270):
            turned(page, angle).save(batch.input / f"{angle}.png")
        tag = Image.Exif()
        tag[0x0112] = 6  # its tag makes it upright, its pixels do not
        turned(page, 270).save(batch.input / "tagged.png", exif=tag)
        large = turned(pages.article(400), 180)  # too large to be kept while the model answers
        large.save(batch.input / "large.png", compress_level=1)
        with pymupdf.open() as document:
            for angle in (180, 0):
                png = io.BytesIO()
                turned(page, angle).save(png, "PNG")
                sheet = document.new_page(width=595, height=842)
                sheet.insert_image(sheet.rect, stream=png.getvalue())
            document.save(batch.input / "book.pdf")
        Image.new("L", (800, 600), 250).save(batch.input / "empty.png")
        end = batch.run_here("--images")
        assert end.code == 0, end
        yield batch, server


def record(batch: Batch, name: str) -> dict[str, Any]:
    (found,) = (each for each in batch.records if each["input"] == name)
    return found


def results(batch: Batch, name: str) -> dict[str, bytes]:
    files = [path for path in (batch.output / name).rglob("*") if path.is_file()]
    return {path.name.removeprefix(name): path.read_bytes() for path in files}


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_all_of_a_turned_page_is_that_of_the_upright_one(
    read: tuple[Batch, ModelServer], angle: int
) -> None:
    """Its boxes, pictures and drawing are the same; the model has seen the same pixels."""
    batch, server = read
    upright, other = record(batch, "0.png"), record(batch, f"{angle}.png")
    assert (upright["rotation"], other["rotation"]) == (0, -angle % 360)
    assert {k: v for k, v in other.items() if k not in KEPT_APART} == {
        k: v for k, v in upright.items() if k not in KEPT_APART
    }
    assert results(batch, str(angle)) == results(batch, "0")
    assert results(batch, "0").keys() == {".json", ".md", "_nohf.md", ".jpg", "1.png"}
    seen = [request.picture_sha256 for request in server.requests]
    assert len(seen) - len(set(seen)) >= 4  # these three and the tagged page look like 0.png


@pytest.mark.parametrize(
    ("name", "rotation"), [("tagged.png", 0), ("large.png", 180), ("empty.png", 0)]
)
def test_tags_large_pages_and_empty_ones(
    read: tuple[Batch, ModelServer], name: str, rotation: int
) -> None:
    batch, _ = read
    assert record(batch, name)["rotation"] == rotation
    stem = name.removesuffix(".png")
    with Image.open(batch.output / stem / f"{stem}.jpg") as drawing:
        assert list(drawing.size) == record(batch, name)["original_size"]


def test_pages_of_a_pdf_each_for_itself(read: tuple[Batch, ModelServer]) -> None:
    batch, _ = read
    of_book = [each for each in batch.records if each["input"] == "book.pdf"]
    assert {each["pdf_page"]: each["rotation"] for each in of_book} == {0: 180, 1: 0}


def test_a_drawing_made_later_is_turned_too(read: tuple[Batch, ModelServer]) -> None:
    batch, server = read
    asked = len(server.requests)
    drawing = batch.output / "90" / "90.jpg"
    before = drawing.read_bytes()
    drawing.unlink()
    assert batch.run_here("--images").code == 0
    assert drawing.read_bytes() == before
    assert len(server.requests) == asked


def test_another_rotate_reads_only_what_it_turns_otherwise(
    read: tuple[Batch, ModelServer],
) -> None:
    batch, server = read
    for rotate, count in (("0", 5), ("0", 0), ("auto", 5), ("auto", 0)):
        asked = len(server.requests)
        assert batch.run_here("--images", "--rotate", rotate).code == 0
        assert len(server.requests) - asked == count
        assert sum(each["rotation"] != 0 for each in batch.records) == (rotate == "auto") * 5


def test_an_angle_turns_every_page_also_an_empty_one(tmp_path: Path) -> None:
    with batch_of(tmp_path, 0) as (batch, server):
        pages.article(100).save(batch.input / "page.png")
        Image.new("L", (800, 600), 250).save(batch.input / "empty.png")
        assert batch.run_here(environment={"ROTATE": "90"}).code == 0
        assert {each["rotation"] for each in batch.records} == {90}
        assert record(batch, "page.png")["original_size"] == [1170, 827]
        assert record(batch, "empty.png")["original_size"] == [600, 800]
        assert batch.run_here(environment={"ROTATE": "90"}).code == 0
        assert len(server.requests) == 1


def test_a_machine_without_the_packages_reads_and_says_so(tmp_path: Path) -> None:
    """Also with older packages: the page's line says that nobody checked its direction."""
    for name in ("onnxruntime", "numpy"):
        (tmp_path / "packages" / name).mkdir(parents=True)
        (tmp_path / "packages" / name / "__init__.py").write_text(f"raise ImportError('no {name}')")
    with batch_of(tmp_path, 0) as (batch, _):
        turned(pages.article(100), 180).save(batch.input / "page.png")
        end = batch.run(environment={"PYTHONPATH": str(tmp_path / "packages")})
        assert end.code == 0, end
        found = record(batch, "page.png")
        assert (found["status"], found["rotation"]) == ("ok", 0)
        assert ["was not checked" in note for note in found["notes"]] == [True]
