"""The emulated GitHub as a test holds it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final

from pytest_agentrelay.github.clock import MovableClock
from pytest_agentrelay.github.environment import Login, environment
from pytest_agentrelay.github.faults import Fault, Script, Scripts
from pytest_agentrelay.github.hosted import HostedRepository
from pytest_agentrelay.github.serving.server import Server
from pytest_agentrelay.github.serving.service import Service
from pytest_agentrelay.github.state.accounts import SCOPES, Account, Accounts, Right
from pytest_agentrelay.github.state.events import Effect, Request
from pytest_agentrelay.github.state.hub import Hub
from pytest_agentrelay.github.state.noticing import notice
from pytest_agentrelay.github.state.quota import Quota

USER: Final = "octocat"


class EmulatedGitHub:
    """GitHub on loopback, served from a thread until it is closed.

    Args:
        root: A directory of its own; bare repositories are below ``repositories``.
        clock: Seconds since the epoch; what is measured in hours goes by it.

    Attributes:
        user: The user whose token is `token`.
        token: The token.
        clock: The clock, which can be moved on.
    """

    def __init__(self, root: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.user = USER
        self.clock = MovableClock(clock)
        self._root = root
        self._hub = Hub(root / "repositories", self.clock)
        self._scripts = Scripts()
        self.token = self.add_user(USER)
        self._server = Server(Service(self._hub, self._scripts))

    def __enter__(self) -> EmulatedGitHub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    # Where it is.

    @property
    def host(self) -> str:
        """The host that gh and git are led to believe in."""
        return self._hub.host

    @property
    def url(self) -> str:
        """Where it serves, for clients that ask directly: ``/repos/…``, ``/graphql``, ``/owner/name.git``."""
        return f"http://127.0.0.1:{self._server.port}"

    def remote_url(self, owner: str, name: str) -> str:
        """What a git remote of a repository is called."""
        return f"{self._hub.web}/{owner}/{name}.git"

    def environment(self, login: Login = "token", *, user: str | None = None) -> dict[str, str]:
        """The variables that a subprocess needs, beside its own, so that gh and git find the emulator.

        Args:
            login: ``token`` for a token in the environment, ``file`` for gh's own ``hosts.yml`` as ``gh auth login``
                leaves it, ``none`` for a user who is not logged in.
            user: The user, if not `user`; it must have been added.
        """
        name = user or self.user
        return environment(
            host=self.host,
            port=self._server.port,
            place=self._root / "logins" / f"{name}-{login}",
            user=name,
            token=self.token if name == self.user else token_of(name),
            login=login,
        )

    # What is on it.

    def add_repository(
        self, owner: str, name: str, *, from_: Path | None = None, right: Right = "write", branch: str = "main"
    ) -> Path:
        """Add a repository.

        Args:
            owner: Its owner.
            name: Its name.
            from_: A repository whose branches and tags it gets.
            right: The right that `user` has in it.
            branch: The default branch, where `from_` does not say.

        Returns:
            The bare repository.

        Raises:
            ValueError: There is one of that name.
        """
        with self._hub.lock:
            made = self._hub.add_repository(owner, name, source=from_, branch=branch)
            self._hub.accounts.allow(self.user, made.slug, right)
            return made.bare.path

    def add_fork(self, slug: str, owner: str) -> HostedRepository:
        """Add a fork of a repository, under the same name."""
        with self._hub.lock:
            parent = self._hub.repository(slug)
            made = self._hub.add_repository(owner, parent.name, source=parent.bare.path, parent=parent.slug)
            self._hub.accounts.allow(self.user, made.slug, "read")
            return HostedRepository(self._hub, made)

    def repository(self, slug: str) -> HostedRepository:
        """A repository by ``owner/name``, to do in it what other people do."""
        return HostedRepository(self._hub, self._hub.repository(slug))

    def add_user(self, login: str, *, scopes: tuple[str, ...] = SCOPES) -> str:
        """Add a user; its token. It may do nothing in a private repository until it is allowed to."""
        account = Account(login=login, token=token_of(login), scopes=scopes)
        with self._hub.lock:
            self._hub.accounts.add(account)
        return account.token

    @property
    def accounts(self) -> Accounts:
        """Tokens and rights: revoke one, change its scopes, demand single sign-on."""
        return self._hub.accounts

    @property
    def quota(self) -> Quota:
        """The budgets of both APIs."""
        return self._hub.quota

    # What goes wrong.

    def script(self, fault: Fault) -> Script:
        """Put a fault into effect."""
        return self._scripts.add(fault)

    def clear_faults(self) -> None:
        """From now on everything goes well."""
        self._scripts.clear()

    # What happened.

    @property
    def requests(self) -> list[Request]:
        """The requests that were answered, in order."""
        return list(self._hub.events.requests)

    @property
    def effects(self) -> list[Effect]:
        """What happened on the server, in order; pushes into a bare repository by its path are there as well."""
        with self._hub.lock:
            for repository in self._hub.repositories.values():
                notice(self._hub, repository)
            return list(self._hub.events.effects)

    def happened(self, kind: str, slug: str | None = None) -> list[Effect]:
        """The effects of a kind, in all repositories or in one."""
        return [one for one in self.effects if one.kind == kind and slug in (None, one.repository)]

    def wait_for_request(self, match: str, *, times: int = 1, seconds: float = 60.0) -> bool:
        """Wait until so many requests have come that a regular expression finds; whether they have, in that time."""
        return self._hub.events.wait_until(lambda: self._hub.events.arrived(match) >= times, seconds)

    def wait_for_effect(self, kind: str, *, times: int = 1, seconds: float = 60.0) -> bool:
        """Wait until so many effects of a kind have happened; whether they have, in that time."""
        effects = self._hub.events.effects
        return self._hub.events.wait_until(lambda: sum(one.kind == kind for one in effects) >= times, seconds)


def token_of(login: str) -> str:
    """The token of a user, in the form of GitHub's own."""
    return f"gho_{login.encode().hex():0<36}"
