"""The kickoff of every pair that has none of its own: the agent itself knows how it is told to begin."""

from typing import Literal

from agentrelay_core.builtin.required import required_path
from agentrelay_core.runtime import Agent, TaskRuntime
from agentrelay_core.runtime.environment import INSTRUCTIONS
from agentrelay_core.task_runner.calls import call_step


class ComposedKickoff:
    """Hands the agent the path of its instructions; one whose command carries them takes no notice."""

    async def kickoff(self, runtime: TaskRuntime, agent: Agent) -> None:
        """Return when the agent has its instructions.

        Args:
            runtime: The task, prepared.
            agent: The launched agent.

        Raises:
            ValueError: ``signal_dir`` is not set.
        """
        await call_step(None, agent, "send_kickoff", str(required_path(runtime, "signal_dir") / INSTRUCTIONS))

    async def reconcile(self, runtime: TaskRuntime) -> Literal["absent", "present"]:
        """Whether the agent has its instructions already; one that was started with them has.

        Args:
            runtime: The task, launched.
        """
        return "present" if runtime.artifacts.agent_at_work else "absent"
