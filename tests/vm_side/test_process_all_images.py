"""The command: its options, variables and exit codes, and its messages."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pty
import shutil
import termios
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from PIL import Image

from contract import ExitCode
from process_all_images import main
from rig import pages, replies
from rig.command import OPTIONS, SCRIPT, Batch, batch_of, files_in, hang_while, results_in
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.replies import Reply, in_turn

Rigged = tuple[Batch, ModelServer]


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Rigged]:
    with batch_of(tmp_path, 3) as rigged:
        yield rigged


FLOATS = (
    "--request-timeout",
    "--page-timeout",
    "--ready-timeout",
    "--price-per-hour",
    "--price-per-worker-hour",
    "--budget",
    "--spent",
)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_numbers_that_are_none(value: str) -> None:
    numbers = [each for each in main.params if isinstance(each.type, click.FloatRange)]
    assert {each.opts[0] for each in numbers} == set(FLOATS)
    for name in FLOATS:
        finished = CliRunner().invoke(main, [name, value])
        assert finished.exit_code == ExitCode.USAGE and name in finished.output


@pytest.mark.parametrize(
    ("prices", "is_limit"),
    [
        ({}, False),
        ({"PRICE_PER_HOUR": "0"}, False),
        ({"PRICE_PER_HOUR": "1"}, True),
        ({"PRICE_PER_HOUR": "1", "WORKERS": "2"}, False),
        ({"PRICE_PER_HOUR": "1", "PRICE_PER_WORKER_HOUR": "1", "WORKERS": "2"}, True),
    ],
)
def test_a_budget_without_prices_is_refused(prices: dict[str, str], is_limit: bool) -> None:
    """Without prices the budget could never be spent."""
    finished = CliRunner().invoke(main, ["--input", "/nowhere", "--budget", "5"], env=prices)
    assert finished.exit_code == ExitCode.USAGE
    assert (
        "/nowhere does not exist" if is_limit else "limits nothing without prices"
    ) in finished.output


def test_a_good_run_is_silent_and_leaves_results(three: Rigged, either: str) -> None:
    batch, server = three
    finished = batch.run(prefix=["env", "PYTHONWARNINGS=error", "PYTHONDEVMODE=1"])
    assert (finished.code, finished.out, finished.err) == (0, "", "")
    assert [record["input"] for record in batch.records] == [
        "200dpi/page1.png",
        "scans/box 1/page2.png",
        "scans/box 2/page3.png",
    ]
    page = batch.output / "200dpi/page1"
    expected = {"page1.json", "page1.md", "page1_nohf.md", "pictures/1.png"}
    assert files_in(page).keys() == expected
    cells = json.loads((page / "page1.json").read_text())
    assert len(cells) == 9 and all(box <= 48 for cell in cells for box in cell["bbox"])
    assert {path.name for path in batch.output.iterdir() if path.is_file()} == {
        "manifest.jsonl",
        "summary.json",
        ".lock",
        ".progress.json",
        ".metrics.prom",
        *([".turns"] if either == "pool" else []),
    }
    tokens = {request.token for request in server.requests}
    assert any(token in (page / "page1.md").read_text() for token in tokens)


@pytest.mark.usefixtures("either")
def test_a_second_run_asks_nothing(three: Rigged) -> None:
    batch, server = three
    assert batch.run_here().code == 0
    before = results_in(batch.output)
    finished = batch.run_here("--json")
    assert finished.code == 0 and len(server.requests) == 3
    assert results_in(batch.output) == before
    totals = json.loads(finished.out)
    assert totals["ok"] == 3 and totals["run"]["pages"] == 0


@pytest.mark.usefixtures("either")
def test_json_is_all_there_is_on_stdout(three: Rigged) -> None:
    batch, server = three
    server.script = in_turn(replies.bad_image(), Reply())
    finished = batch.run_here("--json", environment={"PRICE_PER_HOUR": "3600"})
    assert finished.code == 3
    totals = json.loads(finished.out)
    assert totals == batch.summary
    assert (totals["pages"], totals["ok"], totals["failed"], totals["left"]) == (3, 2, 1, 0)
    run = totals["run"]
    assert run["cost_usd"] == pytest.approx(run["seconds"], abs=0.01) and run["seconds"] > 0
    speed, seconds = run["pages_per_second"], run["seconds"]  # both are rounded to thousandths
    assert speed * seconds == pytest.approx(3, abs=0.001 * (speed + seconds))
    assert totals["tokens_in"] == sum(record["tokens_in"] for record in batch.records) > 0


@pytest.mark.usefixtures("either")
def test_every_status_in_the_manifest(tmp_path: Path) -> None:
    good = replies.layout_answer(112, 56)
    answers = [
        Reply(),
        Reply("[]"),
        Reply(good.replace('"}', '",}', 1)),
        Reply(good[: len(good) // 2], finish_reason="length"),
        Reply("I am sorry."),
    ]
    with batch_of(tmp_path, 5) as (batch, server):
        pages.blank(batch.input)
        server.script = in_turn(*answers)
        finished = batch.run_here("-p", "1", "--retries", "0", "--witness", "off")
        assert finished.code == 3
        records = {Path(record["input"]).stem: record for record in batch.records}
        by_request = {
            record["page"]: record["status"] for record in batch.records if record["attempts"]
        }
        assert sorted(by_request.values()) == ["blank", "failed", "ok", "partial", "repaired"]
        assert records["blank"]["status"] == "blank" and not records["blank"]["attempts"]
        empty = next(record for record in batch.records if "found nothing" in record["reason"])
        assert (batch.output / f"{empty['page']}.json").read_text().split() == ["[]"]
        failed = next(record for record in batch.records if record["status"] == "failed")
        assert "I am sorry." in failed["reason"]
        assert not (batch.output / f"{failed['page']}.json").exists()
        assert {record["finish_reason"] for record in batch.records} == {"", "stop", "length"}

        server.script = None  # only the failed page is tried again: the others are done
        assert batch.run_here().code == 0 and len(server.requests) == 6


# --- options and variables -----------------------------------------------------------------


def test_every_option_has_its_variable(tmp_path: Path) -> None:
    """The same batch, once with flags and once with variables; no value is the default."""
    values = {
        "PROCESSES": "1",
        "MAX_PIXELS": "5000",
        "UPSAMPLE_BELOW": "1000000",
        "IMAGES": "1",
        "PICTURES": "none",
        "MODEL": "dots",
        "PROMPT_MODE": "layout_only",
        "ROTATE": "180",
        "REQUEST_TIMEOUT": "3",
        "READY_TIMEOUT": "9",
        "RETRIES": "0",
        "PRICE_PER_HOUR": "36",
    }
    fleet = {"SCHEDULER", "STATE", "PRICE_PER_WORKER_HOUR"}  # see test_fleet, test_remote
    server = {"API_KEY", "API_KEY_FILE", "PREFLIGHT"}  # see test_key, test_preflight
    bounds = {"PAGE_TIMEOUT"}  # see test_hostages
    files = {"PAGES", "PDF_PASSWORD", "PDF_PASSWORD_FILE"}  # see test_forms
    trust = {"WITNESS", "DOUBTFUL", "CHECKS"}  # see test_trust_of_a_batch, test_again
    money = {"BUDGET", "SPENT", "WORKERS"}  # see test_purse
    others = fleet | server | bounds | files | trust | money | {"METRICS_PORT"}
    assert {*values, "INPUT", "OUTPUT", "ENDPOINT"} == set(OPTIONS) - others
    flags = []
    for name, value in values.items():
        flag = "--" + name.lower().replace("_", "-")
        flags += [flag] if name == "IMAGES" else [flag, value]

    def run(kind: str) -> tuple[Any, ...]:
        with batch_of(tmp_path / kind, 3, model="dots") as (batch, server):
            at_once: list[int] = []

            def script(request: Request) -> Reply:
                if request.number != 2:
                    return Reply()
                at_once.append(server.max_in_flight)
                return Reply(fault="hang")

            server.script = script
            given = {"flags": (flags, {}), "variables": ([], values)}[kind]
            finished = batch.run(*given[0], environment=given[1])
            assert finished.code == 3 and "no answer in 3 s (1 times)" in finished.err
            assert at_once == [1] and len(server.requests) == 4  # the last one asks for one token
            request = server.requests[0]
            width, height = request.size
            assert 3136 <= width * height <= 5000 and "Do not output" in request.prompt
            assert len(list(batch.output.rglob("*.jpg"))) == 2
            assert not list(batch.output.rglob("pictures"))
            assert batch.summary["run"]["cost_usd"] > 0
            return request.body, batch.summary["settings"], batch.summary["model"]

    with ThreadPoolExecutor(2) as pool:
        by_flags, by_variables = pool.map(run, ("flags", "variables"))
    assert by_flags == by_variables
    assert by_flags[1:] == (
        {
            "prompt_mode": "layout_only",
            "max_pixels": 5000,
            "upsample_below": 1_000_000,
            "rotate": "180",
        },
        "dots",
    )


def test_a_flag_wins_over_its_variable_and_an_empty_variable_is_none(three: Rigged) -> None:
    batch, _ = three
    empty = dict.fromkeys(("MODEL", "PROMPT_MODE", "RETRIES", "IMAGES", "PRICE_PER_HOUR"), "")
    finished = batch.run_here("--max-pixels", "5000", environment={"MAX_PIXELS": "6000", **empty})
    assert finished.code == 0
    settings = batch.summary["settings"]
    assert (settings["max_pixels"], settings["prompt_mode"]) == (5000, "layout_all")
    assert not list(batch.output.rglob("*.jpg"))


@pytest.mark.usefixtures("either")
def test_what_can_be_turned_on_later_and_what_asks_again(three: Rigged) -> None:
    batch, server = three
    assert batch.run_here().code == 0

    def asked(*options: str, **environment: str) -> int:
        before = len(server.requests)
        assert batch.run_here(*options, environment=environment).code == 0
        assert set(batch.statuses().values()) == {"ok"}
        return len(server.requests) - before

    assert asked(IMAGES="1") == 0  # drawn without the model
    pictures = list(batch.output.rglob("*.jpg"))
    assert len(pictures) == 3 and batch.summary["run"]["attempts"] == 0
    with Image.open(pictures[0]) as picture:
        assert picture.size == (48, 32)

    assert asked("--force") == 3
    assert not list(batch.output.rglob("*.jpg"))  # a drawing of older cells would be wrong
    assert asked("--max-pixels", "4000", "--retries", "1") == 3
    assert asked("--max-pixels", "4000", "--prompt-mode", "ocr") == 3

    pages.tiny(77).save(batch.input / "200dpi/page1.png")
    (batch.output / batch.records[1]["page"]).with_suffix(".md").unlink()
    pages.tiny(78).save(batch.input / "new.png")
    assert asked("--max-pixels", "4000", "--prompt-mode", "ocr") == 3  # changed, lost, new

    server.model = "another"
    assert asked("--max-pixels", "4000", "--prompt-mode", "ocr") == 4


@pytest.mark.usefixtures("either")
def test_a_page_that_left_the_input_leaves_the_totals(three: Rigged) -> None:
    batch, server = three
    assert batch.run_here().code == 0
    (batch.input / "200dpi/page1.png").unlink()
    finished = batch.run_here("--json")
    assert finished.code == 0 and json.loads(finished.out)["pages"] == 2
    assert (batch.output / "200dpi/page1/page1.json").exists() and len(server.requests) == 3


# --- what is refused -----------------------------------------------------------------------


def test_usage_errors_ask_nothing_and_write_nothing(three: Rigged) -> None:
    batch, server = three
    wrong = {
        ("--model", "nope"): "no model 'nope' at",
        ("--input", "/no/such/folder"): "does not exist",
        ("--output", str(batch.input / "out")): "lies inside the input",
        ("--output", str(batch.input)): "lies inside the input",
        ("--endpoint", "localhost:8000"): "is not a URL",
        ("--endpoint", "http://a..b:8000"): "is not a URL",
        ("--endpoint", "http://two words:8000"): "is not a URL",
        ("--endpoint", "http://127.0.0.1:99999"): "is not a URL",
        ("-p", "0"): "0 is not in the range",
        ("--prompt-mode", "poem"): "is not one of",
        ("--max-pixels", "many"): "is not a valid whole number",
        ("--no-such-option",): "No such option",
    }
    for options, words in wrong.items():
        finished = batch.run_here(*options)
        assert (finished.code, finished.out) == (2, ""), options
        assert words in " ".join(finished.err.split()), options
    assert not server.requests and not list(batch.output.rglob("*.json"))


@pytest.mark.usefixtures("either")
def test_an_empty_input_is_nothing_to_do(tmp_path: Path) -> None:
    batch = Batch(tmp_path, "http://127.0.0.1:9")  # the server gets no request
    batch.input.mkdir()
    finished = batch.run_here("--json")
    assert finished.code == 0 and "nothing to do" in finished.err
    assert json.loads(finished.out)["pages"] == 0


def test_pages_that_were_left_are_a_failure_although_an_earlier_run_read_them(
    tmp_path: Path,
) -> None:
    with batch_of(tmp_path, 6) as (batch, server):
        assert batch.run_here().code == 0
        server.script = hang_while(lambda request: request.number > 8)
        with batch.start("--force", "--ready-timeout", "2") as running:
            server.wait_until(lambda: server.in_flight == 2)
            server.die()
            finished = running.finish()
        assert finished.code == 1, finished.err
        assert batch.summary["ok"] == 6 and batch.summary["run"]["pages"] < 6


@pytest.mark.usefixtures("either")
def test_an_output_that_cannot_be_written(three: Rigged) -> None:
    batch, server = three
    batch.output.touch()
    finished = batch.run_here()
    assert finished.code == 1 and "give another --output" in finished.err
    assert not server.requests


@pytest.mark.usefixtures("either")
def test_two_runs_on_one_output(three: Rigged) -> None:
    batch, server = three
    server.script = hang_while(lambda request: True)
    with batch.start() as running:
        server.wait_until(lambda: server.in_flight == 2)
        second = batch.run_here()
        assert second.code == 1 and len(server.requests) == 2
        assert f"is being written by process {running.pid}, since " in second.err
        assert "wait for its end, or stop it" in second.err
        running.process.terminate()  # a killed command would leave its pages on the fleet
        assert running.finish().code == 130


# --- where it runs -------------------------------------------------------------------------


def test_the_folder_travels_alone(three: Rigged, tmp_path: Path) -> None:
    batch, _ = three
    copy = tmp_path / "elsewhere" / "vm_side"
    shutil.copytree(SCRIPT.parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    finished = batch.run(
        script=copy / SCRIPT.name,
        cwd=tmp_path,
        environment={"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert (finished.code, finished.err) == (0, "")
    assert set(batch.statuses().values()) == {"ok"}


def test_a_proxy_in_the_environment_is_not_asked(three: Rigged) -> None:
    batch, _ = three
    proxy = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    finished = batch.run_here(environment=proxy)
    assert (finished.code, finished.err) == (0, "")


def test_a_terminal_gets_a_bar_and_a_sentence(three: Rigged) -> None:
    batch, server = three
    server.script = in_turn(replies.bad_image(), Reply())
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    with batch.start(stderr=theirs) as running:
        os.close(theirs)
        shown = read_terminal(ours)
        assert running.finish().code == 3
    assert "page/s" in shown or "s/page" in shown
    assert "| 3/3 [" in shown and "failed=1" in shown and "failed: " in shown
    assert "3 pages: 2 ok, 1 failed; 3 read now, " in shown.splitlines()[-1]


def read_terminal(ours: int) -> str:
    """Read all that is written to the other side, until nobody has it open any more."""
    shown = b""
    with contextlib.suppress(OSError):  # Linux raises EIO at the end
        while part := os.read(ours, 1 << 16):
            shown += part
    os.close(ours)
    return shown.decode()


def test_help_names_every_option() -> None:
    finished = Batch(Path("/nowhere"), "").run_here("--help", environment={"ENDPOINT": ""})
    assert finished.code == 0 and finished.err == ""
    for name in OPTIONS:
        assert "--" + name.lower().replace("_", "-") in finished.out


def test_pictures_come_in_another_form_without_the_model(tmp_path: Path) -> None:
    """Also if they are gone, or if the results come from a version without forms."""
    with batch_of(tmp_path, 1) as (batch, server):

        def after(*options: str) -> dict[str, bytes]:
            """The files of the page after another run."""
            assert batch.run_here(*options).code == 0 and len(server.requests) == 1
            (page,) = (path.parent for path in batch.output.rglob("*_nohf.md"))
            return files_in(page)

        first = after()
        cells = (batch.output / "200dpi/page1/page1.json").stat()
        assert first.keys() == {"page1.json", "page1.md", "page1_nohf.md", "pictures/1.png"}
        assert b"![](pictures/1.png)" in first["page1.md"]
        line = batch.records

        inline = after("--pictures", "inline")
        assert inline.keys() == first.keys() - {"pictures/1.png"}
        png = base64.b64encode(first["pictures/1.png"])
        reference = b"![](data:image/png;base64," + png + b")"
        for name in ("page1.md", "page1_nohf.md"):
            assert inline[name].replace(reference, b"![](pictures/1.png)") == first[name]

        before = [{k: v for k, v in each.items() if "pictures" not in k} for each in batch.records]
        manifest = batch.output / "manifest.jsonl"
        manifest.write_text("".join(json.dumps(each) + "\n" for each in before))
        assert after("--pictures", "inline") == inline
        assert after() == first and batch.records == line
        (batch.output / "200dpi/page1/pictures/1.png").unlink()
        assert after() == first and batch.records == line
        assert (batch.output / "200dpi/page1/page1.json").stat() == cells, "it is not written again"

        # files are kept if they cannot be made again
        kept = manifest.read_text()
        manifest.write_text(kept.replace('"original_size": [', '"original_size": [1'))
        finished = batch.run_here("--pictures", "inline")
        assert finished.code == 3 and "the file changed while" in finished.err
        (record,) = batch.records
        assert (record["status"], record["pictures"]) == ("ok", ["1.png"])
        manifest.write_text(kept)
        assert after() == first and batch.records == line
