"""A catalog of two plugins that exist only here, for what the reader asks of one."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from agentrelay_core.spec import AgentEnvironment


class Size(StrEnum):
    """A choice."""

    SMALL = "small"
    LARGE = "large"


@attrs.frozen(kw_only=True)
class Limits:
    """A nested object."""

    turns: int = 10
    budget: float | None = None


def _not_blank(_: Any, __: Any, value: str) -> None:
    if not value.strip():
        raise ValueError("prompt must not be blank")


@attrs.frozen(kw_only=True)
class RobotOptions:
    """Options of every type that fields have."""

    prompt: str = attrs.field(validator=_not_blank)
    size: Size = Size.SMALL
    mode: Literal["ask", "act"] = "ask"
    limits: Limits = Limits()
    tools: "tuple[str, ...]" = ()
    rates: dict[str, float] = attrs.field(factory=dict, hash=False)
    home: Path | None = None
    seed: int | str | None = None
    anything: Any = None


@attrs.frozen(kw_only=True)
class Box(AgentEnvironment):
    """An environment with fields."""

    image: str = "base"
    cpus: float = 1.0
    mounts: tuple[str, ...] = attrs.field(default=(), converter=tuple)


@attrs.frozen(kw_only=True)
class Ship(AgentEnvironment):
    """An environment that has no default."""

    harbour: str


@attrs.frozen(kw_only=True)
class Record:
    """Any record of a plugin."""

    name: str = ""
    cls: type = object
    default_environment: str = "box"
    options: type | None = None
    honours: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class FakeCatalog:
    """What is installed."""

    frameworks: dict[str, Record]
    environments: dict[str, Record]
    workspaces: tuple[Record, ...] = ()
    forges: tuple[Record, ...] = (Record(name="local"),)
    conflicts: dict[str, Exception] = attrs.field(factory=dict)


@pytest.fixture
def catalog() -> Callable[..., FakeCatalog]:
    """Makes the catalog of a framework ``robot``, a framework ``plain`` and two environments."""

    def make(**more: Any) -> FakeCatalog:
        frameworks = {
            "robot": Record(options=RobotOptions, honours=("model",)),
            "plain": Record(default_environment="ship"),
            "command": Record(),
        }
        environments = {"box": Record(cls=Box, honours=("isolation",)), "ship": Record(cls=Ship)}
        return FakeCatalog(**{"frameworks": frameworks, "environments": environments, **more})

    return make
