"""Which files run in one process, since they share what is up once in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.shared import ASKED_FOR, ROOT, rig_of, unit_of

FILES = sorted((ROOT / "tests").rglob("test_*.py"))


def fixtures_in(path: Path) -> Iterator[str]:
    """What the tests and fixtures of a file ask for: by their parameters, or by usefixtures."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            marks = " ".join(map(ast.unparse, node.decorator_list))
            if node.name.startswith("test_") or "fixture" in marks:
                names = {each.arg for each in node.args.args}
                yield from names - set(re.findall(r"\w+", marks))  # those have values in a table
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("usefixtures"):
            yield from (str(each.value) for each in node.args if isinstance(each, ast.Constant))


@pytest.mark.parametrize("rig", ASKED_FOR)
def test_who_asks_for_a_rig_is_found(rig: str) -> None:
    """By the text of a file, which is quick, as by what stands in it."""
    asking = [path for path in FILES if rig in fixtures_in(path)]
    assert len(asking) > 4
    assert [path for path in FILES if rig_of(path) == rig] == asking


def test_files_that_share_a_rig_are_one_unit_and_others_each_their_own() -> None:
    for files in (("cloud/test_attach", "cloud/test_image"), ("cloud/test_lock",), ("test_all",)):
        units = {unit_of(f"tests/tools/{file}.py::test_a[b::c]") for file in files}
        assert len(units) == 1
        assert units <= set(ASKED_FOR) or units == {f"tests/tools/{files[0]}.py"}
