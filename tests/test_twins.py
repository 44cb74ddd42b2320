"""Each compiled module has a twin in plain Python with the same names and parameters."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

from smtps import _fast, _pure
from smtps.codec import implementation

#: Not twins: one takes buffers for the others, one chooses the CPU level.
OWN = {"buffers", "kernels"}
TWINS = sorted(
    module.name for module in pkgutil.iter_modules(_pure.__path__) if module.name not in OWN
)

pytestmark = pytest.mark.skipif(
    implementation == "pure", reason="the pure implementation was asked for"
)


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_has_the_same_names_and_parameters(name: str) -> None:
    pure = importlib.import_module(f"smtps._pure.{name}")
    fast = importlib.import_module(f"smtps._fast.{name}")
    assert sorted(fast.__all__) == sorted(pure.__all__)
    for public in pure.__all__:
        mine, other = getattr(pure, public), getattr(fast, public)
        if not inspect.isclass(mine):
            assert parameters(mine) == parameters(other)
            continue
        for method in [key for key in vars(mine) if not key.startswith("_")]:
            assert hasattr(other, method), f"{public}.{method} is missing"


@pytest.mark.parametrize("name", TWINS)
def test_type_checkers_see_every_compiled_name_as_its_twin(name: str) -> None:
    stub = Path(_fast.__path__[0], f"{name}.pyi").read_text()
    names = importlib.import_module(f"smtps._pure.{name}").__all__
    assert set(stub.splitlines()) == {
        f"from smtps._pure.{name} import {one} as {one}" for one in names
    }


def parameters(function: object) -> list[str]:
    assert callable(function)
    return list(inspect.signature(function).parameters)
