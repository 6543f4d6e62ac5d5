"""Corrected pages as message pairs for training."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy
import pymupdf
import pytest
from PIL import Image

from lib.documents.document import Document, Page
from lib.documents.formats import finetune
from picture.images import model_picture
from prompts import PROMPTS
from rig.small_documents import SIZE, cells, document, entry, written

PAGE = [("Title", "# 제목 \ud800"), ("Picture", ""), ("Table", "<table></table>")]
SEEN = (784.0, 1092.0)  # 28 × 28, 28 × 39


def lines_of(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "report.finetune.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def book(folder: Path, *statuses: str, **values: Any) -> Document:
    """Write a PDF into a folder; return the document with what was read on its pages."""
    with pymupdf.open() as pdf:
        for number in range(len(statuses)):
            page = pdf.new_page(width=500, height=700)
            page.draw_rect((50, 25, 450, 45), fill=(0, 0.2 * number, 0.6))
        pdf.save(folder / "report.pdf")
    found = sha256((folder / "report.pdf").read_bytes()).hexdigest()
    seen = {"sha256": found, "model_size": SEEN, "prompt_mode": "layout_all", **values}
    pages = (
        Page(entry(number, status=status, **seen), cells(*PAGE))
        for number, status in enumerate(statuses)
    )
    return Document("report", tuple(pages))


def test_a_line_for_each_page_that_a_person_corrected(tmp_path: Path) -> None:
    """The answer is in the model's form, in pixels of the picture beside it."""
    pdf = book(tmp_path, "ok", "corrected", "doubtful", "corrected", "failed")
    assert written(finetune.write, pdf, tmp_path / "out", input=tmp_path) == []
    found = lines_of(tmp_path / "out")
    assert [line["images"] for line in found] == [["report_files/0.png"], ["report_files/1.png"]]
    user, assistant = found[0]["messages"]
    assert user == {"role": "user", "content": "<image>" + PROMPTS["layout_all"]}
    assert assistant["role"] == "assistant"
    assert json.loads(assistant["content"]) == [
        {"bbox": [78, 39, 706, 70], "category": "Title", "text": "# 제목 ?"},
        {"bbox": [78, 86, 706, 117], "category": "Picture"},
        {"bbox": [78, 133, 706, 164], "category": "Table", "text": "<table></table>"},
    ]
    with Image.open(tmp_path / "out/report_files/1.png") as picture:
        assert picture.size == SEEN
        left, top, right, bottom = json.loads(assistant["content"])[0]["bbox"]
        assert picture.getpixel(((left + right) // 2, (top + bottom) // 2)) == (0, 153, 153)
        assert picture.getpixel((left - 5, top)) == (255, 255, 255)


@pytest.mark.parametrize(("mode", "has_text"), [("layout_all", True), ("layout_only", False)])
def test_the_answer_is_that_of_the_prompt(tmp_path: Path, mode: str, has_text: bool) -> None:
    pdf = book(tmp_path, "corrected", prompt_mode=mode)
    written(finetune.write, pdf, tmp_path / "out", input=tmp_path)
    (line,) = lines_of(tmp_path / "out")
    assert line["messages"][0]["content"] == "<image>" + PROMPTS[mode]
    assert ("text" in line["messages"][1]["content"]) is has_text


def test_text_alone_is_the_answer_to_the_prompt_for_text(tmp_path: Path) -> None:
    pdf = book(tmp_path, "corrected", prompt_mode="ocr")
    written(finetune.write, pdf, tmp_path / "out", input=tmp_path)
    (line,) = lines_of(tmp_path / "out")
    assert line["messages"][1]["content"] == "# 제목 ?\n\n<table></table>"


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_the_picture_is_what_the_model_saw(tmp_path: Path, rotation: int, mode: str) -> None:
    upright = Image.linear_gradient("L").resize((500, 700)).convert("RGB")
    upright.paste((9, 9, 9), (40, 60, 200, 120))
    page = upright.convert(mode)
    page.rotate(rotation, expand=True).save(tmp_path / "a.png")
    found = sha256((tmp_path / "a.png").read_bytes()).hexdigest()
    seen = model_picture(page.convert("RGB"), 400_000, 0)
    values: dict[str, Any] = {
        "sha256": found,
        "model_size": tuple(map(float, seen.size)),
        "rotation": rotation,
    }
    values |= {"input": "a.png", "pdf_page": None, "status": "corrected"}
    whole = document(PAGE, **values, prompt_mode="layout_all")
    assert written(finetune.write, whole, tmp_path / "out", input=tmp_path) == []
    with Image.open(tmp_path / "out/report_files/0.png") as picture:
        assert picture.size == seen.size
        pixels = (numpy.asarray(one.convert("RGB"), float) for one in (picture, seen))
        assert abs(next(pixels) - next(pixels)).mean() < 3


def test_without_corrected_pages_there_is_nothing_to_learn(tmp_path: Path) -> None:
    """Nor if the model's picture or prompt is not known. INPUT is not needed here."""
    wide = {"model_size": (1e6, 1e6)}
    for pdf in (
        book(tmp_path, "ok", "blank", "partial"),
        *(book(tmp_path, "corrected", **v) for v in ({"model_size": (0.0, 0.0)}, wide)),
        book(tmp_path, "corrected", prompt_mode="__proto__"),
    ):
        assert written(finetune.write, pdf, tmp_path / "out") == []
        assert lines_of(tmp_path / "out") == []


def test_pages_that_are_not_there_or_another_by_now_are_told(tmp_path: Path) -> None:
    pdf = book(tmp_path, "corrected")
    with pytest.raises(ValueError, match="give INPUT"):
        written(finetune.write, pdf, tmp_path / "out")
    (tmp_path / "report.pdf").write_bytes(b"another")
    remarks = written(finetune.write, pdf, tmp_path / "out", input=tmp_path)
    assert remarks == ["report.pdf: left out, it has changed since it was read"]
    broken = book(tmp_path, "corrected", sha256=sha256(b"%PDF-none").hexdigest())
    (tmp_path / "report.pdf").write_bytes(b"%PDF-none")
    (remark,) = written(finetune.write, broken, tmp_path / "out", input=tmp_path)
    assert "cannot be opened" in remark and SIZE
    assert lines_of(tmp_path / "out") == []
