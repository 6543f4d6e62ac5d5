"""make report: the command."""

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lib.pages.entries import MEND
from lib.report.totals import rows
from rig import hostages
from rig.command import processes, wait_until
from rig.reports import (
    BUILD,
    add_pages,
    build,
    doubted_set,
    small_set,
)
from rig.result_sets import ResultSet, cell
from rig.toolkit import ROOT, Toolkit, files_below, statuses_in


def test_pages_of_which_cells_are_lost_are_named(kit: Toolkit) -> None:
    """Also the second time, when no file is made again."""
    results = ResultSet(kit.output)
    for name in ("cut", "gone", "torn", "whole"):
        results.add(f"{name}.png", [cell("Text", name, (0, 0, 50, 50))])
    results.finish()
    (kit.output / "cut" / "cut.json").write_text('[{"category": "Text", "text": "no box"}]')
    (kit.output / "gone" / "gone.json").unlink()
    (kit.output / "torn" / "torn.json").write_text('[{"bbox"')
    for _ in range(2):
        end = kit.run_here("report", INPUT="")
        assert (end.code, end.err.splitlines()) == (
            0,
            [
                "report: cut/cut: 1 entries of its JSON are not cells, or their text cannot"
                " be read",
                "report: gone/gone: its result is missing",
                "report: torn/torn: not JSON: not a result",
                f"  → {MEND}",
            ],
        )
    data = (kit.output / "report_files" / "data" / "0.js").read_text(encoding="utf-8")
    assert "its result is missing" in data


def hostage_set(tmp_path: Path) -> tuple[Path, Path]:
    """A page that can never be drawn, good pages, and a manifest with wrong paths."""
    source = tmp_path / "in"
    source.mkdir()
    results = ResultSet(tmp_path / "out")
    files = [
        (hostages.never_drawn(source / "bad.pdf", pages=1), 0),
        (hostages.good(source / "good.pdf"), 0),
        (hostages.large_png(source / "a.png", 900, "L"), None),
    ]
    for path, pdf_page in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        place = f"{path.stem}/{path.stem}"
        box = (0, 0, 50, 50)
        text = [cell("Table", "<table><tr><td>&#xe000;7&#xe001;</td></tr></table>", box)]
        results.add(path.name, text, page=place, pdf_page=pdf_page, sha256=content)
    results.add("/dev/zero", [], page="z/z", tokens_in=10**401)
    return results.finish(), source


def hostage_command(tmp_path: Path, seconds: int) -> tuple[list[str], dict[str, str], Path]:
    output, source = hostage_set(tmp_path)
    knobs = {"CONFIG": os.devnull, "INPUT": str(source), "OUTPUT": str(output)}
    return BUILD, {**os.environ, **knobs, "PAGE_TIMEOUT": str(seconds)}, output


def test_a_page_that_is_never_drawn_costs_its_own_picture(tmp_path: Path) -> None:
    command, environment, output = hostage_command(tmp_path, 2)
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0 and "took longer than 2 s" in done.stderr
    assert len(list((output / "report_files" / "pages").glob("*.webp"))) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_whatever_it_draws(tmp_path: Path, number: int) -> None:
    command, environment, output = hostage_command(tmp_path, 600)
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        pages = output / "report_files" / "pages"
        wait_until(lambda: len(list(pages.glob("*.webp"))) == 2)
        process.send_signal(number)
        try:
            assert process.wait(10) == 130
        finally:
            process.kill()
    assert not [pid for pid, parent, _ in processes() if parent == process.pid]


def test_says_nothing_but_what_json_is_asked_for(kit: Toolkit) -> None:
    small_set(kit.output)
    end = kit.run_here("report")
    assert (end.code, end.out, end.err) == (0, "", "")
    end = kit.run_here("report", "--json")
    found = json.loads(end.out)
    assert (end.code, end.err) == (0, "")
    assert found["report"] == str(kit.output / "report.html")
    assert (found["pages"], found["ok"], found["failed"]) == (3, 2, 1)
    assert found["failures"] == {"damaged PDF: x": 1}


