"""git that talks to a remote, with the user's own login and never by what a repository says.

The user's and the system's configuration take part here, and so do the user's credentials: this git acts on the user's
behalf. The configuration of the user's repository does not, for agents can write to it; the remote's address is named
outright, and only ordinary ways lead there.
"""

import os
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import attrs

from agentrelay_git_gh.git.trusted import Git

# Of git's own variables these say how to reach a server; the others name repositories, and stay out.
_KEPT: Final = frozenset(
    {
        "GIT_ASKPASS",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_PROXY_COMMAND",
        "GIT_PROXY_SSL_CAINFO",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH",
        "GIT_SSL_CERT",
        "GIT_SSL_KEY",
    }
)
# One setting each, of those that `GIT_CONFIG_COUNT` counts.
_KEPT_PREFIXES: Final = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")
_SETTINGS: Final = {
    # What would open a window, and wait there.
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",
    "GIT_TERMINAL_PROMPT": "0",
    # No `ext::`, which is a command line.
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_DEFAULT_REF_FORMAT": "files",
    "LC_ALL": "C",
    "LANGUAGE": "C",
}


@attrs.frozen
class Login:
    """How git gets the credentials of a server, besides the helpers that the user has configured.

    Args:
        server: The server's address, for example ``https://github.com``.
        helper: What git's ``credential.helper`` is set to for it.
    """

    server: str
    helper: str


@attrs.frozen(kw_only=True)
class OutwardGit(Git):
    """git on our repository that may talk to a server.

    Args:
        login: How it gets the server's credentials; `None` leaves that to what the user has configured.
    """

    login: Login | None = None

    def _environment(self) -> dict[str, str]:
        environment = {
            name: value
            for name, value in os.environ.items()
            if name in _KEPT or name.startswith(_KEPT_PREFIXES) or not name.startswith(("GIT_", "SSH_ASKPASS"))
        }
        environment |= _SETTINGS
        if self.git_dir is not None:
            environment["GIT_DIR"] = str(self.git_dir)
        if self.login is not None:
            given = environment.get("GIT_CONFIG_COUNT", "")
            number = int(given) if given.isascii() and given.isdigit() else 0
            environment["GIT_CONFIG_COUNT"] = str(number + 1)
            environment[f"GIT_CONFIG_KEY_{number}"] = f"credential.{self.login.server}.helper"
            environment[f"GIT_CONFIG_VALUE_{number}"] = self.login.helper
        return environment


def without_credentials(url: str) -> str:
    """An address as it may be shown, kept and given to a program: without a name and a password for HTTP."""
    if not url.lower().startswith(("http://", "https://")):
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
