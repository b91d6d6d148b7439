"""How the user's `gh` is logged in, and what that login may do as far as GitHub tells; a token is never shown."""

import os
from pathlib import Path
from typing import Final

import attrs

from agentrelay_git_gh.github.answers import Answer
from agentrelay_git_gh.github.environment import login_variable

_SCOPES: Final = "x-oauth-scopes"


@attrs.frozen(kw_only=True)
class Login:
    """A login.

    Args:
        user: Whose it is; empty for an app's token, which is nobody's.
        source: Where `gh` has it from, in words for people.
        scopes: What it may do; `None` for a token that has rights of a finer grain, which are not told.
    """

    user: str
    source: str
    scopes: tuple[str, ...] | None

    @property
    def may_change_workflows(self) -> bool:
        """Whether it may push changes of GitHub's workflows, as far as is told."""
        return self.scopes is None or "workflow" in self.scopes


def login_of(host: str, answer: Answer) -> Login:
    """The login for a host.

    Args:
        host: The host.
        answer: What GitHub answered when it was asked who we are.
    """
    return Login(user=str(answer.fields().get("login") or ""), source=_source(host), scopes=scopes_of(answer))


def scopes_of(answer: Answer) -> tuple[str, ...] | None:
    """The scopes of the token with which something was asked; `None` where they are not told."""
    told = answer.headers.get(_SCOPES)
    return None if told is None else tuple(scope.strip() for scope in told.split(",") if scope.strip())


def may_write(scopes: tuple[str, ...] | None, *, private: bool) -> bool:
    """Whether scopes are enough to push, open and merge; so they are taken to be where they are not told."""
    return scopes is None or "repo" in scopes or (not private and "public_repo" in scopes)


def _source(host: str) -> str:
    variable = login_variable(host)
    if variable is not None:
        return f"the variable {variable}"
    path = _configuration() / "hosts.yml"
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    # gh writes a host's entry on lines that are indented below it; a token is there only if no keyring took it.
    entry = f"\n{text}".partition(f"\n{host}:\n")[2]
    lines = []
    for line in entry.splitlines():
        if line and not line.startswith((" ", "\t")):
            break
        lines.append(line.strip())
    return f"the file {path}" if any(line.startswith("oauth_token:") for line in lines) else "gh's keyring"


def _configuration() -> Path:
    given, base = os.environ.get("GH_CONFIG_DIR"), os.environ.get("XDG_CONFIG_HOME")
    if given:
        return Path(given)
    return (Path(base) if base else Path.home() / ".config") / "gh"
