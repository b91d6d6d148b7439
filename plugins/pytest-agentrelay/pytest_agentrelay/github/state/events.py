"""What tests count by: the requests that came, and the effects that they, or other people, had."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import attrs


@attrs.frozen(kw_only=True)
class Request:
    """A request that was answered, or given up.

    Args:
        what: ``PUT /repos/o/r/pulls/1/merge``, ``graphql mutation PullRequestMerge mergePullRequest`` or
            ``git GET /o/r.git/info/refs?service=git-receive-pack``.
        status: The HTTP status of the answer; 0 if there was none.
        who: The login, "" without one.
        cost: What it took from the quota.
        resource: The quota that it took it from; "" for git.
        at: When it came, in seconds since the epoch by the emulator's clock.
        faults: How many scripted faults met it.
    """

    what: str
    status: int
    who: str
    cost: int
    resource: str
    at: float
    faults: int = 0


@attrs.frozen(kw_only=True)
class Effect:
    """Something that happened on the server.

    Args:
        kind: ``opened``, ``edited``, ``merged``, ``closed``, ``reopened``, ``ready``, ``draft``, ``enqueued``,
            ``dequeued``, ``auto_merge``, ``commented``, ``reviewed``, ``pushed`` or ``deleted``.
        repository: ``owner/name``.
        actor: Who did it.
        number: The pull request, if it is about one.
        branch: The branch, if it is about one.
        sha: The commit that came of it.
        method: How it was merged.
    """

    kind: str
    repository: str
    actor: str
    number: int | None = None
    branch: str | None = None
    sha: str | None = None
    method: str | None = None


class EventLog:
    """Both, in order."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._arrived: list[str] = []
        self.requests: list[Request] = []
        self.effects: list[Effect] = []

    def arrive(self, what: str) -> None:
        """A request has come."""
        with self._changed:
            self._arrived.append(what)
            self._changed.notify_all()

    def answer(self, request: Request) -> None:
        """A request was answered."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def happen(self, effect: Effect) -> None:
        """Something happened."""
        with self._changed:
            self.effects.append(effect)
            self._changed.notify_all()

    def wait_until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is true of the log, at most so many seconds; whether it is."""
        with self._changed:
            return self._changed.wait_for(true, seconds)

    def arrived(self, match: str) -> int:
        """How many requests have come that a regular expression finds."""
        return sum(1 for what in self._arrived if re.search(match, what))
