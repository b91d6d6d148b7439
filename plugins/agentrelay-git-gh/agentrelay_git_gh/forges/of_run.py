"""The forge of a run: one object for all who need it in a process, and how one is called from a thread.

The workspace and each task's merger share it, because there is one login to a server, one limit and one poller.
"""

import asyncio
import functools
from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakValueDictionary

from agentrelay_core.hooks import Forge, ForgeProvider, RunInfo
from agentrelay_core.runtime import UserError
from agentrelay_git_gh.forges.choosing import LOCAL, Choice, chosen
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.locks import lock_of
from agentrelay_git_gh.places import Places

if TYPE_CHECKING:
    from agentrelay_git_gh.forges.local_forge import LocalForge
    from agentrelay_git_gh.github.forge import GitHubForge

T = TypeVar("T")

_shared: WeakValueDictionary[tuple[str, ...], Forge] = WeakValueDictionary()


def local_forge(run: RunInfo) -> "LocalForge":
    """The forge without a server."""
    from agentrelay_git_gh.forges.local_forge import LocalForge  # the first pull request comes after the first launch

    return LocalForge(_repository(run), run.graph_name)


def github_forge(run: RunInfo) -> "GitHubForge":
    """The run's repository on GitHub.

    Raises:
        UserError: The repository has no remote there, or there is no login.
    """
    from agentrelay_git_gh.github.forge import GitHubForge

    return GitHubForge(run, _repository(run), choice_of(run))


def choice_of(run: RunInfo) -> Choice:
    """Which forge the run uses, and where; chosen and noted the first time.

    Raises:
        UserError: The forge that the settings name is not there, or cannot work with this repository.
    """
    asked = run.settings.forge
    return LOCAL if asked == "local" else _chosen(_repository(run), asked, run.forges, run.run_id)


def forge_of(run: RunInfo) -> Forge:
    """The run's forge, the same object for as long as somebody holds it.

    Raises:
        UserError: The forge that the settings name is not there, or cannot work with this repository.
    """
    choice = choice_of(run)
    if choice.forge == "local":
        return local_forge(run)
    key = (run.run_id, run.graph_name, str(run.repository), str(run.state_dir), choice.forge, choice.url or "")
    with lock_of("forge", *key):
        found = _shared.get(key)
        if found is None:
            found = _shared[key] = _provider(run, choice.forge).factory(run)
        return found


def settle(result: T | Awaitable[T]) -> T:
    """What a forge's method returned, which may be awaitable; we are in a thread, which has no event loop."""
    return asyncio.run(_awaited(result)) if isinstance(result, Awaitable) else result


async def _awaited(result: Awaitable[T]) -> T:
    return await result


@functools.lru_cache(maxsize=64)  # a step is made for each task, and what is noted stays
def _chosen(repository: Repository, asked: str, forges: tuple[ForgeProvider, ...], run_id: str) -> Choice:
    return chosen(repository, asked, forges)


def _provider(run: RunInfo, name: str) -> ForgeProvider:
    for provider in run.forges:
        if provider.name == name:
            return provider
    raise UserError(f"this graph's pull requests live on the forge {name}, which is not installed any more; install it")


def _repository(run: RunInfo) -> Repository:
    if run.repository is None:
        raise UserError("a forge needs a repository; give the run one")
    places = Places(run.repository, run.graph_name, state_dir=run.state_dir, helper_fds=run.helper_fds)
    return places.repository(run.graph_name)
