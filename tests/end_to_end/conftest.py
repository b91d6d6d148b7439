"""A real repository, and graphs of the command framework that run in it."""

import attrs
import pytest

from agentrelay_core import AgentConfig, Catalog, Task, TaskGraph, run_graph


@pytest.fixture
def repository(git_repository):
    """A repository with one commit on main; the state goes beside it."""
    return git_repository


def work(name, command=None, *dependencies, **fields):
    """A task whose agent runs a shell command; by default it writes a file of its own."""
    agent = AgentConfig(framework="command", options={"command": command or f"echo {name} > {name}.txt"})
    settled = {"id": name, "description": f"Do {name}", "dependencies": dependencies, "primary_agent": agent}
    return Task(**{**settled, **fields})


@pytest.fixture
def relay(repository):
    """Run tasks in the repository with what is installed; `events` holds what happened."""

    async def relay(*tasks, workstreams=(), **settings):
        graph = TaskGraph(name="g", tasks=tasks, workstreams=workstreams)
        relay.events = []
        chosen = attrs.evolve(graph.settings, **settings)
        return await run_graph(
            graph,
            repository=repository.path,
            catalog=Catalog.discover(),
            settings=chosen,
            on_event=relay.events.append,
        )

    return relay


@pytest.fixture
def task():
    """Makes a task whose agent runs a shell command."""
    return work
