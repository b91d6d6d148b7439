"""What pytest loads of the kit: fixtures, which import what they need when they are used.

Whoever has the kit installed and does not use it in a test run pays for this file alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentrelay_core import Catalog, TaskRuntime
    from pytest_agentrelay.agents import AgentMaker
    from pytest_agentrelay.git import GitRepository
    from pytest_agentrelay.runs import StepsRunner
    from pytest_agentrelay.virtual_loop import VirtualLoop


@pytest.fixture
def catalog() -> Catalog:
    """A catalog that discovers nothing; ``catalog.add(plugin)`` adds a module or an object with hooks."""
    from agentrelay_core import Catalog

    return Catalog()


@pytest.fixture
def make_runtime(tmp_path: Path) -> Callable[..., TaskRuntime]:
    """Makes the runtime of a small task, its paths below ``tmp_path``; see ``pytest_agentrelay.runtimes``."""
    from functools import partial

    from pytest_agentrelay.runtimes import make_runtime

    return partial(make_runtime, tmp_path)


@pytest.fixture
def run_steps(tmp_path: Path) -> StepsRunner:
    """Runs the standard life of a task with steps given by keyword; fakes do what is not given."""
    from pytest_agentrelay.runs import StepsRunner

    return StepsRunner(tmp_path)


@pytest.fixture
def fake_agent(tmp_path: Path) -> Iterator[AgentMaker]:
    """Starts scripted agents, each idle until it is kicked off; they are ended after the test."""
    from pytest_agentrelay.agents import AgentMaker

    maker = AgentMaker(tmp_path)
    yield maker
    maker.end()


@pytest.fixture
def git_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepository:
    """A real git repository with one commit on ``main``, pushed to a bare remote ``origin`` beside it.

    Nothing of the user's git configuration takes part, in the test and in what it starts.
    """
    from pytest_agentrelay.git import GitRepository, isolate

    isolate(tmp_path, monkeypatch)
    return GitRepository.create(tmp_path / "repository", remote=tmp_path / "origin.git")


@pytest.fixture
def virtual_clock() -> Iterator[VirtualLoop]:
    """An event loop whose time jumps when nothing is ready: ``virtual_clock.run_until_complete(…)`` never waits."""
    from pytest_agentrelay.virtual_loop import VirtualLoop

    loop = VirtualLoop()
    yield loop
    loop.close()
