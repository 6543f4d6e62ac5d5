"""Which faults are tried, and where; a mutant replaces the loaded functions."""

import re
from pathlib import Path

import pytest

from mutate.mutants import Mutant, mutants_of
from mutate.rooms import ROOMS
from mutate.running import Seen, codes_in, functions_of
from mutate.survivors import entries, known_in
from rig.toolkit import ROOT


def changes(body: str) -> list[str]:
    return [mutant.change for mutant in mutants_of(f"def f(a, b):\n    {body}\n")]


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ("a = a < b", ["a < b -> a <= b", "a < b -> a >= b"]),
        ("a = a is None", ["a is None -> a is not None"]),
        ("a = a in b", ["a in b -> a not in b"]),
        ("a = a and b", ["a and b -> a or b"]),
        ("a = not b", ["not b -> b"]),
        ("a = a - b", ["a - b -> a + b"]),
        ("a += b", ["a += b -> a -= b"]),
        ("a = 7", ["7 -> 8"]),
        ("a = -b", ["-b -> b"]),
        ("a = False", ["False -> True"]),
        ("a = max(b)", ["max(b) -> min(b)"]),
        ("a = b.startswith(a)", ["b.startswith(a) -> b.endswith(a)"]),
        ("a = 'bbox'", ["'bbox' -> 'bbox_'"]),
        ("a = 'a sentence'", []),
        ("a = f'{b + 1}'", []),
        ("'What it does.'", []),
        ("a: Literal['b'] = b", []),
        ("assert a", []),
        ("a = zip(b, strict=True)", []),
        ("return a", ["return a -> return None"]),
        ("return None", []),
        ("a(b)", ["a(b) -> pass"]),
        ("raise a", ["raise a -> pass"]),
        ("if a: b = a", ["a -> not a"]),
        ("a = b if a else b", ["a -> not a"]),
        ("a = [a for a in b if a]", ["a -> not a"]),
        ("while a < b: break", ["a < b -> a <= b", "a < b -> a >= b", "break -> continue"]),
    ],
)
def test_faults(body: str, faults: list[str]) -> None:
    assert changes(body) == faults


def test_only_functions_are_mutated_and_of_a_class_its_own() -> None:
    source = "A = 1\nclass B:\n    c = 2\n    def d(self, e=3): return self.e or 4\ndef f(): g(5)\n"
    assert [(found.function, found.change) for found in mutants_of(source, ("B",))] == [
        ("B.d", "return self.e or 4 -> return None"),
        ("B.d", "self.e or 4 -> self.e and 4"),
        ("B.d", "4 -> 5"),
    ]
    assert {found.function for found in mutants_of(source)} == {"B.d", "f"}


def test_the_rest_of_the_code_stays_as_it_is_and_where_it_is() -> None:
    source = "def f(a):\n    b = (\n        '한글', a\n        < 2  # two\n    )\n    return b\n"
    mutant = mutants_of(source)[1]
    assert mutant.source == source.replace("a\n        < 2", "(a <= 2\n)")
    assert (mutant.line, mutant.lines) == (3, range(1, 7))


def mutant(line: int) -> Mutant:
    return Mutant("f", line, range(1, 5), "", "", "")


def test_a_mutant_is_tried_by_the_tests_that_run_its_line_the_quickest_first() -> None:
    seen = Seen({"slow": 2.0, "quick": 1.0, "other": 0.1}, {"f.py": {2: ["slow", "quick"]}})
    assert seen.tests_of("f.py", mutant(2)) == ["quick", "slow"]
    assert seen.tests_of("f.py", mutant(4)) == ["quick", "slow"]  # the tests that run its function
    assert seen.tests_of("g.py", mutant(2)) == []


def test_a_mutant_takes_the_place_of_what_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "some.py"
    source = "class A:\n    @property\n    def b(self):\n        return 1 + 1\nc = lambda: 7\n"
    loaded: dict[str, type] = {}
    exec(compile(source, str(path), "exec"), loaded)  # a simple loaded module
    functions = functions_of(path)
    assert set(functions) == {("A.b", 2), ("<lambda>", 5)}
    kept = loaded["A"]()
    for code in codes_in(compile(source.replace("1 + 1", "1 - 1"), "mutant", "exec")):
        for function in functions.get((code.co_qualname, code.co_firstlineno), []):
            function.__code__ = code
    assert kept.b == 0


def test_the_table_names_what_there_is() -> None:
    for room in ROOMS:
        for path in room.tests:
            assert (ROOT / path.partition("::")[0]).exists(), path
        for file, names in room.files.items():
            source = (ROOT / file).read_text(encoding="utf-8")
            for name in names:
                assert re.search(rf"^(def|class) {name}\b", source, re.MULTILINE), (file, name)


def test_each_survivor_has_a_reason_and_is_a_mutant_that_there_is() -> None:
    files = {file: names for room in ROOMS for file, names in room.files.items()}
    for file, known in entries().items():
        source = (ROOT / file).read_text(encoding="utf-8")
        there = {(found.function, found.change) for found in mutants_of(source, files[file])}
        assert known_in(file) <= there, sorted(known_in(file) - there)
        assert all(len(entry["why"].split()) > 3 for entry in known)
