"""Every module says what it offers, and every public name says what it is."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import smtps

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(smtps.__path__, "smtps.")
    if not module.name.endswith("__main__") and "._fast" not in module.name
)


@pytest.mark.parametrize("name", MODULES)
def test_every_exported_name_exists_and_is_documented(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} does not open with what it is for"
    if not hasattr(module, "__all__"):
        assert hasattr(module, "__path__"), f"{name} has no __all__"
        return
    assert len(set(module.__all__)) == len(module.__all__)
    for public in module.__all__:
        value = getattr(module, public)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, f"{name}.{public} has no docstring"


def test_the_package_exports_every_error() -> None:
    from smtps import errors

    assert set(errors.__all__) <= set(smtps.__all__)
