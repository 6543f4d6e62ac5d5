"""What the report says about the files that are not in the sample."""

import pytest

from lib.tune.sample import told_of
from lib.tune.sampling import Place


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ({}, []),
        ({Place("b.pdf"): "locked"}, ["b.pdf was left out: locked"]),
        (
            {Place("b.pdf", 8): "torn", Place("b.pdf", 3): "torn", Place("a.png"): "none"},
            ["a.png was left out: none", "b.pdf, page 9 was left out: torn"],
        ),
        (
            {Place(f"{n}.pdf"): "torn" for n in range(8)},
            [
                *(f"{n}.pdf was left out: torn" for n in range(5)),
                "… and 3 more files were left out",
            ],
        ),
    ],
)
def test_a_line_for_each_file_and_few_of_them(lost: dict[Place, str], told: list[str]) -> None:
    assert told_of(lost) == told
