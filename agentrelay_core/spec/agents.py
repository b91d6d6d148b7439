"""Who works on a task: a framework's agent, in an environment, with its own variables and options."""

from enum import Enum, StrEnum
from typing import Any

import attrs

from agentrelay_core.spec.environment import AgentEnvironment
from agentrelay_core.spec.frozen import FrozenMapping, freeze, names, pairs


class AgentRole(StrEnum):
    """What part an agent plays in a task; chooses the template of its instructions."""

    SPEC_WRITER = "spec_writer"
    TEST_WRITER = "test_writer"
    TEST_REVIEWER = "test_reviewer"
    IMPLEMENTER = "implementer"
    GENERIC = "generic"


class AdrVerbosity(StrEnum):
    """How much of an architecture decision record the agent is asked to write."""

    NONE = "none"
    STANDARD = "standard"
    DETAILED = "detailed"
    EDUCATIONAL = "educational"


@attrs.frozen(kw_only=True)
class UnknownEnvironment(AgentEnvironment):
    """An environment that no installed plugin declares, or one that was read without asking any.

    Args:
        type_name: What the graph file calls it.
        fields: Its other keys, as plain values.
    """

    type_name: str
    fields: FrozenMapping = attrs.field(default=FrozenMapping(), converter=pairs)


def framework_slug(value: str) -> str:
    """The plain string of a framework's name, also of an enum member that is a `str` (an attrs converter)."""
    return str(value.value) if isinstance(value, Enum) else value


@attrs.frozen(kw_only=True)
class AgentConfig:
    """How to start an agent.

    Args:
        framework: Open slug of the framework, for example ``command`` or ``claude_code``.
        model: Model name for the framework, or `None` for its own default.
        adr_verbosity: How much of a decision record to ask for.
        environment: Where it runs; a subclass instance of `AgentEnvironment`.
        env: Variables added to the agent's environment, a mapping kept as sorted pairs.
        pass_env: Names of the user's own variables that the agent may see.
        isolation: Frozen plain value handed to an environment that honours it.
        options: What the framework's plugin declares, a mapping kept as sorted pairs.
    """

    framework: str = attrs.field(default="command", converter=framework_slug)
    model: str | None = None
    adr_verbosity: AdrVerbosity = attrs.field(default=AdrVerbosity.NONE, converter=AdrVerbosity)
    environment: AgentEnvironment = AgentEnvironment()
    env: FrozenMapping = attrs.field(default=FrozenMapping(), converter=pairs)
    pass_env: tuple[str, ...] = attrs.field(default=(), converter=names)
    isolation: Any = attrs.field(default=None, converter=freeze)
    options: FrozenMapping = attrs.field(default=FrozenMapping(), converter=pairs)
