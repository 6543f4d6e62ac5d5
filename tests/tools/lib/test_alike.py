"""Two names that are the same on some disks are reported before a result is overwritten."""

import unicodedata
from pathlib import Path

import pytest

from lib import alike
from lib.console import Failure
from lib.home import make_output
from lib.knobs import Knobs

SCAN = "스캔.png"
DECOMPOSED = unicodedata.normalize("NFD", SCAN)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["A/p.png", "a/p.png"], [("A/p.png", "a/p.png")]),
        (["A/p.png", "a/p.jpg"], [("A/p.png", "a/p.jpg")]),  # both would be p/p.json
        (["a/p.png", "a/P.png"], [("a/p.png", "a/P.png")]),
        ([SCAN, DECOMPOSED], [(SCAN, DECOMPOSED)]),
        (["x/straße/p.pdf", "X/STRASSE/P.PDF"], [("x/straße/p.pdf", "X/STRASSE/P.PDF")]),
        (["a/p.png", "a/p.jpg"], []),  # both keep their ending
        (["IMG_1.PNG", "img_1.jpg"], []),
        (["a/p.png", "b/p.png", "p.png"], []),
        ([], []),
    ],
)
def test_which_names_are_alike(names: list[str], found: list[tuple[str, str]]) -> None:
    assert list(alike.pairs(names)) == found


def test_this_disk_tells_them_apart(tmp_path: Path) -> None:
    assert alike.tells_apart(tmp_path, "A/p.png", "a/p.png")
    assert alike.tells_apart(tmp_path, SCAN, DECOMPOSED)
    alike.refuse_alike(tmp_path, ["A/p.png", "a/p.png"])
    assert not list(tmp_path.iterdir())


def test_another_disk_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alike, "tells_apart", lambda *names: False)
    make_output(Knobs(output=str(tmp_path)), ["A/p.png", "b/p.png"])
    with pytest.raises(Failure, match=r"takes 'A/p.png' and 'a/p.png' for one name"):
        make_output(Knobs(output=str(tmp_path)), ["A/p.png", "a/p.png"])
    assert not list(tmp_path.iterdir())
