"""make plan: pages, hours, money, before anything is rented; make all says the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lib.plan.runs import RUNS
from rig import pages
from rig.model_server import ModelServer
from rig.toolkit import Toolkit

NOBODY = {"PATH": "/nowhere", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": "/nowhere"}


def plan_of(kit: Toolkit, *options: str, **environment: str) -> dict[str, Any]:
    """Run make plan and return its JSON."""
    end = kit.run_here("plan", "--json", *options, **environment)
    assert (end.code, end.err) == (0, "")
    found: dict[str, Any] = json.loads(end.out)
    return found


def test_pages_are_counted_and_no_machine_is_needed(kit: Toolkit, server: ModelServer) -> None:
    kit.write_pages(3)
    pages.pdf(kit.input / "five.pdf", 5)
    found = plan_of(kit, TARGET="gcp", BUCKET="gs://pages", **NOBODY)
    assert (found["pages"], found["done"], found["files_not_counted"]) == (8, 0, 0)
    assert "NVIDIA L4, simulated" in found["by"]
    assert [way["machines"] for way in found["ways"]] == [1, 1, 8, 8, 64, 64]
    assert found["own"]["usd"] == found["ways"][0]["usd"] > found["ways"][1]["usd"] > 0
    assert plan_of(kit, "--pages", "1-2")["pages"] == 5
    assert not server.requests and not kit.output.exists()


def test_what_make_all_has_done_is_the_next_ones_basis(kit: Toolkit) -> None:
    kit.write_pages(2)
    assert plan_of(kit)["own"] is None, "no card of the table is this computer's"
    assert kit.run_here("all").code == 0
    assert len((kit.output / RUNS).read_text().splitlines()) == 1
    assert plan_of(kit)["pages"] == 0
    pages.pdf(kit.input / "five.pdf", 5)
    found = plan_of(kit)
    assert (found["pages"], found["done"]) == (5, 2)
    assert "2 pages," in found["by"]
    assert found["own"]["hours"] > 0 == found["own"]["usd"]
    assert plan_of(kit, "--force")["pages"] == 7
    assert plan_of(kit, TARGET="gcp", **NOBODY)["by"].startswith("the table of cards")


@pytest.mark.parametrize("what", ["none", "other"])
def test_an_input_without_pages(kit: Toolkit, what: str) -> None:
    if what == "other":
        (kit.input / "notes.txt").write_text("no page")
    end = kit.run("plan")
    assert (end.code, end.out) == ((0, "") if what == "none" else (1, ""))
    assert "plan: no .png" in end.err


def test_what_cannot_be_opened_counts_as_a_page(kit: Toolkit) -> None:
    (kit.input / "torn.pdf").write_bytes(b"%PDF-1.7\nnothing")
    (kit.input / "no.tif").write_bytes(b"no TIFF at all")
    found = plan_of(kit)
    assert (found["pages"], found["files_not_counted"]) == (2, 2)
    assert "2 files cannot be opened here: a page each" in kit.run_here("plan").out


def test_it_says_what_is_no_page(kit: Toolkit) -> None:
    kit.write_pages(1)
    (kit.input / "letter.docx").touch()
    pages.dangling_link(kit.input)
    end = kit.run_here("plan", "--json")
    others = f"not read: 1 .docx, 1 that cannot be opened below {kit.input}"
    assert (end.code, end.err) == (0, f"plan: {others}\n")
