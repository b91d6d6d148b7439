"""What the reader asks of a catalog of installed plugins; `agentrelay_core.hooks.Catalog` answers it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from agentrelay_core.spec import AgentEnvironment


class Honouring(Protocol):
    """A record of a plugin that names the graph keys it acts on."""

    @property
    def honours(self) -> tuple[str, ...]:
        """Graph keys beyond those of the core."""


class EnvironmentRecord(Honouring, Protocol):
    """A kind of environment."""

    @property
    def cls(self) -> type[AgentEnvironment]:
        """Its data class."""


class FrameworkRecord(Honouring, Protocol):
    """A kind of agent."""

    @property
    def default_environment(self) -> str:
        """The environment of agents that name none."""

    @property
    def options(self) -> type | None:
        """The attrs class of its options."""


class ForgeRecord(Protocol):
    """A kind of forge."""

    @property
    def name(self) -> str:
        """What ``forge:`` calls it."""


class CatalogView(Protocol):
    """What is installed."""

    @property
    def frameworks(self) -> Mapping[str, FrameworkRecord]:
        """Frameworks by name."""

    @property
    def environments(self) -> Mapping[str, EnvironmentRecord]:
        """Environments by name."""

    @property
    def conflicts(self) -> Mapping[str, Exception]:
        """What several plugins claim and nothing chooses, by ``<kind>:<name>``; it is in no other mapping."""

    @property
    def workspaces(self) -> Sequence[Honouring]:
        """Kinds of workspaces."""

    @property
    def forges(self) -> Sequence[ForgeRecord]:
        """Kinds of forges."""
