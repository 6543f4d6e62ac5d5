"""Hostile page content in each format: nothing of it runs, asks for anything elsewhere, or leaves
the document's own files.
"""

from __future__ import annotations

import csv
import hashlib
import importlib
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from markdown_it import MarkdownIt
from openpyxl import load_workbook
from playwright.sync_api import Browser
from pyarrow.parquet import read_table

from lib.documents.document import Document
from lib.documents.formats.csv import NUMBER, SIGNS
from lib.documents.keeping import files_in
from lib.documents.registry import FORMATS
from rig.browser import Watched
from rig.hostile import ELSEWHERE, NAMES, PAYLOADS
from rig.small_documents import document, written

KINDS = (
    *("Text", "Title", "Section-header", "List-item", "Caption", "Footnote", "Formula", "Table"),
    "Page-header",
)
MORE = (
    *("=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0"),
    *("\t=1+1", "\r\n=1+1", "a;=1+1", 'a","=1+1', "＝1+1", f'=HYPERLINK("{ELSEWHERE}","x")'),
    f'=WEBSERVICE("{ELSEWHERE}")',
    r"\\127.0.0.1\share\x.docx ![x](\\127.0.0.1\share\x.png) <img src=\\127.0.0.1\share\x.png>",
    "![x](file:///etc/passwd) [x](file:///etc/passwd) <file:///etc/passwd>",
    f"![x]({ELSEWHERE}) [x]: {ELSEWHERE}\n\n[x] ![x][x] <{ELSEWHERE}> {ELSEWHERE}",
    f"[![x]({ELSEWHERE})]({ELSEWHERE}) ![x\n](<{ELSEWHERE}>)",
    r"$\href{javascript:alert(1)}{x} \includegraphics{/etc/passwd} \input{/etc/passwd}$",
    '{ INCLUDEPICTURE "http://127.0.0.1:9/" } { DDEAUTO c:\\\\windows\\\\cmd.exe "/k calc" }',
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "]]></w:t></w:r><w:altChunk/>&amp;&#x3c;script>",
    "```\n<script>alert(1)</script>\n```\n~~~",
    "/URI (http://127.0.0.1:9/) /JavaScript (app.alert(1)) endstream endobj",
)
TEXTS = (*PAYLOADS, *MORE)


def cell_texts(text: str) -> Iterator[tuple[str, str]]:
    """Yield a text as each category; in a table it is in a cell and in the caption."""
    yield from ((kind, text) for kind in KINDS)
    yield "Table", f"<table><caption>{text}</caption><tr><th>{text}<td>{text}</table>{text}"


def hostile(source: Path, path: str = "report") -> Document:
    """A document with each text on a page of its own, and with some hostile lines."""
    with pymupdf.open() as pdf:
        for _ in TEXTS:
            pdf.new_page(width=500, height=700)
        pdf.save(source / "report.pdf")
    sha256 = hashlib.sha256((source / "report.pdf").read_bytes()).hexdigest()
    whole = document(*(list(cell_texts(text)) for text in TEXTS), path=path, sha256=sha256)
    pages = list(whole.pages)
    for number, name in enumerate(NAMES):
        page = pages[number]
        status = ("failed", "partial", "corrected")[number % 3]
        about = replace(page.entry, reason=name, page=name, model=name, status=status)
        about = replace(about, model_size=(280.0, 392.0), prompt_mode="layout_all")
        pages[number] = replace(page, entry=about)
    return replace(whole, pages=tuple(pages))


def is_run(text: str) -> bool:
    """Whether a spreadsheet would read a text as a formula."""
    inside = text.strip()
    return inside.startswith(SIGNS) and not NUMBER.fullmatch(inside)


def csv_runs_nothing(folder: Path, browser: Browser) -> None:
    """Nothing runs, also if ; or a tab separates the cells."""
    for path in folder.rglob("*.csv"):
        for sign in ",;\t":
            with path.open(encoding="utf-8-sig", newline="") as file:
                found = [text for row in csv.reader(file, delimiter=sign) for text in row]
            assert not any(map(is_run, found))


def office_runs_nothing(folder: Path, browser: Browser, ending: str) -> None:
    """Check that there is no field, no link, no object, and nothing from elsewhere."""
    forbidden = (
        *(b"External", b"<f>", b"<w:instrText", b"<w:fldSimple", b"<w:altChunk", b"<w:hyperlink"),
        *(b"oleObject", b"ddeLink", b"externalLink", b"<!DOCTYPE", b"<!ENTITY", b"vbaProject"),
    )
    (path,) = folder.glob(f"*.{ending}")
    with zipfile.ZipFile(path) as whole:
        for name in whole.namelist():
            content = re.sub(rb">[^<]+<", b"><", whole.read(name))  # texts may contain anything
            assert not [word for word in forbidden if word in content], name
    if ending == "xlsx":
        cells = (cell for sheet in load_workbook(path) for row in sheet for cell in row)
        assert {cell.data_type for cell in cells} <= {"s", "n"}  # n is an empty cell, inside a span


