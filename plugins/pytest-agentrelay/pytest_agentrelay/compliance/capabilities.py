"""Stronger promises that a plugin may make: what is not declared is not asked for, what is declared is checked."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

import pytest

CAPABILITIES: Final = ("adoptable", "remote", "reports_usage", "resumable", "waits_for_approval")

Check = TypeVar("Check", bound=Callable[..., Any])


def needs_capability(name: str, promise: str) -> Callable[[Check], Check]:
    """Make a check run for plugins alone that declare a capability.

    Args:
        name: The capability.
        promise: What a plugin that declares it promises, for the reason of the skip.
    """

    def decorate(check: Check) -> Check:
        @wraps(check)
        def run(self: Any) -> None:
            if name not in self.capabilities:
                pytest.skip(f"the capability {name!r} is not declared; add it to `capabilities` if {promise}")
            check(self)

        return run  # type: ignore[return-value]  # the same method, with one question before it

    return decorate
