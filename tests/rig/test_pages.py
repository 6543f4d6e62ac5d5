"""The generator of test pages: the same pages every time, bad and odd as their names say."""

from __future__ import annotations

import stat
from pathlib import Path

import pymupdf
import pytest
from PIL import Image, ImageOps, ImageStat, UnidentifiedImageError

from rig import pages


def content(folder: Path) -> dict[str, bytes]:
    """The bytes of every file but the encrypted one, because its key is new each time."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.stem != "encrypted"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def darkness(picture: Image.Image) -> float:
    """Mean distance from white, 0 to 255."""
    return 255 - ImageStat.Stat(picture.convert("L")).mean[0]


def as_on_paper(path: Path) -> Image.Image:
    """The first frame of a file as a person sees it: upright and on white paper."""
    with Image.open(path) as picture:
        upright = ImageOps.exif_transpose(picture)
    if upright.mode == "I;16":
        upright = upright.point(lambda value: value / 256).convert("L")
    seen = upright.convert("RGBA")
    paper = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(paper, seen).convert("L")


@pytest.mark.parametrize(("colour", "mode"), [(False, "L"), (True, "RGB")], ids=["gray", "colour"])
def test_article_is_an_a4_page_and_depends_on_its_seed_only(colour: bool, mode: str) -> None:
    first = pages.article(50, seed=1, colour=colour)
    assert (first.mode, first.size) == (mode, (414, 585))
    assert first.tobytes() == pages.article(50, seed=1, colour=colour).tobytes()
    assert first.tobytes() != pages.article(50, seed=2, colour=colour).tobytes()
    assert 5 < darkness(first) < 60


def test_noisy_scan_has_noise_of_sigma_4() -> None:
    scan = pages.noisy_scan(dpi=50)
    assert scan.tobytes() == pages.noisy_scan(dpi=50).tobytes()
    margin = ImageStat.Stat(scan.crop((0, 0, scan.width, 15)))
    assert margin.stddev[0] == pytest.approx(4, abs=0.2)
    assert margin.mean[0] == pytest.approx(240, abs=1)


def test_pdf_has_its_pages_and_the_same_bytes(tmp_path: Path) -> None:
    one, two = pages.pdf(tmp_path / "a.pdf", pages=3), pages.pdf(tmp_path / "b.pdf", pages=3)
    assert one.read_bytes() == two.read_bytes()
    with pymupdf.open(one) as document:
        assert document.page_count == 3
        assert "Test journal 2" in document[2].get_text()


def test_encrypted_pdf_opens_with_the_password_only(tmp_path: Path) -> None:
    with pymupdf.open(pages.pdf(tmp_path / "a.pdf", encrypted=True)) as document:
        assert document.needs_pass
        assert not document.authenticate("wrong")
        assert document.authenticate(pages.PDF_PASSWORD)


@pytest.mark.parametrize(("count", "small"), [(6, False), (300, True)], ids=["a4", "small"])
def test_write_folder_makes_a_tree_of_distinct_pages(
    tmp_path: Path, count: int, small: bool
) -> None:
    written = pages.write_folder(tmp_path, count, dpi=30, small=small)
    assert written[0] == tmp_path / "100dpi/page1.png"
    assert len({path.read_bytes() for path in written}) == len(written) == count
    assert set(written) == set(tmp_path.rglob("*.png"))
    assert len({path.parent for path in written}) == len(pages.FOLDERS)


def test_bad_and_odd_inputs_are_the_same_every_time(tmp_path: Path) -> None:
    for make in (pages.bad_inputs, pages.odd_good_inputs):
        first, second = tmp_path / "first", tmp_path / "second"
        for folder in (first, second):
            made = make(folder)
            if "unreadable" in made:
                made["unreadable"].chmod(0o600)
            assert {path.parent for path in made.values()} == {folder}
            assert len(set(made.values())) == len(made)
        assert content(first) == content(second)


@pytest.mark.parametrize(
    ("slug", "error"),
    [
        ("empty", UnidentifiedImageError),
        ("truncated_png", OSError),
        ("truncated_jpeg", OSError),
        ("text", UnidentifiedImageError),
        ("bomb", Image.DecompressionBombError),
        ("folder", IsADirectoryError),
        ("dangling_link", FileNotFoundError),
    ],
)
def test_pillow_refuses(tmp_path: Path, slug: str, error: type[Exception]) -> None:
    path = pages.BAD[slug](tmp_path)
    with pytest.raises(error), Image.open(path) as picture:
        picture.load()


def test_bomb_is_small_well_formed_and_refused_for_its_size_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pages.bomb_png(tmp_path)
    assert path.stat().st_size < 50_000
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with Image.open(path) as picture:
        assert picture.width * picture.height > pages.BOMB_PIXELS
        picture.verify()


def test_strip_is_longer_than_200_to_1(tmp_path: Path) -> None:
    with Image.open(pages.strip_png(tmp_path)) as picture:
        assert picture.width / picture.height > 200


def test_mupdf_refuses_the_truncated_pdf(tmp_path: Path) -> None:
    with pytest.raises(pymupdf.FileDataError):
        pymupdf.open(pages.truncated_pdf(tmp_path))


def test_nobody_has_a_right_to_the_unreadable_one(tmp_path: Path) -> None:
    assert stat.S_IMODE(pages.unreadable_png(tmp_path).stat().st_mode) == 0


def test_names_that_cannot_be_kept(tmp_path: Path) -> None:
    long = pages.long_name_png(tmp_path)
    assert len(long.name) == 255
    with pytest.raises(OSError, match="too long"):
        long.with_suffix(".json").touch()
    assert "\n" in pages.newline_name_png(tmp_path).name


@pytest.mark.parametrize(
    ("slug", "mode"),
    [
        ("one_pixel", "L"),
        ("animated", "L"),
        ("gray16", "I;16"),
        ("palette", "P"),
        ("rgba", "RGBA"),
        ("gray_alpha", "LA"),
        ("one_bit", "1"),
        ("cmyk", "CMYK"),
        ("rotated", "L"),
        ("upper_case", "L"),
        ("korean_name", "L"),
        ("hidden", "L"),
        ("blank", "L"),
        ("blank_noisy", "L"),
    ],
)
def test_odd_files_have_their_mode_and_can_be_read(tmp_path: Path, slug: str, mode: str) -> None:
    path = pages.ODD_GOOD[slug](tmp_path)
    with Image.open(path) as picture:
        assert picture.mode == mode
        picture.load()
    if slug not in {"one_pixel", "blank", "blank_noisy"}:
        assert 5 < darkness(as_on_paper(path)) < 60


def test_animated_has_three_different_frames(tmp_path: Path) -> None:
    frames = set()
    with Image.open(pages.animated_png(tmp_path)) as picture:
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            frames.add(picture.convert("L").tobytes())
    assert len(frames) == 3


@pytest.mark.parametrize("slug", ["palette", "rgba", "gray_alpha"])
def test_transparent_paper_is_black_to_a_careless_reader(tmp_path: Path, slug: str) -> None:
    with Image.open(pages.ODD_GOOD[slug](tmp_path)) as picture:
        assert darkness(picture.convert("RGB")) > 200


def test_rotated_is_upright_once_its_orientation_is_obeyed(tmp_path: Path) -> None:
    path = pages.rotated_jpeg(tmp_path)
    with Image.open(path) as picture:
        assert picture.getexif()[0x0112] == 6
        assert picture.width > picture.height
    upright = as_on_paper(path)
    assert upright.width < upright.height
    assert darkness(upright.crop((0, 0, upright.width, 20))) > 240
    assert darkness(upright.crop((0, upright.height - 20, upright.width, upright.height))) < 30


def test_blank_pages_are_white_and_nearly_white(tmp_path: Path) -> None:
    assert darkness(as_on_paper(pages.blank(tmp_path))) == 0
    with Image.open(pages.blank_noisy(tmp_path)) as picture:
        assert ImageStat.Stat(picture).stddev[0] == pytest.approx(4, abs=0.2)


def test_same_name_differs_in_the_ending_only(tmp_path: Path) -> None:
    made = pages.same_name(tmp_path)
    assert {path.stem for path in made} == {"page1"}
    assert len(set(made)) == 3
    assert all(path.is_file() for path in made)
