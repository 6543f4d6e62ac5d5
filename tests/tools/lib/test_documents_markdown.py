"""md: a document in one file; its text stays plain text."""

import random
import re
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from PIL import Image

from lib.documents import markdown_text as md
from lib.documents.document import Document, Page, Sources
from lib.documents.formats.markdown import write
from lib.documents.gathering import FOLDERS, gather
from lib.documents.pictures import NO_PICTURES
from lib.pages.entries import read_cells, read_entries
from rig.author import make_document
from rig.hostile import NAMES, PAYLOADS
from rig.page_layout import Made
from rig.result_sets import Cells, ResultSet, cell

BOX = (80, 60, 700, 100)
CATEGORIES = ("Text", "Title", "Section-header", "List-item", "Formula", "Table", "Caption")
TABLE = "<table><thead><tr><th>A</th><th>B</th></tr></thead><tr><td>1</td><td>{}</td></tr></table>"
MORE = (  # what could swallow the rest of a document, or lead elsewhere
    *(
        "```\ncode",
        "~~~~",
        "$$\nx",
        "<!--",
        "<pre>",
        "a\n\n    code",
        "a\n\n\tcode",
        "a\n===",
        "a\n---",
        "> a\n> ```",
        "- ```sh\ncode",
        "1. + ~~~sh\n2) ~~~sh",
    ),
    *("[x]\n\n[x]: http://127.0.0.1:9/", "> [y]: javascript:alert(1)\n\n[y]", "- [z]: x\n\n![z]"),
    *(
        "![](http://127.0.0.1:9/x.png)",
        "$[x](javascript:alert(1))$",
        "\\[a](b)",
        "[a\\](b)",
        "# not one",
    ),
    *("$$\n```\n$$", "<http://127.0.0.1:9/>", "$a<b>c$", "| a |\n| --- |", "\\<b>", "``` `` ` ```"),
)


def document_of(results: Path) -> Document:
    """The first document of a result set, with a document for each folder."""
    found, _ = gather(read_entries(results), FOLDERS)
    pages = tuple(Page(entry, tuple(read_cells(results, entry))) for entry in found[0].entries)
    return Document(found[0].path, pages)


def written(folder: Path, results: Path, **sources: object) -> tuple[str, list[str]]:
    """The Markdown of a result set's document, and the remarks."""
    folder.mkdir(exist_ok=True)
    document = document_of(results)
    remarks = write(document, Sources(results, **sources), folder)  # type: ignore[arg-type]  # of tests
    return (folder / f"{document.name}.md").read_text(encoding="utf-8"), remarks


def single(folder: Path, cells: Cells, name: str = "a/p.png") -> Path:
    results = ResultSet(folder)
    results.add(name, cells)
    return results.finish()


