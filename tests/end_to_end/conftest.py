"""A real repository, and graphs of the command framework that run in it."""

import subprocess
from pathlib import Path

import pytest

from agentrelay_core import AgentConfig, Catalog, Task, TaskGraph, run_graph


class Repository:
    """A small git repository of a user."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Uma User")
        self.git("config", "user.email", "uma@example.org")
        (path / "README").write_text("hello\n")
        self.git("add", "README")
        self.git("commit", "-q", "-m", "first")

    def git(self, *arguments: str) -> str:
        """Run git here; what it printed."""
        done = subprocess.run(["git", *arguments], cwd=self.path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def lines(self, *arguments: str) -> list[str]:
        """Run git here; the lines that it printed."""
        return self.git(*arguments).splitlines()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one commit on main; the state goes beside it."""
    monkeypatch.setenv("AGENTRELAY_STATE_DIR", str(tmp_path / "state"))
    return Repository(tmp_path / "repository")


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
        import attrs

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
