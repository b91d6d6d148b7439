"""Refs read from their files, as git keeps them: one by one, or all in ``packed-refs``.

Reading is all that happens here to the user's repository, where git alone moves refs. What does not look as usual (a
link, a ref that names another, anything but a hash) is left to git as well: then the answer is `UNUSUAL`.
"""

import os
import re
import stat
from pathlib import Path
from typing import Final, Literal

UNUSUAL: Final[Literal["unusual"]] = "unusual"
_LARGEST_REF: Final = 1024
_LARGEST_PACK: Final = 64 * 1024 * 1024
_HASH: Final = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def read_ref(git_dir: Path, name: str) -> str | None:
    """Read a ref.

    Args:
        git_dir: A repository's common directory.
        name: Its full name.

    Returns:
        The object that it names, full hash; `None` if there is no such ref; `UNUSUAL` where git has to be asked.
    """
    content = read_small(f"{git_dir}/{name}", _LARGEST_REF)
    if content == UNUSUAL:
        return UNUSUAL
    if content is not None:
        sha = content.rstrip(b"\n")
        return sha.decode() if _HASH.fullmatch(sha) else UNUSUAL
    packed = read_small(f"{git_dir}/packed-refs", _LARGEST_PACK)
    if packed is None or packed == UNUSUAL:
        return packed
    end = packed.find(b" %s\n" % os.fsencode(name))
    if end < 0:
        return None
    sha = packed[packed.rfind(b"\n", 0, end) + 1 : end]
    return sha.decode() if _HASH.fullmatch(sha) else UNUSUAL


def checkouts(root: Path, common: Path) -> dict[str, Path | None]:
    """Read what the main checkout and all worktrees of a repository stand on.

    Args:
        root: The main checkout.
        common: The common git directory.

    Returns:
        Worktrees by the full name of the branch; `None` for one whose files are half made.
    """
    places: dict[str, Path | None] = {}
    try:
        worktrees = [entry.path for entry in os.scandir(common / "worktrees")]
    except OSError:
        worktrees = []
    for git_dir in (str(common), *worktrees):
        head = read_small(f"{git_dir}/HEAD", _LARGEST_REF)
        if head is None or head == UNUSUAL or not head.startswith(b"ref: "):
            continue
        where: Path | None = root
        if git_dir != str(common):
            pointer = read_small(f"{git_dir}/gitdir", 4 * _LARGEST_REF)
            usual = pointer is not None and pointer != UNUSUAL and pointer.endswith(b"/.git\n")
            where = Path(os.fsdecode(pointer)).parent if usual and pointer is not None else None
        places.setdefault(os.fsdecode(head[5:].strip()), where)
    return places


def read_small(path: str, limit: int) -> bytes | Literal["unusual"] | None:
    """Read a file that is not large.

    Args:
        path: The file.
        limit: Bytes that it may have.

    Returns:
        Its content; `None` if there is no such file; `UNUSUAL` for a link, a device, or one that is too large.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return UNUSUAL
    try:
        facts = os.fstat(descriptor)
        if stat.S_ISDIR(facts.st_mode):
            return None  # other refs begin with this name
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > limit:
            return UNUSUAL
        content = b""
        while chunk := os.read(descriptor, limit + 1 - len(content)):
            content += chunk
        return content if len(content) <= limit else UNUSUAL
    finally:
        os.close(descriptor)


def write_ref(git_dir: Path, name: str, sha: str) -> None:
    """Set a ref of a repository that nobody else writes to.

    Args:
        git_dir: The repository.
        name: The ref's full name.
        sha: What it shall name, full hash.

    Raises:
        OSError: It cannot be written, for example because another ref is called like one of its directories.
    """
    target = f"{git_dir}/{name}"
    aside = f"{git_dir}/aside-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            os.write(descriptor, f"{sha}\n".encode("ascii"))
        finally:
            os.close(descriptor)
        try:
            Path(aside).replace(target)
        except FileNotFoundError:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            Path(aside).replace(target)
    except OSError:
        Path(aside).unlink(missing_ok=True)
        raise
