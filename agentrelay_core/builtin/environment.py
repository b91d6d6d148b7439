"""The environment ``process``: little is to be said about it, a local process is what every machine has."""

import attrs

from agentrelay_core.spec import AgentEnvironment

_LEAST, _MOST = 16, 2**30


def sensible(environment: object, attribute: "attrs.Attribute[int | None]", value: int | None) -> None:
    """Check a limit of memory (an attrs validator).

    Raises:
        ValueError: It is no number of MiB that a process can live with.
    """
    if value is not None and not (type(value) is int and _LEAST <= value <= _MOST):
        raise ValueError(f"{attribute.name} must be a whole number of MiB from {_LEAST} to {_MOST}, not {value!r}")


@attrs.frozen(kw_only=True)
class ProcessEnvironment(AgentEnvironment):
    """The agent runs as a process group on this machine. ``environment: process`` in a graph file.

    Args:
        memory_mib_per_process: MiB of memory of its own that each of the agent's processes may have; `None` leaves
            that to the machine.
    """

    memory_mib_per_process: int | None = attrs.field(default=None, validator=sensible)
