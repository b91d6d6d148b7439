"""Merging without a checkout: ``merge-tree``, ``commit-tree``, and a compare-and-swap of the target branch.

A merge commit is made of nothing but its two parents and its message, so a replay after a crash gives the same hash,
and what is merged already is left as it is.
"""

import os
import shlex
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from agentrelay_core.runtime import AgentFailure, Parked, Transient
from agentrelay_git_gh.git.commits import Signature, commit_tree, read_commit, with_trailers
from agentrelay_git_gh.git.loose import read
from agentrelay_git_gh.git.repository import RefMoved, Repository
from agentrelay_git_gh.git.transfer import bring, send
from agentrelay_git_gh.git.walking import parents_of
from agentrelay_git_gh.locks import lock_of
from agentrelay_git_gh.names import head_ref

_TRIES: Final = 5
_SHOWN: Final = 10


class MergeConflict(AgentFailure):
    """Two sides changed the same; every branch is as it was.

    Args:
        message: What could not be merged.
        files: Paths in conflict.
    """

    def __init__(self, message: str, files: tuple[str, ...]) -> None:
        super().__init__(message)
        self.files = files


@attrs.frozen(kw_only=True)
class MergeMessage:
    """What a merge commit says.

    Args:
        subject: Its first line.
        trailers: Its last lines.
    """

    subject: str
    trailers: Mapping[str, object] = attrs.field(factory=dict, hash=False)

    def __str__(self) -> str:
        return with_trailers(self.subject, "", self.trailers)


def merge_commit(
    repository: Repository,
    branch: str,
    head: str,
    message: MergeMessage,
    *,
    head_name: str | None = None,
    base: str | None = None,
    also: Callable[[str], Mapping[str, str]] | None = None,
) -> str:
    """Merge a commit into a branch of the user's repository.

    Args:
        repository: Both repositories; ours has ``head``.
        branch: The target.
        head: The commit to merge, full hash.
        message: What the merge commit says.
        head_name: The branch that ``head`` is the tip of, for messages.
        base: What ``head`` was cut from; it must still be in the target.
        also: Gives, for the merge commit, what other refs are set to at the same time.

    Returns:
        The merge commit; the one there is, if ``head`` was merged before.

    Raises:
        MergeConflict: Names the files.
        Parked: The target is checked out somewhere, is gone, or its history was rewritten.
        Transient: Others kept moving the target.
    """
    with lock_of("merge", repository.common, branch):
        for _ in range(_TRIES):
            ref = repository.user_refs(head_ref(branch)).get(head_ref(branch))
            if ref is None:
                raise Parked(f"the branch {branch} does not exist, so nothing can be merged into it")
            old = ref.sha
            shared = _merge_base(repository, old, head)
            if shared == head:
                merged = _merged_before(repository, old, head)
                if also is not None:  # a process was killed right after merging, or someone else has merged it
                    repository.set_users(also(merged))
                return merged
            if ref.checked_out is not None:
                raise Parked(
                    f"{branch} is checked out and is not moved under you; to merge, type: "
                    f"cd {shlex.quote(str(ref.checked_out))} && git merge {head_name or head}"
                )
            if base is not None and shared != base and not repository.contains(old, base):
                raise Parked(f"the history of {branch} was rewritten: {base}, which work was cut from, is not in it")
            new = _make(repository, branch, old, head, message, shared)
            send(repository, [new], [old])
            try:
                repository.move(head_ref(branch), new, old, also(new) if also is not None else None)
            except RefMoved:
                continue
            return new
    raise Transient(f"{branch} was moved by others {_TRIES} times while work was merged into it")


def _merge_base(repository: Repository, old: str, head: str) -> str | None:
    """The commit that both come from, `None` for unrelated ones; takes the target over first if it is new to us."""
    commit = read(repository.objects, head)
    if commit is not None and old in parents_of(commit):
        return old
    answer = repository.ours.run("merge-base", old, head, accept=(0, 1, 128))
    if answer.returncode == 128:
        bring(repository, [old], repository.our_tips(), strict=False)
        answer = repository.ours.run("merge-base", old, head, accept=(0, 1))
    return answer.stdout.decode().strip() or None


def _make(repository: Repository, branch: str, old: str, head: str, message: MergeMessage, shared: str | None) -> str:
    facts = read_commit(repository.ours, head)
    # Where the target still is what the work was cut from, its tree is the result: there is nothing to merge it with.
    tree = facts.tree if shared == old else _merged_tree(repository, branch, old, head)
    committer = Signature(date=facts.committer.date)
    return commit_tree(repository.ours, tree, (old, head), str(message), facts.author, committer)


def conflicts(repository: Repository, one: str, other: str) -> tuple[str, ...]:
    """The files in which two commits, which ours has, conflict with one another."""
    return _merge_trees(repository, one, other)[1]


def _merged_tree(repository: Repository, branch: str, old: str, head: str) -> str:
    tree, files = _merge_trees(repository, old, head)
    if files:
        listed = ", ".join(files[:_SHOWN]) + (f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else "")
        raise MergeConflict(f"{head[:12]} conflicts with {branch} in {listed}", files)
    return tree


def _merge_trees(repository: Repository, old: str, head: str) -> tuple[str, tuple[str, ...]]:
    """The tree of two commits merged, and the files that conflict in it."""
    answer = repository.ours.run("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", old, head,
                                 accept=(0, 1))  # fmt: skip
    tree, *files = os.fsdecode(answer.stdout).rstrip("\0").split("\0")
    return tree, tuple(files) if answer.returncode == 1 else ()


def _merged_before(repository: Repository, tip: str, head: str) -> str:
    """The commit that merged ``head``; the oldest on the way from it to the tip that has it as a parent."""
    path = repository.ours.text("rev-list", "--parents", "--reverse", "--ancestry-path", f"{head}..{tip}")
    for line in path.splitlines():
        commit, *parents = line.split()
        if head in parents[1:]:
            return commit
    return tip
