"""Runs of graphs in a real repository with what is installed."""

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
from pytest_agentrelay.fakes import InProcess
from pytest_agentrelay.git import GitRepository

from agentrelay_core import AgentConfig, AgentEnvironment, Catalog, Event, RunResult, Task, TaskGraph, run_graph


@attrs.frozen
class Told:
    """A run that has ended, with what was told meanwhile."""

    result: RunResult
    events: list[Event]

    def messages(self, kind: str) -> list[str]:
        return [event.message for event in self.events if event.kind == kind]


@pytest.fixture
def play(git_repository: GitRepository) -> Callable[..., Awaitable[Told]]:
    """Runs a graph of one task whose agent plays a script, with the installed plugins."""

    async def play(
        *script: Any,
        environment: AgentEnvironment | None = None,
        on_event: Callable[[Event], None] = lambda _: None,
        attempts: int = 1,
        **fields: Any,
    ) -> Told:
        agent = AgentConfig(
            framework="fake", environment=environment or InProcess(), options={"script": list(script)} if script else {}
        )
        graph = TaskGraph(name="g", tasks=(Task(id="a", description="Do it.", primary_agent=agent, **fields),))
        events: list[Event] = []

        def told(event: Event) -> None:
            events.append(event)
            on_event(event)

        result = await run_graph(
            graph,
            repository=git_repository.path,
            catalog=Catalog.discover(),
            settings=attrs.evolve(graph.settings, max_task_attempts=attempts),
            on_event=told,
        )
        return Told(result, events)

    return play
