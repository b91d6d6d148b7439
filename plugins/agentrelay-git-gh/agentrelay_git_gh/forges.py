"""Which forge a run's pull requests live on, and how one is called from a thread."""

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar

from agentrelay_core.hooks import Forge, RunInfo
from agentrelay_core.runtime import UserError
from agentrelay_git_gh.places import Places

if TYPE_CHECKING:
    from agentrelay_git_gh.local_forge import LocalForge

T = TypeVar("T")


def local_forge(run: RunInfo) -> "LocalForge":
    """The forge without a server."""
    from agentrelay_git_gh.local_forge import LocalForge  # the first pull request comes after the first launch

    if run.repository is None:
        raise UserError("the local forge needs a repository; give the run one")
    places = Places(run.repository, run.graph_name, state_dir=run.state_dir, helper_fds=run.helper_fds)
    return LocalForge(places.repository(run.graph_name), run.graph_name)


def forge_of(run: RunInfo) -> Forge:
    """The forge that the run's settings name.

    Raises:
        UserError: There is none of that name.
    """
    name = run.settings.forge
    if name in ("auto", "local"):
        return local_forge(run)
    for provider in run.forges:
        if provider.name == name:
            return provider.factory(run)
    known = ", ".join(sorted({"auto", "local", *(provider.name for provider in run.forges)}))
    raise UserError(f"forge: {name} is not available in this version; what there is: {known}")


def settle(result: T | Awaitable[T]) -> T:
    """What a forge's method returned, which may be awaitable; we are in a thread, which has no event loop."""
    return asyncio.run(_awaited(result)) if isinstance(result, Awaitable) else result


async def _awaited(result: Awaitable[T]) -> T:
    return await result
