"""The pages of the sample as files: whole ones copied, others cut out, hostile ones left out."""

from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from lib.tune.bringing import bring, measured, target_of
from lib.tune.sampling import Place
from rig import pages
from rig.toolkit import files_below


def test_what_is_brought_is_that_page(tmp_path: Path) -> None:
    root, folder = tmp_path / "in", tmp_path / "sample"
    (root / "책").mkdir(parents=True)
    folder.mkdir()
    pages.tiny(1).save(root / "a.png")
    pages.pdf(root / "책" / "open.pdf", 3)
    pages.pdf(root / "closed.pdf", 3, encrypted=True)
    frames = [Image.new("L", (40 + n, 30), n) for n in range(3)]
    frames[0].save(root / "fax.tif", save_all=True, append_images=frames[1:])
    (folder / "old").mkdir()
    (folder / "old" / "page.png").touch()
    places = [Place("a.png"), Place("책/open.pdf", 1), Place("closed.pdf", 2), Place("fax.tif", 2)]
    names, why = bring(root, places, folder, pages.PDF_PASSWORD)
    assert why == {}
    assert sorted(names) == files_below(folder)
    assert set(names.values()) == set(places)
    assert (folder / "a.png").read_bytes() == (root / "a.png").read_bytes()
    for name, page in (("책/open", 1), ("closed", 2)):
        with (
            pymupdf.open(root / f"{name}.pdf") as whole,
            pymupdf.open(folder / f"{name}_page_{page}.pdf") as part,
        ):
            assert bool(part.needs_pass) == bool(whole.needs_pass) == (name == "closed")
            for document in (whole, part):
                document.authenticate(pages.PDF_PASSWORD)
            assert part.page_count == 1
            assert part[0].get_text() == whole[page].get_text() != whole[0].get_text()
            assert part[0].get_pixmap(dpi=50).samples == whole[page].get_pixmap(dpi=50).samples
    with Image.open(folder / "fax_page_2.tif") as frame:
        assert (frame.size, frame.getpixel((0, 0))) == ((42, 30), 2)
    stands = {name: (folder / name).stat().st_ino for name in names}
    assert bring(root, places, folder, pages.PDF_PASSWORD) == (names, {})
    assert {name: (folder / name).stat().st_ino for name in names} == stands, "as it was"


def test_what_cannot_be_opened_is_left_out(tmp_path: Path) -> None:
    root, folder = tmp_path / "in", tmp_path / "sample"
    root.mkdir()
    folder.mkdir()
    bad = [make(root) for make in (pages.bomb_png, pages.truncated_pdf, pages.empty_file)]
    pages.tiny(1).save(root / "good.png")
    (root / "gone.png").symlink_to("nowhere")
    places = [Place(path.name) for path in (*bad, root / "good.png", root / "gone.png")]
    pages.pdf(root / "locked.pdf", 1, encrypted=True)
    (root / "no.pdf").write_bytes(b"%PDF-1.7\nnothing")
    sizes, unread = measured(root, [*places, Place("locked.pdf"), Place("no.pdf")], "wrong")
    assert Place("good.png") in sizes and not sizes.keys() & unread.keys()
    assert {"gone.png", "locked.pdf", "no.pdf"} <= {place.name for place in unread}
    assert "encrypted" in unread[Place("locked.pdf")]
    cut = [Place(bad[1].name, 900), Place("good.png"), Place("gone.png")]
    names, why = bring(root, cut, folder, "")
    assert (names, set(why)) == ({"good.png": Place("good.png")}, {cut[0], cut[2]})
    assert files_below(folder) == ["good.png"]


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (Place("a/b.png"), "a/b.png"),
        (Place("a/b.pdf", 0), "a/b_page_0.pdf"),
        (Place("b.tar.TIF", 1), "b.tar_page_1.TIF"),
    ],
)
def test_what_a_page_is_called(place: Place, name: str) -> None:
    assert target_of(place) == name


def test_two_pages_of_one_name_are_told(tmp_path: Path) -> None:
    root, folder = tmp_path / "in", tmp_path / "sample"
    root.mkdir()
    folder.mkdir()
    pages.pdf(root / "a.pdf", 2)
    pages.pdf(root / "a_page_1.pdf", 1)
    names, why = bring(root, [Place("a.pdf", 1), Place("a_page_1.pdf")], folder, "")
    assert (len(names), len(why)) == (1, 1)
