"""A folder that a server takes for the whole system, so that nothing has to be installed for it.

Debian's mail servers exclude one another and have their users and paths compiled in. Unpacked
elsewhere and started in a root of its own, each finds what it looks for; `chroot` needs less
privilege than a mount namespace, which containers do not have.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess
from pathlib import Path

from .relays import memory_folder

__all__ = ["Jail"]

_DEVICES = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9)}
_FIRST_ID = 70_000


class Jail:
    """Such a folder with one program, its libraries, its users and a few devices.

    Args:
        root: where the package was unpacked.
        program: the path of the program in it.
        users: the users that it looks for, each with a group of the same name.
    """

    def __init__(self, root: Path, program: str, users: tuple[str, ...]) -> None:
        self.folder = memory_folder(Path(program).name, programs=True)
        self._program = program
        self._copy(root / program.lstrip("/"), program)
        for library in _libraries(root / program.lstrip("/")):
            self._copy(Path(library), library)
        self.ids = {name: _FIRST_ID + number for number, name in enumerate(users)}
        ids = {"root": 0, **self.ids}
        self.write("etc/group", "".join(f"{name}:x:{number}:\n" for name, number in ids.items()))
        self.write(
            "etc/passwd",
            "".join(f"{name}:x:{number}:{number}::/:/bin/false\n" for name, number in ids.items()),
        )
        self.write("etc/hosts", "127.0.0.1 localhost\n")
        self.make_folder("tmp").chmod(0o1777)
        for name, (major, minor) in _DEVICES.items():
            device = self.make_folder("dev") / name
            os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
            device.chmod(0o666)

    def make_folder(self, path: str, owner: str = "root", mode: int = 0o755) -> Path:
        """Make a folder in it."""
        folder = self.folder / path
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
        os.chown(folder, self.ids.get(owner, 0), self.ids.get(owner, 0))
        return folder

    def write(self, path: str, text: str, owner: str = "root", mode: int = 0o644) -> None:
        """Write a file in it."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        os.chown(file, self.ids.get(owner, 0), self.ids.get(owner, 0))

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the program; what it says goes to the file `output` in the folder."""
        with (self.folder / "output").open("ab") as output:
            return subprocess.Popen(
                ["chroot", str(self.folder), self._program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"},
                # Its children are its group, and are stopped with it.
                start_new_session=True,
            )

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Stop the program and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def read(self, path: str) -> str:
        """Give the text of a file in it, empty if there is none."""
        file = self.folder / path
        return file.read_text(errors="backslashreplace") if file.exists() else ""

    def remove(self) -> None:
        """Remove it."""
        shutil.rmtree(self.folder)

    def _copy(self, source: Path, target: str) -> None:
        copy = self.folder / target.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy)


def _libraries(program: Path) -> list[str]:
    said = subprocess.run(["ldd", str(program)], check=True, capture_output=True, text=True).stdout
    return re.findall(r"(?:=> |^\s*)(/\S+)", said, re.MULTILINE)
