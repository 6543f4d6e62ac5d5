"""The pictures of a page come and go with it; pictures that a person changed are kept."""

from pathlib import Path
from typing import Any

import pytest

from rig.command import records_in
from rig.desk import Desk, page, pdf
from rig.toolkit import files_below, line


def pictured(*pictures: str, name: str = "a.png", **more: Any) -> dict[str, Any]:
    """A manifest line of a page with these picture files."""
    return page(name, pictures=[*pictures], pictures_as="files", **more)


def pictures_of(desk: Desk, page: str = "a") -> dict[str, str]:
    """The files in a page's folder of pictures."""
    folder = desk.output / page / "pictures"
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else {}


def test_pictures_come_with_their_page(desk: Desk) -> None:
    book = [
        line(f"r/r_page_{i}", "r.pdf", pdf_page=i, pictures=[f"page_{i}_1.png"]) for i in range(2)
    ]
    desk.reads(pictured("1.png", "2.jpg"), *book)
    assert desk.brings().new == 3 * 3 + 4
    assert pictures_of(desk).keys() == {"1.png", "2.jpg"}
    assert pictures_of(desk, "r").keys() == {"page_0_1.png", "page_1_1.png"}
    assert desk.brings().new == 0
    brought = [entry["brought"] for entry in records_in(desk.output)]
    assert [set(one) - {"of", ".json", ".md", "_nohf.md"} for one in brought] == [
        {"1.png", "2.jpg"},
        {"page_0_1.png"},
        {"page_1_1.png"},
    ]


@pytest.mark.parametrize("becomes", ["gone", "empty"])
def test_without_one_of_its_pictures_a_page_has_not_come(desk: Desk, becomes: str) -> None:
    desk.reads(pictured("1.png", "2.png"), page("b.png"))
    path = desk.result / "a/pictures/2.png"
    path.unlink()
    if becomes == "empty":
        path.touch()
    desk.brings(failed=1)
    assert desk.inputs == [("b.png", None)] and not (desk.output / "a/pictures/2.png").exists()


def test_a_picture_that_somebody_changed_is_kept(desk: Desk) -> None:
    """It stays while the same picture comes again. If another or none comes, it is kept beside."""
    lines = [pictured("1.png", "2.png", "3.png")]
    desk.reads(*lines)
    desk.brings()
    for name in ("1.png", "2.png"):
        (desk.output / "a/pictures" / name).write_text("retouched")
    desk.reads(*lines)
    desk.brings()
    assert pictures_of(desk)["1.png"] == "retouched" and desk.old() == {}
    desk.reads(pictured("1.png"), text="again")
    desk.brings()
    assert pictures_of(desk) == {
        "1.png": "again: a picture",
        "1.png.old": "retouched",
        "2.png": "retouched",
        "3.png": "read: a picture",
    }, "a page of which something is kept keeps what its text may show"


@pytest.mark.parametrize(
    ("then", "stay"),
    [
        ([pictured("1.png")], {"1.png"}),
        ([pictured()], set()),
        ([page("a.png", pictures_as="inline")], set()),
        ([page("a.png", status="failed")], {"1.png", "2.png"}),
        ([page("a.png", status="left")], {"1.png", "2.png"}),
        ([page("a.png", status="failed"), pictured("2.png")], {"2.png"}),
    ],
    ids=["one", "none", "inline", "failed", "left", "failed-between"],
)
def test_pictures_of_an_earlier_reading_go(
    desk: Desk, then: list[dict[str, Any]], stay: set[str]
) -> None:
    desk.reads(pictured("1.png", "2.png"))
    desk.brings()
    for number, entry in enumerate(then):
        desk.reads(entry, text=f"reading {number}")
        desk.brings()
    assert pictures_of(desk).keys() == stay and desk.old() == {}


def test_a_retouched_picture_that_its_page_no_longer_has_is_kept(desk: Desk) -> None:
    desk.reads(pictured("1.png", "2.png"))
    desk.brings()
    (desk.output / "a/pictures/2.png").write_text("retouched")
    desk.reads(pictured("1.png"))
    desk.brings()
    assert desk.old() == {"a/pictures/2.png.old": "retouched"}
    assert pictures_of(desk).keys() == {"1.png", "2.png.old"}


def test_the_pictures_of_a_text_that_is_kept_stay(desk: Desk) -> None:
    """The text uses these pictures by name."""
    desk.reads(pictured("1.png"))
    desk.brings()
    (desk.output / "a/a.md").write_text("corrected ![](pictures/1.png)")
    desk.reads(page("a.png", pictures_as="inline"), text="again")
    desk.brings()
    assert desk.old() == {"a/a.md.old": "corrected ![](pictures/1.png)"}
    assert pictures_of(desk) == {"1.png": "read: a picture"}


def test_pictures_of_pages_that_are_gone_are_kept_beside(desk: Desk) -> None:
    lines = pdf(3, "1")
    desk.reads(*[{**entry, "pictures": [f"page_{i}_1.png"]} for i, entry in enumerate(lines)])
    desk.brings()
    desk.reads(*pdf(1, "2"), text="another")
    desk.brings()
    assert {name for name in desk.old() if "pictures" in name} == {
        "r/pictures/page_1_1.png.old",
        "r/pictures/page_2_1.png.old",
    }


def test_no_name_of_a_picture_leads_out(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine/secret.png").write_text("not ours")
    odd = ["../../../secret.png", "/etc/1.png", "page_0_1.png", "1.png\n", 7, "1.PNG", "01.png"]
    desk.reads({**pictured(), "pictures": odd})
    assert desk.brings().new == 3
    assert files_below(desk.output) == ["a/a.json", "a/a.md", "a/a_nohf.md", "manifest.jsonl"]
