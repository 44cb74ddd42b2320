"""Run tests each without a member of the component: `python -m tests.support.without ...`.

Each argument names a member by its kind and name, and a test: `events:on_error=tests/x.py::test`.
A line for each says how pytest ended; 1 is a test that failed.
"""

from __future__ import annotations

import inspect
import os
import sys
from typing import Any

import pytest

from smtps import SMTPS, AsyncSMTPS
from smtps.events import HANDLERS
from smtps.options import Option
from smtps.settings import Settings

__all__ = ["take_away"]


# An ending that pytest has not.
_NOT_THERE = 99


def take_away(kind: str, name: str) -> None:
    """Leave the member in its place, and let it do nothing."""
    if kind == "events":
        event = next(event for event, handler in HANDLERS.items() if handler == name)
        SMTPS._nobody = AsyncSMTPS._nobody = None  # type: ignore[attr-defined]
        HANDLERS[event] = "_nobody"
        return
    for owner in (
        (Settings,) if kind == "settings" and name in Settings.options else (SMTPS, AsyncSMTPS)
    ):
        member = inspect.getattr_static(owner, name)
        if isinstance(member, Option):
            _forget(member)
        elif isinstance(member, property):
            setattr(owner, name, property(lambda _: None, lambda _, __: None))
        elif inspect.iscoroutinefunction(member):
            setattr(owner, name, _wait_for_nothing)
        else:
            setattr(owner, name, lambda *_, **__: None)


def _forget(option: Option[Any]) -> None:
    """Let an option be assigned, and have its default all the same."""
    plain = type(option)

    class Forgetful(plain):  # type: ignore[misc, valid-type]
        def __get__(self, instance: Any, owner: type) -> Any:
            return self if instance is None else self.default

        def __set__(self, instance: Any, value: Any) -> None:
            self.check(self.attribute, value)

        def is_set(self, instance: Any) -> bool:
            return False

    option.__class__ = Forgetful


async def _wait_for_nothing(*_: Any, **__: Any) -> None:
    return None


def _run(argument: str) -> int:
    """Run one test without one member, in a copy of this process."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    member, _, test = argument.partition("=")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    try:
        take_away(*member.split(":"))
    except BaseException:
        os._exit(_NOT_THERE)
    options = ("-x", "-q", "--timeout=20", "-p", "no:xdist", "-p", "no:cacheprovider")
    os._exit(pytest.main([*options, test]))


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(argument.partition("=")[0], _run(argument), flush=True)
