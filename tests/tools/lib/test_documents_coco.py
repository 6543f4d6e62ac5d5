"""Boxes as detection data."""

import json
from pathlib import Path
from typing import Any

import pytest

from contract import CATEGORIES
from lib.documents.formats import coco
from rig.small_documents import document, written

PAGE = [("Title", "# a"), ("Table", "\ud800<b>")]


def whole(folder: Path, **values: Any) -> tuple[Any, list[str]]:
    """The COCO file of a document with two pages, and the remarks."""
    remarks = written(coco.write, document(PAGE, PAGE, **values), folder)
    return json.loads((folder / "report.coco.json").read_text(encoding="utf-8")), remarks


def test_images_annotations_and_categories(tmp_path: Path) -> None:
    found, remarks = whole(tmp_path)
    assert remarks == [coco.RENDERED]
    assert [found["file_name"] for found in found["images"]] == [
        "report/report_page_0.png",
        "report/report_page_1.png",
    ]
    first = found["images"][0]
    assert (first["width"], first["height"], first["source_page"]) == (1000, 1400, 1)
    assert [found["name"] for found in found["categories"]] == list(CATEGORIES)
    assert [found["id"] for found in found["annotations"]] == [1, 2, 3, 4]
    assert [found["image_id"] for found in found["annotations"]] == [1, 1, 2, 2]
    title, table = found["annotations"][:2]
    assert (title["bbox"], title["area"]) == ([100, 50, 800, 40], 32_000)
    assert title["segmentation"] == [[100, 50, 900, 50, 900, 90, 100, 90]]
    assert (title["category_id"], title["precedence"], title["iscrowd"]) == (11, 0, 0)
    assert table["text"] == "?<b>"


def test_a_picture_is_called_as_its_file(tmp_path: Path) -> None:
    found, remarks = whole(tmp_path, input="100dpi/페이지.png", pdf_page=None)
    assert found["images"][0]["file_name"] == "100dpi/페이지.png" and remarks == []


@pytest.mark.parametrize(
    ("rotation", "bbox"),
    [
        (0, [100, 50, 800, 40]),
        (90, [50, 100, 40, 800]),
        (180, [100, 1310, 800, 40]),
        (270, [1310, 100, 40, 800]),
    ],
)
def test_the_boxes_of_a_turned_page_are_turned_back(
    rotation: int, bbox: list[float], tmp_path: Path
) -> None:
    found, _ = whole(tmp_path, rotation=rotation)
    turned = rotation in (90, 270)
    image, annotation = found["images"][0], found["annotations"][0]
    assert (image["width"], image["height"]) == ((1400, 1000) if turned else (1000, 1400))
    assert annotation["bbox"] == bbox


@pytest.mark.parametrize("values", [{"size": (0.0, 0.0)}, {"status": "failed"}])
def test_a_page_that_was_not_read_is_not_in_it(values: dict[str, Any], tmp_path: Path) -> None:
    found, _ = whole(tmp_path, **values)
    assert (found["images"], found["annotations"]) == ([], [])
