"""What is shipped builds anywhere: the sdist is whole, its wheel works, compiler or not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from smtps.codec import implementation

ROOT = Path(__file__).parents[2]
#: What runs again on what was built from the sdist.
PARTS = [
    "tests/codec/test_dots.py",
    "tests/codec/test_encodings.py",
    "tests/dialogue",
    "tests/fronts/test_sending.py",
    "tests/mime/test_message.py",
    "tests/test_twins.py",
]

pytestmark = [
    pytest.mark.skipif(implementation == "pure", reason="the run on the compiled code builds it"),
    # Builds of one tree get into each other's way.
    pytest.mark.xdist_group("packaging"),
]


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if "SMTPS" not in name}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=inherited | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist from this checkout."""
    folder = tmp_path_factory.mktemp("sdist")
    done = run("-m", "build", "--no-isolation", "--sdist", "--outdir", str(folder), str(ROOT))
    assert done.returncode == 0, done.stdout
    (archive,) = folder.glob("smtps-*.tar.gz")
    return archive


def build_wheel(sdist: Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Build a wheel from nothing but the sdist."""
    with tarfile.open(sdist) as archive:
        # Python 3.11.2, which Debian 12 has, knows no filter.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(folder)
    (source,) = folder.glob("smtps-*")
    return run(
        "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(source),
        **environment,
    )  # fmt: skip


def install(folder: Path) -> Path:
    """Install the wheel of a folder, so that a path leads to it."""
    (wheel,) = folder.glob("smtps-*.whl")
    target = folder / "installed"
    done = run("-m", "pip", "install", "-q", "--no-deps", "--target", str(target), str(wheel))
    assert done.returncode == 0, done.stdout
    return target


def test_the_sdist_holds_every_source(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    sources = {
        str(path.relative_to(ROOT))
        for folder in ("cython", "src")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".c", ".h", ".pxd", ".pyx", ".py", ".pyi", ".typed"}
    }
    assert "cython/kernels/cpu.c" in sources
    assert "cython/smtps/_fast/kernels.pxd" in sources
    assert sources <= packed


def page_of(archive: Path) -> str:
    """Give what an index would show of a package."""
    with tarfile.open(archive) as opened:
        (about,) = [
            name for name in opened.getnames() if name.count("/") == 1 and "PKG-INFO" in name
        ]
        file = opened.extractfile(about)
        assert file is not None
        return file.read().decode().partition("\n\n")[2]


def test_an_index_shows_no_link_that_leads_nowhere(sdist: Path) -> None:
    page = page_of(sdist)
    assert page.startswith("# smtps\n")
    targets = re.findall(r"\]\(([^)]*)\)|(?:src|srcset)=\"([^\"]*)", page)
    assert all("".join(target).startswith(("https:", "#")) for target in targets)
    named = re.findall(r"\(`([^`]+\.md)`\)", page)
    assert "docs/smtplib.md" in named
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert set(named) <= packed


def test_a_release_links_to_the_files_of_its_repository_and_its_wheels_too(tmp_path: Path) -> None:
    known = {"SERVER_URL": "https://git.example", "REPOSITORY": "o/r", "REF_NAME": "v1"}
    done = run(
        *("-m", "build", "--no-isolation", "--sdist", "--outdir", str(tmp_path), str(ROOT)),
        **{f"GITHUB_{name}": value for name, value in known.items()},
    )
    assert done.returncode == 0, done.stdout
    (archive,) = tmp_path.glob("smtps-*.tar.gz")
    page = page_of(archive)
    assert "](https://git.example/o/r/blob/v1/docs/smtplib.md)" in page
    assert 'src="https://git.example/o/r/raw/v1/docs/comparison-light.svg"' in page
    folder = tmp_path / "wheel"
    folder.mkdir()
    done = build_wheel(archive, folder, SMTPS_BUILD="pure")
    assert done.returncode == 0, done.stdout
    (wheel,) = folder.glob("smtps-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        (about,) = [name for name in opened.namelist() if name.endswith(".dist-info/METADATA")]
        assert opened.read(about).decode().partition("\n\n")[2] == page


def test_a_wheel_built_from_the_sdist_passes_the_tests(sdist: Path, tmp_path: Path) -> None:
    done = build_wheel(sdist, tmp_path, SMTPS_BUILD="fast")
    assert done.returncode == 0, done.stdout
    installed = install(tmp_path)
    path = {"PYTHONPATH": str(installed), "SMTPS_IMPL": "fast"}
    where = run("-c", "import smtps; print(smtps.__file__)", **path)
    assert where.stdout.startswith(str(installed))
    tests = run(
        "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *PARTS, **path
    )
    assert tests.returncode == 0, tests.stdout[-4000:]


def test_without_a_compiler_the_pure_package_is_built_and_says_so(
    sdist: Path, tmp_path: Path
) -> None:
    done = build_wheel(sdist, tmp_path, CC="/bin/false")
    assert done.returncode == 0, done.stdout
    (line,) = [line for line in done.stdout.splitlines() if "compiled core was not built" in line]
    assert "SMTPS_BUILD=fast" in line
    installed = install(tmp_path)
    assert not list(installed.rglob("*.so"))
    asked = "import smtps.codec as codec; print(codec.implementation)"
    # Without site, so that the editable install of this checkout does not lend its own modules;
    # what the package depends on comes by its path.
    path = os.pathsep.join((str(installed), sysconfig.get_path("purelib")))
    assert run("-S", "-c", asked, PYTHONPATH=path).stdout == "pure\n"


def test_a_release_build_without_a_compiler_fails(sdist: Path, tmp_path: Path) -> None:
    done = build_wheel(sdist, tmp_path, CC="/bin/false", SMTPS_BUILD="fast")
    assert done.returncode != 0
    assert not list(tmp_path.glob("*.whl"))


def test_a_pure_build_compiles_nothing(sdist: Path, tmp_path: Path) -> None:
    done = build_wheel(sdist, tmp_path, CC="/bin/false", SMTPS_BUILD="pure")
    assert done.returncode == 0, done.stdout
    assert "compiled core" not in done.stdout
    (wheel,) = tmp_path.glob("smtps-*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")


def test_an_unknown_kind_of_build_is_named(sdist: Path, tmp_path: Path) -> None:
    done = build_wheel(sdist, tmp_path, SMTPS_BUILD="quick")
    assert done.returncode != 0
    assert "SMTPS_BUILD=quick: expected fast or pure" in done.stdout


def test_an_sdist_keeps_the_version_of_its_tree(sdist: Path, tmp_path: Path) -> None:
    done = build_wheel(sdist, tmp_path, SMTPS_BUILD="pure")
    assert done.returncode == 0, done.stdout
    (wheel,) = tmp_path.glob("smtps-*.whl")
    assert wheel.name.split("-")[1] == sdist.name.removeprefix("smtps-").removesuffix(".tar.gz")


def test_a_tag_is_the_version(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "build", "*.so", "*.egg-info"))
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-C", str(tree)]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"], ["tag", "v7.8.9"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    done = run(
        "-m", "build", "--no-isolation", "--sdist", "--outdir", str(tmp_path), str(tree),
        SMTPS_BUILD="pure",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "smtps-7.8.9.tar.gz").exists()
