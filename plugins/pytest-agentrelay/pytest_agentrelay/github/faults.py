"""What goes wrong, by script: late, lying, limited, or failing after the effect.

A fault meets the requests that its regular expression finds. Several may meet one request; each does its part.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from pytest_agentrelay.github.wire import Answer

ALWAYS: Final = 1_000_000
_TURN: Final = 0.05  # seconds between looks whether the emulator is being closed
Deed = Callable[[], object]


@attrs.frozen
class Hold:
    """A request that waits.

    Attributes:
        reached: Set when a request has come to it.
        release: The request goes on when a test sets it.
    """

    reached: threading.Event = attrs.field(factory=threading.Event)
    release: threading.Event = attrs.field(factory=threading.Event)

    def wait(self, closing: threading.Event) -> None:
        """Wait for the release, or for the end of the emulator."""
        self.reached.set()
        while not closing.is_set() and not self.release.wait(_TURN):
            pass


@attrs.frozen(kw_only=True)
class Fault:
    """What happens to some requests.

    Args:
        match: A regular expression, searched in what the log calls ``what``.
        times: How many requests it meets.
        skip: How many it lets pass first.
        effect: Whether the request has its effect.
        before: What somebody does just before the effect.
        after: What somebody does just after it.
        hold_before: Where the request waits before the effect.
        hold_after: Where it waits before it is answered.
        answer: The answer instead of the true one.
        rewrite: Makes another body of the true one.
        drop: Whether the connection ends instead of an answer.
    """

    match: str
    times: int = 1
    skip: int = 0
    effect: bool = True
    before: Deed | None = None
    after: Deed | None = None
    hold_before: Hold | None = None
    hold_after: Hold | None = None
    answer: Answer | None = None
    rewrite: Callable[[Any], Any] | None = None
    drop: bool = False


def answering(
    match: str,
    status: int,
    body: Any = None,
    *,
    headers: Mapping[str, str] | None = None,
    after_effect: bool = False,
    times: int = 1,
) -> Fault:
    """Another answer than the true one; without a body, GitHub's ``{"message": …}``."""
    told = {"message": "Server Error"} if body is None else body
    made = Answer(status=status, body=told, headers=dict(headers or {}))
    return Fault(match=match, answer=made, effect=after_effect, times=times)


def graphql_error(
    match: str, message: str, *, kind: str = "UNPROCESSABLE", after_effect: bool = False, times: int = 1
) -> Fault:
    """An error in a GraphQL answer, whose status is 200."""
    body = {"data": None, "errors": [{"type": kind, "path": [], "message": message}]}
    return answering(match, 200, body, after_effect=after_effect, times=times)


def dropping(match: str, *, after_effect: bool = False, times: int = 1) -> Fault:
    """The connection ends before the effect, or after it; no answer comes."""
    return Fault(match=match, drop=True, effect=after_effect, times=times)


def holding(match: str, hold: Hold, *, after_effect: bool = False, times: int = 1) -> Fault:
    """The request waits before the effect, or after it."""
    return Fault(
        match=match, hold_before=None if after_effect else hold, hold_after=hold if after_effect else None, times=times
    )


def meanwhile(match: str, deed: Deed, *, after_effect: bool = False, times: int = 1) -> Fault:
    """Somebody else does something at that very moment, before the effect or after it."""
    return Fault(match=match, before=None if after_effect else deed, after=deed if after_effect else None, times=times)


def claiming(match: str, *, times: int = ALWAYS, **fields: Any) -> Fault:
    """The answer tells other values than the true ones, wherever fields of these names are in it."""

    def rewrite(body: Any) -> Any:
        if isinstance(body, list):
            return [rewrite(one) for one in body]
        if isinstance(body, dict):
            return {key: fields[key] if key in fields else rewrite(value) for key, value in body.items()}
        return body

    return Fault(match=match, rewrite=rewrite, times=times)


def pretending_to_merge(match: str = r"^PUT .*/merge$|mergePullRequest", *, times: int = 1) -> Fault:
    """It says that it merged, and nothing happened."""
    rest = {"sha": "f" * 40, "merged": True, "message": "Pull Request successfully merged"}
    body = {**rest, "data": {"mergePullRequest": {"clientMutationId": None}}}  # a client reads its own API's half
    return Fault(match=match, effect=False, answer=Answer(body=body), times=times)


def denying_the_merge(match: str = r"^PUT .*/merge$|mergePullRequest", *, times: int = 1) -> Fault:
    """It merges, and says that it did not."""
    message = "Pull Request is not mergeable"

    def rewrite(body: Any) -> Any:
        graphql = isinstance(body, dict) and "data" in body
        return {"data": None, "errors": [{"path": [], "message": message}]} if graphql else {"message": message}

    return Fault(match=match, rewrite=rewrite, times=times)


def base_modified(match: str = r"^PUT .*/merge$", *, times: int = 1) -> Fault:
    """The base moved while GitHub was merging."""
    return answering(match, 405, {"message": "Base branch was modified. Review and try the merge again."}, times=times)


class Script:
    """A fault that was put into effect.

    Args:
        fault: The fault.

    Attributes:
        met: How many requests it has met.
    """

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.met = 0
        self._passed = 0
        self._over = False

    def end(self) -> None:
        """From now on it meets nothing."""
        self._over = True

    def meets(self, what: str) -> bool:
        """Whether it meets a request, which counts."""
        if self._over or self.met >= self.fault.times or not re.search(self.fault.match, what):
            return False
        if self._passed < self.fault.skip:
            self._passed += 1
            return False
        self.met += 1
        return True


class Scripts:
    """All faults, in the order in which they were put into effect."""

    def __init__(self) -> None:
        self._scripts: list[Script] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Script:
        """Put a fault into effect."""
        script = Script(fault)
        with self._lock:
            self._scripts.append(script)
        return script

    def clear(self) -> None:
        """From now on everything goes well."""
        with self._lock:
            self._scripts.clear()

    def due(self, what: str) -> list[Fault]:
        """The faults that meet a request."""
        with self._lock:
            return [script.fault for script in self._scripts if script.meets(what)]
