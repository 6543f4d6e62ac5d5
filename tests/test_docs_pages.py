"""The form of README and docs/: short pages, in two languages, with links between them."""

import itertools
import re
from pathlib import Path

import pytest

from rig.docs import ENGLISH, KOREAN, LANGUAGES, headings, pages, read
from rig.toolkit import ROOT
from troubles import anchor

LONGEST_README = 150
LONGEST_PAGE = 200

both = pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)


@both
def test_pages_are_short(language: str) -> None:
    readme, *others = (
        len(path.read_text(encoding="utf-8").splitlines()) for path in pages(language)
    )
    assert readme <= LONGEST_README
    assert max(others) <= LONGEST_PAGE


def test_every_page_has_its_other_language_with_as_many_headings() -> None:
    english, korean = (
        [*pages(language), ROOT / f"SECURITY{language}.md"] for language in (ENGLISH, KOREAN)
    )
    assert [path.name.removesuffix(".md") + ".ko.md" for path in english] == [
        path.name for path in korean
    ]
    for one, other in zip(english, korean, strict=True):
        depths = [
            [line.split()[0] for line in headings(path.read_text(encoding="utf-8"))]
            for path in (one, other)
        ]
        assert depths[0] == depths[1], one.name
        assert f"]({other.name})" in one.read_text(encoding="utf-8")
        assert f"]({one.name})" in other.read_text(encoding="utf-8")


@both
def test_the_readme_leads_to_every_page(language: str) -> None:
    readme, *others = pages(language)
    links = re.findall(r"\]\(docs/([^)#]+)", readme.read_text(encoding="utf-8"))
    assert {path.name for path in others} <= set(links)
    for path in others:
        assert f"[README](../{readme.name})" in path.read_text(encoding="utf-8"), path.name


def written() -> list[Path]:
    """All of our own pages, sorted."""
    return sorted((*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")))


def links(path: Path) -> list[str]:
    """The local links of a page: those of its prose, and of its pictures."""
    prose = re.sub(r"`[^`\n]*`", "", path.read_text(encoding="utf-8"))
    found = re.findall(r"\]\(([^)\s]+)\)", prose)
    found += re.findall(r'(?:src|srcset|href)="([^"]+)"', prose)
    return [link for link in found if "://" not in link]


@pytest.mark.parametrize("path", written(), ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in links(path):
        name, _, place = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        if place:
            there = headings(target.read_text(encoding="utf-8"))
            assert place in {anchor(heading.lstrip("#")) for heading in there}, link


def test_a_korean_page_leads_to_korean_ones() -> None:
    for path in pages(KOREAN):
        twin = path.name.replace(".ko.md", ".md")
        for link in links(path):
            name = link.partition("#")[0]
            if name.endswith(".md") and not name.endswith(".ko.md") and name != twin:
                assert not (path.parent / name).with_suffix(".ko.md").exists(), (path.name, link)


def tree(text: str) -> list[str]:
    """The paths in the block that begins with Makefile; each level has two spaces of indent."""
    block = re.search(r"^```\n(Makefile .*?)^```", text, re.MULTILINE | re.DOTALL)
    assert block
    paths: list[str] = []
    parents: list[str] = []
    for line in block[1].splitlines():
        depth, (entry, *others) = (len(line) - len(line.lstrip())) // 2, line.split()
        for name in (entry, *itertools.takewhile(lambda word: word.endswith(".py"), others)):
            parents[depth:] = [name]
            paths.append("".join(parents))
    return paths


@both
def test_the_tree_is_there(language: str) -> None:
    paths = tree(read(f"docs/architecture{language}.md"))
    assert len(paths) > 15
    for path in paths:
        assert (ROOT / path).is_dir() if path.endswith("/") else (ROOT / path).is_file(), path


@both
def test_the_tree_shows_all_wings(language: str) -> None:
    shown = {path.rstrip("/") for path in tree(read(f"docs/architecture{language}.md"))}
    wings = {path.parent.relative_to(ROOT) for path in (ROOT / "vm_side").rglob("__init__.py")}
    assert {wing.as_posix() for wing in wings} <= shown


def test_the_tree_shows_all_of_vm_side() -> None:
    shown = set(tree(read("docs/architecture.md")))
    wings = {path.parent for path in (ROOT / "vm_side").rglob("__init__.py")}
    for wing in {ROOT / "vm_side", *wings} - {ROOT / "vm_side/cpu_endpoint"}:
        files = (path.relative_to(ROOT).as_posix() for path in wing.glob("*.py"))
        names = {name for name in files if not name.endswith("/__init__.py")}
        assert names <= shown
