"""Which login or key Claude Code uses, where the graph's ``anthropic_credential`` says it: that one, and no other.

The value says where the secret is, and never is the secret. A key reaches Claude Code in a variable from which its own
``apiKeyHelper`` takes it, so nobody is asked whether that key may be used; it is in no argument and in no file of ours.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core import IntegrationBoundary, UserError
from agentrelay_core.spec import TaskGraph
from agentrelay_tmux_claude.claude.doctor import KEYS, kept_login

LOGIN: Final = "login"
"""The value that names the login which Claude Code keeps for the user."""

KEY_VARIABLE: Final = "CLAUDE_CODE_ANTHROPIC_KEY"
"""The variable by which an agent is given a key; its name is one of those whose values become stars in logs."""

HELPER: Final = f'printf %s "${KEY_VARIABLE}"'
"""The ``apiKeyHelper`` of an agent that is given a key."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# How a token begins that `claude setup-token` makes from a subscription.
_TOKEN: Final = "sk-ant-oat"
_LARGEST: Final = 16 * 1024  # bytes of a file with a key


class CredentialMissing(Exception):
    """What the graph names is not there, or cannot be used; the text says what to do."""


@attrs.frozen(kw_only=True)
class Credential:
    """What an agent is given to log in with.

    Args:
        variables: Variables that it is given; all others that Claude Code would log in with are empty.
        helper: The ``apiKeyHelper`` of its settings, `None` for none.
    """

    variables: Mapping[str, str] = attrs.field(repr=False)
    helper: str | None = None


def credential(named: str | None) -> Credential:
    """Find what the graph names.

    Args:
        named: The setting ``anthropic_credential``; `None` leaves it to the agents' ``pass_env``.

    Raises:
        UserError: It is not there, or cannot be used.
    """
    if named is None:
        return Credential(variables={})
    try:
        return _found(named)
    except (CredentialMissing, ValueError) as error:
        raise UserError(str(error), boundary=IntegrationBoundary.AGENT_LAUNCH) from error


def obstacles(graph: TaskGraph) -> Iterator[str]:
    """See that what the graph names is there; nothing of it is shown.

    Args:
        graph: A graph with agents of Claude Code.

    Raises:
        ValueError: ``anthropic_credential`` is no name of anything.
    """
    named = graph.settings.anthropic_credential
    if named is None:
        return
    try:
        if named != LOGIN:
            _found(named)
            return
        homes = {task.primary_agent.env for task in graph.tasks if task.primary_agent.framework == "claude_code"}
        if any(kept_login({**os.environ, **{name: str(value) for name, value in home}}) is None for home in homes):
            yield (
                "anthropic_credential is 'login', but Claude Code keeps no login for you; run `claude` and log in, or "
                "name a variable or a file with a key"
            )
    except CredentialMissing as error:
        yield str(error)


def _found(named: str) -> Credential:
    none = dict.fromkeys((*KEYS, KEY_VARIABLE), "")
    if named == LOGIN:
        return Credential(variables=none)
    if "/" in named:
        secret, name = _from_file(Path(named).expanduser()), ""
    elif _NAME.fullmatch(named):
        secret, name = _from_variable(named), named
    else:
        raise ValueError(
            "anthropic_credential: due is `login`, the name of a variable of yours, or the absolute path of a file "
            "with a key; a key itself does not belong into a graph"
        )
    if name == "ANTHROPIC_AUTH_TOKEN":
        return Credential(variables={**none, name: secret})
    if name == "CLAUDE_CODE_OAUTH_TOKEN" or secret.startswith(_TOKEN):
        return Credential(variables={**none, "CLAUDE_CODE_OAUTH_TOKEN": secret})
    return Credential(variables={**none, KEY_VARIABLE: secret}, helper=HELPER)


def _from_variable(name: str) -> str:
    secret = os.environ.get(name, "").strip()
    if not secret:
        raise CredentialMissing(
            f"anthropic_credential names the variable {name}, which is not set here; set it to a key of Anthropic's, "
            "or say `anthropic_credential: login`"
        )
    return secret


def _from_file(path: Path) -> str:
    told = f"anthropic_credential names {path}"
    if not path.is_absolute():
        raise ValueError(f"{told}; due is an absolute path, or one from ~/ on")
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()[:_LARGEST].decode().strip() if stat.S_ISREG(mode) else ""
    except UnicodeDecodeError:
        content = ""
    except OSError as error:
        raise CredentialMissing(f"{told}, which cannot be read: {error.strerror}; write a key into it") from error
    if mode & 0o077:
        raise CredentialMissing(f"{told}, which others may read; `chmod 600 {path}`")
    if len(content.split()) != 1:
        raise CredentialMissing(f"{told}, which holds no key; write the key alone into it")
    return content
