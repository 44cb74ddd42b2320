"""Every input that a fuzzer found worth keeping, or that once failed, holds for its target."""

from __future__ import annotations

import random
from importlib import import_module
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TARGETS = sorted(path.stem for path in (HERE / "targets").glob("[a-z]*.py"))
INPUTS = sorted((HERE / "corpus").glob("*/*"))


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_a_corpus(target: str) -> None:
    assert [path for path in INPUTS if path.parent.name == target]


@pytest.mark.parametrize("target", TARGETS)
def test_what_was_found_before_holds(target: str) -> None:
    check = import_module(f"tests.fuzz.targets.{target}").check
    for path in INPUTS:
        if path.parent.name == target:
            check(path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_what_lies_near_it_holds_too(target: str) -> None:
    """A few changes to each input, the same ones every time."""
    check = import_module(f"tests.fuzz.targets.{target}").check
    luck = random.Random(target)
    for path in INPUTS:
        data = bytearray(path.read_bytes())
        if path.parent.name == target and data:
            data[luck.randrange(len(data))] = luck.randrange(256)
            check(bytes(data))
