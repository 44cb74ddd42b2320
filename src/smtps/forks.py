"""What a child begins anew that this process forks: no thread of the parent is in it."""

from __future__ import annotations

import os
from collections.abc import Callable

__all__ = ["after_fork"]


def after_fork(function: Callable[[], object]) -> None:
    """Have a function called in every child before anything else; Windows has no fork.

    A lock that another thread held at that moment would stay held in the child for ever.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=function)
