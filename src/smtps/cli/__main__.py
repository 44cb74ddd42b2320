"""`python -m smtps.cli` is the command `smtps`."""

from __future__ import annotations

import sys

from .main import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
