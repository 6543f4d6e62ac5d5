"""The make line: a name that nobody reads is an error; a name that the verb reads is not."""

import importlib
from typing import Any

import click
import pytest
from click.testing import CliRunner

from lib.knobs import TABLE, Knobs, Verb, as_environment, verb
from lib.make_line import VARIABLE
from lib.options import envvars
from rig.toolkit import ROOT, Toolkit


@verb("INPUT", help="Say that it runs.")
@click.option("--force", envvar="FORCE", is_flag=True)
def all_needed(knobs: Knobs, force: bool) -> None:
    click.echo(f"runs {force}")


@verb("VM", needed=("VM",), help="Say that it runs.")
def vm_needed(knobs: Knobs) -> None:
    click.echo("runs")


NO_SUCH = "the make line: unknown knob"


@pytest.mark.parametrize(
    ("command", "names", "code", "said"),
    [
        (all_needed, "", 0, ""),
        (all_needed, "INPUT BUDGET FORCE CLOUDSDK_COMPUTE_ZONE", 0, ""),
        (all_needed, "PY PYTHON VENV CONFIG API_KEY PDF_PASSWORD", 0, ""),
        (all_needed, "INPUT BUGDET", 2, f"{NO_SUCH} BUGDET; did you mean BUDGET?"),
        (all_needed, "INPUTS", 2, f"{NO_SUCH} INPUTS; did you mean INPUT?"),
        (all_needed, "input", 2, f"{NO_SUCH} input; did you mean INPUT?"),
        (all_needed, "YES", 2, f"{NO_SUCH} YES; a variable for another program goes before make"),
        # only its name is needed to turn a machine off
        (vm_needed, "BUGDET YES", 0, f"ignored, not needed here: {NO_SUCH} BUGDET"),
        (vm_needed, "VMM", 2, f"{NO_SUCH} VMM; did you mean VM?"),
    ],
)
def test_a_name_on_the_line(command: click.Command, names: str, code: int, said: str) -> None:
    config = str(ROOT / "config.env")
    result = CliRunner().invoke(command, env={"CONFIG": config, VARIABLE: names})
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert ("runs" in result.stdout, bool(result.stderr)) == (code == 0, bool(said))


def test_a_limit_with_a_slip_in_its_name_reads_nothing(kit: Toolkit) -> None:
    kit.write_pages(1)
    end = kit.make("all", "BUGDET=5").finish()
    assert (end.code, f"{NO_SUCH} BUGDET; did you mean BUDGET?" in end.err) == (2, True), end.err
    assert not kit.machine.exists()


def test_the_line_is_not_that_of_the_steps() -> None:
    """make tune knows names that its start does not know."""
    assert as_environment(Knobs())[VARIABLE] == ""


def test_each_verb_knows_what_it_reads() -> None:
    """The options of each script, beside the knobs, show what it reads."""
    found: dict[str, Any] = {}
    for name in (path.stem for path in (ROOT / "tools").glob("*.py") if path.stem != "setup"):
        command = importlib.import_module(name).main
        if isinstance(command, Verb):
            own = {one for one in envvars(command) - TABLE.keys() if "CLOUDSDK" not in one}
            found |= {name: own} if own else {}
    assert found == {
        "apply": {"CORRECTIONS"},
        "check_account": {"YES"},
        "create": {"DRY_RUN"},
        "delete": {"YES"},
        "stop": {"FORCE"},
        "tune": {"LADDER"},
    }
