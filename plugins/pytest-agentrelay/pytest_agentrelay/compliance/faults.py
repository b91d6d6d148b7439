"""How a check says what it found: whose fault it is, what is wrong, and what its author does about it."""

import inspect
from typing import Any, NoReturn

import pytest

from agentrelay_core.hooks.blame import place


def fault(found: str, remedy: str) -> NoReturn:
    """Fail the check; what is shown is the message alone, for the kit's own lines tell an author nothing.

    Args:
        found: What is wrong, a sentence.
        remedy: What to do about it, a sentence.
    """
    raise pytest.fail.Exception(f"{found}\nRemedy: {remedy}", pytrace=False) from None


def name_of(thing: object, method: str = "") -> str:
    """A step, host or framework as messages call it, with the file and line of its class or method.

    Args:
        thing: The object.
        method: The method that is judged; empty for the object as a whole.
    """
    kind = type(thing)
    name = f"{kind.__module__}.{kind.__qualname__}"
    function: Any = inspect.unwrap(getattr(kind, method, None) or kind.__init__) if method else None
    code = getattr(function, "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""
    return f"{name}.{method}{where}" if method else name


def raised(error: BaseException) -> str:
    """An exception in words, with the innermost line that is the plugin's."""
    text = " ".join(str(error).split())
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"raised {said}{place(error)}"
