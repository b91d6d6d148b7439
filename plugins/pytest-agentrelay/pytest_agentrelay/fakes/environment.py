"""The environment ``in_process``: it has nothing to be said about, the orchestrator's own process is always there."""

import attrs

from agentrelay_core.spec import AgentEnvironment


@attrs.frozen(kw_only=True)
class InProcess(AgentEnvironment):
    """A fake agent runs in a thread of this process. ``environment: in_process`` in a graph file.

    Any other program runs as in the environment ``process``.
    """