def test_doubts_are_counted_by_kind(kit: Toolkit) -> None:
    doubted_set(kit.output)
    found = json.loads(kit.run_here("report", "--json").out)
    assert (found["ok"], found["doubtful"]) == (3, 2)
    kinds = {"amount": 5, "missed": 3, "text_layer": 3, "empty": 3, "reader": 3, "repeated": 1}
    assert found["doubts"] == kinds
    table = rows(found)
    assert table["doubts"].startswith("5 amount, 3 missed")
    assert table["pages"] == "5: 3 ok, 2 doubtful"


def test_the_money_is_that_of_the_job(kit: Toolkit) -> None:
    """In an earlier version a small run cost nothing. The machine bills from its own start."""
    doubted_set(kit.output)
    found = json.loads(kit.run_here("report", "--json").out)
    found["run"] |= {"gpu_hours": 0.004, "cost_usd": 0.0044}
    assert rows(found)["GPU hours"] == "0.0040, 0.0044 USD, while it read"
    found["run"] |= {"gpu_hours": 2.5, "cost_usd": 2.741}
    assert rows(found)["GPU hours"] == "2.50, 2.74 USD, while it read"


def test_results_that_are_not_there_are_a_failure(kit: Toolkit) -> None:
    end = kit.run("report")
    assert end.code == 1
    assert "make download" in end.err


def test_results_of_no_page_are_nothing_to_show(kit: Toolkit) -> None:
    kit.output.mkdir()
    (kit.output / "manifest.jsonl").touch()
    assert kit.run_here("report").code == 0
    assert files_below(kit.output) == ["manifest.jsonl"]


def test_an_input_that_is_gone_is_said_and_the_report_made(kit: Toolkit) -> None:
    small_set(kit.output)
    end = kit.run_here("report", "--input", "/nowhere")
    assert (end.code, "without their picture" in end.err) == (0, True)
    assert (kit.output / "report.html").is_file()


def test_an_output_that_cannot_be_written_is_named(kit: Toolkit) -> None:
    small_set(kit.output)
    (kit.output / "report_files").touch()
    end = kit.run_here("report")
    assert end.code == 1
    assert "report_files" in end.err
    assert "Traceback" not in end.err


def test_the_second_time_only_what_changed(tmp_path: Path) -> None:
    results = ResultSet(tmp_path / "out")
    add_pages(results, tmp_path, "a/1.png", "a/2.png")
    build(results.folder, tmp_path)
    files = results.folder / "report_files"
    before = {path: path.stat().st_mtime_ns for path in files.glob("*/*")}
    assert len(before) == 2 * 2 + 3  # two sizes for each page, one chunk of each kind
    build(results.folder, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in files.glob("*/*")} == before
    add_pages(results, tmp_path, "a/3.png")
    build(results.folder, tmp_path)
    changed = {path.parent.name for path, at in before.items() if path.stat().st_mtime_ns != at}
    assert changed == {"data", "text", "cells"}
    assert len(list((files / "pages").iterdir())) == 3


def on_a_terminal(kit: Toolkit, verb: str) -> str:
    """The output of a verb on a terminal."""
    ours, theirs = pty.openpty()
    kit.run_here("status")  # writes the config file
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tools" / f"{verb}.py")],
        env=kit.environment(COLUMNS="80"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 65536):
                said += part
        except OSError:  # the other end is closed
            pass
        os.close(ours)
    assert process.returncode == 0
    return said.decode().replace("\r\n", "\n")


def test_make_all_ends_with_the_path_of_the_report(kit: Toolkit) -> None:
    kit.write_pages(2)
    said = on_a_terminal(kit, "all")
    assert said.strip().split("\n")[-1] == f"report: {kit.output}/report.html"
    assert "2: 2 ok" in said


def test_a_report_that_fails_is_a_failure_and_the_results_are_home(kit: Toolkit) -> None:
    names = kit.write_pages(1)
    kit.output.mkdir()
    (kit.output / "report_files").touch()
    end = kit.run_here("all")
    assert end.code == 1
    assert "make all: report ended with 1" in end.err
    assert statuses_in(kit.output) == dict.fromkeys(names, "ok")