def html_runs_nothing(folder: Path, browser: Browser) -> None:
    """Check in a browser: no dialog, no request, nothing that the policy had to stop."""
    (path,) = folder.glob("*.html")
    watched = Watched.open(browser)
    watched.page.goto(path.as_uri())
    assert watched.page.locator("h1, h2").count() and watched.trouble == []
    addresses = watched.page.evaluate(
        "[...document.querySelectorAll('[href], [src]')].map("
        "(e) => e.getAttribute('href') ?? e.getAttribute('src'))"
    )
    assert all(address.startswith(("#", "data:image/")) for address in addresses)
    watched.page.close()


class Rendered(HTMLParser):
    """The tags in HTML, and the addresses that they request."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.names, self.addresses = set[str](), set[str](), set[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        self.addresses |= {value or "" for name, value in attrs if name in ("href", "src")}


def md_runs_nothing(folder: Path, browser: Browser) -> None:
    """Check it as a program shows it that allows HTML."""
    (path,) = folder.glob("*.md")
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    found = Rendered(markdown.render(path.read_text(encoding="utf-8")))
    assert not found.tags & {"script", "img", "iframe", "svg", "style", "link", "form", "meta"}
    assert not any(name.startswith("on") or name == "style" for name in found.names)
    assert not found.addresses


def json_runs_nothing(folder: Path, browser: Browser) -> None:
    """It is only data, in lines or whole; docling's form has no address."""
    for path in [*folder.glob("*.jsonl"), *folder.glob("*.json")]:
        text = path.read_text(encoding="utf-8")
        for part in text.rstrip("\n").split("\n") if path.suffix == ".jsonl" else [text]:
            assert not list(values_of(json.loads(part), ("uri", "hyperlink")))


def values_of(found: Any, names: tuple[str, ...]) -> Iterator[Any]:
    """Yield the values under these names, at any depth, except None."""
    inside = found.items() if isinstance(found, dict) else enumerate(found)
    for name, value in inside:
        if name in names and value is not None:
            yield value
        if isinstance(value, dict | list):
            yield from values_of(value, names)


def parquet_runs_nothing(folder: Path, browser: Browser) -> None:
    """It is only data."""
    (path,) = folder.glob("*.parquet")
    assert read_table(path).num_rows == len(TEXTS)


def pdf_runs_nothing(folder: Path, browser: Browser) -> None:
    """Check: no action, no link, no file, no form; the outline leads only to pages."""
    (path,) = folder.glob("*.pdf")
    with pymupdf.open(path) as pdf:
        assert not any(page.get_links() for page in pdf) and not pdf.embfile_count()
        objects = [pdf.xref_object(xref) for xref in range(1, pdf.xref_length())]
        actions = ("/JS", "/JavaScript", "/URI", "/Launch", "/OpenAction", "/AA", "/SubmitForm")
        texts = re.compile(r"\((?:\\.|[^\\()])*\)", re.DOTALL)  # texts may contain anything
        names = {word for found in objects for word in re.findall(r"/\w+", texts.sub("", found))}
        assert not names & set(actions) and not pdf.is_form_pdf
        assert all(0 < number <= len(pdf) for _, _, number in pdf.get_toc())


CHECKS: dict[str, Callable[[Path, Browser], None]] = {
    "csv": csv_runs_nothing,
    "xlsx": partial(office_runs_nothing, ending="xlsx"),
    "docx": partial(office_runs_nothing, ending="docx"),
    "html": html_runs_nothing,
    "md": md_runs_nothing,
    "jsonl": json_runs_nothing,
    "docling": json_runs_nothing,
    "coco": json_runs_nothing,
    "finetune": json_runs_nothing,
    "parquet": parquet_runs_nothing,
    "pdf": pdf_runs_nothing,
}


def write(name: str, what: Document, source: Path, folder: Path) -> None:
    """Write a document in a format; it must use only its own files."""
    module = importlib.import_module(f"lib.documents.formats.{FORMATS[name].module}")
    written(module.write, what, folder, input=source, with_furniture=True)
    assert files_in(folder, what.path)


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_runs_or_asks_for_anything(name: str, tmp_path: Path, browser: Browser) -> None:
    write(name, hostile(tmp_path), tmp_path, tmp_path / "out")
    CHECKS[name](tmp_path / "out", browser)


@pytest.mark.parametrize("name", FORMATS)
def test_whatever_a_document_is_called(name: str, tmp_path: Path, browser: Browser) -> None:
    for number, hostile_name in enumerate(NAMES):
        path = hostile_name.removesuffix(".png")
        what = hostile(tmp_path, path)
        short = replace(what, pages=what.pages[:1])
        write(name, short, tmp_path, tmp_path / "out" / str(number))
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(map(str, range(len(NAMES))))
    assert {path.name for path in tmp_path.iterdir()} == {"out", "report.pdf"}
