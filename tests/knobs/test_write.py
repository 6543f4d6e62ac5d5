"""docs/knobs.md and its Korean have the knobs of the table, with their defaults."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from knobs.write import PAGES, rewritten, sentences
from lib.knobs import TABLE, knob


@dataclass
class Few:
    """Knobs of each kind."""

    host: str = knob("", "Whom to ask.")
    wait: float = knob(600.0, "How long.")
    most: int = knob(2_000_000, "How many.")
    draw: bool = knob(False, "Whether.")


FEW = {field.name.upper(): field for field in dataclasses.fields(Few)}
ROWS = {
    "HOST": "| `HOST` | | 묻는 곳 |\n",
    "WAIT": "| `WAIT` | `600` | seconds, `0`: none |\n",
    "MOST": "| `MOST` | `2000000` | pixels |\n",
    "DRAW": "| `DRAW` | `0` | 1: [boxes](a.md) |\n",
}
HEAD, BETWEEN, END = "# Knobs\n\n| | | |\n|---|---|---|\n", "\n## More\n\n", "\nThe end.\n"
PAGE = HEAD + ROWS["HOST"] + ROWS["WAIT"] + BETWEEN + ROWS["MOST"] + ROWS["DRAW"] + END


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(PAGE, PAGE, id="as it should be"),
        pytest.param(PAGE.replace("`600`", "`5`"), PAGE, id="another default"),
        pytest.param(PAGE.replace("| | 묻는", "| `x` | 묻는"), PAGE, id="a default that is none"),
        pytest.param(PAGE.replace(BETWEEN, "| `OLD` | | gone |\n" + BETWEEN), PAGE, id="gone"),
        pytest.param(
            PAGE.replace(ROWS["DRAW"], ""),
            PAGE.replace(ROWS["DRAW"], "| `DRAW` | `0` | Whether. |\n"),
            id="new",
        ),
    ],
)
def test_rows(before: str, after: str) -> None:
    assert rewritten(before, FEW) == after


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_pages_are_as_the_table_has_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert rewritten(text, TABLE) == text, "make knobs"


def test_every_sentence_is_in_the_language_of_its_page() -> None:
    english, korean = (sentences(page.read_text(encoding="utf-8")) for page in PAGES)
    assert english.keys() == korean.keys() == TABLE.keys()
    for name in TABLE:
        assert re.search("[a-z]", english[name]) and not re.search("[가-힣]", english[name]), name
        assert re.search("[가-힣]", korean[name]), name
