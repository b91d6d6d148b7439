"""The whole of the emulated GitHub's memory, and the one lock that guards it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pytest_agentrelay.github.state.accounts import Accounts
from pytest_agentrelay.github.state.bare import BareRepository
from pytest_agentrelay.github.state.events import Effect, EventLog
from pytest_agentrelay.github.state.quota import Quota
from pytest_agentrelay.github.state.records import PullRequest
from pytest_agentrelay.github.state.refusals import not_found
from pytest_agentrelay.github.state.repository import RepositoryState

HOST: Final = "github.localhost"


class Hub:
    """All repositories, accounts and budgets.

    Args:
        root: Where bare repositories go.
        clock: Seconds since the epoch.

    Attributes:
        lock: Held by whoever reads or changes anything here.
    """

    def __init__(self, root: Path, clock: Callable[[], float]) -> None:
        self.root = root
        self.clock = clock
        self.host = HOST
        self.lock = threading.RLock()
        self.accounts = Accounts()
        self.quota = Quota(clock)
        self.events = EventLog()
        self.repositories: dict[str, RepositoryState] = {}
        self._numbers = itertools.count(1)

    @property
    def web(self) -> str:
        """The base URL of what people see."""
        return f"http://{self.host}"

    @property
    def api(self) -> str:
        """The base URL of the REST API."""
        return f"http://api.{self.host}"

    def next_number(self) -> int:
        """A database id that nothing else has."""
        return next(self._numbers)

    def add_repository(
        self, owner: str, name: str, *, source: Path | None = None, parent: str | None = None, branch: str = "main"
    ) -> RepositoryState:
        """Make a repository, empty or with the branches of another one.

        Raises:
            ValueError: There is one of that name.
        """
        if f"{owner}/{name}" in self.repositories:
            raise ValueError(f"there is a repository {owner}/{name} already")
        bare = BareRepository.create(self.root / owner / f"{name}.git", source=source, branch=branch)
        repository = RepositoryState(owner=owner, name=name, number=self.next_number(), bare=bare, parent=parent)
        repository.seen = bare.branches()
        self.repositories[repository.slug] = repository
        return repository

    def repository(self, slug: str) -> RepositoryState:
        """A repository by ``owner/name``, whose letters may be large or small.

        Raises:
            Refused: There is none.
        """
        for known, repository in self.repositories.items():
            if known.lower() == slug.lower():
                return repository
        raise not_found(f"Could not resolve to a Repository with the name '{slug}'.")

    def by_node_id(self, node_id: str) -> tuple[RepositoryState, PullRequest | None]:
        """What a GraphQL id names: a repository, or a pull request in one.

        Raises:
            Refused: Nothing has it.
        """
        for repository in self.repositories.values():
            if repository.node_id == node_id:
                return repository, None
            for pull in repository.pulls.values():
                if pull.node_id == node_id:
                    return repository, pull
        raise not_found(f"Could not resolve to a node with the global id of '{node_id}'")

    def happen(
        self,
        kind: str,
        repository: RepositoryState,
        actor: str,
        *,
        number: int | None = None,
        branch: str | None = None,
        sha: str | None = None,
        method: str | None = None,
    ) -> None:
        """Write an effect down."""
        effect = Effect(
            kind=kind, repository=repository.slug, actor=actor, number=number, branch=branch, sha=sha, method=method
        )
        self.events.happen(effect)
