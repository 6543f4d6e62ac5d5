"""make check: the real engines read pages a second time."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from results.manifest import read_record
from rig.altered import IN_A_HURRY, altered
from rig.command import records_in, wait_until
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.replies import Reply
from rig.toolkit import ROOT, Toolkit, line, make_environment, statuses_in
from rig.true_page import in_pixels, told, true_page

OTHER = "Nobody has seen a heron there since the lamps went out. " * 5
BROUGHT = {"of": "abc", ".json": "0123456789abcdef"}


@pytest.fixture
def here(tmp_path: Path) -> Toolkit:
    """The toolkit in an environment that has the engines."""
    python = make_environment(tmp_path / "environment")
    wanted = (ROOT / "vm_side/cpu_endpoint/requirements.txt").read_bytes()
    (tmp_path / "environment/cpu-endpoint.sha256").write_text(sha256(wanted).hexdigest())
    return Toolkit(tmp_path, python=python)


def add_page(kit: Toolkit, name: str, is_wrong: bool = False, **values: Any) -> dict[str, Any]:
    """Add a page below INPUT, and results as from dots.ocr; return its line.

    In a wrong page one cell has a changed digit, and two cells have other texts.
    """
    picture, cells = true_page(dpi=150)
    picture.save(kit.input / f"{name}.png")
    texts = [cell["text"] for cell in cells]
    if is_wrong:
        texts = [texts[0], texts[2], OTHER, texts[3], texts[4].replace("block 4", "block 8")]
    placed = [
        cell | {"bbox": in_pixels(cell, picture.size), "text": text}
        for cell, text in zip(cells, texts, strict=True)
    ]
    (kit.output / name).mkdir(parents=True)
    (kit.output / name / f"{name}.json").write_text(json.dumps(placed))
    facts: dict[str, Any] = {
        "sha256": sha256((kit.input / f"{name}.png").read_bytes()).hexdigest(),
        "original_size": list(picture.size),
        "cells": len(cells),
        "model": "dots.ocr",
        "finished_at": 1.5,
        "trust": 1.0,
        "doubts": [],
    }
    return line(f"{name}/{name}", f"{name}.png", **facts | values)


def write_manifest(kit: Toolkit, *lines: dict[str, Any]) -> None:
    text = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in lines)
    (kit.output / "manifest.jsonl").write_text(text)
    totals = {"pages": len(lines), "ok": len(lines), "doubtful": 0, "doubts": {}}
    (kit.output / "summary.json").write_text(json.dumps(totals))


def test_what_is_read_otherwise_is_written_down_and_told(here: Toolkit, tmp_path: Path) -> None:
    """Each page is checked only once. What is added to a line at home stays."""
    hurry = altered(tmp_path / "hurry", IN_A_HURRY)
    write_manifest(
        here,
        add_page(here, "true") | {"brought": BROUGHT},
        add_page(here, "wrong", is_wrong=True),
        add_page(here, "again", reader="PP-OCR"),
        add_page(here, "preview", model="dots-ocr-cpu-preview"),
        add_page(here, "changed", sha256="0" * 64),
        add_page(here, "other", sha256="0" * 64),
        line("gone/gone", "gone.png", status="failed"),
    )
    end = here.run("check", "--json", **hurry)
    assert end.code == 0, end.err
    found = {"pages": 6, "checked": 3, "now": 2, "doubtful": 1, "found": 1}
    assert json.loads(end.out) == found
    first, *others = end.err.splitlines()
    assert re.fullmatch(
        r"not checked: (changed|other)/\1: the file has changed since it was read", first
    )
    assert others == [
        "not checked: 1 more: the file has changed since it was read",
        "check: 2 of 6 pages read a second time; 1 doubtful: make report shows them first",
    ]
    records = {entry["page"].partition("/")[0]: entry for entry in records_in(here.output)}
    assert records["true"]["reader"].startswith("PP-OCR") and records["true"]["doubts"] == []
    assert list(records["true"])[-1] == "brought" and records["true"]["brought"] == BROUGHT
    wrong = records["wrong"]
    assert wrong["status"] == "doubtful" and wrong["trust"] < 0.5
    assert wrong["reason"] == "3 cells are read differently by the second reader"
    assert {(doubt["kind"], doubt["cell"]) for doubt in wrong["doubts"][:2]} == {
        ("reader", 1),
        ("reader", 2),
    }
    assert (wrong["doubts"][2]["cell"], wrong["doubts"][2]["detail"]["digits"]) == (4, 1)
    assert [records[name].get("reader", "") for name in ("again", "preview", "changed")] == [
        "PP-OCR",
        "",
        "",
    ]
    for text in (here.output / "manifest.jsonl").read_text().splitlines():
        assert read_record(text) is not None
    summary = json.loads((here.output / "summary.json").read_text())
    assert (summary["ok"], summary["doubtful"], summary["doubts"]) == (6, 1, {"reader": 3})

    before = (here.output / "manifest.jsonl").read_bytes()
    for name in ("changed", "other"):
        (here.input / f"{name}.png").unlink()
    end = here.run("check", "--json", **hurry)
    assert (end.code, end.err, json.loads(end.out)["now"]) == (0, "", 0)
    assert (here.output / "manifest.jsonl").read_bytes() == before


def test_make_all_ends_with_what_was_not_read_twice_by_then(
    here: Toolkit, server: ModelServer, tmp_path: Path
) -> None:
    """The machine has read what it could; the rest is read at home, once, without a machine."""
    picture, cells = true_page(dpi=80)
    picture.save(here.input / "a.png")
    picture.resize([side * 9 // 10 for side in picture.size]).save(here.input / "b.png")
    there = here.machine / "result"

    def thinks_about_b(request: Request) -> Reply:
        if request.size[0] < 0.95 * picture.width:
            wait_until(lambda: '"reader": "PP' in (there / "manifest.jsonl").read_text())
        return Reply(told(cells, request.size))

    server.script = thinks_about_b
    here.knobs |= {"ENDPOINT": server.url, "WITNESS": "ocr"}
    with here.verb("all", **altered(tmp_path / "hurry", IN_A_HURRY)) as running:
        assert running.finish(300).code == 0
    entries = records_in(here.output)
    assert all(entry["reader"].startswith("PP-OCR") for entry in entries)
    assert [bool(entry["reader"]) for entry in records_in(there)] == [True, False]
    assert len(server.requests) == len(entries) == 2
    night = {"TARGET": "gcp", "PATH": "/nowhere", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": "/nowhere"}
    assert here.run("all", **night).code == 0
    assert records_in(here.output) == entries


def test_without_results_it_says_so(here: Toolkit) -> None:
    here.write_pages(1)
    end = here.run("check")
    assert end.code == 1 and "has no results" in end.err


def test_a_check_is_kept_until_the_page_is_read_anew(here: Toolkit) -> None:
    """The machine sends its lines again, without the check."""
    page = add_page(here, "a")
    result = here.machine / "result"
    (result / "a").mkdir(parents=True)
    for ending in (".json", ".md", "_nohf.md"):
        (result / f"a/a{ending}").write_text("[]")
    (result / "manifest.jsonl").write_text(json.dumps(page) + "\n")
    (result / "summary.json").write_text(json.dumps({"pages": 1, "ok": 1, "doubtful": 0}))
    assert here.run_here("download").code == 0
    (entry,) = records_in(here.output)
    checked = {"status": "doubtful", "reason": "x", "trust": 0.1, "doubts": [], "reader": "PP-OCR"}
    brought = {"brought": entry.pop("brought")}
    (here.output / "manifest.jsonl").write_text(json.dumps(entry | checked | brought) + "\n")
    assert here.run_here("download").code == 0
    assert records_in(here.output) == [page | checked | brought]
    summary = json.loads((here.output / "summary.json").read_text())
    assert (summary["ok"], summary["doubtful"]) == (0, 1)

    (result / "manifest.jsonl").write_text(json.dumps(page | {"finished_at": 2.5}) + "\n")
    assert here.run_here("download").code == 0
    assert statuses_in(here.output) == {"a.png": "ok"}
