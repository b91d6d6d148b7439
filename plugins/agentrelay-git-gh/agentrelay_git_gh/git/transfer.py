"""Carrying objects between the user's repository and ours, without reading the user's configuration.

A fetch would run an upload-pack under the configuration of the repository that agents write to. Here our own git reads
the user's object directory as a borrowed one, packs what is missing, and takes the pack apart again with every hash
computed anew: what arrives is whole and is what its name says.

The other way, a few small objects are copied as they are.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.runtime import AgentFailure
from agentrelay_git_gh.git.loose import algorithm_of, write
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.git.trusted import TRANSFER_DEADLINE, Git, GitFailed
from agentrelay_git_gh.git.walking import NotLoose, Walk

# More objects, or bytes, than these stay a pack; fewer become loose objects, so that packs do not pile up.
_LOOSE_OBJECTS: Final = 200
_LOOSE_BYTES: Final = 16 * 1024 * 1024


def bring(repository: Repository, wanted: Iterable[str], known: Iterable[str], *, strict: bool = True) -> None:
    """Copy commits, with all that they need, from the user's repository into ours.

    Args:
        repository: Both repositories.
        wanted: Commits to copy, full hashes.
        known: Commits that ours has already.
        strict: Refuse objects that ``git fsck`` finds fault with; off for the user's own history.

    Raises:
        AgentFailure: An object is missing or malformed.
    """
    borrowing = attrs.evolve(repository.ours, borrow=repository.user_objects)
    try:
        with _packed(repository, borrowing, wanted, known) as pack:
            if pack is None:
                return
            if not (_is_small(pack) and _unpack(repository, pack, strict=strict)):
                pack.with_suffix(".idx").unlink()  # made anew from the content
                checks = ("--strict",) if strict else ()
                repository.ours.run("index-pack", *checks, str(pack), deadline=TRANSFER_DEADLINE)
                _install(pack, repository.objects / "pack")
    except GitFailed as failure:
        raise AgentFailure(f"the commits cannot be taken over, git finds fault with them: {failure.message}") from (
            failure
        )


def _unpack(repository: Repository, pack: Path, *, strict: bool) -> bool:
    """Make loose objects of a pack; False where git finds fault with them and that does not matter.

    Strict also means children first: a commit that is there is whole, whenever we are killed.
    """
    try:
        repository.ours.run("unpack-objects", "-q", "--strict", stdin=pack.read_bytes())
    except GitFailed:
        if strict:
            raise
        return False
    return True


def take_over(repository: Repository, *commits: str) -> None:
    """Make sure that commits of the user's repository are in ours."""
    missing = [sha for sha in commits if not repository.has(sha)]
    if missing:
        bring(repository, missing, repository.our_tips())


def descends(repository: Repository, descendant: str, ancestor: str) -> bool:
    """As `Repository.contains`, also for commits that ours has not taken over yet."""
    take_over(repository, descendant, ancestor)
    return repository.contains(descendant, ancestor)


def send(repository: Repository, wanted: Iterable[str], known: Iterable[str]) -> None:
    """Copy commits, with all that they need, from our repository into the user's.

    Args:
        repository: Both repositories.
        wanted: Commits to copy, full hashes.
        known: Commits that the user's has already and that are in ours too.
    """
    wanted, known = tuple(wanted), tuple(known)
    try:
        objects = Walk(repository.objects).commits(wanted, known)
    except NotLoose:
        _send_packed(repository, wanted, known)
        return
    for sha, loose in objects.items():
        write(repository.user_objects, loose.kind, loose.content, algorithm_of(sha))


def _send_packed(repository: Repository, wanted: Iterable[str], known: Iterable[str]) -> None:
    with _packed(repository, repository.ours, wanted, known) as pack:
        if pack is None:
            return
        if _is_small(pack):
            repository.user.run("unpack-objects", "-q", stdin=pack.read_bytes())
        else:
            _install(pack, repository.user_objects / "pack")


@contextmanager
def _packed(repository: Repository, git: Git, wanted: Iterable[str], known: Iterable[str]) -> Iterator[Path | None]:
    """A pack of what is wanted and not known, in a directory of its own; `None` when there is nothing."""
    revisions = "".join((*(f"{sha}\n" for sha in wanted), *(f"^{sha}\n" for sha in known)))
    with tempfile.TemporaryDirectory(prefix="transfer-", dir=repository.state_dir) as directory:
        base = str(Path(directory) / "pack")
        git.run("pack-objects", "--revs", "--quiet", base, stdin=revisions.encode(), deadline=TRANSFER_DEADLINE)
        packs = list(Path(directory).glob("*.pack"))
        yield packs[0] if packs and _object_count(packs[0]) else None


def _object_count(pack: Path) -> int:
    with pack.open("rb") as file:
        return int.from_bytes(file.read(12)[8:], "big")


def _is_small(pack: Path) -> bool:
    return pack.stat().st_size <= _LOOSE_BYTES and _object_count(pack) <= _LOOSE_OBJECTS


def _install(pack: Path, directory: Path) -> None:
    """Put a pack and its index into an object directory, the index last, for only it makes the pack visible."""
    directory.mkdir(parents=True, exist_ok=True)
    for suffix in (".pack", ".idx"):
        source = pack.with_suffix(suffix)
        aside = directory / f"tmp_{source.parent.name}_{source.name}"  # another thread may bring the same
        shutil.copyfile(source, aside)
        aside.chmod(0o444)
        aside.replace(directory / source.name)
