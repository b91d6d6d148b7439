"""What a workstream is cut from and merged into where its specification does not say: the repository's default branch.

That is what ``origin/HEAD`` names, else what was checked out at the first run; the latter is noted in our repository,
so that a later run means the same branch.
"""

from typing import Final

from agentrelay_core.runtime import Parked, UserError
from agentrelay_core.spec import WorkstreamSpec
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.git.trusted import Git
from agentrelay_git_gh.names import DEFAULT_NOT_NOTED, NO_DEFAULT, head_ref, integration_branch

REMOTE_DEFAULT: Final = "refs/remotes/origin/HEAD"

_NOTED: Final = "HEAD"


def note_default(repository: Repository) -> None:
    """Note, once, which branch is checked out, as the branch that our repository's ``HEAD`` names.

    Raises:
        UserError: There is no commit yet.
    """
    user = repository.user
    if not user.says("rev-parse", "--quiet", "--verify", "HEAD^{commit}"):
        raise UserError(f"{repository.root} has no commit yet; make a first one: git commit --allow-empty -m 'Begin'")
    noted = repository.ours.text("symbolic-ref", _NOTED)
    if noted != DEFAULT_NOT_NOTED:
        return
    branch = user.run("symbolic-ref", "--quiet", "HEAD", accept=(0, 1)).stdout.decode().strip()
    repository.ours.run("symbolic-ref", _NOTED, branch or NO_DEFAULT)


def base_commit(repository: Repository, graph: str, spec: WorkstreamSpec) -> str:
    """The commit that a workstream's integration branch is cut from, full hash.

    Raises:
        UserError: There is no such branch.
    """
    if spec.base_branch is not None:
        return _commit_of(repository, spec.base_branch)
    if spec.parent_workstream_id is not None:
        parent = integration_branch(graph, spec.parent_workstream_id)
        ref = repository.user_refs(head_ref(parent)).get(head_ref(parent))
        if ref is None:
            raise Parked(
                f"{parent} does not exist; the workstream {spec.parent_workstream_id!r} has to be opened first"
            )
        return ref.sha
    ref = repository.user_refs(REMOTE_DEFAULT).get(REMOTE_DEFAULT)
    if ref is not None:
        return ref.sha
    noted = repository.ours.text("symbolic-ref", _NOTED)
    named = repository.user_refs(noted).get(noted)
    if named is not None:
        return named.sha
    return repository.user.text("rev-parse", "--verify", "HEAD^{commit}")


def target_branch(repository: Repository, graph: str, spec: WorkstreamSpec) -> str:
    """The branch that a workstream's integration pull request goes to.

    Raises:
        UserError: None is named, and the repository has no default branch.
    """
    if spec.merge_target_branch is not None:
        return spec.merge_target_branch.removeprefix(head_ref(""))
    if spec.parent_workstream_id is not None:
        return integration_branch(graph, spec.parent_workstream_id)
    remote = _remote_default(repository.user)
    if remote is not None:
        return remote
    noted = repository.ours.text("symbolic-ref", _NOTED)
    if noted == NO_DEFAULT:
        raise UserError(
            f"no branch was checked out when the graph {graph} first ran; name the merge_target_branch of the "
            f"workstream {spec.id!r}"
        )
    return noted.removeprefix(head_ref(""))


def expected_default(user: Git) -> str | None:
    """The branch that `target_branch` would name in a graph's first run; `None` with a detached ``HEAD``.

    Args:
        user: git on the user's repository.
    """
    return _remote_default(user) or _symbolic(user, "HEAD", head_ref(""))


def _remote_default(user: Git) -> str | None:
    return _symbolic(user, REMOTE_DEFAULT, "refs/remotes/origin/")


def _symbolic(user: Git, ref: str, prefix: str) -> str | None:
    named = user.run("symbolic-ref", "--quiet", ref, accept=(0, 1)).stdout.decode().strip()
    return named.removeprefix(prefix) or None


def _commit_of(repository: Repository, name: str) -> str:
    for ref in (f"refs/heads/{name}", f"refs/remotes/{name}", name):
        answer = repository.user.run("rev-parse", "--quiet", "--verify", f"{ref}^{{commit}}", accept=(0, 1, 128))
        if answer.returncode == 0 and not ref.startswith("-"):
            return answer.stdout.decode().strip()
    raise UserError(f"base_branch {name!r} is neither a branch nor a commit of {repository.root}")
