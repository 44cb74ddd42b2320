"""Choose the implementation of the hot functions, once, when the package is imported.

`SMTPS_IMPL=fast` or `pure` asks for one, `SMTPS_CPU=scalar`, `avx2`, `avx512vbmi` or `neon` for a
CPU level of the fast one. What was asked for and is not there is an error, never a silent change.
"""

from __future__ import annotations

import os
from importlib import import_module

__all__ = ["implementation", "level"]


def _choose() -> tuple[str, str]:
    asked = os.environ.get("SMTPS_IMPL", "")
    if asked not in ("", "fast", "pure"):
        raise ImportError(f"SMTPS_IMPL={asked}: expected fast or pure")
    if asked == "pure":
        return "pure", "pure"
    try:
        kernels = import_module("smtps._fast.kernels")
    except ImportError:
        if asked == "fast":
            raise
        return "pure", "pure"
    cpu = os.environ.get("SMTPS_CPU", "")
    if cpu:
        try:
            kernels.use_cpu_level(cpu)
        except ValueError as error:
            raise ImportError(f"SMTPS_CPU={error}") from None
    return "fast", kernels.cpu_level()


#: "fast" or "pure", and the CPU level of the compiled functions, or "pure".
implementation, level = _choose()
