"""Each package's __init__.py says what the package (a wing) may import; the code obeys."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.toolkit import ROOT

VM_SIDE, TOOLS = ROOT / "vm_side", ROOT / "tools"
NOTHING = "nothing of ours"
# files of vm_side/ that tools/ uses too
SHARED = {
    "checks",
    "contract",
    "picture_files",
    "prompts",
    "saying",
    "schema",
    "troubles",
    "version",
    "walk",
    "wanted_pages",
}
VERBS_MAY = {  # a verb may import neither the contract nor another verb
    *("lib", "lib.corrections", "lib.machines", "lib.machines.gcp"),
    *("lib.documents", "lib.pages", "lib.plan", "lib.report", "lib.score", "lib.tune"),
}


def dotted(path: Path, top: Path) -> str:
    """The dotted name by which a file below a top folder is imported."""
    return ".".join(path.relative_to(top).with_suffix("").parts).removesuffix(".__init__")


def files_of(top: Path) -> dict[str, Path]:
    """All modules below a top folder, by name."""
    return {dotted(path, top): path for path in sorted(top.rglob("*.py"))}


def wing_of(name: str, wings: set[str]) -> str:
    """The innermost wing that contains a module; empty for a module at the top."""
    while name and name not in wings:
        name = name.rpartition(".")[0]
    return name


def imports_in(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield what a file imports, anywhere in it: (dotted name, whether at import time)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    at_top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in at_top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            yield from ((f"{node.module}.{alias.name}", id(node) in at_top) for alias in node.names)


def module_of(name: str, modules: dict[str, Path]) -> str:
    """Our module that an imported name is, or is in; empty if it is not ours."""
    return next((own for own in (name, name.rpartition(".")[0]) if own in modules), "")


def allowed_by(path: Path) -> set[str] | None:
    """What a wing's __init__.py allows, or None if it says nothing."""
    words = " ".join((ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split())
    said = re.search(r"May import: ([^.]+(?:\.\w+[^.]*)*)\.$", words)
    if said is None:
        return None
    return set() if said[1] == NOTHING else set(said[1].split(", "))


@pytest.mark.parametrize("top", [VM_SIDE, TOOLS], ids=lambda top: top.name)
def test_each_wing_imports_what_its_first_line_allows(top: Path) -> None:
    modules = files_of(top)
    shared = {name: VM_SIDE / f"{name}.py" for name in SHARED}
    wings = {name for name, path in modules.items() if path.name == "__init__.py"}
    assert len(wings) > 3
    for name, path in modules.items():
        wing = wing_of(name, wings)
        if not wing and top == VM_SIDE:
            continue  # files at the top use all wings
        allowed = allowed_by(modules[wing]) if wing else VERBS_MAY
        assert allowed is not None, f"{modules[wing]} does not say what it may import"
        unknown = allowed - modules.keys() - shared.keys()
        assert not unknown, f"{modules[wing]} names {unknown}"
        for imported, _ in imports_in(path):
            other = module_of(imported, modules) or module_of(imported, shared)
            other_wing = wing_of(other, wings) or other
            assert not other or other_wing in {wing, *allowed}, f"{path}: {imported}"


@pytest.mark.parametrize("top", [VM_SIDE, TOOLS], ids=lambda top: top.name)
def test_no_file_is_imported_by_what_it_imports(top: Path) -> None:
    """Files that import each other in a circle cannot be read one after the other."""
    modules = files_of(top)
    left = {
        name: {
            other
            for imported, at_top in imports_in(path)
            if at_top and (other := module_of(imported, modules)) not in ("", name)
        }
        for name, path in modules.items()
    }
    while free := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in free}
    assert not left, f"a circle among {sorted(left)}"


def test_neither_side_imports_the_other() -> None:
    """vm_side/ travels alone; tools/ knows it by its command line, its files and its contract."""
    for top, other, known in ((VM_SIDE, TOOLS, set()), (TOOLS, VM_SIDE, SHARED)):
        theirs, ours = files_of(other), files_of(top)
        for path in ours.values():
            names = {module_of(imported, theirs) for imported, _ in imports_in(path)}
            assert names <= {"", *known}, path
