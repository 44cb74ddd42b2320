"""Build the compiled core: every cython/**/X.pyx becomes the module that its path names.

SMTPS_BUILD=fast makes a failed compile an error (releases do that), SMTPS_BUILD=pure builds none.
Without it the package installs in pure Python where nothing can be compiled, and says so.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path("cython")
BUILD = os.environ.get("SMTPS_BUILD", "")
# A link of the README to another file, with its text and path.
LINK = re.compile(r"\[([^]]+)]\((?!https?:|#)([^)]+)\)")


def extensions() -> list[Extension]:
    """Describe every module that is to be compiled."""
    from Cython.Build import cythonize

    kernels = sorted(map(str, (ROOT / "kernels").glob("*.c")))
    # Without depends= the sdist would lose the sources.
    depends = sorted(
        str(path) for path in ROOT.rglob("*") if path.suffix in {".c", ".h", ".pxd", ".pyx"}
    )
    found = []
    for path in sorted(ROOT.rglob("*.pyx")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        # Only one module links the C files, so that there is one choice of CPU level.
        linked = kernels if path.stem == "kernels" else []
        found.append(
            Extension(
                module,
                [str(path), *linked],
                include_dirs=[str(ROOT / "kernels")],
                depends=depends,
                extra_compile_args=[] if sys.platform == "win32" else ["-O3"],
            )
        )
    directives = {
        "language_level": 3,
        "boundscheck": False,
        "wraparound": False,
        "cdivision": True,
        # What an object holds is changed under its own lock, and modules hold nothing that changes.
        "freethreading_compatible": True,
    }
    compiled: list[Extension] = cythonize(
        found,
        include_path=[str(ROOT), "src"],
        compiler_directives=directives,
        build_dir="build/cython",
        quiet=True,
    )
    return compiled


class Build(build_ext):
    """Build the extensions, or install in pure Python and say so in one line."""

    def run(self) -> None:
        """Compile, or say in one line why not."""
        try:
            super().run()
        except Exception as error:
            if BUILD == "fast":
                raise
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            print(
                f"smtps: the compiled core was not built ({first}); installing the pure Python"
                " implementation, which is slower. A C compiler and the Python headers are needed;"
                " SMTPS_BUILD=fast makes this an error.",
                file=sys.stderr,
            )
            # Nothing half-built is installed, and nothing is looked for later.
            self.extensions: list[Extension] = []
            self.distribution.ext_modules = []


def description() -> str:
    """Give the README as an index shows it, where its links to other files would lead nowhere.

    A release knows its repository by the variables of the workflow, and the links lead there. Else
    the sdist is what has the files, so they are named. Wheels take the page over from their sdist.
    """
    about = Path("PKG-INFO")
    if about.exists():
        return about.read_text("utf-8").partition("\n\n")[2]
    text = Path("README.md").read_text("utf-8")
    names = [os.environ.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "REF_NAME")]
    if not all(names):
        text = re.sub(r"<picture>.*?</picture>\n\n", "", text, flags=re.DOTALL)
        return LINK.sub(r"\1 (`\2`)", text)
    server, repository, release = names
    address = f"{server}/{repository}"
    text = LINK.sub(rf"[\1]({address}/blob/{release}/\2)", text)
    return re.sub(r'(src(?:set)?=")(docs/)', rf"\1{address}/raw/{release}/\2", text)


if BUILD not in ("", "fast", "pure"):
    raise SystemExit(f"SMTPS_BUILD={BUILD}: expected fast or pure")

setup(
    long_description=description(),
    long_description_content_type="text/markdown",
    ext_modules=[] if BUILD == "pure" else extensions(),
    cmdclass={"build_ext": Build},
)
