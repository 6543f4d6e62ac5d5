"""Pages in all usual forms: each is read, and files that are not read are reported."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pymupdf
import pytest

from rig import forms, pages
from rig.command import Batch
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.replies import Reply
from rig.secrets import command_lines, files_with

PASSWORD = "열려라 참깨 known-to-nobody-0xC0FFEE"
SMALL = {"MAX_PIXELS": "50000"}


@pytest.fixture
def batch(tmp_path: Path) -> Iterator[Batch]:
    """A batch without pages."""
    with ModelServer() as server:
        batch = Batch(tmp_path, server.url)
        batch.input.mkdir()
        yield batch


def sizes(batch: Batch) -> dict[forms.Key, tuple[int, ...]]:
    """The pages in the manifest, with their upright sizes."""
    return {(r["input"], r["pdf_page"]): tuple(r["original_size"]) for r in batch.records}


def test_every_form_is_read_and_every_other_file_is_told(batch: Batch) -> None:
    wanted = forms.write_forms(batch.input)
    assert len({name for name, _ in wanted}) > 20
    wanted |= forms.write_links(batch.input, batch.folder / "elsewhere")
    others = forms.write_others(batch.input)
    line = "not read: 2 .docx, 1 .svg, 1 .txt, 1 hidden, 1 without ending"
    for read_now in (len(wanted), 0):  # reported again each night
        end = batch.run_here(environment=SMALL)
        assert (end.code, end.err.count("\n")) == (0, 1), end.err
        assert end.err.endswith(f"; {line}\n")
        assert batch.summary["not_read"] == others
        assert batch.summary["run"]["pages"] == read_now
    assert {r["status"] for r in batch.records} == {"ok"}
    assert sizes(batch) == wanted
    noted = {r["input"] for r in batch.records if r["notes"]}
    assert noted == {"moving.gif"}
    names = {r["page"] for r in batch.records}
    assert {"fax/fax", "copier/copier_page_2", "report/report_page_1", "still/still"} <= names
    assert all((batch.output / f"{name}.json").is_file() for name in names)


def test_the_input_may_be_typed_as_windows_writes_it(batch: Batch) -> None:
    name = unicodedata.normalize("NFD", "회의록")
    (batch.input / name).mkdir()
    pages.tiny(1).save(batch.input / name / f"{name}.png")
    end = batch.run_here(environment={"INPUT": str(batch.input / "회의록")})
    assert (end.code, [r["input"] for r in batch.records]) == (0, [f"{name}.png"])


def test_a_folder_of_which_nothing_can_be_read_is_a_failure(batch: Batch) -> None:
    for hidden in (".DS_Store", ".cache/a.png"):  # they do not count as pages
        (batch.input / hidden).parent.mkdir(exist_ok=True)
        (batch.input / hidden).touch()
    assert batch.run_here().code == 0
    (batch.input / "letter.docx").touch()
    end = batch.run_here()
    assert end.code == 1 and "not read: 2 hidden, 1 .docx" in end.err
    assert "nothing to do" not in end.err
    assert batch.summary["not_read"] == {".docx": 1, "hidden": 2}


def test_what_only_calls_itself_a_pdf_says_what_it_is(batch: Batch) -> None:
    """Also where MuPDF could draw it: web pages, drawings, comics, text."""
    content = {
        "login": b"<!DOCTYPE html><html><body>Sign in</body></html>",
        "plan": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><path/></svg>',
        "book": b"PK\x03\x04 and so on",
        "error": b'{"error": "expired"}',
        "gone": b"Not Found",
        "late": b" " * 1100 + b"%PDF-1.4",
        "both": b"<html><!-- %PDF-1.4 --><body>text</body></html>",
    }
    for name, data in content.items():
        (batch.input / f"{name}.pdf").write_bytes(data)
    pages.pdf(batch.input / "mail.pdf", pages=1)
    (batch.input / "mail.pdf").write_bytes(b"\r\n" * 400 + (batch.input / "mail.pdf").read_bytes())
    pages.tiny(1).save(batch.input / "scan.pdf", "PNG")
    end = batch.run_here(environment=SMALL)
    assert end.code == 3
    reasons = {r["input"]: r["reason"] for r in batch.records if r["status"] == "failed"}
    assert reasons.keys() == {f"{name}.pdf" for name in content}
    assert reasons.pop("both.pdf")  # its first bytes say that it is a PDF, but it is not
    assert all(reason.startswith("no PDF at all: ") for reason in reasons.values())
    assert reasons["login.pdf"].endswith(": a web page")
    assert reasons["plan.pdf"].endswith(": an SVG drawing")
    assert [r["page"] for r in batch.records if r["status"] == "ok"] == [
        "mail/mail_page_0",
        "scan/scan",  # a picture is read, whatever its name says
    ]


def test_a_trial_reads_some_pages_of_each_file(batch: Batch) -> None:
    pages.pdf(batch.input / "book.pdf", pages=4)
    forms.tiff(batch.input / "fax.tif", [pages.tiny(number) for number in range(1, 4)])
    pages.tiny(9).save(batch.input / "photo.png")

    def run(selection: str) -> tuple[int, str, list[forms.Key]]:
        end = batch.run_here(environment={**SMALL, "PAGES": selection})
        return end.code, end.err, [key for key in sizes(batch) if key[0] != "photo.png"]

    code, said, _ = run("7")
    assert (code, batch.summary["not_read"]) == (1, {"beyond PAGES": 3})
    assert "no page 7 in" in said
    code, said, keys = run("2-3, 9")
    assert (code, keys) == (0, [("book.pdf", 1), ("book.pdf", 2), ("fax.tif", 1), ("fax.tif", 2)])
    assert said.startswith("4 pages (PAGES=2-3, 9): 4 ok")
    assert said.endswith("; not read: 1 beyond PAGES\n")  # a picture is page 1 of its file
    code, said, keys = run("1")
    assert batch.summary["run"]["pages"] == 3
    assert len(keys) == 6 and batch.summary["pages"] == 3  # the pages of the other trial stay
    code, said, keys = run("")
    assert (batch.summary["run"]["pages"], batch.summary["pages"], code, said) == (1, 8, 0, "")
    end = batch.run_here(environment={"PAGES": "0"})
    assert end.code == 2 and "not a list of pages such as 1-20,35" in end.err


def test_a_password_opens_and_stands_nowhere(batch: Batch) -> None:
    source = batch.input / "secret.pdf"
    pages.pdf(batch.folder / "plain.pdf", pages=2)
    with pymupdf.open(batch.folder / "plain.pdf") as document:
        method = pymupdf.mupdf.PDF_ENCRYPT_AES_256
        document.save(source, encryption=method, user_pw=PASSWORD, owner_pw="another")
    for given, reason in (
        ({}, "the PDF wants a password: give it in PDF_PASSWORD"),
        ({"PDF_PASSWORD": "wrong"}, "the PDF wants another password than PDF_PASSWORD"),
    ):
        assert batch.run(environment=SMALL | given).code == 3
        assert batch.records[0]["reason"].startswith(reason)
    seen: list[str] = []

    def look(request: Request) -> Reply:
        seen.append(command_lines())
        return Reply()

    with ModelServer() as server:
        server.script = look
        batch.url = server.url
        end = batch.run(environment={**SMALL, "PDF_PASSWORD": PASSWORD})
    assert (end.code, end.err) == (0, "")
    assert [r["status"] for r in batch.records] == ["ok", "ok"]
    assert "process_all_images.py" in seen[0] and PASSWORD[-10:] not in "".join(seen)
    assert not files_with(PASSWORD, batch.folder)


def test_a_password_may_stand_in_a_file_and_not_travel_to_a_fleet(batch: Batch) -> None:
    pages.encrypted_pdf(batch.input)
    file = batch.folder / "password"
    file.write_text(f"{pages.PDF_PASSWORD}\n")
    end = batch.run("--pdf-password-file", str(file), environment=SMALL)
    assert (end.code, len(batch.records)) == (0, 2)
    given = {"PDF_PASSWORD_FILE": str(file)}
    end = batch.run("--scheduler", "tcp://127.0.0.1:9", environment=given)
    assert end.code == 2 and "PDF_PASSWORD is not sent" in end.err
    end = batch.run(environment={"PDF_PASSWORD_FILE": str(batch.folder / "none")})
    assert end.code == 2 and "PDF_PASSWORD_FILE" in end.err


def test_a_page_is_what_its_box_shows(batch: Batch) -> None:
    """Content outside is not part of the page; a turned page is upright."""
    with pymupdf.open() as document:
        page = document.new_page(width=400, height=600)
        page.draw_rect((100, 100, 200, 300), fill=(0, 0, 0))
        page.set_cropbox(pymupdf.Rect(50, 50, 250, 350))
        document.new_page(width=400, height=600).draw_rect((9, 9, 99, 99), fill=(0, 0, 0))
        document[1].set_rotation(90)
        document.save(batch.input / "a.pdf")
    assert batch.run_here(environment=SMALL).code == 0
    high, wide = round(600 / 72 * 200), round(400 / 72 * 200)
    found = list(sizes(batch).values())
    assert found[0] == pytest.approx((200 / 72 * 200, 300 / 72 * 200), abs=1)
    assert found[1] == pytest.approx((high, wide), abs=1)
