"""The sender in C, which is the bound for all others."""

from __future__ import annotations

from .native import Program

__all__ = ["SOURCE"]

SOURCE = Program("source", ("source.c",), libraries=("ssl", "crypto"), flags=("-pthread",))
