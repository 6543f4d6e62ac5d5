"""Prometheus: the text has its format, and a port shows it while the job runs."""

from __future__ import annotations

import re
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from contract import STATUSES
from results.manifest import Record
from results.metrics import METRICS, Metric, served
from results.progress import Progress
from rig.command import batch_of, wait_until
from rig.model_server import ModelServer
from rig.replies import Reply
from rig.toolkit import free_port

NAME, NUMBER = r"[a-zA-Z_:][a-zA-Z0-9_:]*", r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?"
LINE = re.compile(
    rf"# HELP {NAME} [^\n\\]+|# TYPE {NAME} (counter|gauge)"
    rf"|(?P<name>{NAME})(?P<labels>\{{{NAME}=\"[^\"\\\n]*\"\}})? (?P<value>{NUMBER})"
)


def parsed(text: str) -> dict[str, float]:
    """The samples of a text in the exposition format; the lines of a metric must be together."""
    assert text.endswith("\n")
    samples, types = dict[str, float](), dict[str, str]()
    for line in text.splitlines():
        found = LINE.fullmatch(line)
        assert found, line
        if line.startswith("# TYPE"):
            _, _, name, kind = line.split()
            assert name not in types and name.endswith("_total") is (kind == "counter")
            types[name] = kind
        elif found["name"]:
            assert found["name"] == list(types)[-1]
            samples[found["name"] + (found["labels"] or "")] = float(found["value"])
    return samples


def get(port: int, path: str = "/metrics") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text: str = answer.read().decode()
        return text


def test_a_metric_in_text() -> None:
    one = Metric("pages_total", "counter", "Pages.", {"ok": 2, "left": 0.5}, label="status")
    assert str(one) == (
        "# HELP pages_total Pages.\n# TYPE pages_total counter\n"
        'pages_total{status="ok"} 2\npages_total{status="left"} 0.5\n'
    )


def test_what_a_run_counts(tmp_path: Path) -> None:
    progress = Progress(tmp_path, 10, 4, usd_per_hour=1.0, usd=lambda: 0.25)
    for status in ("ok", "ok", "failed"):
        progress.count(Record("a", "a.png", None, status, tokens_in=10, tokens_out=5, seconds=2.5))
    progress.write()
    samples = parsed((tmp_path / METRICS).read_text())
    assert {samples[f'dots_ocr_run_pages_total{{status="{s}"}}'] for s in STATUSES} == {0, 1, 2}
    assert samples['dots_ocr_run_pages_total{status="ok"}'] == 2
    assert (samples["dots_ocr_pages"], samples["dots_ocr_pages_done"]) == (10, 7)
    assert samples['dots_ocr_tokens_total{direction="in"}'] == 30
    assert samples['dots_ocr_tokens_total{direction="out"}'] == 15
    assert samples["dots_ocr_page_seconds_total"] == 7.5
    assert samples["dots_ocr_usd"] == 0.25


def test_what_costs_nothing_says_nothing_of_money(tmp_path: Path) -> None:
    Progress(tmp_path, 1, 0)
    assert not [name for name in parsed((tmp_path / METRICS).read_text()) if "usd" in name]


def test_the_port_shows_the_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / METRICS).write_text("of the last run 1\n")
    port = free_port()
    with served(tmp_path, port) as fault:
        assert not fault
        # the first is not there yet; the others never are
        for path in ("/metrics", "/", "/../manifest.jsonl"):
            with pytest.raises(urllib.error.HTTPError, match="404") as refused:
                get(port, path)
            refused.value.close()
        Progress(tmp_path, 3, 0)
        assert parsed(get(port))["dots_ocr_pages"] == 3
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port))


def test_a_port_that_is_taken_is_told_and_pages_are_read(tmp_path: Path) -> None:
    with socket.socket() as other, batch_of(tmp_path, 1) as (batch, _):
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        end = batch.run_here("--metrics-port", str(port))
        assert end.code == 0
        assert f"METRICS_PORT={port}: Address already in use: the metrics are only in" in end.err
        assert parsed((batch.output / METRICS).read_text())["dots_ocr_pages_done"] == 1


def test_a_job_is_seen_while_it_runs(tmp_path: Path) -> None:
    port = free_port()

    def slow_at_the_end(server: ModelServer) -> Reply:
        return Reply(delay_s=0.0 if len(server.requests) < 2 else 60.0)

    with batch_of(tmp_path, 2) as (batch, server):
        server.script = lambda request: slow_at_the_end(server)
        with batch.start("-p", "1", "--metrics-port", str(port)) as job:
            wait_until(lambda: len(server.requests) == 2)
            samples = parsed(get(port))
            assert (samples["dots_ocr_pages"], job.process.poll()) == (2, None)
