"""What a commit needs that another does not: found by reading small loose objects, two trees side by side.

Where something is not a small loose object, the walk says so, and git does the same more slowly.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import attrs

from agentrelay_git_gh.git.loose import Loose, read

_MOST: Final = 200  # objects; more are better packed
_TREE: Final = b"40000"

_NOTHING: Final = (b"", "")

_Tree = dict[bytes, tuple[bytes, str]]


class NotLoose(Exception):
    """Something is packed, too large or too much to be read here."""


@attrs.define(eq=False)
class Walk:
    """Collects what is new.

    Args:
        objects: The object directory that has all of it.
    """

    objects: Path
    found: dict[str, Loose] = attrs.field(factory=dict, init=False)

    def commits(self, wanted: Iterable[str], known: Iterable[str]) -> dict[str, Loose]:
        """All objects that wanted commits need and known ones do not, each after those that it names.

        Raises:
            NotLoose: One of them, or a tree to compare with, cannot be read here.
        """
        known = frozenset(known)
        trees = [self.tree(tree_of(self.object(sha))) for sha in known]
        waiting = [(sha, False) for sha in wanted]
        while waiting:  # depth first and without recursion, for histories can be long
            sha, parents_done = waiting.pop()
            if sha in known or sha in self.found:
                continue
            commit = self.object(sha)
            if not parents_done:
                waiting.append((sha, True))
                waiting += [(parent, False) for parent in parents_of(commit)]
                continue
            self._collect(tree_of(commit), trees)
            self._add(sha, commit)
        return self.found

    def _collect(self, sha: str, known: list[_Tree]) -> None:
        """Collect a tree and what is below it, but for what trees at the same place hold already."""
        if sha in self.found:
            return
        content = self.object(sha)
        for name, (mode, child) in entries(content, len(sha) // 2).items():
            there = [tree[name] for tree in known if name in tree]
            if (mode, child) in there:
                continue
            if mode == _TREE:
                self._collect(child, [self.tree(other) for kind, other in there if kind == _TREE])
            elif child not in self.found:
                self._add(child, self.object(child))
        self._add(sha, content)

    def tree(self, sha: str) -> _Tree:
        """Read a tree."""
        return entries(self.object(sha), len(sha) // 2)

    def object(self, sha: str) -> Loose:
        """Read an object."""
        found = read(self.objects, sha)
        if found is None:
            raise NotLoose(sha)
        return found

    def _add(self, sha: str, loose: Loose) -> None:
        if len(self.found) >= _MOST:
            raise NotLoose(sha)
        self.found[sha] = loose


class Change(NamedTuple):
    """A path that is not the same in two trees.

    Args:
        name: The path.
        mode: Its mode in the new tree as git writes it, empty where it is gone.
        sha: What it is in the new tree, full hash, empty where it is gone.
    """

    name: bytes
    mode: bytes
    sha: str


def changes(objects: Path, old: str, new: str) -> list[Change]:
    """What is not the same in two commits, directories apart.

    Args:
        objects: The object directory that has both.
        old: The earlier commit, full hash.
        new: The later commit, full hash.

    Raises:
        NotLoose: A tree cannot be read here.
    """
    walk = Walk(objects)
    found: list[Change] = []
    waiting = [(b"", tree_of(walk.object(old)), tree_of(walk.object(new)))]
    while waiting:
        folder, *shas = waiting.pop()
        before, after = (walk.tree(sha) if sha else {} for sha in shas)
        for name in before.keys() | after.keys():
            was, now = before.get(name, _NOTHING), after.get(name, _NOTHING)
            if was == now:
                continue
            path = folder + name
            before_it, after_it = (sha if mode == _TREE else "" for mode, sha in (was, now))
            if before_it or after_it:
                waiting.append((path + b"/", before_it, after_it))
            if now[0] not in (_TREE, b""):
                found.append(Change(path, *now))
            elif was[0] not in (_TREE, b""):
                found.append(Change(path, b"", ""))
    return found


def tree_of(commit: Loose) -> str:
    """The tree that a commit names."""
    return _header(commit)[0].partition(" ")[2]


def parents_of(commit: Loose) -> tuple[str, ...]:
    """The parents that a commit names."""
    return tuple(line.partition(" ")[2] for line in _header(commit) if line.startswith("parent "))


def entries(tree: Loose, size: int) -> _Tree:
    """Modes and hashes by name.

    Args:
        tree: The tree.
        size: Bytes of a hash.
    """
    found: _Tree = {}
    content, at = tree.content, 0
    while at < len(content):
        end = content.index(b"\0", at)
        mode, _, name = content[at:end].partition(b" ")
        at = end + 1 + size
        found[name] = (mode, content[end + 1 : at].hex())
    return found


def _header(commit: Loose) -> list[str]:
    if commit.kind != "commit":
        raise NotLoose(commit.kind)
    return commit.content.partition(b"\n\n")[0].decode(errors="surrogateescape").split("\n")
