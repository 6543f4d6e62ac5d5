"""The HTML of the reports: its policy fits its content, its words exist in both languages."""

import re
from html import unescape

import pytest

from contract import CATEGORIES, DOUBT_KINDS, STATUSES
from lib.report import build, compare_build
from lib.report.document import STATIC, source_hash

DOCUMENTS = {"report": build.document, "compare": compare_build.document}
every = pytest.mark.parametrize("name", DOCUMENTS)


@every
def test_the_policy_names_the_style_and_the_script_and_nothing_else(name: str) -> None:
    document = DOCUMENTS[name]()
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', document)
    assert found
    policy = dict(rule.split(" ", 1) for rule in unescape(found[1]).split("; "))
    (style,) = re.findall(r"<style>(.*?)</style>", document, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", document, re.DOTALL)
    assert policy["style-src"] == f"'{source_hash(style)}'"
    assert policy["script-src"] == f"'{source_hash(script)}' 'strict-dynamic'"
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in found[1]
    assert "http:" not in found[1]


@every
def test_nothing_is_asked_of_a_network_and_no_element_has_a_style(name: str) -> None:
    document = DOCUMENTS[name]()
    addresses = re.findall(r"https?://[^\"'` )]+", document)
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<[a-z][^>]* (style|on\w+)=", document)


def test_every_word_that_is_said_exists_and_every_word_is_said() -> None:
    table = (STATIC / "words.js").read_text(encoding="utf-8").partition("const CATEGORY_WORDS")[0]
    words = set(re.findall(r"^  (\w+): \[", table, re.MULTILINE))
    sources = "".join(path.read_text(encoding="utf-8") for path in STATIC.glob("*.js"))
    templates = "".join(
        path.read_text(encoding="utf-8") for path in (STATIC.parent / "templates").iterdir()
    )
    said = set(re.findall(r'\bt\("(\w+)"', sources))
    said |= set(re.findall(r'data-(?:t|label)="(\w+)"', templates))
    said |= set(re.findall(r'"((?:kind|tune)[A-Z]\w+)"', sources))
    assert said == words


def test_every_kind_of_doubt_has_its_words_and_its_reasons() -> None:
    words = (STATIC / "words.js").read_text(encoding="utf-8").partition("const DOUBT_WORDS")[2]
    reasons = (STATIC / "doubts.js").read_text(encoding="utf-8").partition("const DOUBT_REASONS")[2]
    for kind in DOUBT_KINDS:
        assert re.search(rf'^  {kind}: \["[A-Z].+", ".*[가-힣].*"\],$', words, re.MULTILINE), kind
        assert re.search(rf"^  {kind}: \(\{{", reasons, re.MULTILINE), kind


@pytest.mark.parametrize("names", [CATEGORIES, STATUSES])
def test_categories_and_statuses_have_a_colour_and_a_korean_name(names: tuple[str, ...]) -> None:
    words = (STATIC / "words.js").read_text(encoding="utf-8")
    style = (STATIC / "base.css").read_text(encoding="utf-8")
    for name in names:
        assert re.search(rf'^  "?{name}"?: "[가-힣 ]+",$', words, re.MULTILINE), name
        assert f".{name} {{" in style, name
