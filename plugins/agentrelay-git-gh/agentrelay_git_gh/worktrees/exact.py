"""Work that git's own staging would not keep as it is: converted line ends, and what only an agent's index names.

Staging converts files as attributes and settings say, and looks at files alone. What is rescued must be the bytes that
were there, and what an agent staged and then changed or deleted is work as well.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import attrs

from agentrelay_git_gh.git.commits import commit_tree
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.git.transfer import bring
from agentrelay_git_gh.git.trusted import TRANSFER_DEADLINE, Git, GitFailed
from agentrelay_git_gh.worktrees.worktree import Worktree

_FILES: Final = (b"100644", b"100755")
_LOG = logging.getLogger(__name__)


@attrs.frozen
class Entry:
    """A file of an index or a tree.

    Args:
        mode: Its mode, as git writes it.
        sha: Its content, full hash.
        name: Its path.
    """

    mode: bytes
    sha: bytes
    name: bytes


def staged_alone(repository: Repository, worktree: Worktree, commit: str) -> list[Entry]:
    """What an agent staged that differs from the commit it is on.

    Args:
        repository: Both repositories.
        worktree: The worktree.
        commit: What is checked out there, full hash; ours has it.
    """
    admin = worktree.admin()
    index = None if admin is None else admin / "index"
    if index is None or not index.is_file():
        return []
    ours = worktree.indexes / commit
    if ours.is_file() and ours.read_bytes() == index.read_bytes():
        return []  # as we gave it
    with tempfile.TemporaryDirectory(prefix="aside-", dir=worktree.indexes) as aside:
        copy = Path(aside) / "index"
        shutil.copyfile(index, copy)
        for shared in index.parent.glob("sharedindex.*"):
            shutil.copyfile(shared, copy.with_name(shared.name))
        try:
            listed = attrs.evolve(repository.ours, index=copy).run("ls-files", "-s", "-z").stdout
        except GitFailed as failure:
            _LOG.warning("the index of %s cannot be read, so it is not kept: %s", worktree.path, failure.message)
            return []
    committed = {entry.sha for entry in _tree(repository.ours, commit)}
    found = []
    for line in listed.split(b"\0")[:-1]:
        facts, name = line.split(b"\t", 1)
        mode, sha, stage = facts.split()
        if sha not in committed and not mode.startswith(b"16"):
            found.append(Entry(mode, sha, name + (b"~" + stage if stage != b"0" else b"")))
    return found


def commit_staged(
    repository: Repository, worktree: Worktree, staged: Iterable[Entry], tree: str, parent: str, message: str
) -> str | None:
    """Make a commit, in ours, of what was staged and is not in a tree.

    Args:
        repository: Both repositories.
        worktree: The worktree.
        staged: What `staged_alone` gave.
        tree: The tree that is kept anyway.
        parent: The commit that it was staged on.
        message: What the commit says.

    Returns:
        The commit, `None` where the tree holds all of it.
    """
    kept = {entry.sha for entry in _tree(repository.ours, tree)}
    borrowing = attrs.evolve(repository.ours, borrow=repository.common / "objects")
    missing = _missing(borrowing, {entry.sha for entry in staged} - kept)
    entries = [entry for entry in staged if entry.sha not in kept | missing]
    if not entries:
        return None
    with tempfile.TemporaryDirectory(prefix="aside-", dir=worktree.indexes) as aside:
        git = attrs.evolve(borrowing, index=Path(aside) / "index")
        commit = commit_tree(git, _written(git, entries), (parent,), message)
    bring(repository, [commit], [parent], strict=False)
    return commit


def exact_tree(git: Git, tree: str, base: str) -> str:
    """A tree with the bytes that are on disk, where staging has converted them.

    Args:
        git: Ours, with the work tree and an index that holds the tree; the index is left as it is.
        tree: What was staged.
        base: The commit that it was staged on; files that are as in it are not looked at.
    """
    assert git.index is not None
    assert git.work_tree is not None
    before = set(_tree(git, base))
    changed = [entry for entry in _tree(git, tree) if entry.mode in _FILES and entry not in before]
    raw = _raw_hashes(git, [entry.name for entry in changed])
    entries = [attrs.evolve(entry, sha=sha) for entry, sha in zip(changed, raw, strict=True) if entry.sha != sha]
    if not entries:
        return tree
    aside = git.index.with_name("exact")
    shutil.copyfile(git.index, aside)
    return _written(attrs.evolve(git, index=aside), entries)


def _raw_hashes(git: Git, names: list[bytes]) -> list[bytes]:
    """Write the bytes of files as they are; their hashes."""
    # One process for all of them; names with line ends would be taken for several, and a quote begins a quoted one.
    plain = [name for name in names if b"\n" not in name and not name.startswith(b'"')]
    asked = b"".join(name + b"\n" for name in plain)
    arguments = ("hash-object", "-w", "--no-filters", "--stdin-paths")
    answer = git.run(*arguments, stdin=asked, deadline=TRANSFER_DEADLINE).stdout.split() if plain else []
    known = dict(zip(plain, answer, strict=True))
    for name in names:
        if name not in known:
            known[name] = git.run("hash-object", "-w", "--no-filters", "--", os.fsdecode(name)).stdout.strip()
    return [known[name] for name in names]


def _written(git: Git, entries: Iterable[Entry]) -> str:
    lines = b"".join(b"%b %b 0\t%b\0" % (entry.mode, entry.sha, entry.name) for entry in entries)
    git.run("update-index", "-z", "--index-info", stdin=lines)
    return git.text("write-tree")


def _tree(git: Git, tree: str) -> list[Entry]:
    entries = []
    for line in git.run("ls-tree", "-r", "-z", "--full-tree", tree).stdout.split(b"\0")[:-1]:
        facts, name = line.split(b"\t", 1)
        mode, _, sha = facts.split()
        entries.append(Entry(mode, sha, name))
    return entries


def _missing(git: Git, shas: Iterable[bytes]) -> set[bytes]:
    asked = b"".join(sha + b"\n" for sha in shas)
    if not asked:
        return set()
    answers = git.run("cat-file", "--batch-check=%(objectname)", stdin=asked).stdout.splitlines()
    return {answer.split()[0] for answer in answers if answer.endswith(b" missing")}
