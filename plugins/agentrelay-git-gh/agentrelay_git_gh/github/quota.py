"""What is left of the hour's calls, which the user's other programs spend too."""

import time
from collections.abc import Iterator
from typing import Final

from agentrelay_core.hooks.doctor import Finding
from agentrelay_git_gh.github.command import GitHubApi
from agentrelay_git_gh.github.telling import note, warning

_RESERVE: Final = 0.2  # what a run's looks leave to people and agents
_NAMES: Final = {"core": "REST", "graphql": "GraphQL"}


def quota_findings(api: GitHubApi) -> Iterator[Finding]:
    """Ask what is left, which costs nothing.

    Args:
        api: How GitHub is asked.
    """
    answer = api.read("rate_limit", accept=(403, 404))
    if answer.status != 200:  # a company's server that limits nobody
        yield note(f"{api.site.host} limits no calls")
        return
    budgets = answer.fields().get("resources") or {}
    told, short = [], []
    for name, shown in _NAMES.items():
        budget = budgets.get(name)
        if not budget:
            continue
        told.append(f"{budget['remaining']} of {budget['limit']} {shown} calls")
        if budget["remaining"] <= budget["limit"] * _RESERVE:
            at = time.strftime("%H:%M UTC", time.gmtime(budget["reset"]))
            short.append(f"{shown} until {at}")
    yield note(f"left of this hour: {' and '.join(told)}")
    if short:
        yield warning(
            f"the hour's calls are nearly used up ({', '.join(short)}), and a run waits then, while agents go on; "
            "wait, or stop what else uses this login"
        )
