"""The C kernels beside a reference in C, on buffers that end where nobody may read or write.

They run at each level of this machine under the sanitizers, and at NEON in an emulator. A compiler
or emulator that is not installed skips its tests, and fails them where SMTPS_REQUIRE_SERVERS is 1.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from smtps.codec import implementation

ROOT = Path(__file__).parents[2]
KERNELS = ["base64", "stuff", "normalize", "survey", "quoted_printable", "latin1", "replies"]
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
SANITIZED = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
#: What the kernels may be run by: a machine's levels, the compiler for it, and an emulator of it.
NATIVE = ["neon"] if platform.machine() in {"aarch64", "arm64"} else ["avx2", "avx512vbmi"]

pytestmark = pytest.mark.skipif(
    implementation == "pure", reason="the pure implementation was asked for"
)


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The harness for this machine, with the sanitizers."""
    return [build(tmp_path_factory, needed("gcc", "cc"), *SANITIZED)]


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The harness for ARM, and what runs it here."""
    emulator = needed("qemu-aarch64", "qemu-aarch64-static")
    return [emulator, build(tmp_path_factory, needed("aarch64-linux-gnu-gcc"), "-O2", "-static")]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("level", ["scalar", *NATIVE])
def test_a_kernel_gives_what_the_reference_gives(
    native: list[str], level: str, kernel: str
) -> None:
    hold_against_reference(native, level, kernel)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_gives_the_same_with_neon(emulated: list[str], kernel: str) -> None:
    hold_against_reference(emulated, "neon", kernel)


def test_a_level_of_another_machine_is_not_supported(
    native: list[str], emulated: list[str]
) -> None:
    of_arm = levels(emulated)
    assert of_arm == ["scalar", "neon"]
    if NATIVE != ["neon"]:
        assert "neon" not in levels(native)


def levels(harness: list[str]) -> list[str]:
    """Ask a harness for the levels that it can run."""
    run = subprocess.run([*harness, "levels"], capture_output=True, text=True, check=True)
    return run.stdout.split()


def hold_against_reference(harness: list[str], level: str, kernel: str) -> None:
    """Run one kernel at one level, and show what differs."""
    run = subprocess.run(
        [*harness, level, kernel], capture_output=True, text=True, check=False, timeout=120
    )
    if run.returncode == 77:
        pytest.skip(f"this CPU has no {level}")
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    assert run.stdout == f"{level} {kernel}: equal\n"


def needed(*names: str) -> str:
    """Find a program by one of its names."""
    for name in names:
        if found := shutil.which(name):
            return found
    if os.environ.get("SMTPS_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{names[0]} is not installed")
    pytest.skip(f"{names[0]} is not installed")


def build(factory: pytest.TempPathFactory, compiler: str, *flags: str) -> str:
    """Compile the harness with the kernels and the reference, once for all workers."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    target = folder / f"kernels-{Path(compiler).name}"
    sources = sorted(map(str, [*ROOT.glob("cython/kernels/*.c"), *ROOT.glob("tests/kernels/*.c")]))
    include = f"-I{ROOT / 'cython' / 'kernels'}"
    command = [compiler, *STRICT, *flags, include, *sources, "-o", str(target)]
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            subprocess.run(command, check=True, timeout=120)
    return str(target)
