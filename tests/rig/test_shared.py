"""Which process of a test run gets which files."""

from __future__ import annotations

import ast
import re
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from rig.shared import ASKED_FOR, ROOT, ByRig, rig_of, unit_of

FILES = sorted((ROOT / "tests").rglob("test_*.py"))


def fixtures_in(path: Path) -> Iterator[str]:
    """The fixtures that a file's tests and fixtures use: as parameters, or by usefixtures."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            marks = " ".join(map(ast.unparse, node.decorator_list))
            if node.name.startswith("test_") or "fixture" in marks:
                names = {each.arg for each in node.args.args}
                # parametrized names are not fixtures
                yield from names - set(re.findall(r"\w+", marks))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("usefixtures"):
            yield from (str(each.value) for each in node.args if isinstance(each, ast.Constant))


@pytest.mark.parametrize("rig", ASKED_FOR)
def test_who_asks_for_a_rig_is_found(rig: str) -> None:
    """The quick search in a file's text finds the same files as its syntax tree."""
    asking = [path for path in FILES if rig in fixtures_in(path)]
    assert len(asking) > 4
    assert [path for path in FILES if rig_of(path) == rig] == asking


def test_every_fourth_process_begins_at_the_end() -> None:
    files = [f"test_{name}.py::test_it" for name in "abcde"]
    work = ByRig.__new__(ByRig)  # without the rest of pytest-xdist
    work.workqueue = OrderedDict((test, {test: False}) for test in files)
    work.assigned_work = {}
    nodes = [Mock(**{"gateway.id": f"gw{number}"}) for number in (2, 3)]
    work.registered_collections = dict.fromkeys(nodes, files)
    for node in (*nodes, *nodes, nodes[1]):
        work._assign_work_unit(node)
    first, second = ([call.args[0] for call in n.send_runtest_some.call_args_list] for n in nodes)
    assert (first, second) == ([[0], [1]], [[4], [3], [2]])


def test_files_that_share_a_rig_are_one_unit_and_others_each_their_own() -> None:
    for files in (("cloud/test_attach", "cloud/test_image"), ("cloud/test_lock",), ("test_all",)):
        units = {unit_of(f"tests/tools/{file}.py::test_a[b::c]") for file in files}
        assert len(units) == 1
        assert units <= set(ASKED_FOR) or units == {f"tests/tools/{files[0]}.py"}
