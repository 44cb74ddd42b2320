"""The choice of an implementation and of a CPU level, made when the package is imported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from smtps import codec


def chosen(**settings: str) -> subprocess.CompletedProcess[str]:
    """Import the codec in a fresh interpreter with these settings, and print what was chosen."""
    environment = {key: value for key, value in os.environ.items() if key[:6] != "SMTPS_"}
    return subprocess.run(
        [sys.executable, "-c", "from smtps.codec import *; print(implementation, level)"],
        env=environment | settings, capture_output=True, text=True, check=False,
    )  # fmt: skip


def levels() -> tuple[str, ...]:
    """Give the levels that can run here; none where nothing was compiled."""
    if codec.implementation == "pure":
        return ()
    from smtps._fast.kernels import supported_levels

    return supported_levels()


def test_the_plain_implementation_can_be_asked_for() -> None:
    assert chosen(SMTPS_IMPL="pure").stdout == "pure pure\n"


@pytest.mark.parametrize("level", levels())
def test_each_level_that_can_run_here_can_be_asked_for(level: str) -> None:
    assert chosen(SMTPS_CPU=level).stdout == f"fast {level}\n"


@pytest.mark.skipif(not levels(), reason="the pure implementation was asked for")
def test_the_best_level_is_chosen_where_none_is_asked_for() -> None:
    assert chosen().stdout == f"fast {levels()[-1]}\n"


@pytest.mark.skipif(not levels(), reason="the pure implementation was asked for")
@pytest.mark.parametrize("level", ["sse9", "AVX2", "neon" if "avx2" in levels() else "avx2"])
def test_a_level_that_cannot_run_here_is_an_error_that_names_those_that_can(level: str) -> None:
    found = chosen(SMTPS_CPU=level)
    assert found.returncode == 1
    wanted = f"ImportError: SMTPS_CPU={level}: expected one of {', '.join(levels())}"
    assert found.stderr.splitlines()[-1] == wanted


def test_an_implementation_that_does_not_exist_is_an_error() -> None:
    found = chosen(SMTPS_IMPL="slow")
    assert found.returncode == 1
    assert found.stderr.splitlines()[-1] == "ImportError: SMTPS_IMPL=slow: expected fast or pure"
