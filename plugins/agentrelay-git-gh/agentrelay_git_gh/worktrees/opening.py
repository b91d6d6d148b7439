"""Opening a workstream: its integration branch, and the worktree in which its tasks are done one after the other."""

from pathlib import Path

from agentrelay_core.runtime import Parked
from agentrelay_core.spec import WorkstreamSpec
from agentrelay_git_gh.defaults import base_commit
from agentrelay_git_gh.git.repository import RefMoved, Repository
from agentrelay_git_gh.git.transfer import bring, take_over
from agentrelay_git_gh.names import base_ref, head_ref, integration_branch, worktree_path
from agentrelay_git_gh.preflight import check_tree
from agentrelay_git_gh.worktrees.closing import forget_admin
from agentrelay_git_gh.worktrees.worktree import Worktree


def open_branch(repository: Repository, graph: str, run: str, spec: WorkstreamSpec) -> tuple[str, str]:
    """Find or cut a workstream's integration branch.

    Returns:
        Its name and its tip, which is in our repository.

    Raises:
        Parked: A branch of that name is there and is not ours.
        UserError: What it is to be cut from is not there, or cannot be worked with.
    """
    branch = integration_branch(graph, spec.id)
    ref = repository.user_refs(head_ref(branch)).get(head_ref(branch))
    if ref is not None:
        if not repository.our_refs(base_ref("*", branch)):
            raise Parked(f"the branch {branch} is there already and is not ours; rename it, then run again")
        take_over(repository, ref.sha)
        return branch, ref.sha
    base = base_commit(repository, graph, spec)
    bring(repository, [base], repository.our_tips(), strict=False)
    check_tree(repository.ours, base)
    repository.set_ours({base_ref(run, branch): base, head_ref(branch): base})  # first, so that it is known as ours
    try:
        repository.move(head_ref(branch), base, None)
    except RefMoved as error:
        raise Parked(f"the branch {branch} was made by someone else just now: {error}") from error
    return branch, base


def open_worktree(repository: Repository, graph: str, spec: WorkstreamSpec, tip: str) -> Path:
    """Find or make a workstream's worktree, with the files of the branch's tip where it is new.

    Raises:
        Parked: Something that is not ours is in its place.
    """
    worktree = Worktree(repository=repository, path=worktree_path(repository.root, graph, spec.id))
    worktree.drop_stale()
    admin = worktree.admin()
    pointer = worktree.path / ".git"
    if admin is not None and pointer.is_file():
        if worktree.was_filled():
            return worktree.path
        if len(list(worktree.path.iterdir())) > 1:
            if repository.has(worktree.head()):
                worktree.settle(worktree.head())
            return worktree.path
        pointer.unlink()  # a process was killed before there were files
    if worktree.path.exists() and any(worktree.path.iterdir()):
        raise Parked(f"{worktree.path} is there already and is no worktree of ours; move it away, then run again")
    if admin is not None:
        forget_admin(repository, admin)
    worktree.forget()
    worktree.add(tip)
    with worktree.index_at(tip) as git:
        worktree.fill(git, tip)
    return worktree.path
