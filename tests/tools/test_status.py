"""make status: the machine, its model server and the pages, for people and for scripts."""

import json
from typing import Any

from rig import pages
from rig.command import wait_until
from rig.model_server import ModelServer
from rig.toolkit import Toolkit


def status_of(kit: Toolkit) -> dict[str, Any]:
    """The JSON of make status."""
    end = kit.run_here("status", "--json")
    assert (end.code, end.err) == (0, "")
    status: dict[str, Any] = json.loads(end.out)
    return status


def test_of_a_machine_that_never_was(own: Toolkit) -> None:
    status = status_of(own)
    assert status["model server"] == "off"
    assert status["pages done"] == 0
    assert not own.machine.exists()  # a status creates nothing


def test_from_loading_to_off(own: Toolkit) -> None:
    assert own.run("start", PREVIEW="loads").code == 0
    wait_until(lambda: "PREVIEW" in str(status_of(own)["last log line"]))
    assert status_of(own)["model server"] == "loading"
    assert own.run_here("stop").code == 0
    assert status_of(own)["model server"] == "off"
    assert status_of(own)["last log line"] == ""


def test_counts_the_pages(kit: Toolkit, server: ModelServer) -> None:
    kit.write_pages(2)
    pages.text_as_png(kit.input)
    for verb in ("start", "upload", "process"):
        kit.run_here(verb)
    status = status_of(kit)
    assert (status["model server"], status["model"]) == ("ready", server.model)
    names = ("pages done", "pages doubtful", "pages failed", "pages left")
    assert [status[name] for name in names] == [2, 0, 1, 0]
    manifest = kit.machine / "result" / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace('"ok"', '"doubtful"', 1))
    assert [status_of(kit)[name] for name in names] == [2, 1, 1, 0]


def test_for_people_is_a_table(kit: Toolkit) -> None:
    end = kit.run("status")
    assert (end.code, end.err) == (0, "")
    assert f"machine         this computer ({kit.machine})" in end.out
    assert "pages done      0" in end.out
