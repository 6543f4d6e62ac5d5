"""A cell's text as HTML: it shows the text, and nothing hostile gets through."""

import time
from html.parser import HTMLParser

import pytest

from lib.pages.entries import Cell
from lib.pages.markup import (
    FORMULA_TAGS,
    LONGEST_MARKUP,
    TABLE_TAGS,
    TEXT_TAGS,
    cell_html,
    line_html,
    plain_text,
)
from rig.hostile import PAYLOADS

ALLOWED = {
    *("colspan", "rowspan", "start", "xmlns", "display", "displaystyle", "mathvariant", "stretchy"),
    *("fence", "form", "largeop", "movablelimits", "linethickness", "columnalign", "accent"),
    *("width", "minsize", "maxsize"),
}


class Inventory(HTMLParser):
    """The tags and attributes in a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, str] = {}
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name: value or "" for name, value in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def show(category: str, text: str) -> str:
    return cell_html(Cell((0, 0, 1, 1), category, text)).strip()


def plain(category: str, text: str) -> str:
    return plain_text(Cell((0, 0, 1, 1), category, text))


@pytest.mark.parametrize("category", ["Text", "Table", "Formula", "Title", "List-item"])
@pytest.mark.parametrize("payload", PAYLOADS)
def test_only_harmless_tags_and_attributes_remain(category: str, payload: str) -> None:
    for text in (payload, f"<table><tr><td>{payload}</td></tr></table>", f"$${payload}$$"):
        found = Inventory(show(category, text))
        assert found.tags <= TEXT_TAGS | TABLE_TAGS | FORMULA_TAGS
        assert found.attributes.keys() <= ALLOWED
        assert not any(":" in value for value in found.attributes.values())


def test_a_table_stays_a_table() -> None:
    head, row = '<tr><th colspan="2">a</th></tr>', "<tr><td>b</td><td>1 &lt; 2</td></tr>"
    assert show("Table", f'<table border="1">{head}{row}</table>') == (
        f"<table><tbody>{head}{row}</tbody></table>"
    )


@pytest.mark.parametrize("span", ["0", "-1", "9999", "2;x", "1e9"])
def test_a_span_that_would_burst_the_page_is_no_span(span: str) -> None:
    assert "span" not in show("Table", f'<table><tr><td colspan="{span}">a</td></tr></table>')


def test_markdown_of_the_simplest_kind() -> None:
    assert show("Section-header", "## 1. **Method**") == "<h2>1. <strong>Method</strong></h2>"
    assert show("List-item", "- a\n- b") == "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"
    assert show("Text", "one\ntwo") == "<p>one<br>\ntwo</p>"


def test_links_pictures_and_html_of_a_text_stay_text() -> None:
    text = "[a](http://b.c) ![d](e.png) <b>f</b> & <g>"
    assert Inventory(show("Text", text)).tags == {"p"}
    assert Inventory(show("Text", text)).text.strip() == text


def test_formulas_become_mathml() -> None:
    for text in (r"\frac{a}{b}", r"$$\frac{a}{b}$$", r"\[ \frac{a}{b} \]"):
        assert show("Formula", text) == (
            '<math display="block"><mrow><mfrac><mrow><mi>a</mi></mrow>'
            "<mrow><mi>b</mi></mrow></mfrac></mrow></math>"
        )


def test_formulas_in_a_text_and_in_a_table() -> None:
    formula = '<math display="inline"><mrow><msub><mi>x</mi><mn>1</mn></msub></mrow></math>'
    assert show("Text", r"with $x_1$ and \(x_1\).") == f"<p>with {formula} and {formula}.</p>"
    table = show("Table", "<table><tr><td>$x_1$</td></tr></table>")
    assert table == f"<table><tbody><tr><td>{formula}</td></tr></tbody></table>"


def test_prices_are_no_formulas() -> None:
    assert show("Text", "from $5 to $10, or US$3 and US$4") == (
        "<p>from $5 to $10, or US$3 and US$4</p>"
    )


def test_rows_of_a_formula_are_aligned() -> None:
    for text in (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", r"a &= b \\ c &= d"):
        assert show("Formula", text).count("<mtr>") == 2


@pytest.mark.parametrize(
    "latex",
    ["{" * 3000, r"\left(", "x^", r"\frac", "a" * 2001, r"\def\a{b}\a", r"\newcommand{\a}{b}"],
)
def test_what_is_no_formula_is_shown_as_code(latex: str) -> None:
    assert show("Formula", latex) == f"<code>{latex}</code>"


def test_the_signs_that_hold_a_formula_s_place_cannot_be_forged() -> None:
    assert show("Text", "\ue0000\ue001 and \ue0007\ue001") == "<p>0 and 7</p>"


@pytest.mark.parametrize(
    "part", ["$", "$a ", r"\[", r"\(", "*", "**a", "- ", "`", "<", "[a](", "<table>"]
)
@pytest.mark.parametrize("category", ["Text", "Table", "Formula"])
def test_no_text_takes_long(part: str, category: str) -> None:
    """A page has at most about 60,000 characters; a repeating model can fill them with anything."""
    text = part * (60_000 // len(part))
    started = time.process_time()
    show(category, text)
    plain(category, text)
    assert time.process_time() - started < 4


def test_the_text_to_search_in_has_no_signs() -> None:
    assert plain("Section-header", "##  1. **Method**\n") == "1. Method"
    assert plain("List-item", "- one\n- two") == "one two"
    table = "<table><tr><td>a</td><td>b &amp; c</td></tr></table>"
    assert plain("Table", table) == "a b & c"
    assert plain("Text", "a < b, c > d") == "a < b, c > d"


@pytest.mark.parametrize("category", ["Text", "Table", "Formula"])
@pytest.mark.parametrize(
    "mark", ["&#xe000;7&#xe001;", f"&#xe000;{'9' * 5000}&#xe001;", "&#57344;0&#57345;"]
)
def test_a_mark_of_ours_in_a_text_holds_nothing(category: str, mark: str) -> None:
    for text in (mark, f"<table><tr><td>cell {mark} $x$</td></tr></table>"):
        assert show(category, text)


def test_a_cell_that_no_converter_can_do_with_is_its_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise RecursionError("too deep")

    monkeypatch.setattr("nh3.clean", fail)
    assert show("Table", "<table><td>1</table>") == "<p>&lt;table&gt;&lt;td&gt;1&lt;/table&gt;</p>"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # prices, not a formula
        ("<td>$</td><td>5</td><td>$</td>", "<td>$</td><td>5</td><td>$</td>"),
        ("<td>x<y</td><td>z</td>", "<td>x&lt;y</td><td>z</td>"),
    ],
)
def test_a_sign_in_a_cell_takes_no_cell_away(row: str, expected: str) -> None:
    html = show("Table", f"<table><tr>{row}</tr></table>")
    assert html == f"<table><tbody><tr>{expected}</tr></tbody></table>"


@pytest.mark.parametrize(
    ("latex", "printed"),
    [
        ("30% + 20% = 50%", "30%+20%=50%"),  # not a comment: nobody sees a comment on a page
        (r"30\% \\ 20%", "30%20%"),
        (r"\text{50\% of a\_b}", "50%\xa0of\xa0a_b"),
        (r"\mathop{\mathrm{argmin}}\limits_{x} f", "argminxf"),
        (r"a \mathbin{+} b \mathrel{=} c", "a+b=c"),
        (r"\begin{align} a&=b\\ c&=d \end{align}", "a=bc=d"),  # no equation numbers are added
        (r"\begin{align} a&=b \tag{5}\\ c&=d \nonumber\end{align}", "a=b(5)c=d"),
    ],
)
def test_a_formula_shows_all_that_was_read_and_no_more(latex: str, printed: str) -> None:
    assert Inventory(show("Formula", latex)).text == printed
    assert Inventory(show("Text", f"so ${latex}$.")).text == f"so {printed}."


@pytest.mark.parametrize(
    "words",
    [
        "Kim <kim@example.com>",
        "<Enter> or <F1>",
        "a<b and c>d",
        "5 < 6 and 7 > 3",
        "<유효기간> <Name of file>",
        "if x <y and z> 3",
    ],
)
def test_what_is_printed_in_angle_brackets_is_text(words: str) -> None:
    table = f"<table><tr><td>{words}</td><td><span class='x'>b</span></td></tr></table>"
    escaped = words.replace("<", "&lt;").replace(">", "&gt;")
    assert show("Table", table) == (
        f"<table><tbody><tr><td>{escaped}</td><td>b</td></tr></tbody></table>"
    )
    assert plain("Table", table) == f"{words} b"


def test_what_models_write_around_a_text_is_not_shown() -> None:
    around = "<!-- page 3 --><o:p><math><mi>x</mi></math></o:p><blockquote>y</blockquote>"
    table = f"<!DOCTYPE html><table><tr><td>1</td><td>{around}</td></tr></table>"
    assert Inventory(show("Table", table)).text == "1xy"
    assert plain("Table", table) == "1 x y"


@pytest.mark.parametrize("rows", ["<tr><td>12</td><td>34</td></tr>", "<td>12</td><td>34"])
def test_rows_without_their_table_stay_cells(rows: str) -> None:
    cells = "<tr><td>12</td><td>34</td></tr>"
    assert show("Table", rows) == f"<table><tbody>{cells}</tbody></table>"


def test_a_list_begins_with_the_number_that_was_read() -> None:
    assert 'start="3"' in show("List-item", "3. c\n4. d")
    assert "start" not in show("List-item", "1. a")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. Introduction", "1. Introduction"),
        ("# a *b*", "# a <em>b</em>"),
        ("<b>x</b> & y", "&lt;b&gt;x&lt;/b&gt; &amp; y"),
        ("a" * (LONGEST_MARKUP + 1) + "*b*", "a" * (LONGEST_MARKUP + 1) + "*b*"),
    ],
    ids=["number", "mark", "tag", "long"],
)
def test_a_text_in_one_line(text: str, expected: str) -> None:
    assert line_html(text) == expected


def test_a_formula_in_one_line() -> None:
    assert line_html("On $x$").startswith("On <math")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_one_line_is_harmless(payload: str) -> None:
    found = Inventory(line_html(payload))
    assert found.tags <= TEXT_TAGS | FORMULA_TAGS and found.attributes.keys() <= ALLOWED
