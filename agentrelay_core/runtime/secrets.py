"""Values of secret variables do not leave in what we write: errors, events, concerns, logs, pull requests, tracebacks.

What an agent writes itself, its commits and the files of its attempt, stays as it wrote it.
"""

import os
import re
from collections.abc import Iterable, Mapping
from typing import Final

from agentrelay_core.runtime.state import TaskRuntime

_NAMES: Final = re.compile(r"TOKEN|KEY|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
# Shorter values are no secrets, and are parts of too many words.
_SHORTEST: Final = 6
_STARS: Final = "***"


def without_secrets(runtime: TaskRuntime, text: str, user: Mapping[str, str] | None = None) -> str:
    """Put stars for the secrets that a task's agent was given.

    Args:
        runtime: The task; secret is what its agent's ``env`` and ``pass_env``, and the variables that it was started
            with, call a token, key, password and the like.
        text: What is about to be written.
        user: The user's own environment; default `os.environ`.

    Returns:
        The text without any of those values; of a value of several lines, without any of its lines.
    """
    agent = runtime.task.primary_agent
    started_with = runtime.artifacts.agent_environment or {}
    if not agent.env and not agent.pass_env and not started_with:
        return text
    user = os.environ if user is None else user
    given = [(name, str(value)) for name, value in agent.env]
    given += [(name, user[name]) for name in agent.pass_env if name in user]
    return starred(text, secrets_among([*given, *started_with.items()]))


def secrets_among(variables: Iterable[tuple[str, str]]) -> list[str]:
    """What is secret of some variables, the longest first.

    Args:
        variables: Names and values.

    Returns:
        The lines of those values whose variables are called a token, key, password and the like.
    """
    lines = {line for name, value in variables if _NAMES.search(name) for line in value.splitlines()}
    return sorted((line for line in lines if len(line) >= _SHORTEST), key=len, reverse=True)


def starred(text: str, secrets: Iterable[str]) -> str:
    """A text with stars for secrets, of which the longest come first."""
    for secret in secrets:
        text = text.replace(secret, _STARS)
    return text
