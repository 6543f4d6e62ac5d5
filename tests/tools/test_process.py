"""make process: wait for the model, then read what is missing or failed."""

import json
import os
import signal
from contextlib import suppress
from typing import Any

import click
import pytest

import process
import process_all_images
from contract import NO_BETTER
from lib.knobs import Knobs
from rig import pages, preview
from rig.command import Running, processes, records_in, wait_until
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.replies import Reply
from rig.toolkit import Toolkit
from rig.true_page import in_pixels, misread, told, true_page


def prepare(kit: Toolkit, count: int) -> None:
    """Make a machine that is on, with pages on it."""
    kit.write_pages(count)
    for verb in ("start", "upload"):
        end = kit.run_here(verb)
        assert end.code == 0, end.err


def test_reads_the_pages_on_the_machine_once(kit: Toolkit, server: ModelServer) -> None:
    prepare(kit, 2)
    end = kit.run_here("process")
    assert (end.code, end.out, end.err) == (0, "", "")
    assert set(kit.statuses.values()) == {"ok"}
    assert kit.run("process", "--no-images", IMAGES="1").code == 0  # a flag wins
    assert not list((kit.machine / "result").rglob("*.jpg"))
    assert len(server.requests) == 2
    assert kit.run_here("process", "--force").code == 0
    assert len(server.requests) == 4


def test_knobs_become_options_of_the_command(kit: Toolkit, server: ModelServer) -> None:
    prepare(kit, 1)
    kit.knobs |= {
        "PROMPT_MODE": "ocr",
        "MAX_PIXELS": "50000",
        "PRICE_PER_HOUR": "3600",
        "ROTATE": "180",
    }
    end = kit.run_here("process", "--json", IMAGES="1", MODEL=server.model)
    totals = json.loads(end.out)
    changed = {"prompt_mode": "ocr", "max_pixels": 50000, "upsample_below": 0, "rotate": "180"}
    assert totals["settings"] == changed
    assert totals["run"]["cost_usd"] == 0  # this computer costs nothing, whatever the knob says
    assert server.requests[0].size[0] * server.requests[0].size[1] <= 50000


def test_every_option_of_the_command_is_given() -> None:
    """So no variable of the machine's own environment, such as MODEL, decides anything.

    Except for some files: the machine says where they are (job.sh, TARGET=local's environment).
    """
    given = process.arguments(Knobs(images=True, doubtful=True), force=True, as_json=True)
    options = [
        option.opts[-1]
        for option in process_all_images.main.params
        if isinstance(option, click.Option)
        and option.name not in ("input_dir", "output_dir", "version")
        and option.name not in ("api_key_file", "pdf_password_file", "checks")
    ]
    assert sorted(text for text in given if text.startswith("--")) == sorted(options)


def test_the_command_understands_the_knobs() -> None:
    arguments = process.arguments(Knobs(), force=False, as_json=False)
    context = process_all_images.main.make_context("process_all_images", arguments)
    defaults = {name: value for name, value in vars(Knobs()).items() if name in context.params}
    assert {name: context.params[name] for name in defaults} == defaults


