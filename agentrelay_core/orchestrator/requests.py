"""How another process reaches the one that drives a run: a file in the run's own directory, answered by another.

Both are written aside and renamed, so nobody reads half of one. The owner is told by the kernel that something came;
who asks waits for the answer, but not for ever.
"""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from agentrelay_core.orchestrator.ownership import RunIsOwned
from agentrelay_core.orchestrator.places import ensure
from agentrelay_core.runtime import ProtocolViolation
from agentrelay_core.runtime.agent_files import AgentDirectory, write_atomically
from agentrelay_core.signals.noticing import notices_of

DEADLINE: Final = 15.0  # seconds that the owner is given to answer

_SCHEMA: Final = 1
_DIRECTORY: Final = "requests"
_REQUEST: Final = ".request.json"
_REPLY: Final = ".reply.json"
_LARGEST: Final = 1 << 20  # bytes
_POLL: Final = 1.0  # seconds between looks where the kernel tells nothing
_LOOK_FOR_REPLY: Final = 0.05  # seconds between looks for an answer
_LOG = logging.getLogger(__name__)


class OwnerSilent(RunIsOwned):
    """The process that drives a run does not answer (exit 75)."""


@contextlib.asynccontextmanager
async def answering(state_dir: Path, cancel: Callable[[str | None], None]) -> AsyncIterator[None]:
    """Answer what other processes ask of this run, for the body of the ``async with``.

    Args:
        state_dir: The run's state directory.
        cancel: Stops one task, or with `None` the whole run; ``KeyError`` where there is no such task.
    """
    serving = asyncio.create_task(_serve(state_dir / _DIRECTORY, cancel))
    try:
        yield
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


def ask(state_dir: Path, tasks: Iterable[str], *, deadline: float = DEADLINE) -> None:
    """Ask the process that drives a run to cancel tasks; returns when it has begun to.

    Args:
        state_dir: The run's state directory.
        tasks: Ids; none means the whole run.
        deadline: Seconds to wait for the answer.

    Raises:
        OwnerSilent: There was no answer in time, or it was a refusal.
    """
    directory = ensure(state_dir / _DIRECTORY)
    name = secrets.token_hex(8)
    request, reply = directory / f"{name}{_REQUEST}", directory / f"{name}{_REPLY}"
    write_atomically(request, _json({"action": "cancel", "tasks": list(tasks)}), 0o600)
    until = time.monotonic() + deadline
    try:
        while not reply.exists():
            if time.monotonic() > until:
                raise OwnerSilent(
                    f"the process that drives this run did not answer within {deadline:g} s; see `agentrelay status`, "
                    "end that process, then type `agentrelay cancel` again"
                )
            time.sleep(_LOOK_FOR_REPLY)
        answer = json.loads(reply.read_bytes())
    finally:
        for path in (request, reply):
            path.unlink(missing_ok=True)
    if answer.get("error"):
        raise OwnerSilent(f"the process that drives this run refused: {answer['error']}; see `agentrelay status`")


async def _serve(directory: Path, cancel: Callable[[str | None], None]) -> None:
    try:
        ensure(directory)
        with notices_of(directory, _POLL, names=None) as notices:
            while True:
                _answer_all(directory, cancel)
                await notices.changed()
    except OSError as error:  # the run itself is not harmed; who asks is told that nobody answers
        _LOG.warning("requests in %s are not answered: %s", directory, error)


def _answer_all(directory: Path, cancel: Callable[[str | None], None]) -> None:
    for name in sorted(os.listdir(directory)):  # noqa: PTH208  # names alone, on the event loop
        if not name.endswith(_REQUEST):
            continue
        path = directory / name
        try:
            fresh = time.time() - path.stat().st_mtime < DEADLINE
            with AgentDirectory(directory) as files:
                content = files.read(name, _LARGEST)
            path.unlink()
        except FileNotFoundError:  # who asked has given up
            continue
        except ProtocolViolation as error:
            _LOG.warning("a request is not answered: %s", error)
            continue
        if fresh:  # else nobody waits for it any more
            answer = _answer(content or b"", cancel)
            write_atomically(directory / f"{name.removesuffix(_REQUEST)}{_REPLY}", _json(answer), 0o600)


def _answer(content: bytes, cancel: Callable[[str | None], None]) -> dict[str, Any]:
    try:
        asked = json.loads(content)
        if asked["schema"] != _SCHEMA or asked["action"] != "cancel":
            return {"error": "this version knows no such request"}
        tasks = [str(task) for task in asked["tasks"]]
    except (ValueError, KeyError, TypeError) as error:
        return {"error": f"the request cannot be read: {error!r}"}
    try:
        for task in tasks or (None,):
            cancel(task)
    except KeyError as error:
        return {"error": f"there is no task {error}"}
    return {"error": None}


def _json(fields: Mapping[str, Any]) -> bytes:
    return json.dumps({"schema": _SCHEMA, **fields}).encode()
