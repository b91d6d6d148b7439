"""How branches, refs, directories and local pull requests are called; nothing else in here knows."""

import re
from pathlib import Path
from typing import Final

IDENTITY_NAME: Final = "agentrelay"
IDENTITY_EMAIL: Final = "agentrelay@localhost"
HIDDEN: Final = (".agentrelay/worktrees/", ".workflow/")
PULL_REQUESTS: Final = "refs/agentrelay/pr"
OPENED: Final = "refs/agentrelay/pr-opened"
BASES: Final = "refs/agentrelay/base"
RESCUED: Final = "refs/agentrelay/rescue"
FETCHED: Final = "refs/agentrelay/fetched"  # what was last taken over of a remote's branches
SHARED: Final = "refs/agentrelay/shared"  # where a remote was last seen to have a branch of ours
ADVANCING: Final = "refs/agentrelay/advancing"  # what a task's branch is just brought forward to
SHARING: Final = "refs/agentrelay/sharing"  # what a branch of ours is just made of on a remote
# What our repository's HEAD names before it names a default branch, and where there is none.
DEFAULT_NOT_NOTED: Final = "refs/agentrelay/default/not-noted"
NO_DEFAULT: Final = "refs/agentrelay/default/none"
REMOVED: Final = "agentrelay-removed-"  # how a worktree's record is called that is being removed

_TASK_BRANCH = re.compile(r"agentrelay/[^/@]+/(?P<task>[^/@]+)(?:@(?:[^/@]*\.)?(?P<attempt>\d+))?")


def integration_branch(graph: str, workstream: str) -> str:
    """The branch that a workstream's tasks are merged into."""
    return f"agentrelay/{graph}@{workstream}"


def task_branch(graph: str, task: str, attempt: int, run: str | None = None) -> str:
    """The branch of one attempt of a task; with ``run``, its name where an earlier run took the short one."""
    plain = f"agentrelay/{graph}/{task}"
    if run is not None:
        return f"{plain}@{run}.{attempt}"
    return f"{plain}@{attempt}" if attempt else plain


def attempt_of(branch: str) -> tuple[str, int] | None:
    """The task and the attempt that a branch is called after, `None` for any other branch."""
    match = _TASK_BRANCH.fullmatch(branch)
    return (match["task"], int(match["attempt"] or 0)) if match else None


def is_first(branch: str) -> bool:
    """Whether a task's branch is the one of its very first attempt, before which there was none."""
    return "@" not in branch


def head_ref(branch: str) -> str:
    """The full name of a branch."""
    return f"refs/heads/{branch}"


def base_ref(run: str, branch: str) -> str:
    """Where our repository keeps what a run cut a branch from; that it exists says that the branch is ours."""
    return f"{BASES}/{run}/{branch}"


def verified_ref(run: str, task: str, attempt: int) -> str:
    """Where our repository keeps the head that was verified, to which the merge is pinned."""
    return f"refs/agentrelay/verified/{run}/{task}@{attempt}"


def rescue_ref(run: str, owner: str, attempt: int) -> str:
    """Where what would have been lost is kept; ``owner`` is a task or a workstream."""
    return f"{RESCUED}/{run}/{owner}/{attempt}"


def worktree_path(repository: Path, graph: str, workstream: str) -> Path:
    """Where a workstream's files are checked out."""
    return repository / ".agentrelay" / "worktrees" / graph / workstream


def pull_request_url(graph: str, number: int) -> str:
    """The URL of a local pull request."""
    return f"agentrelay+local:{graph}/{number}"


def pull_request_number(url: str, graph: str) -> int | None:
    """The number in a local pull request's URL, `None` if it is no URL of this graph."""
    prefix, _, number = url.rpartition("/")
    known = prefix == f"agentrelay+local:{graph}" and number.isascii() and number.isdigit()
    return int(number) if known else None
