"""What the README claims: targets, knobs, exit codes, statuses, the tree. In both languages."""

import itertools
import re

import pytest

from contract import STATUSES, ExitCode
from lib.knobs import TABLE
from lib.plan.cards import CARDS
from rig.toolkit import ROOT
from test_makefile import targets

both = pytest.mark.parametrize("name", ["README.md", "README.ko.md"])


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(text: str) -> dict[str, str]:
    """The tables' rows: first cell (without backticks) to the rest."""
    found = re.findall(r"^\| ([^|]+) \|(.*)\|$", text, re.MULTILINE)
    return {first.replace("`", ""): rest for first, rest in found}


@both
def test_every_target_is_named_and_no_other(name: str) -> None:
    blocks = re.findall(r"^```\w*\n(.*?)^```", read(name), re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", read(name))
    code = "\n".join((*blocks, *spans))
    assert set(re.findall(r"^make ([a-z-]+)", code, re.MULTILINE)) == set(targets())


@both
def test_every_knob_stands_in_a_table_with_its_default(name: str) -> None:
    table = rows(read(name))
    for knob, entry in TABLE.items():
        default = entry.default
        shown = table[knob].split("|")[0].strip(" `")
        expected = (
            "" if default == "" else f"{default:g}" if isinstance(default, float) else default
        )
        assert shown == str(int(expected) if isinstance(expected, bool) else expected), knob


@both
def test_every_variable_that_is_set_is_a_knob(name: str) -> None:
    variables = set(re.findall(r"\b([A-Z][A-Z_]{3,})=", read(name)))
    own = {*TABLE, "CONFIG", "CORRECTIONS", "DRY_RUN", "FORCE", "VLLM_FLAGS"}
    others = {name for name in variables if name.startswith(("CLOUDSDK_", "GOOGLE_"))}
    assert variables - others <= own


@both
def test_exit_codes(name: str) -> None:
    assert {code for code in rows(read(name)) if code.isdecimal()} == {
        str(int(code)) for code in ExitCode
    }


@both
def test_statuses(name: str) -> None:
    assert set(STATUSES) <= rows(read(name)).keys()


def tree(text: str) -> list[str]:
    """The paths in the block that begins with Makefile; two spaces of indent a level."""
    block = re.search(r"^```\n(Makefile .*?)^```", text, re.MULTILINE | re.DOTALL)
    assert block
    paths: list[str] = []
    parents: list[str] = []
    for line in block[1].splitlines():
        depth, (entry, *others) = (len(line) - len(line.lstrip())) // 2, line.split()
        for name in (entry, *itertools.takewhile(lambda word: word.endswith(".py"), others)):
            parents[depth:] = [name]
            paths.append("".join(parents))
    return paths


def test_the_tree_is_there() -> None:
    paths = tree(read("README.md"))
    assert len(paths) > 15
    for path in paths:
        assert (ROOT / path).is_dir() if path.endswith("/") else (ROOT / path).is_file(), path


def test_the_tree_shows_all_of_vm_side() -> None:
    shown = set(tree(read("README.md")))
    wings = {path.parent for path in (ROOT / "vm_side").rglob("__init__.py")}
    for wing in {ROOT / "vm_side", *wings} - {ROOT / "vm_side/cpu_endpoint"}:
        files = (path.relative_to(ROOT).as_posix() for path in wing.glob("*.py"))
        names = {name for name in files if not name.endswith("/__init__.py")}
        assert names <= shown


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("*.md")))
def test_links_lead_somewhere(name: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)", read(name)):
        assert "://" in link or (ROOT / link).exists(), link


def test_what_is_said_of_security_is_there() -> None:
    """The scripts that it names; both languages lead to it, and it to the other."""
    text = read("SECURITY.md")
    for script in re.findall(r"`([\w/]+\.(?:sh|py))`", text):
        assert list((ROOT / "vm_side").rglob(script.rpartition("/")[2])), script
    assert "](SECURITY.md)" in read("README.md") and "](SECURITY.ko.md)" in read("README.ko.md")
    assert "](SECURITY.md)" in read("SECURITY.ko.md") and "](SECURITY.ko.md)" in text


@both
def test_commands_exist(name: str) -> None:
    for script in re.findall(r"(?:python3?|bin/python) ([\w/]+\.py)", read(name)):
        assert (ROOT / script).is_file(), script


@pytest.mark.parametrize("name", ["docs/costs.md", "docs/costs.ko.md"])
def test_the_cards_are_those_of_the_plan(name: str) -> None:
    table = rows(read(name))
    for card in CARDS:
        assert table[card.name].split("|")[-1].strip() == f"{card.pages_per_s:.2f}"
