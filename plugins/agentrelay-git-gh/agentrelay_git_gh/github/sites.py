"""Which repository on which GitHub host a remote's URL names, and whether this user's `gh` can work with it.

A URL is read in the ways git takes one: https, ssh and the short ``user@host:path``, with a port and a user or without.
"""

import os
import re
import urllib.parse
from typing import Final

import attrs

from agentrelay_core.processes import ProcessError, run_captured
from agentrelay_git_gh.github.environment import LOGIN_VARIABLES, gh_environment

_SCHEMES: Final = ("https", "http", "ssh", "git", "git+ssh", "git+https")
_SHORT: Final = re.compile(r"(?:[^@/:]+@)?(?P<host>[A-Za-z0-9._-]+):(?P<path>[^:]*)")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
# Other names of one host: what GitHub answers ssh on where port 22 is closed, and what browsers show.
_ALIASES: Final = {"ssh.github.com": "github.com", "www.github.com": "github.com"}
_DEADLINE: Final = 30.0  # seconds for gh to look up a login, which asks no server


@attrs.frozen(kw_only=True)
class Site:
    """A repository on a GitHub host.

    Args:
        host: The host, in small letters, for example ``github.com``.
        owner: The user or organization that owns the repository.
        name: The repository's name.
    """

    host: str
    owner: str
    name: str

    @property
    def full_name(self) -> str:
        """Owner and name, as GitHub writes them."""
        return f"{self.owner}/{self.name}"

    @property
    def path(self) -> str:
        """Where the API has the repository."""
        return f"repos/{self.full_name}"

    @property
    def is_on_github(self) -> bool:
        """Whether the host is known to be a GitHub host, whoever is logged in there: GitHub's own, or ``GH_HOST``."""
        return _is_github(self.host, os.environ.get("GH_HOST"))

    def __str__(self) -> str:
        return f"{self.host}/{self.full_name}"

    def is_same(self, other: "Site") -> bool:
        """Whether both are one repository; GitHub does not tell letters' cases apart."""
        return str(self).lower() == str(other).lower()

    def has(self, full_name: str) -> bool:
        """Whether a repository of this host, by owner and name, is this one."""
        return full_name.lower() == self.full_name.lower()


def parse(remote_url: str) -> Site | None:
    """The repository that a remote's URL names; `None` for a path, or for what no GitHub host could have."""
    if "://" not in remote_url:
        match = _SHORT.fullmatch(remote_url)
        return _site(match["host"], match["path"]) if match else None
    try:
        parts = urllib.parse.urlsplit(remote_url)
        host = parts.hostname or ""
    except ValueError:  # brackets that do not match
        return None
    return _site(host, parts.path) if parts.scheme.lower() in _SCHEMES else None


def pull_request_of(url: str) -> tuple[Site, int] | None:
    """The repository and the number in a pull request's URL; `None` if it is none."""
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    match = re.fullmatch(r"/(?P<repository>[^/]+/[^/]+)/pull/(?P<number>[1-9][0-9]{0,17})(?:/.*)?", parts.path)
    site = _site(host, match["repository"]) if match and parts.scheme in ("https", "http") else None
    return (site, int(match["number"])) if match and site else None


def recognises(remote_url: str) -> bool:
    """Whether a remote is on a GitHub host for which `gh` is installed and has a login."""
    site = parse(remote_url)
    return site is not None and has_login(site.host)


def has_login(host: str) -> bool:
    """Whether `gh` is installed and has a login for a host, in its own keeping or from a variable; asks no server."""
    environment = gh_environment()
    if not _is_github(host, environment.get("GH_HOST")):
        # gh would hand GH_ENTERPRISE_TOKEN to any host at all; that it knows this one takes a login of its own.
        for name in LOGIN_VARIABLES:
            environment.pop(name, None)
    try:
        answer = run_captured(("gh", "auth", "token", "--hostname", host), cwd="/", env=environment, deadline=_DEADLINE)
    except ProcessError:
        return False
    return answer.returncode == 0


def _is_github(host: str, default_host: str | None) -> bool:
    return host == "github.com" or host.endswith(".ghe.com") or host == (default_host or "").lower()


def _site(host: str, path: str) -> Site | None:
    host = host.lower()
    host = _ALIASES.get(host, host)
    owner, _, name = path.strip("/").removesuffix(".git").partition("/")
    if not _HOST.fullmatch(host) or not all(_NAME.fullmatch(word) and word.strip(".") for word in (owner, name)):
        return None
    return Site(host=host, owner=owner, name=name)
