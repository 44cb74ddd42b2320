"""The folder of a queue: every file operation, relative to the open folder."""

from __future__ import annotations

import errno
import heapq
import os
import stat
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from ..errors import BadValue
from .failures import QueueFolderError

try:
    import fcntl
except ImportError:  # Windows has neither this lock nor paths relative to an open folder.
    fcntl = None  # type: ignore[assignment]

__all__ = ["Folder", "Path", "failing", "sync_data", "write_all"]

Path = str | os.PathLike[str]

_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)
# No link is followed out of the folder, and a FIFO does not make anyone wait.
_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


class failing:  # noqa: N801  (it reads as a word: with failing(...))
    """Turn what the system reports into an error that says what was being done, and where.

    Args:
        action: what is being done, with `{}` where `name` belongs.
    """

    __slots__ = ("_action", "_folder", "_name")

    def __init__(self, folder: str, action: str, name: str = "") -> None:
        self._folder = folder
        self._action = action
        self._name = name

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError) and not isinstance(error, QueueFolderError):
            raise QueueFolderError(self._folder, self._action.format(self._name), error) from error


class Folder:
    """An open queue folder. Use it in a `with` block.

    It stays the same folder whatever happens to its name. Its methods raise `OSError`; whoever
    speaks to the program wraps them in `failing`.

    Args:
        field: what the caller calls its path; errors name it.

    Raises:
        BadValue: there is no such folder, or others may change what is in it.
        QueueFolderError: it cannot be opened.
    """

    def __init__(self, path: Path, *, field: str = "queue_dir") -> None:
        if fcntl is None:
            raise BadValue(field, "a queue needs the file locks of a POSIX system")
        given = os.fspath(path) if isinstance(path, os.PathLike) else path
        if not isinstance(given, str):
            raise BadValue(field, f"expected text or a path, not {type(given).__name__}")
        if not given or "\0" in given:
            raise BadValue(field, f"expected the path of a folder, not {given!r}")
        self.path = given
        try:
            self.fd = os.open(self.path, _READ | os.O_DIRECTORY)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise BadValue(
                field, f"{self.path} is not a folder; create it first", code=302
            ) from error
        except OSError as error:
            raise QueueFolderError(self.path, "opening it", error) from error
        about = os.fstat(self.fd)
        #: The users whose files are taken: the owner of the folder, and who works on it.
        self.owners = {about.st_uid, os.geteuid()}
        if about.st_mode & stat.S_IWOTH and not about.st_mode & stat.S_ISVTX:
            self.close()
            raise BadValue(
                field,
                f"everyone may change {self.path}, so anyone could remove mail; chmod o-w",
                code=302,
            )

    def close(self) -> None:
        """Let the folder go."""
        os.close(self.fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- files ------------------------------------------------------------------------------------

    def create(self, name: str) -> int:
        """Make a new file, readable by its owner only, and lock it."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _CAREFUL
        fd = os.open(name, flags, 0o600, dir_fd=self.fd)
        try:
            self.lock(fd)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def open(self, name: str, flags: int = os.O_RDWR) -> int:
        """Open a file that is there."""
        return os.open(name, flags | _CAREFUL, dir_fd=self.fd)

    def lock(self, fd: int) -> bool:
        """Take the lock of an open file; it goes when the file is closed or its owner dies.

        Returns:
            Whether it was free.
        """
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_ours(self, about: os.stat_result) -> bool:
        """Tell whether a file is a regular one, of an owner of this queue, with one name."""
        return stat.S_ISREG(about.st_mode) and about.st_nlink == 1 and about.st_uid in self.owners

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        os.rename(old, new, src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def remove(self, name: str) -> bool:
        """Remove a file, and tell whether it was there."""
        try:
            os.unlink(name, dir_fd=self.fd)
        except FileNotFoundError:
            return False
        return True

    def names_it(self, name: str, about: os.stat_result) -> bool:
        """Tell whether a name is still that of an open file."""
        try:
            found = os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return found.st_ino == about.st_ino

    def check(self) -> None:
        """Make sure that the folder was not removed.

        Raises:
            OSError: it was.
        """
        if not os.fstat(self.fd).st_nlink:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def sync(self) -> None:
        """Wait until the names in the folder are on the disk."""
        os.fsync(self.fd)

    # --- listings ---------------------------------------------------------------------------------

    def names(self, extension: str) -> Iterator[str]:
        """Give the names with an extension, without it, in no order and one by one."""
        size = len(extension)
        with os.scandir(self.fd) as entries:
            for entry in entries:
                if entry.name.endswith(extension):
                    yield entry.name[:-size]

    def oldest(self, extension: str, *, after: str, limit: int) -> list[str]:
        """Give the first names behind `after`, in their order, and no more than `limit`.

        A folder of any size is read, but no more than that many names are held.
        """
        return heapq.nsmallest(limit, (name for name in self.names(extension) if name > after))


def sync_data(fd: int) -> None:
    """Wait until what was written to a file is on the disk."""
    # macOS has only the call that writes the times too.
    getattr(os, "fdatasync", os.fsync)(fd)


def write_all(fd: int, data: bytes, at: int) -> None:
    """Write everything at a place of a file; one call may take less."""
    written = os.pwrite(fd, data, at)
    if written < len(data):
        view = memoryview(data)
        while written < len(view):
            count = os.pwrite(fd, view[written:], at + written)
            if count == 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            written += count
