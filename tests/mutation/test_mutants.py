"""Mutants are mistakes in what runs, each compiled apart from the others."""

from __future__ import annotations

import ast

from tests.mutation.mutants import compile_mutant, mutants

SOURCE = '''
"""Words."""
__all__ = ["least"]
from typing import TypeAlias
Number: TypeAlias = "int"


def least(a: int, b: int = 1) -> int:
    """Say which is less."""
    if a < b and a > 0:
        return a
    return b
'''


def run(number: int, *arguments: int) -> object:
    names: dict[str, object] = {}
    exec(compile_mutant(SOURCE, number, "least.py"), names)
    function = names["least"]
    assert callable(function)
    return function(*arguments)


def test_every_kind_of_mistake_is_listed_where_it_is_made() -> None:
    assert {(mutant.line, mutant.told) for mutant in mutants(SOURCE)} == {
        (8, "1 -> 2"),
        (10, "the condition turned round"),
        (10, "And -> Or"),
        (10, "Lt -> LtE"),
        (10, "Gt -> GtE"),
        (10, "0 -> 1"),
        (11, "return None"),
        (12, "return None"),
    }


def test_each_mutant_has_its_one_mistake() -> None:
    found = {mutant.told: mutant.number for mutant in mutants(SOURCE)}
    assert run(-1, 2, 3) == 2
    assert run(found["the condition turned round"], 2, 3) == 3
    assert run(found["Gt -> GtE"], 0, 3) == 0
    assert run(found["0 -> 1"], 1, 3) == 3


def test_a_generator_that_does_nothing_is_a_generator_still() -> None:
    source = "def f():\n    yield 1\n"
    names: dict[str, object] = {}
    told = [mutant.told for mutant in mutants(source)]
    exec(compile_mutant(source, told.index("no yield 1"), "f.py"), names)
    assert list(names["f"]()) == []  # type: ignore[operator]


def test_every_mutant_of_the_package_compiles() -> None:
    from smtps._pure import replies

    with open(replies.__file__) as file:
        source = file.read()
    assert ast.parse(source)
    for mutant in mutants(source):
        compile_mutant(source, mutant.number, "replies.py")
