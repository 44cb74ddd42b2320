"""Every test of the codec runs on both implementations, the compiled one at each CPU level."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType, SimpleNamespace

import pytest

from tests.support.windows import Peer

_MODULES = (
    "addresses",
    "base64",
    "canonical",
    "dots",
    "fields",
    "forms",
    "lines",
    "quoted_printable",
    "replies",
    "survey",
    "texts",
    "window",
    "words",
)


def _levels() -> list[str]:
    try:
        kernels = import_module("smtps._fast.kernels")
    except ImportError:
        return []
    return [f"fast-{level}" for level in kernels.supported_levels()]


@pytest.fixture(params=["pure", *_levels()])
def codec(request: pytest.FixtureRequest) -> Iterator[SimpleNamespace]:
    """One implementation, as a namespace of all its functions."""
    package, _, level = request.param.partition("-")
    found = SimpleNamespace()
    for name in _MODULES:
        module = _module(package, name)
        vars(found).update({public: getattr(module, public) for public in module.__all__})
    if not level:
        yield found
        return
    kernels = import_module("smtps._fast.kernels")
    before = kernels.cpu_level()
    kernels.use_cpu_level(level)
    yield found
    kernels.use_cpu_level(before)


def _module(package: str, name: str) -> ModuleType:
    return import_module(f"smtps._{package}.{name}")


@pytest.fixture
def peer(codec: SimpleNamespace) -> Peer:
    return Peer(codec)


@pytest.fixture
def data(codec: SimpleNamespace) -> Peer:
    return Peer(codec, "DATA")
