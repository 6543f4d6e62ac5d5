"""Names of a document's files: those of its pages' results, if every ending fits."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from lib.documents.document import LONGEST_NAME_BYTES, file_name
from lib.documents.formats import coco, csv, finetune, jsonl, markdown
from lib.documents.keeping import Made, files_in, opened
from lib.standing import set_aside
from rig.small_documents import document, written
from rig.toolkit import files_below

LONGEST = 242  # bytes of a page's name, because its results have endings, too


def mark_of(name: str) -> str:
    return f"~{sha256(name.encode()).hexdigest()[:8]}"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("report", "report"),
        ("100dpi/책.v2", "책.v2"),
        ("a/" + LONGEST_NAME_BYTES * "n", LONGEST_NAME_BYTES * "n"),
        ("a/" + LONGEST * "n", (LONGEST_NAME_BYTES - 9) * "n" + mark_of(LONGEST * "n")),
        (80 * "책", 75 * "책" + mark_of(80 * "책")),  # never half a letter
    ],
)
def test_what_it_is_called(path: str, name: str) -> None:
    assert file_name(path) == name


def test_long_names_that_begin_alike_stay_apart() -> None:
    assert file_name(LONGEST * "n") != file_name((LONGEST - 1) * "n" + "m")
    assert len(file_name(LONGEST * "\ud800").encode("utf-8", "surrogatepass")) <= LONGEST_NAME_BYTES


@pytest.mark.parametrize("module", [coco, csv, finetune, jsonl, markdown])
def test_a_page_of_the_longest_name_has_documents(module: Any, tmp_path: Path) -> None:
    what = document([("Text", "a"), ("Table", "<table><tr><td>1")], path="a/" + LONGEST * "n")
    (tmp_path / "documents").mkdir()
    with opened(tmp_path / "documents") as (kept, making):
        written(module.write, what, making / "0")
        files = files_in(making / "0", what.path)
        assert files
        kept.put(Made(what.path, "any", files, "its fingerprint"), making / "0")
    assert set(files) < set(files_below(tmp_path / "documents"))


def test_what_somebody_changed_again_and_again_is_kept(tmp_path: Path) -> None:
    """The longest name leaves room for .old10."""
    place = tmp_path / f"{file_name(LONGEST * 'n')}.finetune.jsonl"
    for number in range(10):
        place.write_text(str(number), encoding="utf-8")
        kept = set_aside(place)
        assert kept.read_text(encoding="utf-8") == str(number)
    assert kept.name == f"{place.name}.old10"
