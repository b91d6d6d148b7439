"""The completion gate: the user's own command, run on the work as it will be merged.

The orchestrator runs it as a local process group of its own, in the agent's environment; its output is ``gate.log``.
"""

from pathlib import Path

import attrs

from agentrelay_core.processes import Command, ProcessGroup
from agentrelay_core.runtime import TaskRuntime, agent_environment
from agentrelay_core.runtime.secrets import secrets_among

GATE_LOG = "gate.log"
# How much of the output an agent, or a person, is shown; in bytes.
TAIL = 16_384


@attrs.frozen
class GateResult:
    """How a gate ended: its exit code and the end of its output."""

    exit_code: int
    output: str

    @property
    def passed(self) -> bool:
        """Whether it ended with 0."""
        return self.exit_code == 0


async def run_gate(runtime: TaskRuntime, command: str) -> GateResult:
    """Run a task's completion gate in its worktree.

    Args:
        runtime: The task; ``worktree_path`` and ``signal_dir`` must be set.
        command: The gate, for ``sh -c``.

    Returns:
        The exit code and the end of the output.

    Raises:
        ValueError: A path is missing on the state; the text names the field.
    """
    state = runtime.state
    for field in ("worktree_path", "signal_dir"):
        if getattr(state, field) is None:
            raise ValueError(f"a completion gate needs {field}, which the preparer did not set")
    assert state.worktree_path is not None
    assert state.signal_dir is not None
    environment = runtime.artifacts.agent_environment or agent_environment(runtime)
    log = state.signal_dir / GATE_LOG
    log.unlink(missing_ok=True)
    argv = ["sh", "-c", command]
    secrets = secrets_among(environment.items())
    group = ProcessGroup.start(
        Command(argv=argv, cwd=state.worktree_path, env=environment, output=log, secrets=secrets)
    )
    try:
        exit_code = await group.wait()
    finally:
        await group.stop()
    return GateResult(exit_code, _tail(log))


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - TAIL))
            return log.read(TAIL).decode(errors="replace")
    except FileNotFoundError:
        return ""
