"""Reading and writing in a directory that an agent can write, where every name may be a trap.

All names are opened relative to a handle on the directory and no link is followed, so that nothing outside of it is
ever read or overwritten; what is no plain file of sensible size is refused by a typed error. Nothing here waits: a FIFO
is not opened at all.
"""

import errno
import os
import secrets
import stat
from pathlib import Path
from types import TracebackType
from typing import Any

from agentrelay_core.runtime.errors import ProtocolViolation

# Systems without directory handles fall back to paths; there the checks hold all the same, but for races.
_HANDLES = {os.open, os.stat, os.unlink, os.rename} <= os.supports_dir_fd
_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | _CAREFUL | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CAREFUL
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class AgentDirectory:
    """A handle on a directory that an agent can write; a context manager.

    Args:
        path: The directory.

    Raises:
        FileNotFoundError: There is no such directory.
        ProtocolViolation: It is a link, no directory, or may not be read.
    """

    __slots__ = ("_handle", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None
        if not _HANDLES:
            path.stat()
            return
        try:
            self._handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _CAREFUL)
        except (NotADirectoryError, PermissionError) as error:
            raise _refusal(path, error) from error
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _refusal(path, error) from error
            raise

    def __enter__(self) -> "AgentDirectory":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the handle."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def read(self, name: str, limit: int) -> bytes | None:
        """Read a whole file.

        Args:
            name: Its name in this directory.
            limit: Most bytes that it may have.

        Returns:
            Its content, `None` if there is no such file.

        Raises:
            ProtocolViolation: It is a link, no regular file, larger than the limit, or may not be read.
        """
        opened = self._open(name)
        if opened is None:
            return None
        descriptor, size = opened
        try:
            content = _read(descriptor, limit + 1) if size <= limit else b""
        finally:
            os.close(descriptor)
        if size > limit or len(content) > limit:
            raise ProtocolViolation(f"{self.path / name} is too large: at most {limit} bytes are allowed")
        return content

    def read_ends(self, name: str, limit: int) -> tuple[bytes, int, bytes] | None:
        """Read a file of any size, leaving out the middle of a large one.

        Args:
            name: Its name in this directory.
            limit: Most bytes to read.

        Returns:
            Its beginning, the number of bytes left out, its end (empty when nothing was left out); `None` if there is
            no such file.

        Raises:
            ProtocolViolation: It is a link, no regular file, or may not be read.
        """
        opened = self._open(name)
        if opened is None:
            return None
        descriptor, size = opened
        try:
            if size <= limit:
                return _read(descriptor, limit), 0, b""
            head = _read(descriptor, limit // 2)
            os.lseek(descriptor, size - limit // 2, os.SEEK_SET)
            return head, size - 2 * (limit // 2), _read(descriptor, limit // 2)
        finally:
            os.close(descriptor)

    def read_from(self, name: str, start: int, limit: int) -> tuple[int, bytes] | None:
        """Read the part of a growing file that is new.

        Args:
            name: Its name in this directory.
            start: Where what is new begins, in bytes; a file that is shorter is read from its beginning.
            limit: Most bytes to read; of more, the last ones are.

        Returns:
            Where the part begins, and the part; `None` if there is no such file.

        Raises:
            ProtocolViolation: It is a link, no regular file, or may not be read.
        """
        opened = self._open(name)
        if opened is None:
            return None
        descriptor, size = opened
        try:
            begin = max(start if start <= size else 0, size - limit)
            os.lseek(descriptor, begin, os.SEEK_SET)
            return begin, _read(descriptor, limit)
        finally:
            os.close(descriptor)

    def write(self, name: str, content: bytes, mode: int = 0o644) -> None:
        """Write a file so that readers see all of it or none; what had the name before, a link too, is replaced.

        Args:
            name: Its name in this directory.
            content: Its content.
            mode: Its permissions, from which the process's umask takes away.

        Raises:
            ProtocolViolation: The name is that of a directory.
        """
        aside = f".{name}.{secrets.token_hex(8)}"
        where, handle = self._at(aside)
        descriptor = os.open(where, _CREATE, mode, **handle)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            self.rename(aside, name)
        except BaseException:
            os.unlink(where, **handle)
            raise

    def rename(self, old: str, new: str) -> bool:
        """Rename a file; what had the new name is replaced.

        Args:
            old: Its name in this directory.
            new: The name that it gets.

        Returns:
            Whether there was such a file.

        Raises:
            ProtocolViolation: One of the two names is that of a directory.
        """
        source, _ = self._at(old)
        target, _ = self._at(new)
        try:
            os.replace(source, target, src_dir_fd=self._handle, dst_dir_fd=self._handle)
        except (IsADirectoryError, NotADirectoryError) as error:
            raise ProtocolViolation(f"{self.path / new} cannot be written: {error.strerror}") from error
        except FileNotFoundError:
            return False
        return True

    def _at(self, name: str) -> tuple[str | Path, dict[str, Any]]:
        if self._handle is None:
            return self.path / name, {}
        return name, {"dir_fd": self._handle}

    def _open(self, name: str) -> tuple[int, int] | None:
        where, handle = self._at(name)
        try:
            # Looked at before it is opened, because opening alone has effects on devices and FIFOs …
            self._check(name, os.lstat(where, **handle))
            descriptor = os.open(where, _READ, **handle)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO, errno.EACCES, errno.EPERM):
                raise _refusal(self.path / name, error) from error
            raise
        try:
            status = os.fstat(descriptor)
            self._check(name, status)  # … and once more, because it may be another file by now.
        except BaseException:
            os.close(descriptor)
            raise
        if status.st_nlink == 0:  # replaced between the two: its successor is seen at the next look
            os.close(descriptor)
            return None
        return descriptor, status.st_size

    def _check(self, name: str, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
            raise ProtocolViolation(f"{self.path / name} is {kind}; only a regular file is accepted")
        if status.st_nlink > 1:
            raise ProtocolViolation(f"{self.path / name} has {status.st_nlink} hard links; only one is accepted")


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that readers see all of it or none; see `AgentDirectory.write`.

    Args:
        path: The file; its directory must exist.
        content: Its content.
        mode: Its permissions, from which the process's umask takes away.
    """
    with AgentDirectory(path.parent) as directory:
        directory.write(path.name, content, mode)


def _read(descriptor: int, count: int) -> bytes:
    pieces = []
    while count > 0 and (piece := os.read(descriptor, count)):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def _refusal(path: Path, error: OSError) -> ProtocolViolation:
    if error.errno in (errno.EACCES, errno.EPERM):
        return ProtocolViolation(f"{path} may not be read: {error.strerror}")
    return ProtocolViolation(f"{path} is a link, or not of the kind that it should be: {error.strerror}")
