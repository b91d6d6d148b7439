"""Where a run's own files live: outside of every tree that ``git clean`` or an agent can reach.

A repository is known by its common git directory, so that all its worktrees share one state. That directory is found
by reading ``.git`` and ``commondir`` alone: asking git would let the repository's configuration have a say.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from agentrelay_core.runtime import UserError
from agentrelay_core.spec.names import id_problem
from agentrelay_core.user_places import user_state

STATE_DIRECTORY_VARIABLE = "AGENTRELAY_STATE_DIR"

_LONGEST_POINTER = 4096


def state_directory(
    repository: Path | None,
    graph_name: str,
    *,
    override: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """Find the directory of a graph's journal, lock and bare repository. Nothing is made; see `ensure`.

    Args:
        repository: A path in the user's repository, or `None` for a run without one.
        graph_name: Name of the graph.
        override: The run's ``state_dir`` setting; comes before the variable.
        environ: Where ``AGENTRELAY_STATE_DIR`` is looked up.

    Returns:
        ``<base>/<12 hex of the common git directory>/<graph>``, without a repository ``<base>/<graph>``; an absolute
        path.

    Raises:
        UserError: The path is in no repository, the graph's name cannot be a directory, or there is neither a
            repository nor a place given.
    """
    problem = id_problem(graph_name)
    if problem is not None:
        raise UserError(f"the graph's name {graph_name!r} {problem}; give it another `name`")
    given = override or environ.get(STATE_DIRECTORY_VARIABLE)
    if repository is None:
        if not given:
            raise UserError(
                f"without a repository there is no place for the run's state; "
                f"set `state_dir` in the settings, or {STATE_DIRECTORY_VARIABLE}"
            )
        return Path(given).expanduser().absolute() / graph_name
    base = Path(given).expanduser().absolute() if given else user_state(environ)
    import hashlib  # dear, and needed by those alone who look for a run's own files

    key = hashlib.sha256(os.fsencode(common_git_directory(repository))).hexdigest()[:12]
    return base / key / graph_name


def ensure(directory: Path) -> Path:
    """Make a state directory, and what is missing above it, with mode 0700; gives the same path back."""
    from agentrelay_core.journal import private_directory  # most commands make nothing

    return private_directory(directory)


def journal_path(state_dir: Path) -> Path:
    """The journal in a state directory."""
    return state_dir / "journal.sqlite"


def new_run_id(now: float | None = None, token: str | None = None) -> str:
    """Make the id of a run: ``<UTC yyyymmddThhmmssZ>-<4 hex>``.

    Args:
        now: Seconds since the epoch; default the clock's.
        token: The four digits; default random.
    """
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}-{token or os.urandom(2).hex()}"


def common_git_directory(path: Path) -> Path:
    """Find the git directory that all worktrees of a repository share.

    Args:
        path: Anywhere in a worktree, or in a bare repository.

    Returns:
        The directory, links resolved.

    Raises:
        UserError: The path is in no repository, or the worktree's pointer to it is broken.
    """
    place = path.resolve()
    for directory in (place, *place.parents):
        dot_git = directory / ".git"
        if dot_git.is_file():
            return _common(_pointed_to(dot_git), dot_git)
        if _is_git_directory(dot_git):
            return _common(dot_git, dot_git)
        if _is_git_directory(directory):
            return _common(directory, directory)
    raise UserError(f"not a git repository: {path}, nor any directory above it; run `git init` there first")


def repository_root(path: Path) -> Path:
    """Find the main worktree of the repository that a path is in; where there is none, the nearest worktree.

    Args:
        path: Anywhere in a worktree, or in a bare repository.

    Raises:
        UserError: The path is in no repository.
    """
    common = common_git_directory(path)
    if common.name == ".git":
        return common.parent
    place = path.resolve()
    return next((directory for directory in (place, *place.parents) if (directory / ".git").exists()), common)


def _is_git_directory(directory: Path) -> bool:
    return (directory / "HEAD").is_file() and ((directory / "objects").is_dir() or (directory / "commondir").is_file())


def _pointed_to(dot_git: Path) -> Path:
    content = _first_line(dot_git)
    if not content.startswith("gitdir:"):
        raise UserError(f"not a git repository: {dot_git} is a file without a `gitdir:` line; remove or mend it")
    return dot_git.parent / content.removeprefix("gitdir:").strip()


def _common(git_directory: Path, named_by: Path) -> Path:
    pointer = git_directory / "commondir"
    common = git_directory / _first_line(pointer) if pointer.is_file() else git_directory
    if not _is_git_directory(common):
        raise UserError(
            f"not a git repository: {named_by} leads to {common}, which is none; "
            f"if the repository was moved, run `git worktree repair` in it"
        )
    return common.resolve()


def _first_line(path: Path) -> str:
    with path.open("rb") as file:
        return os.fsdecode(file.read(_LONGEST_POINTER).split(b"\n", 1)[0]).strip()
