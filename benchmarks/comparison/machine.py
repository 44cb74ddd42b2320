"""Name the machine and what ran on it, as figures without them say nothing."""

from __future__ import annotations

import os
import platform
import ssl
import subprocess
from pathlib import Path

__all__ = ["describe_machine", "describe_source"]


def describe_machine() -> str:
    """Name the processor, how many of them, and the system."""
    return (
        f"{_processor()}, {os.cpu_count()} CPUs, Linux {platform.release()}, {ssl.OPENSSL_VERSION}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return value.strip()
    return platform.machine()


def describe_source() -> str:
    """Give the commit that was measured, with a plus sign where files differ from it."""
    folder = Path(__file__).parent
    try:
        result = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"],
            cwd=folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return result.stdout.strip()
