"""Loose objects, read and written without a process: one file each, whose name is the hash of what it holds.

A git process costs as much as a hundred small files. What is not a small loose file, git is asked for: every function
says so by answering `None`.
"""

import hashlib
import os
import stat
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from agentrelay_core.runtime import Internal

LARGEST: Final = 1024 * 1024  # bytes, of the file and of what it unpacks to

_ALGORITHMS: Final = {40: "sha1", 64: "sha256"}


class Loose(NamedTuple):
    """An object whose content has the hash that it is called by.

    Args:
        kind: ``commit``, ``tree``, ``blob`` or ``tag``.
        content: What it holds.
    """

    kind: str
    content: bytes


def read(objects: Path, sha: str) -> Loose | None:
    """Read an object, and check its hash.

    Args:
        objects: A repository's object directory.
        sha: Full hash.

    Returns:
        The object, `None` where it is no small loose file.

    Raises:
        Internal: The file holds something else than its name says.
    """
    path = f"{objects}/{sha[:2]}/{sha[2:]}"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > LARGEST:
            return None
        packed = file.read(LARGEST + 1)
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(packed, LARGEST)
    except zlib.error:
        raw = b""
    else:
        if unpacker.unconsumed_tail:
            return None
    if not unpacker.eof or _hash(raw, _ALGORITHMS[len(sha)]) != sha:
        raise Internal(f"{path} is damaged: it does not hold what it is called after; run `git fsck` there")
    header, _, content = raw.partition(b"\0")
    return Loose(header.partition(b" ")[0].decode(), content)


def write(objects: Path, kind: str, content: bytes, algorithm: str) -> str:
    """Write an object, unless it is there.

    Args:
        objects: A repository's object directory.
        kind: ``commit``, ``tree``, ``blob`` or ``tag``.
        content: What it holds.
        algorithm: ``sha1`` or ``sha256``, as the repository's.

    Returns:
        Its full hash.
    """
    raw = b"%s %d\0%s" % (kind.encode(), len(content), content)
    sha = _hash(raw, algorithm)
    path = f"{objects}/{sha[:2]}/{sha[2:]}"
    try:
        os.utime(path, follow_symlinks=False)  # as git does, so that a clean-up spares it
    except FileNotFoundError:
        _put(objects, Path(path), zlib.compress(raw, 1))
    except PermissionError:
        pass  # it is there, and is somebody else's
    return sha


def algorithm_of(sha: str) -> str:
    """The hash function that a full hash comes from."""
    return _ALGORITHMS[len(sha)]


def _hash(raw: bytes, algorithm: str) -> str:
    return hashlib.new(algorithm, raw, usedforsecurity=False).hexdigest()


def _put(objects: Path, path: Path, packed: bytes) -> None:
    """Write aside and rename, with the rights that the object directory gives."""
    mode = stat.S_IMODE(objects.stat().st_mode)
    aside = objects / f"tmp_obj_{os.getpid()}_{os.urandom(4).hex()}"  # a name that git clears away, after a crash
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(packed)
            os.fchmod(descriptor, mode & 0o444)
        try:
            aside.replace(path)
        except FileNotFoundError:
            with suppress(FileExistsError):
                path.parent.mkdir()
                path.parent.chmod(mode)
            aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
