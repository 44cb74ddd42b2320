"""The small mistakes that a test has to notice, made one at a time in the source of a module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

__all__ = ["Mutant", "compile_mutant", "mutants"]

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}

_LISTS_OF_NAMES = ("__all__", "__slots__")


@dataclass(frozen=True)
class Mutant:
    """One mistake: the same source and number give the same one."""

    number: int
    line: int
    told: str


def mutants(source: str) -> list[Mutant]:
    """List every mistake that there is to make in a module."""
    tree = ast.parse(source)
    return [Mutant(number, line, told) for number, (line, told, _) in enumerate(_mistakes(tree))]


def compile_mutant(source: str, number: int, path: str) -> CodeType:
    """Compile a module with one mistake."""
    tree = ast.parse(source)
    for place, (_, _, mistake) in enumerate(_mistakes(tree)):
        if place == number:
            mistake.make()
            break
    return compile(ast.fix_missing_locations(tree), path, "exec")


@dataclass(frozen=True)
class _Mistake:
    """What of a node becomes what; of a list, the element at a place."""

    node: ast.AST
    field: str
    value: object
    place: int | None = None

    def make(self) -> None:
        if self.place is None:
            setattr(self.node, self.field, self.value)
        else:
            getattr(self.node, self.field)[self.place] = self.value


def _mistakes(tree: ast.Module) -> Iterator[tuple[int, str, _Mistake]]:
    """Give the line, the description and the change of each, in the order of the source."""
    for node in _code(tree):
        line = getattr(node, "lineno", 0)
        for told, mistake in _of(node):
            yield line, told, mistake


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs: not docstrings, annotations, names for others, or what only types need.

    The last are blocks under TYPE_CHECKING and aliases of types, which Python keeps as text.
    """
    yield node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_silent(child):
                yield from _code(child)


def _is_silent(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], ast.Name) and node.targets[0].id in _LISTS_OF_NAMES
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.annotation) == "TypeAlias"
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    return isinstance(node, ast.Assert | ast.Import | ast.ImportFrom | ast.JoinedStr)


def _of(node: ast.AST) -> Iterator[tuple[str, _Mistake]]:
    match node:
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                other = _COMPARISONS[type(operator)]
                yield _names(operator, other), _Mistake(node, "ops", other(), place)
        case ast.BoolOp():
            swapped = ast.Or if isinstance(node.op, ast.And) else ast.And
            yield _names(node.op, swapped), _Mistake(node, "op", swapped())
        case ast.BinOp() | ast.AugAssign() if type(node.op) in _ARITHMETIC:
            turned = _ARITHMETIC[type(node.op)]
            yield _names(node.op, turned), _Mistake(node, "op", turned())
        case ast.Constant():
            yield from _constants(node)
        case ast.If() | ast.While() | ast.IfExp():
            negated = ast.UnaryOp(ast.Not(), node.test)
            yield "the condition turned round", _Mistake(node, "test", negated)
        case ast.Return() if node.value is not None and not _is_none(node.value):
            yield "return None", _Mistake(node, "value", ast.Constant(None))
        case ast.Expr(ast.Call()):
            yield f"no {ast.unparse(node)[:40]}", _Mistake(node, "value", ast.Constant(None))
        case ast.Expr(ast.YieldFrom() | ast.Yield()):
            # Of a generator something has to stay, or it were none.
            nothing = ast.YieldFrom(ast.Tuple([], ast.Load()))
            yield f"no {ast.unparse(node)[:40]}", _Mistake(node, "value", nothing)
    for field in ("body", "orelse"):
        block = getattr(node, field, None)
        for place, child in enumerate(block if isinstance(block, list) else []):
            if isinstance(child, ast.Break):
                yield "break -> continue", _Mistake(node, field, ast.Continue(), place)
            elif isinstance(child, ast.Continue):
                yield "continue -> break", _Mistake(node, field, ast.Break(), place)


def _constants(node: ast.Constant) -> Iterator[tuple[str, _Mistake]]:
    value = node.value
    other: object
    if isinstance(value, bool):
        other = not value
    elif isinstance(value, int | float):
        other = value + 1
    elif isinstance(value, str):
        other = f"XX{value}XX"
    elif isinstance(value, bytes):
        other = b"XX" + value + b"XX"
    else:
        return
    yield f"{value!r} -> {other!r}", _Mistake(node, "value", other)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _names(before: ast.AST, after: type[ast.AST]) -> str:
    return f"{type(before).__name__} -> {after.__name__}"
