"""Which ``async`` method holds the event loop: it is measured where it runs, so that the warning names it.

As long as one method computes, sleeps or reads without awaiting, every other task of the run stands still: no signal is
noticed, no deadline kept, no interrupt obeyed. The core's own methods are measured as any plugin's.
"""

import types
from collections.abc import Coroutine, Generator
from time import perf_counter
from typing import Any, Final

# Seconds that a method may hold the loop without a word.
PATIENCE: Final = 0.25

NOT_BEGUN: Final = object()


def first_turn(work: Coroutine[Any, Any, Any], target: object, method: str) -> tuple[bool, Any]:
    """Run a coroutine to where it waits for the first time; what ends before that needs no deadline and costs least.

    Args:
        work: What the method returned.
        target: The step, host, workspace or forge.
        method: The method's name.

    Returns:
        True and its result when it has ended, else False and what it waits for, which `measured` goes on with.
    """
    began = perf_counter()
    try:
        return False, work.send(None)
    except StopIteration as end:
        return True, end.value
    finally:
        held = perf_counter() - began
        if held > PATIENCE:
            _warn(held, target, method)


@types.coroutine
def measured(
    work: Coroutine[Any, Any, Any], target: object, method: str, awaited: object = NOT_BEGUN
) -> Generator[Any, Any, Any]:
    """Await a coroutine, and warn when it holds the event loop between two awaits.

    Args:
        work: What the method returned.
        target: The step, host, workspace or forge.
        method: The method's name.
        awaited: What its `first_turn` came to wait for.

    Returns:
        The coroutine's result.
    """
    ended, awaited = first_turn(work, target, method) if awaited is NOT_BEGUN else (False, awaited)
    while not ended:
        value: Any = None
        error: BaseException | None = None
        try:
            value = yield awaited
        except GeneratorExit:
            work.close()
            raise
        except BaseException as thrown:  # cancellation above all: the coroutine decides what to do about it
            error = thrown
        began = perf_counter()
        try:
            awaited = work.send(value) if error is None else work.throw(error)
        except StopIteration as end:
            return end.value
        finally:
            held = perf_counter() - began
            if held > PATIENCE:
                _warn(held, target, method)
    return awaited


def _warn(held: float, target: object, method: str) -> None:
    import logging  # most methods never hold the loop

    kind = type(target)
    logging.getLogger(__name__).warning(
        "%s.%s.%s held the event loop for %.2f s, in which nothing else of the run went on; a plugin's async method "
        "must await what takes time, or be a plain method, which runs in a thread",
        kind.__module__,
        kind.__qualname__,
        method,
        held,
    )
