"""What of the user's environment `gh` is given.

That is what it needs for a login and a connection, and nothing that changes what it prints.
"""

import os
import re
from collections.abc import Mapping
from typing import Final

from agentrelay_core.runtime.secrets import secrets_among, starred

# The variables that gh takes a login from, before its own keeping.
LOGIN_VARIABLES: Final = ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")

_KEPT: Final = {
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LANG", "LANGUAGE", "GITHUB_TOKEN", "GITHUB_ENTERPRISE_TOKEN",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "DBUS_SESSION_BUS_ADDRESS",  # the last leads to the desktop's keyring
}  # fmt: skip
_KEPT_PREFIXES: Final = ("XDG_", "LC_", "GH_")
_KEPT_PROXIES: Final = {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"}  # in small letters too
# They make gh print more, in colour, or for a terminal; or speak of another repository than the one that we name.
_LEFT_OUT: Final = {"GH_DEBUG", "GH_FORCE_TTY", "GH_PAGER", "GH_REPO", "GH_BROWSER", "GH_EDITOR", "GH_MDWIDTH"}
_SET: Final = {
    "GH_PROMPT_DISABLED": "1",
    "GH_NO_UPDATE_NOTIFIER": "1",
    "GH_NO_EXTENSION_UPDATE_NOTIFIER": "1",
    "GH_SPINNER_DISABLED": "1",
    "GH_TELEMETRY": "false",
    "GH_PAGER": "cat",
    "NO_COLOR": "1",
    "GIT_TERMINAL_PROMPT": "0",
}
_TOKEN: Final = re.compile(r"\b(gh[a-z]_[A-Za-z0-9_]{16,}|github_pat_[A-Za-z0-9_]{16,}|[0-9a-f]{40}(?=@))")


def gh_environment(user: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment that `gh` runs in.

    Args:
        user: The user's own environment; default `os.environ`.
    """
    user = os.environ if user is None else user
    return {name: value for name, value in user.items() if _is_kept(name)} | _SET


def without_tokens(text: str) -> str:
    """A text from `gh` or GitHub with stars for every token that it might hold."""
    variables = ((name, os.environ[name]) for name in LOGIN_VARIABLES if name in os.environ)
    return _TOKEN.sub("***", starred(text, secrets_among(variables)))


def login_variable(host: str) -> str | None:
    """The variable from which `gh` takes its login for a host; `None` where it uses its own keeping."""
    is_public = host == "github.com" or host.endswith((".ghe.com", ".localhost"))
    names = LOGIN_VARIABLES[:2] if is_public else LOGIN_VARIABLES[2:]
    return next((name for name in names if os.environ.get(name)), None)


def _is_kept(name: str) -> bool:
    if name in _LEFT_OUT:
        return False
    return name in _KEPT or name.upper() in _KEPT_PROXIES or name.startswith(_KEPT_PREFIXES)
