"""What README and docs/ claim: targets, knobs, exit codes, statuses. In both languages."""

import re

import pytest

from contract import STATUSES, ExitCode
from lib.knobs import TABLE
from lib.plan.cards import CARDS
from lib.plan.prices import G2_STANDARD_8
from rig.docs import LANGUAGES, all_of, read, rows
from rig.toolkit import ROOT
from test_makefile import targets

both = pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
OF_OTHERS = {"HTTPS_PROXY", "PATH"}


@both
def test_every_target_is_named_and_no_other(language: str) -> None:
    text = all_of(language)
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", text)
    code = "\n".join((*blocks, *spans))
    assert set(re.findall(r"^make ([a-z-]+)", code, re.MULTILINE)) == set(targets())


@both
def test_every_target_has_its_row(language: str) -> None:
    first = " ".join(rows(read(f"docs/commands{language}.md")))
    assert set(re.findall(r"make ([a-z-]+)", first)) == set(targets())


@both
def test_every_variable_that_is_set_is_a_knob(language: str) -> None:
    variables = set(re.findall(r"\b([A-Z][A-Z_]{3,})=", all_of(language)))
    own = {*TABLE, "CONFIG", "CORRECTIONS", "DRY_RUN", "FORCE", "LADDER", "PYTHON", "VLLM_FLAGS"}
    others = {n for n in variables if n.startswith(("CLOUDSDK_", "GOOGLE_")) or n in OF_OTHERS}
    assert variables - others <= own


@both
def test_exit_codes(language: str) -> None:
    table = rows(read(f"docs/commands{language}.md"))
    assert {code for code in table if code.isdecimal()} == {str(int(code)) for code in ExitCode}


@both
def test_statuses(language: str) -> None:
    assert set(STATUSES) <= rows(read(f"docs/results{language}.md")).keys()


@both
def test_commands_exist(language: str) -> None:
    scripts = re.findall(
        r"(?:python3?|bin/python) ([\w/]+\.py)|`(tests/\w+/\w+\.py)", all_of(language)
    )
    assert scripts
    for script in {one or other for one, other in scripts}:
        assert (ROOT / script).is_file(), script


@both
def test_the_cards_are_those_of_the_plan(language: str) -> None:
    table = rows(read(f"docs/costs{language}.md"))
    for card in CARDS:
        assert table[card.name].split("|")[-1].strip() == f"{card.pages_per_s:.2f}"


@both
def test_the_runs_are_those_that_were_measured(language: str) -> None:
    """The L4's numbers are those of the plan; the others are in docs/speed.md."""
    speed = read(f"docs/speed{language}.md")
    lines = re.findall(r"^\| (NVIDIA \w+) \|(.*)\|$", read(f"README{language}.md"), re.MULTILINE)
    runs = [(name, *(cell.strip() for cell in cells.split("|"))) for name, cells in lines]
    l4 = CARDS[0]
    prices = [1000 / l4.pages_per_s / 3600 * price for price in G2_STANDARD_8["asia-northeast3"]]
    for name, how, slots, pages_per_s, hours, usd, _ in runs:
        assert hours == f"{1000 / float(pages_per_s) / 3600:.2g}"
        if name == l4.name:
            assert (slots, pages_per_s) == (str(l4.slots), f"{l4.pages_per_s:.2f}")
            assert re.findall(r"[\d.]+", usd) == [f"{price:.2f}" for price in prices]
        else:
            assert re.search(rf"\| {name} \| {how}, .*{slots}.* \| {pages_per_s} \|", speed)
            assert usd.startswith(f"{hours} ×")
    assert len(runs) > 1


@both
def test_what_is_said_of_security_is_there(language: str) -> None:
    """Check the scripts that it names."""
    named = re.findall(r"`([\w/]+\.(?:sh|py))`", read(f"SECURITY{language}.md"))
    assert named
    for script in named:
        assert list((ROOT / "vm_side").rglob(script.rpartition("/")[2])), script
