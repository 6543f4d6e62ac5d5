"""What make score prints for people."""

from lib.score.figures import NOTHING, PAGE, TABLE, Kind, Mean, Score
from lib.score.scores import Found, Scored
from lib.score.texts import Edits
from lib.score.words import remarks, tables


def page(name: str, errors: int = 0, folder: str | None = "a", **values: object) -> Scored:
    """A page of 100 characters with so many errors."""
    kinds = {"Text": Kind(2, 2, 1, Mean(1.5, 2), Edits(errors, 100))}
    whole = {"characters": Edits(errors, 100), "words": Edits(errors and 1, 20), "kinds": kinds}
    return Scored(name, folder, "of", Score(**{"pages": 1, **whole, **values}))  # type: ignore[arg-type]


def test_tables_by_folder_and_category_and_the_worst_pages() -> None:
    pages = [page("b/bad", 50, "b"), page("a/half", 3), page("a/good")]
    found = Found(pages, [], [], 0)
    assert [" ".join(line.split()) for line in tables(found)] == [
        "pages CER WER tables TEDS order IoU F1",
        "2 1.50 % 2.50 % 0 · · 0.750 0.500 a/",
        "1 50.00 % 5.00 % 0 · · 0.750 0.500 b/",
        "3 17.67 % 3.33 % 0 · · 0.750 0.500 all",
        "",
        "true found CER IoU precision recall F1",
        "6 3 17.67 % 0.750 0.500 0.500 0.500 Text",
        "",
        "the worst pages:",
        "CER WER tables TEDS order IoU F1",
        "50.00 % 5.00 % 0 · · 0.750 0.500 b/bad",
        "3.00 % 5.00 % 0 · · 0.750 0.500 a/half",
    ]
    assert not remarks(found)


def test_an_error_in_a_million_is_not_none() -> None:
    line = tables(Found([page("a", characters=Edits(1, 10**7))], [], [], 0))[1]
    assert line.split()[1:3] == ["0.01", "%"]


def test_no_more_names_than_anybody_reads() -> None:
    lost = {"not_computed": (PAGE,), "characters": NOTHING, "words": NOTHING, "kinds": {}}
    pages = [page(f"{number}", 1, None, **lost) for number in range(30)]
    found = Found([*pages, page("t", not_computed=(TABLE,))], ["x: y"], [("f", "not JSON")] * 30, 0)
    lines = remarks(found)
    assert lines[0].startswith("0, 1, 2 and 27 more not in the results")
    assert lines[1].endswith("x: y")
    assert lines[-3] == "no truth: 20 more files"
    assert lines[-2].startswith("not computed: page of 0, 1, 2 and 27 more: ")
    assert lines[-1].startswith("not computed: table of t: ")
    assert len(tables(found)) < 30
