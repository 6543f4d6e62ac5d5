"""All input forms over ssh and through a bucket; home reports files that were never sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rig import forms
from rig.cloud.cloud import Cloud
from rig.cloud.ssh_toolkit import SshToolkit, model_in
from rig.cloud.toolkit import CloudToolkit
from rig.cloud.vm import Vm
from rig.command import records_in
from rig.secrets import command_lines, files_with
from rig.toolkit import Toolkit

LINE = "not read: 2 .docx, 1 .svg, 1 .txt, 1 hidden, 1 without ending below"
ALL_S = 500.0
PASSWORD = "known-to-nobody-0xC0FFEE"


def write_input(kit: Toolkit) -> tuple[dict[forms.Key, tuple[int, int]], dict[str, int]]:
    """A folder with all forms; return its pages, and its other files."""
    kit.knobs["MAX_PIXELS"] = "50000"
    wanted = forms.write_forms(kit.input)
    wanted |= forms.write_links(kit.input, kit.folder / "elsewhere")
    return wanted, forms.write_others(kit.input)


def check_home(kit: Toolkit, wanted: object, others: object) -> None:
    """All pages are home and done, and the summary lists what was not read."""
    records = records_in(kit.output)
    assert {(r["input"], r["pdf_page"]): tuple(r["original_size"]) for r in records} == wanted
    assert {r["status"] for r in records} == {"ok"}
    assert all((kit.output / f"{r['page']}.json").is_file() for r in records)
    assert json.loads((kit.output / "summary.json").read_text())["not_read"] == others


def test_over_ssh(box: Vm, tmp_path: Path) -> None:
    """The password goes by stdin into a file that only we can read."""
    with model_in(box):
        kit = SshToolkit(box, tmp_path)
        wanted, others = write_input(kit)
        end = kit.run_here("upload", PDF_PASSWORD=PASSWORD)
        assert (end.code, end.err) == (0, f"upload: {LINE} {kit.input}\n")
        for verb in ("process", "download"):
            end = kit.run_here(verb, PDF_PASSWORD=PASSWORD)
            assert (end.code, end.err) == (0, ""), end.err
            assert PASSWORD not in command_lines()
        check_home(kit, wanted, others)
        files = files_with(PASSWORD, tmp_path, kit.home(""))
        assert [path.name for path in files] == ["pdf-password"]


@pytest.mark.timeout(ALL_S + 60)
def test_through_a_bucket(cloud: Cloud, image_tar: Path, tmp_path: Path) -> None:
    kit = CloudToolkit(cloud, tmp_path, bucket=True)
    cloud.add_vm(kit.vm, image_tar=image_tar)
    wanted, others = write_input(kit)
    end = kit.run_here("all")
    assert (end.code, end.err) == (0, f"make all: {LINE} {kit.input}\n")
    check_home(kit, wanted, others)
