"""How a run at a terminal becomes frames: what is cut, replaced, and shown when."""

import re
from pathlib import Path

import click
import pytest

from lib.plan.words import UNKNOWN
from pictures.cast import (
    AT_ONCE_S,
    COLUMNS,
    COMMAND,
    HOME,
    LONGEST_S,
    NAME,
    PICTURE,
    ROOT,
    Said,
    anonymous,
    drawn,
    frames_of,
    shortened,
    typed,
    whole,
)
from rig.docs import LANGUAGES, read
from stop import DONE

FOLDER = Path("/scratch", NAME)


def test_a_bar_is_written_over_itself_and_a_long_line_goes_on_below() -> None:
    said = [Said(0, "\r 0%"), Said(1, "\r50%"), Said(2, "\r\n" + "x" * (COLUMNS + 1))]
    found = [(frame.at_s, [line for line in frame.lines if line]) for frame in frames_of(said)]
    assert found == [(0, [" 0%"]), (1, ["50%"]), (2, ["50%", "x" * COLUMNS, "x"])]


def test_long_waits_are_cut_and_short_ones_stay() -> None:
    said = [Said(30.0, "a"), Said(30.25, "b"), Said(90.0, "c")]
    times = [said.at_s for said in shortened(said)]
    assert times == pytest.approx([LONGEST_S, LONGEST_S + 0.25, 2 * LONGEST_S + 0.25])


def test_what_came_at_once_is_one_frame_with_whole_letters() -> None:
    letter, soon = "…".encode(), AT_ONCE_S / 2
    said = [(0.0, letter[:1]), (soon, letter[1:]), (3 * soon, b"b"), (9 * soon, b"c")]
    assert whole(said) == [(0.0, letter), (3 * soon, b"b"), (9 * soon, b"c")]


def test_nothing_of_this_computer_remains() -> None:
    said = [Said(0, f"report: {FOLDER}/results"), Said(1, "at http://127.0.0.1:4711 …")]
    assert [text for _, text in anonymous(said, FOLDER, 4711)] == [
        f"report: {HOME}/{NAME}/results",
        "at http://127.0.0.1:8000 …",
    ]
    for own in (ROOT, Path.home()):
        with pytest.raises(click.ClickException, match=re.escape(str(own))):
            anonymous([Said(0, f"see {own}/x")], FOLDER, 4711)


def test_a_command_is_typed_runs_and_leaves_the_prompt() -> None:
    assert "".join(text for _, text in typed(("make", "all"))) == "$ make all\r\n"
    text = drawn([Said(60.0, "first\r\n"), Said(120.0, "100%|███| last\r\n")])
    assert ">first</text>" in text
    told = text.split("<desc")[1].split("</desc>")[0].splitlines()
    assert told[1:] == ["$ make all INPUT=samples TARGET=local", "first", "100% last", "$"]
    length = re.search(r"animation:([\d.]+)s", text)
    assert length is not None and float(length[1]) < 10


def test_the_picture_is_small_short_and_of_nobody_s_computer() -> None:
    text = PICTURE.read_text(encoding="utf-8")
    assert len(text.encode()) < 40_000
    length = re.search(r"animation:([\d.]+)s", text)
    assert length is not None and 10 < float(length[1]) <= 20
    assert f"report: {HOME}/{NAME}/results/report.html" in text
    assert "/tmp" not in text and "/root" not in text


def test_the_picture_is_of_these_tools() -> None:
    """Texts of a run that change with the tools. If this fails: make pictures."""
    told = " ".join(PICTURE.read_text(encoding="utf-8").split())
    assert f"stop: {DONE['local']}" in told
    assert UNKNOWN in told


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_the_readme_has_the_command_and_its_picture(language: str) -> None:
    text = read(f"README{language}.md")
    assert text.index(" ".join(COMMAND)) < text.index(f"({PICTURE.relative_to(ROOT)})")
