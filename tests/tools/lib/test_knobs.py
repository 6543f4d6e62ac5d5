"""The knobs: where a value comes from, and what the error for a wrong one says."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import process_all_images
import prompts
from contract import SECRETS, WITNESSES
from lib.config import read_config
from lib.knobs import TABLE, Knobs, as_environment, check_workers, verb
from picture import images
from rig.toolkit import ROOT, Toolkit

OPTIONS = {
    str(option.envvar): option
    for option in process_all_images.main.params
    if isinstance(option, click.Option) and option.envvar
}


@verb(*TABLE, help="Show all knobs.")
def show(knobs: Knobs) -> None:
    click.echo(json.dumps(dataclasses.asdict(knobs)))


def invoke(folder: Path, config: str | bytes, *flags: str, **environment: str) -> Result:
    """Run a verb that shows its knobs."""
    path = folder / "my.env"
    path.write_bytes(config.encode() if isinstance(config, str) else config)
    return CliRunner().invoke(show, flags, env={**environment, "CONFIG": str(path)})


def knobs_of(folder: Path, config: str | bytes, *flags: str, **environment: str) -> dict[str, Any]:
    """The knobs that a verb gets."""
    result = invoke(folder, config, *flags, **environment)
    assert result.exit_code == 0, result.output
    values: dict[str, Any] = json.loads(result.stdout)
    return values


@pytest.mark.parametrize(
    ("flags", "environment", "config", "value"),
    [
        (["--processes", "1"], {"PROCESSES": "2"}, "PROCESSES=3", 1),
        (["-p", "1"], {"PROCESSES": "2"}, "PROCESSES=3", 1),
        ([], {"PROCESSES": "2"}, "PROCESSES=3", 2),
        ([], {}, "PROCESSES=3", 3),
        ([], {}, "PROCESSES=", 256),
        ([], {}, "", 256),
    ],
)
def test_flag_over_environment_over_config_over_default(
    tmp_path: Path, flags: list[str], environment: dict[str, str], config: str, value: int
) -> None:
    assert knobs_of(tmp_path, config, *flags, **environment)["processes"] == value


FILLED = """
BUCKET=gs://company
CONTAINER_ARGS='--gpus all'
VM=theirs
MODEL=m
WORKERS=8
IMAGES=1
"""


@pytest.mark.parametrize("name", ["BUCKET", "CONTAINER_ARGS", "MODEL", "INPUT", "SSH_HOST"])
def test_an_empty_value_takes_that_of_config_away(tmp_path: Path, name: str) -> None:
    """Empty in the environment (as a make variable) or as a flag; children get it empty, too."""
    flag = f"--{name.lower().replace('_', '-')}"
    for flags, variables in (((flag, ""), {}), ((f"{flag}=",), {}), ((), {name: ""})):
        knobs = knobs_of(tmp_path, FILLED, *flags, **variables)
        assert (knobs[name.lower()], knobs["vm"], knobs["images"]) == ("", "theirs", True)
        children = as_environment(Knobs(**knobs))
        assert knobs_of(tmp_path, FILLED, **children) == knobs


@pytest.mark.parametrize(
    "name", ["VM", "OUTPUT", "TARGET", "WORKERS", "MAX_HOURS", "IMAGES", "ENDPOINT", "MACHINE_DIR"]
)
def test_an_empty_value_where_one_is_needed_is_named(tmp_path: Path, name: str) -> None:
    flag = f"--{name.lower().replace('_', '-')}"
    for flags, variables in (((flag, ""), {}), ((), {name: ""})):
        if flags and name == "IMAGES":
            continue  # its flag takes no value
        result = invoke(tmp_path, FILLED, *flags, **variables)
        assert result.exit_code == 2
        assert f"(env var: '{name}'): it is empty, and needs a value" in result.stderr


def test_make_hands_an_empty_value_on(kit: Toolkit) -> None:
    kit.write_pages(1)
    end = kit.make("upload", "INPUT=").finish()
    assert (end.code, "INPUT is not set" in end.err) == (2, True), end.err
    assert not kit.machine.exists()


@pytest.mark.parametrize(
    ("flags", "environment", "config", "value"),
    [
        (["--no-images"], {"IMAGES": "1"}, "IMAGES=1", False),
        (["-i"], {"IMAGES": "0"}, "IMAGES=0", True),
        ([], {"IMAGES": "0"}, "IMAGES=1", False),
        ([], {"IMAGES": "1"}, "IMAGES=0", True),
        ([], {}, "IMAGES=1", True),
        ([], {}, "IMAGES=", False),
    ],
)
def test_so_does_a_switch(
    tmp_path: Path, flags: list[str], environment: dict[str, str], config: str, value: bool
) -> None:
    assert knobs_of(tmp_path, config, *flags, **environment)["images"] is value


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("INPUT=/scans", "/scans"),
        ('INPUT="/my scans"', "/my scans"),
        ("INPUT='/my scans'", "/my scans"),
        ("INPUT=/my scans", "/my scans"),
        ("INPUT = /scans ", "/scans"),
        ("INPUT=/scans # of May", "/scans"),
        ("INPUT=/scans#2", "/scans#2"),
        ("INPUT='/scans #2'", "/scans #2"),
        ("INPUT=/$HOME/${USER}/a$b", "/$HOME/${USER}/a$b"),
        ("INPUT=/스캔/문서", "/스캔/문서"),
        ("export INPUT=/scans", "/scans"),
        ("INPUT=/a=b", "/a=b"),
        ("INPUT=/first\nINPUT=/second", "/second"),
        ("INPUT=/scans\r\nOUTPUT=/out\r\n", "/scans"),
        ("\ufeffINPUT=/scans", "/scans"),
        ("\ufeff# a comment\nINPUT=/scans", "/scans"),
        ("#INPUT=/scans", ""),
        ("INPUT=", ""),
        ("INPUT=''", ""),
    ],
)
def test_a_line_of_config(tmp_path: Path, line: str, value: str) -> None:
    assert knobs_of(tmp_path, line)["input"] == value


@pytest.mark.parametrize(
    ("config", "value", "said"),
    [
        ("BUDGET=5\n\nBUDGET=0\n", 0.0, "line 3: BUDGET stands in line 1, too: line 3 counts"),
        ("BUDGET=5\nBUDGET=\n", 0.0, "line 2: BUDGET stands in line 1, too: line 2 counts"),
        ("BUDGET=5\nBUDGET=6\nBUDGET=7\n", 7.0, "line 3: BUDGET stands in line 2, too"),
        ("BUDGET=5\nBUDGET=5\n", 5.0, ""),
    ],
)
def test_a_name_that_stands_twice_is_told(
    tmp_path: Path, config: str, value: float, said: str
) -> None:
    """A limit above its default in the same file would silently be no limit."""
    result = invoke(tmp_path, config)
    assert json.loads(result.stdout)["budget"] == value
    assert (said in result.stderr, bool(result.stderr)) == (True, bool(said)), result.stderr


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("# knobs\n\nPROCESES=4\n", "line 3: unknown knob PROCESES; did you mean PROCESSES?"),
        ("processes=4\n", "line 1: unknown knob processes; did you mean PROCESSES?"),
        ("TARGET=local\nCOLOUR=red\n", "line 2: unknown knob COLOUR; see make help"),
        ("\n\n\nPROCESSES 4\n", "line 4: no KEY=value: 'PROCESSES 4'"),
        ("PROCESSES\n", "line 1: no KEY=value: 'PROCESSES'"),
        ("INPUT='/scans\n", 'line 1: no KEY=value: "INPUT=\'/scans"'),
        ("NOTIFY 'https://hooks.example/T0KEN'\n", "line 1: no KEY=value: 'NOTIFY'"),
        ("export NOTIFY='https://hooks.example/T0KEN\n", "line 1: no KEY=value: 'NOTIFY'"),
        ("API_KEY T0KEN\n", "line 1: no KEY=value: 'API_KEY'"),
        ("INPUT='/스캔'".encode("cp949"), "is not UTF-8 text"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, config: str | bytes, message: str) -> None:
    result = invoke(tmp_path, config)
    assert result.exit_code == 2
    assert f"{tmp_path / 'my.env'}" in result.stderr
    assert message in result.stderr
    assert "T0KEN" not in result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROCESSES", "abc"),
        ("PROCESSES", "0"),
        ("MAX_PIXELS", "100"),
        ("TARGET", "lokal"),
        ("IMAGES", "perhaps"),
        ("PROMPT_MODE", "all"),
        ("RETRIES", "-1"),
        ("READY_TIMEOUT", "soon"),
        ("ENDPOINT", "localhost:8000"),
        ("ENDPOINT", "http://127.0.0.1:99999"),
    ],
)
@pytest.mark.parametrize("where", ["environment", "config"])
def test_a_bad_value_names_its_knob(tmp_path: Path, where: str, name: str, value: str) -> None:
    config, environment = (f"{name}={value}", {}) if where == "config" else ("", {name: value})
    result = invoke(tmp_path, config, **environment)
    assert result.exit_code == 2
    assert f"env var: '{name}'" in result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            (name, value)
            for name in TABLE
            if TABLE[name].type == "float" or TABLE[name].type is float
            for value in ("nan", "inf", "-inf")
        ),
        ("MAX_HOURS", "0.0001"),
        ("MAX_HOURS", "1e9"),
        ("IDLE_MINUTES", "9" * 30),
    ],
)
def test_numbers_that_are_none(tmp_path: Path, name: str, value: str) -> None:
    result = invoke(tmp_path, "", **{name: value})
    assert result.exit_code == 2
    assert f"env var: '{name}'" in result.stderr


def test_a_config_that_is_missing_or_no_file(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.env", tmp_path):
        result = CliRunner().invoke(show, env={"CONFIG": str(path)})
        assert result.exit_code == 2
        assert str(path) in result.stderr


def test_the_verbs_themselves_end_with_2(kit: Toolkit) -> None:
    end = kit.run("status", MAX_PIXELS="1")
    assert end.code == 2
    assert "MAX_PIXELS" in end.err
    kit.knobs["NO_SUCH"] = "1"
    end = kit.run("all")
    assert end.code == 2
    assert f"{kit.config}, line {len(kit.knobs)}: unknown knob NO_SUCH" in end.err
    assert not kit.machine.exists()


def test_an_endpoint_has_one_form(tmp_path: Path) -> None:
    for given in (
        "http://gpu:8000",
        "http://gpu:8000/",
        "http://gpu:8000/v1",
        "http://gpu:8000/v1/",
    ):
        assert knobs_of(tmp_path, "", ENDPOINT=given)["endpoint"] == "http://gpu:8000"


def test_values_reach_another_verb_unchanged(tmp_path: Path) -> None:
    given = Knobs(input="/a $b #c", images=True, processes=3, ready_timeout=0.5, model="x y")
    assert knobs_of(tmp_path, "", **as_environment(given)) == dataclasses.asdict(given)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_no_knob(tmp_path: Path, name: str) -> None:
    """It would be visible in a process list, or in a file that should hold no secrets."""
    result = invoke(tmp_path, f"{name}=s3cret")
    assert result.exit_code == 2 and f"path into {name}_FILE" in result.output
    assert "s3cret" not in result.output
    flag = f"--{name.lower().replace('_', '-')}"
    assert invoke(tmp_path, "", flag, "s3cret").exit_code == 2


@pytest.mark.parametrize("name", SECRETS)
def test_workers_have_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    knobs = Knobs(workers=1, bucket="gs://b", worker_image="image")
    check_workers(knobs)
    monkeypatch.setenv(name, "secret")
    with pytest.raises(click.UsageError, match=f"cannot be given a secret: leave out {name} and "):
        check_workers(knobs)
    check_workers(dataclasses.replace(knobs, workers=0))
    monkeypatch.delenv(name)
    nowhere: dict[str, Any] = {f"{name.lower()}_file": str(tmp_path / "none")}
    with pytest.raises(click.UsageError, match="cannot be read"):
        check_workers(Knobs(**nowhere))


def test_the_machine_has_the_same_witnesses() -> None:
    assert tuple(TABLE["WITNESS"].metadata["kind"].choices) == WITNESSES
    assert Knobs().witness == WITNESSES[0]


def test_who_reads_again_needs_a_witness() -> None:
    """The error comes before anything is rented."""
    check_workers(Knobs(doubtful=True))
    check_workers(Knobs(witness="off"))
    with pytest.raises(click.UsageError, match="give WITNESS=ink"):
        check_workers(Knobs(doubtful=True, witness="off"))


def test_pages_are_looked_at_before_anything_else(tmp_path: Path) -> None:
    result = invoke(tmp_path, "PAGES=2-1")
    assert result.exit_code == 2 and "ends before it begins" in result.output
    assert knobs_of(tmp_path, "PAGES=1-20,35")["pages"] == "1-20,35"


def test_help_shows_the_knobs_of_the_verb_alone() -> None:
    @verb("INPUT", help="Does little.")
    def command(knobs: Knobs) -> None:
        """Does nothing."""

    text = CliRunner().invoke(command, ["--help"]).stdout
    assert "--input" in text
    assert "--processes" not in text


# ---- the same knobs elsewhere ----


def test_config_env_has_every_knob_with_its_default_and_nothing_else(tmp_path: Path) -> None:
    text = (ROOT / "config.env").read_text(encoding="utf-8")
    names = [
        line.lstrip("#").partition("=")[0]
        for line in text.splitlines()
        if line.lstrip("#").partition("=")[0].isidentifier()
    ]
    assert sorted(names) == sorted(TABLE)
    assert knobs_of(tmp_path, text) == dataclasses.asdict(Knobs())
    assert read_config(ROOT / "config.env", TABLE).keys() <= TABLE.keys()


def test_the_machine_s_command_has_the_same_defaults() -> None:
    own = {"INPUT", "OUTPUT", "SCHEDULER", "STATE", "SPENT", "CHECKS"}  # files and folders there
    common = OPTIONS.keys() & TABLE.keys() - own
    assert common == OPTIONS.keys() - own
    theirs = process_all_images.main.make_context("process_all_images", []).params
    # your own machine costs nothing
    for name in common - {"PRICE_PER_HOUR", "PRICE_PER_WORKER_HOUR"}:
        assert (theirs[OPTIONS[name].name or ""] or "") == (TABLE[name].default or ""), name


def test_the_machine_s_command_has_the_same_limits() -> None:
    for name in ("PROCESSES", "MAX_PIXELS", "UPSAMPLE_BELOW", "RETRIES", "PROMPT_MODE"):
        here, there = TABLE[name].metadata["kind"], OPTIONS[name].type
        assert here.to_info_dict() == there.to_info_dict(), name
    assert TABLE["MAX_PIXELS"].metadata["kind"].min == images.MIN_PIXELS
    assert list(TABLE["PROMPT_MODE"].metadata["kind"].choices) == list(prompts.PROMPTS)


def test_the_machine_s_command_has_the_same_short_flags() -> None:
    for name in ("PROCESSES", "MAX_PIXELS", "IMAGES"):
        assert TABLE[name].metadata["short"] in OPTIONS[name].opts