def test_a_second_reader_at_home_hears_what_the_machine_reads_again(
    kit: Toolkit, server: ModelServer
) -> None:
    """Home knows the result of the second try; a page that nothing fixes is not read again."""
    picture, cells = true_page(dpi=80)
    wrong = misread(cells)
    server.script = lambda request: Reply(told(wrong, request.size))
    sizes = {"a": picture.size, "b": (picture.width * 9 // 10, picture.height * 9 // 10)}
    for name, size in sizes.items():
        picture.resize(size).save(kit.input / f"{name}.png")
    kit.knobs |= {"WITNESS": "ink"}
    for verb in ("start", "upload", "process", "download"):
        assert kit.run_here(verb).code == 0

    def checked(entry: dict[str, Any]) -> dict[str, Any]:
        size = sizes[entry["input"][0]]
        lines = [{"bbox": [*in_pixels(c, size)], "text": c["text"]} for c in cells]
        found = {"status": "doubtful", "read_as": "ok", "trust": 0.32, "reader": "PP-OCR"}
        return entry | found | {"reader_lines": lines, "trusted_as": entry["trust"]}

    before = [checked(entry) for entry in records_in(kit.output)]
    (kit.output / "manifest.jsonl").write_text("".join(f"{json.dumps(e)}\n" for e in before))

    def reads_a_well(request: Request) -> Reply:
        is_a = request.size[0] > 0.95 * picture.width
        return Reply(told(cells if is_a else wrong, request.size))

    server.script = reads_a_well
    for verb in ("process", "download", "process"):
        assert kit.run_here(verb, DOUBTFUL="1").code == 0
    better, same = records_in(kit.output)
    assert (better["status"], better["doubts"], better["reader"]) == ("ok", [], "PP-OCR")
    for name in ("status", "read_as", "trust", "reader", "reader_lines", "trusted_as"):
        assert same[name] == before[1][name], name
    assert same["notes"] == [NO_BETTER] and len(server.requests) == 4


MONEY: list[tuple[dict[str, Any], float | None, float, float]] = [
    # knobs, the time of the machine's turn-on; then what is spent at 4,600, and the budget
    ({"budget": 5.0}, None, 0.0, 0.0),  # turned on by hand: a budget is only for make all
    ({"budget": 5.0}, 1_000.0, 2.0, 5.0),
    ({"budget": 5.0, "workers": 4, "price_per_worker_hour": 0.5}, 1_000.0, 4.0, 5.0),
    ({"budget": 5.0}, 9_000.0, 0.0, 5.0),  # the clock was set back
    ({}, 1_000.0, 2.0, 0.0),
    ({"budget": 5.0, "target": "local"}, 1_000.0, 0.0, 0.0),
]


@pytest.mark.parametrize(("knobs", "on_since", "spent", "budget"), MONEY)
def test_what_was_spent_before_the_job(
    knobs: dict[str, Any], on_since: float | None, spent: float, budget: float
) -> None:
    found = process.money(Knobs(price_per_hour=2.0, **knobs), on_since, 4_600.0)
    assert (found["--spent"], found["--budget"]) == (spent, budget)


def test_failed_pages_end_it_with_3(kit: Toolkit) -> None:
    pages.text_as_png(kit.input)
    prepare(kit, 1)
    end = kit.run_here("process")
    assert end.code == 3
    assert "failed: text.png: " in end.err
    assert kit.statuses == {"100dpi/page1.png": "ok", "text.png": "failed"}


def test_no_proxy_comes_between_us_and_the_server(kit: Toolkit, server: ModelServer) -> None:
    prepare(kit, 1)
    nobody = "http://127.0.0.1:9"
    assert kit.run("process", http_proxy=nobody, HTTP_PROXY=nobody, ALL_PROXY=nobody).code == 0
    assert len(server.requests) == 1


def test_wants_a_machine(kit: Toolkit) -> None:
    end = kit.run_here("process")
    assert end.code == 1
    assert "is not set up yet\n  → make start" in end.err


def test_wants_a_model_server(own: Toolkit) -> None:
    end = own.run_here("process")
    assert end.code == 1
    said = f"no model server at {own.knobs['ENDPOINT']} (Connection refused)\n  → make start"
    assert said in end.err


def test_a_server_that_ended_is_noticed_at_once_with_its_last_words(own: Toolkit) -> None:
    own.write_pages(1)
    assert own.run("start", PREVIEW="fails").code == 0
    wait_until(lambda: not own.living())
    end = own.run_here("process", READY_TIMEOUT="600")
    assert end.code == 1
    assert preview.LAST_WORDS in end.err
    assert own.run_here("status").code == 0


def test_a_server_that_does_not_answer_in_time(own: Toolkit) -> None:
    assert own.run("start", PREVIEW="loads").code == 0
    wait_until(lambda: "PREVIEW=loads" in (own.machine / "server.log").read_text())
    end = own.run_here("process", READY_TIMEOUT="1")
    assert end.code == 1
    assert "did not answer within 1 s" in end.err
    assert "PREVIEW=loads" in end.err  # the end of its log
    assert "READY_TIMEOUT" in end.err


def reading(kit: Toolkit, job: Running) -> int:
    """The pid of process_all_images.py, once it reads."""

    def has_read() -> bool:
        with suppress(FileNotFoundError):
            return "ok" in kit.statuses.values()
        return False

    wait_until(has_read)
    return next(pid for pid, parent, _ in processes() if parent == job.pid)


def test_a_command_that_is_killed_is_a_failure(own: Toolkit) -> None:
    """As the kernel does without memory. An exit code of 247 would not be one of ours."""
    own.write_pages(2)
    assert own.run("start", PREVIEW="hangs").code == 0
    assert own.run_here("upload").code == 0
    with own.verb("process") as job:
        os.kill(reading(own, job), signal.SIGKILL)
        end = job.finish()
    assert end.code == 1
    assert "process_all_images.py was ended by SIGKILL" in end.err


def test_a_signal_ends_the_command_too(own: Toolkit) -> None:
    own.write_pages(2)
    assert own.run("start", PREVIEW="hangs").code == 0
    assert own.run_here("upload").code == 0
    with own.verb("process") as job:
        child = reading(own, job)
        os.kill(job.pid, signal.SIGTERM)
        assert job.finish().code == 130
        wait_until(lambda: len(own.living()) == 1)  # only the server is left, and the stop ends it
    assert child not in own.living()
    assert sorted(own.statuses.values()) == ["left", "ok"]
