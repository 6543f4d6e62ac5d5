"""make all on a folder of all forms: every page is read, other files are reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pymupdf

from rig import forms, pages
from rig.command import records_in
from rig.secrets import files_with
from rig.toolkit import Toolkit, files_below

LINE = "not read: 2 .docx, 1 .svg, 1 .txt, 1 hidden, 1 without ending below {}"
PASSWORD = "known-to-nobody-0xC0FFEE"


def summary(kit: Toolkit) -> dict[str, Any]:
    """The summary at home."""
    content: dict[str, Any] = json.loads((kit.output / "summary.json").read_text())
    return content


def test_every_form_comes_home_and_every_other_file_is_told(kit: Toolkit) -> None:
    kit.knobs["MAX_PIXELS"] = "50000"
    wanted = forms.write_forms(kit.input)
    wanted |= forms.write_links(kit.input, kit.folder / "elsewhere")
    others = forms.write_others(kit.input)
    line = LINE.format(kit.input)
    end = kit.run_here("all")
    assert (end.code, end.err) == (0, f"make all: {line}\n")
    records = records_in(kit.output)
    sizes = {(r["input"], r["pdf_page"]): tuple(r["original_size"]) for r in records}
    assert sizes == wanted and {r["status"] for r in records} == {"ok"}
    assert kit.uploaded == sorted({name for name, _ in wanted})
    assert summary(kit)["not_read"] == others
    shown = list((kit.output / "report_files" / "thumbs").iterdir())
    assert len(shown) == len(wanted)  # the report draws them all

    (kit.input / "table.xlsx").touch()
    end = kit.run_here("all")  # only that file is new
    line = line.replace("1 hidden,", "1 .xlsx, 1 hidden,")
    assert (end.code, end.err) == (0, f"make all: {line}\n")
    assert summary(kit)["not_read"] == others | {".xlsx": 1}
    end = kit.run_here("upload")
    assert (end.code, end.err) == (0, f"upload: {line}\n")


def test_a_folder_of_which_nothing_can_be_read_is_a_failure(kit: Toolkit) -> None:
    (kit.input / ".DS_Store").touch()
    for verb in ("all", "upload"):
        assert kit.run_here(verb).code == 0
    (kit.input / "letter.docx").touch()
    for verb in ("all", "upload"):
        end = kit.run_here(verb)
        assert end.code == 1
        assert f"below {kit.input}; not read: 1 .docx, 1 hidden" in end.err
        assert "nothing to do" not in end.err
    assert not kit.machine.exists()


def test_a_trial_of_a_few_pages_and_then_all(kit: Toolkit) -> None:
    """What a trial has read is not read again, and home knows that pages are left."""
    kit.knobs["MAX_PIXELS"] = "50000"
    pages.pdf(kit.input / "book.pdf", pages=3)
    pages.tiny(1).save(kit.input / "a.png")
    for selection, read_now, total in (("2", 1, 1), ("", 3, 4)):
        end = kit.run_here("all", PAGES=selection)
        assert end.code == 0, end.err
        found = summary(kit)
        assert (found["run"]["pages"], found["pages"]) == (read_now, total)
        assert found["selected"] == selection
    assert kit.run_here("all", PAGES="1-2").code == 0  # nothing is new
    assert len(records_in(kit.output)) == 4 and summary(kit) == found


def test_a_password_goes_the_way_of_the_key(kit: Toolkit, tmp_path: Path) -> None:
    pages.pdf(tmp_path / "plain.pdf", pages=1)
    with pymupdf.open(tmp_path / "plain.pdf") as document:
        method = pymupdf.mupdf.PDF_ENCRYPT_AES_256
        document.save(kit.input / "a.pdf", encryption=method, user_pw=PASSWORD, owner_pw="b")
    (tmp_path / "plain.pdf").unlink()
    kit.knobs["MAX_PIXELS"] = "50000"
    end = kit.run("all", PDF_PASSWORD=PASSWORD)
    assert (end.code, end.err) == (0, "")
    assert [r["status"] for r in records_in(kit.output)] == ["ok"]
    assert len(files_below(kit.output / "report_files" / "thumbs")) == 1
    assert not files_with(PASSWORD, tmp_path)
