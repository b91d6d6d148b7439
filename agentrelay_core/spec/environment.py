"""The base of all environments, alone in its file: plugins need it to declare what they provide, and little else."""

import attrs


@attrs.frozen(kw_only=True)
class AgentEnvironment:
    """Where an agent runs. The base class means *anywhere*; a plugin's subclass is data alone.

    The fields of a subclass are the keys of ``environment:`` in a graph file.
    """
