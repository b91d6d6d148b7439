"""Who asks: the account behind a request, and what it may see and do."""

from __future__ import annotations

import datetime

import attrs

from pytest_agentrelay.github.state.accounts import Account, Right, at_least
from pytest_agentrelay.github.state.hub import Hub
from pytest_agentrelay.github.state.noticing import notice
from pytest_agentrelay.github.state.refusals import Refused, not_found
from pytest_agentrelay.github.state.repository import RepositoryState
from pytest_agentrelay.github.state.waiting import settle


@attrs.frozen(kw_only=True)
class Asking:
    """A request's view of everything.

    Args:
        hub: The memory.
        account: Who asks.
        request: The request's number; what counts looks counts it once.
    """

    hub: Hub
    account: Account
    request: int
    _noticed: set[str] = attrs.field(factory=set, alias="noticed")

    @property
    def login(self) -> str:
        """The user who asks."""
        return self.account.login

    def right(self, repository: RepositoryState) -> Right:
        """What the user may do in a repository."""
        return self.hub.accounts.right(self.login, repository.slug, private=repository.settings.private)

    def see(self, slug: str) -> RepositoryState:
        """A repository that may be seen, with everything noticed that happened to it.

        Raises:
            Refused: It is not there, or not for this user or token.
        """
        repository = self.hub.repository(slug)
        hidden = not at_least(self.right(repository), "read")
        wanted = "repo" if repository.settings.private else "public_repo"
        if hidden or (repository.settings.private and not self.account.has_scope(wanted)):
            raise not_found(f"Could not resolve to a Repository with the name '{slug}'.")
        self.hub.accounts.check_single_sign_on(self.account, repository.owner, self.hub.host)
        if repository.slug not in self._noticed:
            self._noticed.add(repository.slug)
            notice(self.hub, repository)
            settle(self.hub, repository)
        return repository

    def demand(self, repository: RepositoryState, right: Right, deed: str) -> None:
        """See that the user may do something.

        Raises:
            Refused: The user or the token may not.
        """
        if not self.account.has_scope("public_repo") or not at_least(self.right(repository), right):
            message = f"{self.login} does not have the correct permissions to execute `{deed}`"
            plain = "Resource not accessible by personal access token"
            raise Refused(message, status=403, kind="FORBIDDEN", plain=plain)
        if repository.settings.archived:
            raise Refused("Repository was archived so is read-only.", status=403, kind="FORBIDDEN")


def stamp(at: float | None) -> str | None:
    """A moment as GitHub writes it."""
    if at is None:
        return None
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
