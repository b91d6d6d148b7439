"""Letting go of what runs left, once all that it holds is safe elsewhere; looked at again just before it goes."""

from pathlib import Path

from agentrelay_core.runtime import Parked
from agentrelay_core.task_runner.repairs import Leftover
from agentrelay_git_gh.git.repository import RefMoved, Repository
from agentrelay_git_gh.git.transfer import take_over
from agentrelay_git_gh.git.trusted import Git
from agentrelay_git_gh.names import attempt_of, head_ref, worktree_path
from agentrelay_git_gh.repairs.inventory import branches_of, half_made, refs_that_hold, runs_of_branches, worktrees_of
from agentrelay_git_gh.worktrees.closing import close_worktree, remove_directory
from agentrelay_git_gh.worktrees.recovery import keep_leftovers, position
from agentrelay_git_gh.worktrees.snapshot import Owner, rescue_commit
from agentrelay_git_gh.worktrees.worktree import Worktree


def let_go_of_worktree(
    repository: Repository, graph: str, run: str, leftover: Leftover, *, ignored: bool
) -> str | None:
    """Remove a worktree; the rescue ref, if one was needed.

    Raises:
        Parked: It stays, and why.
    """
    worktree = _worktree(repository, graph, leftover)
    owner = Owner(run=run, name=leftover.workstream_id)
    kept = close_worktree(repository, worktree, owner, with_ignored=ignored)
    if worktree.path.is_dir():
        raise Parked(f"the worktree {worktree.path} stays: it holds files that git ignores, or is locked")
    return kept


def clean_worktree(repository: Repository, graph: str, run: str, leftover: Leftover) -> str | None:
    """Keep what is in a worktree and in no commit, and leave it clean; the rescue ref, if one was needed.

    Raises:
        Parked: Something cannot be kept, so everything stays as it is.
    """
    worktree = _worktree(repository, graph, leftover)
    where = position(repository, worktree)
    if where is None:
        return None
    known = worktree.holds(where.commit)
    if not known:
        take_over(repository, where.commit)
    earlier = attempt_of(where.branch or "")
    owner = Owner(run=run, name=earlier[0] if earlier else leftover.workstream_id, attempt=earlier[1] if earlier else 0)
    with worktree.index_at(where.commit) as git:
        kept = keep_leftovers(repository, git, owner, where, unnamed=where.branch is None and not known)
        if kept is not None:
            worktree.fill(git, where.commit)
    return kept


def let_go_of_branch(repository: Repository, graph: str, leftover: Leftover) -> str | None:
    """Delete a branch of ours; where nothing else reaches its commits, they are kept first.

    Returns:
        The rescue ref, if one was needed.

    Raises:
        Parked: It stays, and why.
    """
    name = leftover.name
    ref = branches_of(repository, graph).get(name)
    run = runs_of_branches(repository).get(name)
    if ref is None:
        return None
    if run is None:
        raise Parked(f"the branch {name} stays: it is not ours")
    if ref.sha != leftover.tip:
        raise Parked(f"the branch {name} stays: it was moved meanwhile; look at the plan again")
    for path in worktrees_of(repository, graph):
        admin = Worktree(repository=repository, path=path).admin()
        if admin is not None and (admin / "HEAD").read_text(errors="replace").strip() == f"ref: {head_ref(name)}":
            Git(git_dir=admin).run("update-ref", "--no-deref", "HEAD", ref.sha)
    ref = branches_of(repository, graph).get(name, ref)
    if ref.checked_out is not None:
        raise Parked(f"the branch {name} stays: it is checked out in {ref.checked_out}")
    kept = None
    if not refs_that_hold(repository, ref.sha, but=name):
        owner = Owner(run=run, name=leftover.task_id or leftover.workstream_id, attempt=leftover.attempt_num)
        kept = rescue_commit(repository, owner, ref.sha)
    try:
        repository.change(repository.user, f"delete {head_ref(name)}\0{ref.sha}\0")
    except RefMoved as error:
        raise Parked(f"the branch {name} stays: someone works on it just now ({error})") from error
    return kept


def let_go_of_directory(repository: Repository, graph: str, leftover: Leftover) -> None:
    """Remove a half-made directory; anything else that is called so is left alone."""
    path = Path(leftover.name)
    if path in half_made(repository, graph):
        remove_directory(path)


def _worktree(repository: Repository, graph: str, leftover: Leftover) -> Worktree:
    path = worktree_path(repository.root, graph, leftover.workstream_id)
    if path.resolve() != repository.root.resolve() / path.relative_to(repository.root):
        raise Parked(f"{path} stays: a link is in its place; look where it leads, and remove it by hand")
    return Worktree(repository=repository, path=path)
