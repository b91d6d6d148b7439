"""Whose an error is, and where in a plugin's files it stands, as `` (file:line)`` to put behind a sentence."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pluggy

_OURS = (str(Path(__file__).parent), str(Path(pluggy.__file__).parent), "<frozen ", "<attrs generated")


def place(error: BaseException) -> str:
    """Where an error was raised: the innermost line that is the plugin's, or of what it called."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}:{error.lineno})"
    found = ""
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith(_OURS):
            found = f" ({file}:{trace.tb_lineno})"
        trace = trace.tb_next
    return found


def function_place(function: Callable[..., Any]) -> str:
    """Where a function is defined; empty when it is not written in Python."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""


def raise_interrupt(error: BaseException) -> None:
    """Raise Ctrl-C again: it is the user's, whatever was being asked. What only derives from it is a plugin's."""
    if type(error) is KeyboardInterrupt:
        raise error
