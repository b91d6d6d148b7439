"""What a graph's runs left in a repository: worktrees, branches, half-made directories; found, and left as it is.

What is not known to be ours is listed as well, with the reason why it stays: people should not have to guess.
"""

from collections.abc import Iterator
from pathlib import Path

import attrs

from agentrelay_core.runtime import IntegrationError
from agentrelay_core.task_runner.repairs import Leftover
from agentrelay_git_gh.git.repository import Ref, Repository
from agentrelay_git_gh.git.transfer import take_over
from agentrelay_git_gh.names import BASES, PULL_REQUESTS, attempt_of, head_ref, integration_branch, worktree_path
from agentrelay_git_gh.worktrees.closing import ignored_files
from agentrelay_git_gh.worktrees.leftovers import leftovers
from agentrelay_git_gh.worktrees.recovery import position
from agentrelay_git_gh.worktrees.worktree import Worktree


def inventory(repository: Repository, graph: str) -> list[Leftover]:
    """All that there is of a graph.

    Args:
        repository: Both repositories.
        graph: The graph's name.
    """
    return [
        *(_worktree(repository, path) for path in worktrees_of(repository, graph)),
        *_branches(repository, graph),
        *(Leftover(kind="directory", name=str(path)) for path in half_made(repository, graph)),
    ]


def worktrees_of(repository: Repository, graph: str) -> list[Path]:
    """Where worktrees of a graph are, or should be by what the user's repository says."""
    above = worktree_path(repository.root, graph, "any").parent
    found = {path for path in above.glob("*") if path.is_dir() and not path.name.startswith(".")}
    for entry in (repository.common / "worktrees").glob("*/gitdir"):
        path = Path(entry.read_text(errors="surrogateescape").strip()).parent
        if path.parent == above:
            found.add(path)
    return sorted(found)


def half_made(repository: Repository, graph: str) -> list[Path]:
    """Directories that a process left that was killed while it worked in them; what they hold is safe elsewhere."""
    above = worktree_path(repository.root, graph, "any").parent
    return [
        *sorted(repository.state_dir.glob("transfer-*")),
        *sorted(repository.our_directory.glob(f"worktrees/{graph}/*/aside-*")),
        *sorted(above.glob(".removed-*")),
    ]


def branches_of(repository: Repository, graph: str) -> dict[str, Ref]:
    """The branches that are called as those of a graph are, by name."""
    refs = repository.user_refs(head_ref(f"agentrelay/{graph}/"), head_ref(f"agentrelay/{graph}@*"))
    return {name.removeprefix(head_ref("")): ref for name, ref in refs.items()}


def runs_of_branches(repository: Repository) -> dict[str, str]:
    """The branches that runs of ours have cut, each with the latest of these runs."""
    runs = {}
    for name in sorted(repository.our_refs(f"{BASES}/")):
        run, _, branch = name.removeprefix(f"{BASES}/").partition("/")
        runs[branch] = run
    return runs


def refs_that_hold(repository: Repository, commit: str, *, but: str) -> tuple[str, ...]:
    """The refs of the user's repository from which a commit can be reached.

    Args:
        repository: Both repositories.
        commit: Full hash.
        but: A branch that does not count.
    """
    named = repository.user.text("for-each-ref", f"--contains={commit}", "--format=%(refname)").splitlines()
    return tuple(name for name in named if name != head_ref(but) and not name.startswith(PULL_REQUESTS))


def _branches(repository: Repository, graph: str) -> Iterator[Leftover]:
    ours = runs_of_branches(repository)
    above = worktree_path(repository.root, graph, "any").parent
    for name, ref in branches_of(repository, graph).items():
        stays = ""
        if name not in ours:
            stays = "it is not ours"
        elif ref.checked_out is not None and ref.checked_out.parent != above:
            stays = f"it is checked out in {ref.checked_out}"
        task = attempt_of(name)
        prefix = integration_branch(graph, "")
        yield Leftover(
            kind="branch",
            name=name,
            workstream_id="" if task else name.removeprefix(prefix),
            task_id=task[0] if task else "",
            attempt_num=task[1] if task else 0,
            run_id=ours.get(name, ""),
            tip=ref.sha,
            safe_in=refs_that_hold(repository, ref.sha, but=name),
            stays=stays,
        )


def _worktree(repository: Repository, path: Path) -> Leftover:
    worktree = Worktree(repository=repository, path=path)
    found = Leftover(kind="worktree", name=str(path), workstream_id=path.name)
    if path.is_symlink():
        return attrs.evolve(found, stays="it is a link; look where it leads, and remove it by hand")
    admin = worktree.admin()
    if admin is None:
        return attrs.evolve(found, stays="git knows no such worktree; look into it and remove it by hand")
    if not path.is_dir():
        return found
    try:
        where = position(repository, worktree)
        if where is None:
            return attrs.evolve(found, stays="a branch without a commit is checked out in it")
        if not worktree.holds(where.commit):
            take_over(repository, where.commit)
        with worktree.index_at(where.commit) as git:
            left, ignored = leftovers(git), ignored_files(git, path)
    except IntegrationError as error:
        return attrs.evolve(found, stays=str(error))
    inner = next((name for name in left if name.endswith("/")), None)
    stays = f"{inner} in it is a git repository of its own; move that elsewhere" if inner else ""
    if (admin / "locked").exists():
        stays = "it is locked by `git worktree lock`"
    task = attempt_of(where.branch or "")
    return attrs.evolve(
        found,
        task_id=task[0] if task else "",
        attempt_num=task[1] if task else 0,
        checked_out=where.branch or "",
        files=len(left),
        ignored=tuple(ignored),
        stays=stays,
    )
