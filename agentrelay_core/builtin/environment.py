"""The environment ``process``: nothing is to be said about it, a local process is what every machine has."""

import attrs

from agentrelay_core.spec import AgentEnvironment


@attrs.frozen(kw_only=True)
class ProcessEnvironment(AgentEnvironment):
    """The agent runs as a process group on this machine. ``environment: process`` in a graph file."""
