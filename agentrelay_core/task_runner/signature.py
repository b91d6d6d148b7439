"""Whether a step can be called at all, found out before its first call.

`isinstance` with a runtime-checkable protocol sees names alone: a ``launch()`` without parameters, or a plain ``def``
where the runner awaits the end of an agent, would pass and fail in the middle of a task. Checked by signature, the
error names the class, where it stands, what it has and what is due.
"""

import inspect
from collections.abc import Awaitable
from typing import Any, Final, get_origin

import attrs

from agentrelay_core.runtime import IntegrationBoundary, Internal


class StepSignatureError(Internal):
    """A step's class cannot do its step: the method is not there, or cannot be called as the runner calls it."""


@attrs.frozen
class _Due:
    parameters: tuple[str, ...]
    returns: str
    boundary: IntegrationBoundary
    must_wait: bool = False

    def text(self, method: str) -> str:
        prefix = "async def" if self.must_wait else "def"
        return f"`{prefix} {method}(self, {', '.join(self.parameters)}) -> {self.returns}`"


_DUE: Final = {
    "prepare": _Due(("runtime",), "None", IntegrationBoundary.WORKSPACE),
    "launch": _Due(("runtime",), "Agent", IntegrationBoundary.AGENT_LAUNCH),
    "kickoff": _Due(("runtime", "agent"), "None", IntegrationBoundary.AGENT_LAUNCH),
    "wait_for_completion": _Due(("runtime",), "TaskCompletionSignal", IntegrationBoundary.SIGNAL, must_wait=True),
    "merge_pr": _Due(("runtime", "pr_url"), "None", IntegrationBoundary.PULL_REQUEST),
    "teardown": _Due(("runtime",), "None", IntegrationBoundary.WORKSPACE),
}


def check_step(step: object, method: str) -> None:
    """Check that a step can be called as the runner calls it; nothing is called.

    Args:
        step: The step, or its class. A step whose method stands on the object itself (a ``SimpleNamespace``, a
            function assigned in ``__init__``) can only be judged as an object.
        method: The step's method, for example ``wait_for_completion``.

    Raises:
        StepSignatureError: The method is missing, takes other parameters, is a generator, or is a plain ``def``
            where an ``async def`` is due. What has no signature to look at (a mock, a compiled function) passes.
    """
    due = _DUE[method]
    kind = step if isinstance(step, type) else type(step)
    where = f"{kind.__module__}.{kind.__qualname__}"
    function = getattr(step, method, None)
    if function is None:
        if isinstance(step, type) and hasattr(step, "__getattr__"):
            return  # it answers for attributes that only its objects know
        raise StepSignatureError(f"{where} has no {method}; due is {due.text(method)}", boundary=due.boundary)
    if not callable(function):
        has = f"{method} of type {type(function).__name__}"
        raise StepSignatureError(f"{where} has {has}; due is {due.text(method)}", boundary=due.boundary)
    signature = _signature(function)
    if signature is None:
        return
    unbound = isinstance(step, type) and inspect.isfunction(inspect.getattr_static(step, method, None))
    problem = _problem(function, signature, len(due.parameters) + unbound, due)
    if problem:
        written = _signature(getattr(function, "__func__", function)) or signature  # as its author wrote it, with self
        has = f"`{_prefix(function)} {method}{written}`"
        place = _place(function)
        text = f"{where} has {has}{place}, which {problem}; due is {due.text(method)}"
        raise StepSignatureError(text, boundary=due.boundary)


def _problem(function: Any, signature: inspect.Signature, count: int, due: _Due) -> str | None:
    try:
        signature.bind(*(None for _ in range(count)))
    except TypeError:
        return f"cannot be called with ({', '.join(due.parameters)})"
    inner = inspect.unwrap(function)
    if inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner):
        return "is a generator, whose body would never run"
    if due.must_wait and inspect.isroutine(inner) and not _may_be_awaited(function, signature):
        return "is not async and would block every other task"
    return None


def _may_be_awaited(function: Any, signature: inspect.Signature) -> bool:
    """Whether the call gives something to wait for: it is async, wraps what is, or its return type says so."""
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(inspect.unwrap(function)):
        return True
    returns = signature.return_annotation
    if isinstance(returns, str):
        return "Awaitable[" in returns or "Coroutine[" in returns or "Future[" in returns or "Task[" in returns
    origin = get_origin(returns) or returns
    return origin is Any or (isinstance(origin, type) and issubclass(origin, Awaitable))


def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def _prefix(function: Any) -> str:
    return "async def" if inspect.iscoroutinefunction(inspect.unwrap(function)) else "def"


def _place(function: Any) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""
