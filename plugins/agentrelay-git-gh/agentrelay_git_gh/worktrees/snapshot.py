"""Nothing that holds work is destroyed: what is in a worktree and in no commit is found, and kept in a rescue ref.

A rescue ref stands in our repository and in the user's, and is read back from both before anything may go.
"""

import os
from typing import Final

import attrs

from agentrelay_core.runtime import Parked
from agentrelay_git_gh.git.commits import commit_tree, with_trailers
from agentrelay_git_gh.git.repository import RefMoved, Repository, commits_of
from agentrelay_git_gh.git.transfer import send, take_over
from agentrelay_git_gh.git.trusted import TRANSFER_DEADLINE, Git, GitFailed
from agentrelay_git_gh.names import rescue_ref
from agentrelay_git_gh.worktrees.exact import commit_staged, exact_tree, staged_alone
from agentrelay_git_gh.worktrees.leftovers import leftovers
from agentrelay_git_gh.worktrees.worktree import Worktree

_TRIES: Final = 3


@attrs.frozen(kw_only=True)
class Owner:
    """Whose work is kept: names a rescue ref.

    Args:
        run: The run's id.
        name: The task, or the workstream where no task is known.
        attempt: The attempt, from 0.
    """

    run: str
    name: str
    attempt: int = 0

    @property
    def ref(self) -> str:
        """The rescue ref."""
        return rescue_ref(self.run, self.name, self.attempt)

    def trailers(self) -> dict[str, object]:
        """What commits made for it say at their end."""
        return {"Agentrelay-Run": self.run, "Agentrelay-Task": self.name, "Agentrelay-Attempt": self.attempt}


def stage(git: Git) -> str:
    """Put all files but the ignored ones into the index; return the tree."""
    git.run("add", "-A", deadline=TRANSFER_DEADLINE)
    return git.text("write-tree")


def rescue(repository: Repository, worktree: Worktree, git: Git, owner: Owner, commit: str, why: str) -> str:
    """Keep what is in a worktree and in no commit: files as they are on disk, and what was staged besides.

    Args:
        repository: Both repositories.
        worktree: The worktree.
        git: Ours, with the work tree and an index, which afterwards holds what was kept.
        owner: Whose work it is.
        commit: What is checked out; our repository and the user's have it.
        why: A sentence for the commit.

    Returns:
        The name of the rescue ref, read back from both repositories.

    Raises:
        Parked: It cannot be kept, so nothing may be removed.
    """
    staged = staged_alone(repository, worktree, commit)
    try:
        tree = exact_tree(git, _stage_all(git), commit)
    except GitFailed as failure:
        raise Parked(f"files in {git.work_tree} cannot be kept, so nothing is removed: {failure.message}") from failure
    subject = with_trailers(f"Stage files of {owner.name}", "", owner.trailers())
    aside = commit_staged(repository, worktree, staged, tree, commit, subject)
    previous = _caught_up(repository, owner.ref)
    message = with_trailers(f"Rescue what was left of {owner.name}", why, owner.trailers())
    kept = commit_tree(repository.ours, tree, tuple(commits_of((commit, previous, aside))), message)
    return _keep(repository, owner, kept, tuple(commits_of((commit, previous))), previous)


def rescue_commit(repository: Repository, owner: Owner, commit: str) -> str:
    """Keep a commit that will not be reachable otherwise.

    Args:
        repository: Both repositories.
        owner: Whose work it is.
        commit: Full hash, in the user's repository.

    Returns:
        The name of the rescue ref, read back from both repositories.

    Raises:
        Parked: It cannot be kept, so nothing may be removed.
    """
    take_over(repository, commit)
    previous = repository.our_refs(owner.ref).get(owner.ref)
    if previous is not None and repository.contains(previous, commit):
        return _keep(repository, owner, previous, (), previous)
    if previous is None:
        return _keep(repository, owner, commit, (commit,), previous)
    message = with_trailers(f"Rescue the commits of {owner.name}", "", owner.trailers())
    tree = repository.ours.text("rev-parse", f"{commit}^{{tree}}")
    both = commit_tree(repository.ours, tree, (commit, previous), message)
    return _keep(repository, owner, both, (commit, previous), previous)


def _keep(repository: Repository, owner: Owner, commit: str, known: tuple[str, ...], previous: str | None) -> str:
    """Set the rescue ref in both repositories, and read it back."""
    repository.set_ours({owner.ref: commit})
    send(repository, [commit], known)
    try:
        repository.move(owner.ref, commit, previous)
    except RefMoved as error:
        raise Parked(f"{owner.ref} was moved by someone else, so nothing is removed: {error}") from error
    kept = {repository.our_refs(owner.ref).get(owner.ref), repository.user_refs(owner.ref)[owner.ref].sha}
    if kept != {commit}:
        raise Parked(f"{owner.ref} does not read back as {commit}, so nothing is removed")
    return owner.ref


def _caught_up(repository: Repository, ref: str) -> str | None:
    """What a rescue ref keeps so far; shown to the user now, where a process was killed before it could be."""
    ours = repository.our_refs(ref).get(ref)
    shown = repository.user_refs(ref).get(ref)
    if ours is None or (shown is not None and shown.sha == ours):
        return ours
    if shown is None or (repository.has(shown.sha) and repository.contains(ours, shown.sha)):
        send(repository, [ours], [shown.sha] if shown is not None else [])
        try:
            repository.move(ref, ours, shown.sha if shown is not None else None)
        except RefMoved as error:
            raise Parked(f"{ref} was moved by someone else, so nothing is removed: {error}") from error
    return ours


def committed_repositories(git: Git) -> list[str]:
    """Repositories inside of the worktree that the index names by a commit alone; their files are in no commit here."""
    entries = git.run("ls-files", "-s", "-z").stdout.split(b"\0")
    return [os.fsdecode(entry.partition(b"\t")[2]) for entry in entries if entry.startswith(b"160000 ")]


def _forget_inner(git: Git) -> None:
    """Take repositories inside of the worktree out of the index: for those in it, staging runs git inside of them."""
    inner = committed_repositories(git)
    if inner:
        names = "".join(f"{name}\0" for name in inner)
        git.run("update-index", "-z", "--force-remove", "--stdin", stdin=os.fsencode(names))


def inner_repository(git: Git, name: str) -> Parked:
    """The error for a repository inside of a worktree that has to be kept and cannot."""
    return Parked(
        f"{git.work_tree}/{name} is a git repository of its own, which cannot be kept in a commit; "
        "move it elsewhere, then run again"
    )


def _stage_all(git: Git) -> str:
    """Stage until nothing differs any more, so that what changed meanwhile is kept too."""
    _forget_inner(git)
    for _ in range(_TRIES):
        left = leftovers(git)
        inner = [name for name in left if name.endswith("/")]
        if inner:
            raise inner_repository(git, inner[0])
        try:
            tree = stage(git)
        except GitFailed as failure:
            raise Parked(f"files in {git.work_tree} cannot be kept, so nothing is removed: {failure.message}") from (
                failure
            )
        if not leftovers(git):
            return tree
    raise Parked(f"files in {git.work_tree} keep changing; end what writes to them, then run again")
