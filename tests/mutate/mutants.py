"""Turns source code into its mutants: the same code with one small fault.

The faults: another comparison, `and` for `or`, a dropped `not`, an inverted condition, another
operator, another number, name or truth value, None as the return value, a call or a raise left out,
`continue` for `break`, min for max. Only code in functions is mutated. Texts of more than one word
stay, because messages decide nothing; so do patterns.
"""

import ast
import copy
import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
OTHER_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
OTHER_NAMES |= {"startswith": "endswith", "endswith": "startswith"}
FOR_READERS = ("annotation", "returns", "decorator_list")
SKIPPED = (ast.JoinedStr, ast.Import, ast.ImportFrom, ast.Assert)


@dataclass(frozen=True)
class Mutant:
    """One fault: its function, its line, and the code before and after."""

    function: str
    line: int
    lines: range
    """The lines of the function."""
    before: str
    after: str
    source: str
    """The module's whole code with the fault, with the same number of lines."""

    @property
    def change(self) -> str:
        """The fault in one line."""
        return f"{self.before} -> {self.after}"


def mutants_of(source: str, names: Collection[str] = ()) -> list[Mutant]:
    """All mutants of a module's functions, or only of the functions and classes in `names`."""
    whole = source.encode()
    starts = [0, *itertools.accumulate(map(len, whole.splitlines(keepends=True)))]
    found = []
    for name, function in functions_in(ast.parse(source)):
        if names and name.partition(".")[0] not in names:
            continue
        lines = range(function.lineno, (function.end_lineno or 0) + 1)
        for node in (node for statement in function.body for node in walk(statement)):
            for place, other in others_of(node):
                start = starts[place.lineno - 1] + place.col_offset
                end = starts[place.end_lineno - 1] + place.end_col_offset
                before, after = ast.unparse(place), ast.unparse(other)
                ends = "\n" * (place.end_lineno - place.lineno)
                text = f"({after}{ends})" if isinstance(other, ast.expr) else after + ends
                mutated = (whole[:start] + text.encode() + whole[end:]).decode()
                found.append(Mutant(name, place.lineno, lines, before, after, mutated))
    return found


def functions_in(node: ast.Module | ast.ClassDef, inside: str = "") -> Iterator[tuple[str, Any]]:
    """The functions of a module and of its classes, with their names."""
    for child in node.body:
        if isinstance(child, ast.ClassDef):
            yield from functions_in(child, f"{inside}{child.name}.")
        elif isinstance(child, ast.FunctionDef):
            yield inside + child.name, child


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all nodes in it, except those that decide nothing."""
    if isinstance(node, SKIPPED) or is_docstring(node) or is_check(node):
        return
    yield node
    for name, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else [value]
        for child in children if name not in FOR_READERS else ():
            if isinstance(child, ast.AST):
                yield from walk(child)


def is_docstring(node: ast.AST) -> bool:
    """Whether a node is a docstring, or an ellipsis in place of a body."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_check(node: ast.AST) -> bool:
    """Whether a node is zip's strict=True, which only asserts what is true."""
    return isinstance(node, ast.keyword) and node.arg == "strict"


def others_of(node: Any) -> Iterator[tuple[Any, ast.AST]]:  # noqa: PLR0912 - a table in code
    """Yield places in a node, or the node itself, and what can replace them."""
    match node:
        case ast.Compare():
            for at, operator in enumerate(node.ops):
                for other in COMPARISONS[type(operator)]:
                    yield node, altered(node, ops=[*node.ops[:at], other(), *node.ops[at + 1 :]])
        case ast.BoolOp():
            yield node, altered(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
        case ast.BinOp() | ast.AugAssign() if type(node.op) in OPERATORS:
            yield node, altered(node, op=OPERATORS[type(node.op)]())
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node, node.operand
        case ast.Constant(value=bool() as truth):
            yield node, ast.Constant(not truth)
        case ast.Constant(value=int() | float() as number):
            yield node, ast.Constant(number + 1)
        case ast.Constant(value=str() as word) if word.isidentifier():
            yield node, ast.Constant(word + "_")
        case ast.Call(func=ast.Name(id=name)) if name in OTHER_NAMES:
            yield node, altered(node, func=ast.Name(OTHER_NAMES[name]))
        case ast.Call(func=ast.Attribute(attr=name)) if name in OTHER_NAMES:
            yield node, altered(node, func=altered(node.func, attr=OTHER_NAMES[name]))
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield node, ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.Raise():
            yield node, ast.Pass()
        case ast.Break() | ast.Continue():
            yield node, ast.Continue() if isinstance(node, ast.Break) else ast.Break()
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) if is_plain(test):
            yield test, ast.UnaryOp(ast.Not(), test)
        case ast.comprehension(ifs=tests):
            yield from ((test, ast.UnaryOp(ast.Not(), test)) for test in tests if is_plain(test))


def is_plain(test: ast.expr) -> bool:
    """Whether a condition has no operator that would be mutated itself."""
    return isinstance(test, ast.Name | ast.Attribute | ast.Call)


def altered(node: ast.AST, **fields: object) -> ast.AST:
    """A copy of a node with other fields."""
    other = copy.copy(node)
    vars(other).update(fields)
    return other
