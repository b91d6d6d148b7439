"""What a program prints, on its way into its log: of very much the middle is left out, and secrets become stars.

The log is written from the first byte on and can be read at any time. The runner process imports this file by itself,
so it imports next to nothing.
"""

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Bytes of a log that has become too large that are kept of its beginning and of its end, and how large it may become.
HEAD = 4 * 1024 * 1024
TAIL = 4 * 1024 * 1024
LARGEST = 16 * 1024 * 1024
# Bytes that are read at a time.
PIECE = 65_536
STARS = b"***"
_MARK = b"\n[agentrelay: %d bytes are left out here]\n"
_NUMBER_AT = len(b"\n[agentrelay: ")
_LONGEST_MARK = 80


class Log:
    """The log of one program at a time; what is there already stays.

    Args:
        path: The file; it is made where there is none.
        secrets: What must not be in it.

    Raises:
        OSError: It cannot be opened, is a link, or no file.
    """

    def __init__(self, path: bytes | str, secrets: "Iterable[bytes]" = ()) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
        self._file = os.open(path, flags, 0o644)
        if os.fstat(self._file).st_mode & 0o170000 != 0o100000:
            os.close(self._file)
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        self._stars = Stars(secrets)

    def write(self, data: bytes) -> None:
        """Append what was printed. What the disk has no room for is lost: nobody is stopped for that."""
        self._append(self._stars.hide(data))

    def close(self) -> None:
        """Append what was held back, and let go of the file."""
        self._append(self._stars.rest())
        os.close(self._file)

    def _append(self, data: bytes) -> None:
        try:
            size = os.lseek(self._file, 0, os.SEEK_END)
            while data:
                written = os.write(self._file, data)
                size += written
                data = data[written:]
            if size > LARGEST:
                self._cut(size)
        except OSError:
            pass  # the program must not stand still because its log cannot be written

    def _cut(self, size: int) -> None:
        """Move the end up to the beginning."""
        before = self._left_out()
        source = size - TAIL
        mark = _MARK % (before[0] + source - HEAD - before[1])
        target = HEAD
        os.pwrite(self._file, mark, target)
        target += len(mark)
        while piece := os.pread(self._file, PIECE, source):
            os.pwrite(self._file, piece, target)
            source += len(piece)
            target += len(piece)
        os.ftruncate(self._file, target)

    def _left_out(self) -> tuple[int, int]:
        """How many bytes were left out before, and the length of the line that says so."""
        line = os.pread(self._file, _LONGEST_MARK, HEAD)
        number = line[_NUMBER_AT:].partition(b" ")[0]
        if number.isdigit() and line.startswith(mark := _MARK % int(number)):
            return int(number), len(mark)
        return 0, 0


class Stars:
    """Puts stars for secrets in what comes piece by piece; what may be the beginning of one is held back.

    Args:
        secrets: What must not be shown.
    """

    def __init__(self, secrets: "Iterable[bytes]" = ()) -> None:
        self._secrets = sorted(secrets, key=len, reverse=True)
        self._longest = len(self._secrets[0]) if self._secrets else 0
        self._firsts = {secret[0] for secret in self._secrets}
        self._held = b""

    def hide(self, data: bytes) -> bytes:
        """What may be shown so far, after one more piece."""
        return self._hide(self._held + data, last=False) if self._secrets else data

    def rest(self) -> bytes:
        """What may be shown of what was held back, as nothing more comes."""
        return self._hide(self._held, last=True)

    def _hide(self, data: bytes, *, last: bool) -> bytes:
        shown = []
        position = 0
        while True:
            open_from = len(data) if last else self._undecided(data, position)
            found = [(at, -len(secret)) for secret in self._secrets if (at := data.find(secret, position)) >= 0]
            at, length = min(found, default=(len(data), 0))
            if not found or open_from <= at:
                break
            shown += [data[position:at], STARS]
            position = at - length
        self._held = data[open_from:]
        shown.append(data[position:open_from])
        return b"".join(shown)

    def _undecided(self, data: bytes, position: int) -> int:
        """Where something begins that may become a secret with the next piece."""
        for at in range(max(position, len(data) - self._longest + 1), len(data)):
            if data[at] in self._firsts:
                rest = data[at:]
                if any(len(secret) > len(rest) and secret.startswith(rest) for secret in self._secrets):
                    return at
        return len(data)