class Seen(HTMLParser):
    """What a program would find in HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [
            str(value)
            for name, value in attrs
            if name not in ("id", "title", "start") and name not in ("colspan", "rowspan")
        ]


@pytest.mark.parametrize("text", [*PAYLOADS, *MORE])
def test_hostile_text_does_nothing_and_swallows_nothing(tmp_path: Path, text: str) -> None:
    cells = [
        *(cell(category, text, BOX) for category in CATEGORIES),
        cell("Table", TABLE.format(text), BOX),
        cell("Text", "THE END", BOX),
    ]
    found, _ = written(tmp_path / "md", single(tmp_path / "out", cells))
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(found)
    seen = Seen(html)
    assert seen.addresses == []
    assert seen.tags <= {
        *(
            "a",
            "p",
            "h1",
            "h2",
            "em",
            "strong",
            "code",
            "ul",
            "ol",
            "li",
            "blockquote",
            "br",
            "div",
        ),
        *("table", "thead", "tbody", "tr", "th", "td", "b", "hr", "caption"),
    }
    assert html.rstrip().endswith("<p>THE END</p>")


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_do_nothing(tmp_path: Path, name: str) -> None:
    results = ResultSet(tmp_path / "out")
    results.add(name, page="p/p", status="failed", reason=PAYLOADS[0])
    folder = tmp_path / "md"
    folder.mkdir()
    (entry,) = read_entries(results.finish())
    write(Document("x/p", (Page(entry, ()),)), Sources(tmp_path / "out"), folder)
    found = (folder / "p.md").read_text(encoding="utf-8")
    seen = Seen(MarkdownIt("commonmark", {"html": True}).render(found))
    assert (seen.tags, seen.addresses) == ({"a", "p", "blockquote", "strong"}, [])


def truth_of(made: Made) -> str:
    """The Markdown that a reader of the document would write."""
    parts = []
    for kind, text, level in made.truth:
        if kind == "Table":
            rows = [re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in text.split("</tr>")[:-1]]
            lines = [f"| {' | '.join(row)} |" for row in rows]
            parts.append("\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]]))
        elif kind == "Formula":
            parts.append(f"$$\n{text}\n$$")
        elif kind != "Picture":
            parts.append(f"{'#' * level} {text}" if level else text)
    return "\n\n".join(parts)


def test_a_document_of_twenty_pages_is_its_truth(tmp_path: Path) -> None:
    """With tables and texts over page breaks, running headers, footnotes, columns, languages."""
    made = make_document(random.Random(3), 20)
    found, remarks = written(tmp_path / "md", made.write(tmp_path / "out"))
    assert len(made.pages) >= 20
    assert re.findall(r'<a id="page-([0-9]+)" title="book.pdf, page \1"></a>', found) == [
        str(number) for number in range(1, len(made.pages) + 1)
    ]
    without = re.sub(r"<a id=[^\n]*\n\n", "", found).strip()
    assert without == re.sub(r"(\n- [^\n]*)\n(?=\n- )", r"\1", truth_of(made))
    assert remarks == [NO_PICTURES]


def test_pictures_are_files_beside_it(tmp_path: Path) -> None:
    """The results' pictures are copied; others are cut out of INPUT's page, if it was this one."""
    results = ResultSet(tmp_path / "out")
    picture = [cell("Picture", "", (20, 10, 60, 90)), cell("Picture", "", (0, 0, 100, 5))]
    (tmp_path / "in").mkdir()
    page = Image.new("RGB", (100, 100), "white")
    page.paste("red", (20, 10, 60, 90))
    page.save(tmp_path / "in/p.png")
    digest = sha256((tmp_path / "in/p.png").read_bytes()).hexdigest()
    results.add("p.png", picture, original_size=[100, 100], sha256=digest, pictures=["1.png"])
    folder = results.finish()
    (folder / "p/pictures").mkdir()
    Image.new("RGB", (8, 8), "blue").save(folder / "p/pictures/1.png")
    found, remarks = written(tmp_path / "a", folder, input=tmp_path / "in")
    assert re.findall(r"!\[\]\(([^)]*)\)", found) == [
        *("pages_files/page-1-1.png", "pages_files/page-1-2.png")
    ]
    assert remarks == []
    assert Image.open(tmp_path / "a/pages_files/page-1-1.png").getpixel((0, 0)) == (0, 0, 255)
    (folder / "p/pictures/1.png").write_text("no picture")
    written(tmp_path / "b", folder, input=tmp_path / "in")
    cut = Image.open(tmp_path / "b/pages_files/page-1-1.png")
    assert (cut.size, cut.getpixel((0, 0)), cut.getpixel((39, 79))) == (
        (40, 80),
        (255, 0, 0),
        (255, 0, 0),
    )
    (tmp_path / "in/p.png").write_bytes(b"another")
    found, remarks = written(tmp_path / "c", folder, input=tmp_path / "in")
    assert ("![" in found, remarks) == (False, [NO_PICTURES])


@pytest.mark.parametrize(
    ("write_as", "text", "expected"),
    [
        (md.prose, "a < b and <b>c</b>", "a < b and &lt;b>c&lt;/b>"),
        (md.prose, "**bold** and $a<b$", "**bold** and $a< b$"),
        (md.prose, "[a](b) ![c][d]", "[a]\\(b) ![c]\\[d]"),
        (md.prose, "# no heading\n---", "\\# no heading\n\\---"),
        (md.prose, "one\ntwo", "one\ntwo"),
        (md.one_line, "A\n B #", "A B \\#"),
        (md.item, "• a", "- a"),
        (md.item, "1. a", "1. a"),
        (md.item, "가. 첫째", "- 가. 첫째"),
        (md.formula, "$$a+b$$", "$$\na+b\n$$"),
        (md.formula, "\\[a\n\nb\\]", "$$\na\nb\n$$"),
        (md.formula, "`a`", "$$\na\n$$"),
        (md.formula, "with $a$ in it", "with $a$ in it"),
        (md.formula, "30% of 5\\% \\\\%", "$$\n30\\% of 5\\% \\\\\\%\n$$"),
        (md.prose, "50% is $50%$", "50% is $50\\%$"),
        (md.table, TABLE.format("x"), "| A | B |\n| --- | --- |\n| 1 | x |"),
        (md.table, "no table", "no table"),
        (md.table, "<table><td>a|b", "<table><tbody><tr><td>a|b</td></tr></tbody></table>"),
        (
            md.table, "<table><tr><th colspan=2>a\n\nb</th></tr></table>",
            '<table><tbody><tr><th colspan="2">a b</th></tr></tbody></table>',
        ),
    ],
)  # fmt: skip
def test_one_cell(write_as: Callable[[str], str], text: str, expected: str) -> None:
    assert write_as(text) == expected
