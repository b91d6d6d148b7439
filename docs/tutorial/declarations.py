"""The framework verse of agentrelay: a program that writes poems.

Only declarations are here, so that asking what is installed stays cheap.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from agentrelay_core import FrameworkType, hookimpl

if TYPE_CHECKING:
    from agentrelay_core import Framework


@attrs.frozen(kw_only=True)
class VerseOptions:
    """What an agent with ``framework: verse`` may say in a graph file."""

    lines: int = attrs.field(default=4, validator=attrs.validators.ge(1), metadata={"help": "lines of a poem"})


@hookimpl
def agentrelay_frameworks() -> Iterator[FrameworkType]:
    """The framework ``verse``."""
    yield FrameworkType(
        name="verse", cls=_framework, default_environment="process", options=VerseOptions, needs=("verse",)
    )


def _framework() -> "Framework":
    from agentrelay_verse.framework import VerseFramework

    return VerseFramework()
