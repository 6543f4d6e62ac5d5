"""What is kept of a page while the model answers; afterwards it must be the same page."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from picture.images import UnreadablePage
from picture.limits import LARGE_PIXELS, pixels_of
from picture_files import AS_FILES, PICTURE_FORMS
from results.files import Wanted
from results.steps import Sent, finish, in_turns, needs_source, prepare, remade
from rig import half_drawn, hostages, pages

PAGE = "a/a"
BARE = Wanted(PAGE, drawing=False, pictures=AS_FILES)
DRAWN = Wanted(PAGE, drawing=True, pictures=AS_FILES)
FILE = "a/pictures/1.png"
PICTURE = [{"bbox": [0, 0, 500, 500], "category": "Picture"}]
TEXT = [{"bbox": [0, 0, 500, 500], "category": "Text", "text": "a"}]


def prepared(path: Path) -> tuple[Any, dict[str, Any]]:
    values: dict[str, Any] = {}
    return prepare(path, None, values, 1_000_000, 0, "0", BARE, "off"), values


@pytest.mark.parametrize(
    ("side", "mode", "is_kept"),
    [(1000, "L", True), (4000, "L", True), (4001, "L", False), (2400, "RGB", False)],
)
def test_a_large_page_is_not_kept(tmp_path: Path, side: int, mode: str, is_kept: bool) -> None:
    """Its bytes decide, because 64 such pages wait at the same time."""
    sent, values = prepared(hostages.large_png(tmp_path / "a.png", side, mode))
    assert (sent.page is not None) is is_kept
    assert values["original_size"] == [side, side] and sent.png


def test_it_is_opened_again_only_if_a_part_of_it_is_wanted(tmp_path: Path) -> None:
    path = hostages.large_png(tmp_path / "a.png", 4100, "L")
    sent, values = prepared(path)
    files, _ = finish(path, None, values, sent, PICTURE, BARE)
    assert files["a/a.md"] == b"![](pictures/1.png)" and FILE in files
    path.unlink()
    files, _ = finish(b"", None, values, sent, TEXT, BARE)
    assert files["a/a.md"] == b"a"
    with pytest.raises(OSError, match="No such file"):
        finish(path, None, values, sent, TEXT, DRAWN)


def test_the_boxes_of_a_fax_are_in_its_own_pixels(tmp_path: Path) -> None:
    """It has half as many rows as it is shown with."""
    path = tmp_path / "a.tif"
    fax = pages.article(100).convert("1").resize((840, 560))
    fax.save(path, dpi=(200, 100))
    sent, values = prepared(path)
    assert values["original_size"] == [840, 560] and sent.size[1] > 1.3 * sent.size[0]
    box = [0, sent.size[1] // 2, *sent.size]
    files, _ = finish(path, None, values, sent, [{"bbox": box, "category": "Picture"}], BARE)
    assert json.loads(files["a/a.json"])[0]["bbox"] == [0, 280, 840, 560]
    with Image.open(io.BytesIO(files[FILE])) as cut:
        assert cut.size == (840, 560)


def test_another_page_by_now_is_none(tmp_path: Path) -> None:
    path = hostages.large_png(tmp_path / "a.png", 4100, "L")
    sent, values = prepared(path)
    hostages.large_png(path, 4100, "RGB")
    with pytest.raises(UnreadablePage, match="changed while"):
        finish(path, None, values, sent, PICTURE, BARE)


@pytest.mark.parametrize(("side", "turns"), [(1000, [False]), (8001, [False, True])])
def test_a_very_large_page_takes_the_turn_of_these(
    tmp_path: Path, side: int, turns: list[bool]
) -> None:
    taken: list[bool] = []

    class Turn:
        def __init__(self, is_large: bool) -> None:
            taken.append(is_large)

        def __enter__(self) -> None:
            pass

        def __exit__(self, *_: object) -> None:
            pass

    path = hostages.large_png(tmp_path / "a.png", side, "L")
    assert (side * side > LARGE_PIXELS) is (len(turns) == 2)
    size = in_turns(Turn)(lambda source, pdf_page, values: side, path, None, {})
    assert size == side and taken == turns


def test_pixels_are_known_before_they_are_decoded(tmp_path: Path) -> None:
    picture = hostages.large_png(tmp_path / "a.png", 900, "L")
    assert pixels_of(picture, None) == pixels_of(picture.read_bytes(), None) == 810_000
    book = hostages.good(tmp_path / "a.pdf")
    assert pixels_of(book, 0) == pytest.approx(1653 * 2339, rel=0.01)
    (tmp_path / "b.png").write_bytes(b"none")
    assert pixels_of(tmp_path / "b.png", None) == pixels_of(tmp_path / "gone.png", None) == 0
    assert pixels_of(book, 7) == 0


def test_boxes_of_a_picture_that_was_decoded_smaller_are_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    picture = Image.new("RGB", (8100, 8100), "white")
    picture.paste("red", (4000, 4000, 8100, 8100))
    picture.save(path)
    sent, values = prepared(path)
    assert values["original_size"] == [8100, 8100] and sent.page_size == (8100, 8100)
    half = [side // 2 for side in sent.size]
    cells = [{"bbox": [*half, *sent.size], "category": "Picture"}]
    files, _ = finish(path, None, values, sent, cells, DRAWN)
    assert json.loads(files["a/a.json"])[0]["bbox"] == [4050, 4050, 8100, 8100]
    with Image.open(io.BytesIO(files[FILE])) as figure:
        assert figure.size == (2025, 2025) and figure.getextrema() != (255, 255)


def test_a_picture_that_was_decoded_smaller_is_turned_with_its_own_size(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (8200, 8000), "red").save(path)
    values: dict[str, Any] = {}
    sent = prepare(path, None, values, 1_000_000, 0, "90", BARE, "off")
    assert values["original_size"] == [8000, 8200] and sent.page_size == (8000, 8200)


def test_what_is_odd_about_a_page_is_in_its_values(tmp_path: Path) -> None:
    path = half_drawn.errors_amidst(tmp_path / "a.pdf")
    values: dict[str, Any] = {}
    prepare(path, 0, values, 1_000_000, 0, "0", BARE, "off")
    (note,) = values["notes"]
    assert note.startswith("drawn by PDFium")


@pytest.mark.parametrize("rotate", ["0", "90"])
def test_of_a_sound_pdf_the_words_are_kept_for_the_witnesses(tmp_path: Path, rotate: str) -> None:
    path, values = pages.pdf(tmp_path / "a.pdf", 1), dict[str, Any]()
    sent = prepare(path, 0, values, 1_000_000, 0, rotate, BARE, "ink")
    assert sent.evidence is not None
    words = sent.evidence.words
    assert len(words) > 100
    assert len(pickle.dumps(sent.evidence)) < 200_000
    assert all(
        0 <= word.bbox[2] <= sent.size[0] >= 0 <= word.bbox[3] <= sent.size[1] for word in words
    )


def test_of_an_odd_pdf_none_are(tmp_path: Path) -> None:
    values: dict[str, Any] = {}
    path = half_drawn.errors_amidst(tmp_path / "a.pdf")
    sent = prepare(path, 0, values, 1_000_000, 0, "0", BARE, "ink")
    assert sent.evidence is not None and not sent.evidence.words


# ---- pictures ----


def photo(path: Path, **more: Any) -> Path:
    """A page file of 300 by 200 pixels that is all photo."""
    page = Image.effect_noise((300, 200), 90)
    page.save(path, **({"quality": 90} | more))
    return path


def whole(size: tuple[int, int]) -> list[dict[str, Any]]:
    """An answer with one Picture cell that covers all that was sent."""
    return [{"bbox": [0, 0, *size], "category": "Picture"}]


def finished(path: Path, rotate: str = "0", form: str = AS_FILES) -> dict[str, bytes]:
    """The files of a page that the model reads as one picture."""
    wanted, values = Wanted(PAGE, drawing=False, pictures=form), dict[str, Any]()
    sent = prepare(path, None, values, 1_000_000, 0, rotate, wanted, "off")
    assert needs_source(whole(sent.size), sent, None, wanted) is (form == AS_FILES)
    return finish(path, None, values, sent, whole(sent.size), wanted)[0]


def test_a_jpeg_that_is_one_picture_stands_as_it_is(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.jpg")
    files = finished(path)
    assert files["a/pictures/1.jpg"] == path.read_bytes()
    assert files["a/a.md"] == b"![](pictures/1.jpg)" and FILE not in files
    assert b"data:image/png" in finished(path, form="inline")["a/a.md"], "as the reference has it"


def turned_by_exif(path: Path) -> Path:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return photo(path, exif=exif)


def cut_short(path: Path) -> Path:
    content = photo(path).read_bytes()
    path.write_bytes(content[: len(content) * 49 // 50])
    return path


def of_more(path: Path) -> Path:
    more = [Image.new("L", (30, 20))]
    return photo(path, format="MPO", save_all=True, append_images=more)


def in_inks(path: Path) -> Path:
    Image.effect_noise((300, 200), 90).convert("CMYK").save(path)
    return path


def behind_junk(path: Path) -> Path:
    path.write_bytes(b"\r\n" + photo(path).read_bytes())
    return path


@pytest.mark.parametrize(
    ("make", "rotate"),
    [
        (lambda path: photo(path.with_suffix(".png")), "0"),
        (lambda path: photo(path, format="PNG"), "0"),
        (photo, "180"),
        (turned_by_exif, "0"),
        (cut_short, "0"),
        (of_more, "0"),
        (in_inks, "0"),
        (behind_junk, "0"),
    ],
    ids=["png", "png-called-jpg", "turned", "exif", "damaged", "mpo", "cmyk", "junk"],
)
def test_of_any_other_file_the_picture_is_cut_out(
    tmp_path: Path, make: Callable[[Path], Path], rotate: str
) -> None:
    files = finished(make(tmp_path / "a.jpg"), rotate)
    assert FILE in files and "a/pictures/1.jpg" not in files
    with Image.open(io.BytesIO(files[FILE])) as picture:
        assert picture.format == "PNG" and sorted(picture.size) == [200, 300]


def test_a_jpeg_that_is_another_one_by_now_does_not_stand_for_the_page(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.jpg")
    sent, values = prepared(path)
    photo(path, quality=20)
    files, _ = finish(path, None, values, sent, whole(sent.size), BARE)
    assert FILE in files


@pytest.mark.parametrize(
    ("cells", "is_kept", "form", "expected"),
    [
        (TEXT, True, AS_FILES, False),
        (TEXT, False, AS_FILES, False),
        (PICTURE, True, AS_FILES, False),
        (PICTURE, False, AS_FILES, True),
        (PICTURE, False, "inline", True),
        (PICTURE, False, "none", False),
        ([{"bbox": [9, 9, 9, 20], "category": "Picture"}], False, AS_FILES, False),
    ],
)
def test_when_a_page_is_opened_again(
    cells: list[dict[str, Any]], is_kept: bool, form: str, expected: bool
) -> None:
    page = Image.new("L", (900, 900)) if is_kept else None
    sent = Sent(page, (900, 900), (900, 900))
    assert needs_source(cells, sent, None, Wanted(PAGE, False, form)) is expected
    assert needs_source(TEXT, sent, 0, Wanted(PAGE, True, form)) is not is_kept


@pytest.mark.parametrize("form", PICTURE_FORMS)
@pytest.mark.parametrize("rotation", [0, 90])
def test_what_is_made_later_is_what_is_made_at_once(
    tmp_path: Path, form: str, rotation: int
) -> None:
    """It is made from the saved cells and the page; the JSON is not written again."""
    path, values = photo(tmp_path / "a.jpg"), dict[str, Any]()
    wanted = Wanted(PAGE, drawing=True, pictures=form)
    sent = prepare(path, None, values, 1_000_000, 0, str(rotation), wanted, "off")
    cells = [*whole(sent.size), *whole((100, 100)), *TEXT]
    at_once, _ = finish(path, None, values, sent, cells, wanted)
    stand = json.loads(at_once.pop("a/a.json"))
    later = {"rotation": rotation, "sha256": values["sha256"]}
    assert remade(path, None, later, stand, sent.page_size, wanted) == at_once
    for name in ("pictures", "pictures_as"):
        assert later[name] == values[name]
    wanted = Wanted(PAGE, drawing=True, pictures="")
    later = {"rotation": rotation, "sha256": values["sha256"]}
    only_drawn = remade(path, None, later, stand, sent.page_size, wanted)
    assert only_drawn == {"a/a.jpg": at_once["a/a.jpg"]} and "pictures" not in later


def test_what_is_made_later_is_not_made_of_another_page(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.jpg")
    of_another = {"rotation": 0, "sha256": "0" * 64}
    with pytest.raises(UnreadablePage, match="changed while"):
        remade(path, None, of_another, whole((300, 200)), (300, 200), BARE)
