"""Each trouble of users has its message in our code, and a heading in both languages."""

import ast
from collections.abc import Iterator

import pytest

from rig.docs import LANGUAGES, headings, read
from rig.toolkit import ROOT
from troubles import PAGE, TROUBLES, anchor, explained, place


def strings() -> Iterator[str]:
    """All texts of our programs, without the values that are filled in."""
    for side in ("tools", "vm_side"):
        for path in sorted((ROOT / side).rglob("*.py")):
            if path.name == "troubles.py":
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def test_each_is_a_part_of_a_message() -> None:
    said = "\n".join(strings())
    for trouble in TROUBLES:
        for part in trouble.split("…"):
            assert part.strip() in said, trouble


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_each_has_a_heading_and_no_other_has(language: str) -> None:
    lines = headings(read(f"docs/troubleshooting{language}.md"))
    found = [line.removeprefix("### ").strip("`") for line in lines if line.startswith("### ")]
    assert found == list(TROUBLES)
    assert len({anchor(trouble) for trouble in TROUBLES}) == len(TROUBLES)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("a has had no such machine to give for 9 s", "has-had-no-such-machine-to-give"),
        ("quota: Quota 'NVIDIA_L4_GPUS' exceeded", "quota"),
        ("sees 2 pictures in a prompt with one: …", "sees--pictures-in-a-prompt-with-one"),
        ("my-vm IS STILL STOPPING, AND BILLS, after 600 s", "is-still--and-bills"),
        ("the model's container ended with 137; its log:\nquota: x", "the-models-container-ended"),
        ("12 pages", ""),
        ("", ""),
    ],
)
def test_place(message: str, name: str) -> None:
    assert place(message) == (f"{PAGE}#{name}" if name else "")
    assert explained(message) == (f"{message} (see {PAGE}#{name})" if name else message)


def test_the_parts_of_one_stand_on_one_line() -> None:
    assert not place("a IS STILL here\nand more, AND BILLS")
