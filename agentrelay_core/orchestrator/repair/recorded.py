"""A run as it is found by the commands that repair and clean: what lives, what is recorded, what is left over.

The order matters: processes are looked at before the journal is read, so that one which is started meanwhile is never
taken for one of an attempt that has ended (faults D6).
"""

from collections.abc import Collection
from pathlib import Path

import attrs

from agentrelay_core.journal import kinds
from agentrelay_core.journal.reader import read_events, read_state
from agentrelay_core.journal.state import RunState
from agentrelay_core.orchestrator.places import journal_path
from agentrelay_core.orchestrator.repair.agents import LiveAgent, live_agents
from agentrelay_core.task_runner.repairs import Leftover, Repairs


@attrs.frozen(kw_only=True)
class RecordedRun:
    """What is known of a graph's latest run, and of what earlier ones left.

    Args:
        graph: The graph's name.
        repository: Root of the user's repository.
        state_dir: Where journal and lock are.
        state: What the journal says.
        run_ids: All runs that the journal knows.
        agents: Agents of these runs that live.
        leftovers: What is left in the repository.
        protocol_files: Patterns of what frameworks have in attempts' directories beside the protocol's own files.
    """

    graph: str
    repository: Path
    state_dir: Path
    state: RunState
    run_ids: frozenset[str]
    agents: tuple[LiveAgent, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    protocol_files: tuple[str, ...] = ()

    def is_at_work(self, agent: LiveAgent) -> bool:
        """Whether an agent belongs to an attempt that has not ended, as far as the journal tells."""
        record = self.state.tasks.get(agent.task_id)
        if record is None or agent.run_id != self.state.run_id or agent.attempt_num != record.attempt_num:
            return False
        return record.status in UNDER_WAY

    def lanes_at_work(self) -> frozenset[str]:
        """The workstreams in which an agent is at work."""
        busy = (self.state.tasks[agent.task_id] for agent in self.agents if self.is_at_work(agent))
        return frozenset(record.workstream_id for record in busy)


UNDER_WAY = frozenset({"running", "pr_created"})


def read_recorded(
    state_dir: Path, repository: Path, repairs: Repairs | None, protocol_files: Collection[str] = ()
) -> RecordedRun:
    """Look at a run.

    Args:
        state_dir: Its state directory.
        repository: Root of the user's repository.
        repairs: Finds what is left in the repository; `None` where somebody drives the run, for then nothing is.
        protocol_files: See `RecordedRun`.

    Raises:
        JournalError: The journal cannot be read.
    """
    agents = live_agents()
    journal = journal_path(state_dir)
    state = read_state(journal)
    run_ids = frozenset(event.data["run_id"] for _, event in read_events(journal) if event.kind == kinds.RUN_STARTED)
    return RecordedRun(
        graph=state.graph or state_dir.name,
        repository=repository,
        state_dir=state_dir,
        state=state,
        run_ids=run_ids,
        agents=tuple(agent for agent in agents if agent.run_id in run_ids),
        leftovers=() if repairs is None else tuple(repairs.leftovers()),
        protocol_files=tuple(protocol_files),
    )
