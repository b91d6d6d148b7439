"""What a worktree holds besides the commit that we last put there, and how that is kept before it is used anew."""

from collections.abc import Mapping

import attrs

from agentrelay_git_gh.git.repository import Ref, Repository
from agentrelay_git_gh.git.trusted import Git
from agentrelay_git_gh.names import head_ref
from agentrelay_git_gh.worktrees.exact import staged_alone
from agentrelay_git_gh.worktrees.leftovers import leftovers
from agentrelay_git_gh.worktrees.snapshot import Owner, rescue
from agentrelay_git_gh.worktrees.worktree import Worktree


@attrs.frozen(kw_only=True)
class Position:
    """Where a worktree stands.

    Args:
        branch: The branch that is checked out, `None` for a bare commit.
        commit: The commit that is checked out, full hash.
    """

    branch: str | None
    commit: str


def position(repository: Repository, worktree: Worktree, known: Mapping[str, Ref] | None = None) -> Position | None:
    """Read what is checked out in a worktree; `None` if it names nothing.

    Args:
        repository: Both repositories.
        worktree: The worktree.
        known: Refs of the user's repository that were read just now.
    """
    head = worktree.head()
    if not head.startswith("ref: "):
        return Position(branch=None, commit=head)
    name = head.removeprefix("ref: ")
    ref = (known or {}).get(name) or repository.user_refs(name).get(name)
    return Position(branch=name.removeprefix(head_ref("")), commit=ref.sha) if ref else None


def keep_leftovers(
    repository: Repository, git: Git, owner: Owner, where: Position, *, unnamed: bool = False
) -> str | None:
    """Keep what is in a worktree and in no commit, and a commit that no branch names.

    Args:
        repository: Both repositories.
        git: Ours, with the worktree and an index that holds the commit's tree; afterwards it holds all files.
        owner: Whose work it is.
        where: Where the worktree stands; ours has the commit.
        unnamed: Whether the commit itself has to be kept.

    Returns:
        The rescue ref, `None` if there was nothing to keep.
    """
    assert git.work_tree is not None
    worktree = Worktree(repository=repository, path=git.work_tree)
    if not unnamed and not leftovers(git) and not staged_alone(repository, worktree, where.commit):
        return None
    why = f"Files of {git.work_tree} that were in no commit, on top of what was checked out there."
    return rescue(repository, worktree, git, owner, where.commit, why)
