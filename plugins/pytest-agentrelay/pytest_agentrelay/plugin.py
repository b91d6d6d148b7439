"""What pytest loads of the kit: fixtures, which import what they need when they are used, and a summary.

Whoever has the kit installed and does not use it in a test run pays for this file alone.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentrelay_core import Catalog, TaskRuntime
    from pytest_agentrelay.agents import AgentMaker
    from pytest_agentrelay.git import GitRepository
    from pytest_agentrelay.github import EmulatedGitHub
    from pytest_agentrelay.leaks.check import LeakCheck
    from pytest_agentrelay.runs import StepsRunner
    from pytest_agentrelay.virtual_loop import VirtualLoop

# The name of the fixture, the marker and, with a value, the ini option's.
LEAK_CHECK: Final = "leak_check"
_MARKER: Final = "agentrelay_leak_check"
# The property of a test that ran a real program.
_REAL_PROGRAM: Final = "agentrelay_real_program"


_CHECK: pytest.StashKey[LeakCheck | None] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare ``agentrelay_leak_check``."""
    parser.addini(_MARKER, "fail every test that leaves a process, a descriptor or a worktree", "bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", f"{_MARKER}: fail the test if it leaves a process, a descriptor or a worktree")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Look at what is there before the test's fixtures, where the check is wanted."""
    wanted = LEAK_CHECK in getattr(item, "fixturenames", ()) or item.get_closest_marker(_MARKER) is not None
    if wanted or item.config.getini(_MARKER):
        from pytest_agentrelay.leaks.check import LeakCheck

        item.stash[_CHECK] = item.config.stash[_CHECK] = LeakCheck()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(request: pytest.FixtureRequest) -> Generator[None, object, object]:
    """What a fixture makes for several tests is no leak of the one that came first."""
    check = request.config.stash.get(_CHECK, None)
    if check is None or request.scope == "function":
        return (yield)
    with check.outliving():
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Look at what is left when the test's fixtures are gone."""
    check = item.stash.get(_CHECK, None)
    if check is None:
        return (yield)
    values = dict(getattr(item, "funcargs", None) or {})
    try:
        yield
    finally:
        item.config.stash[_CHECK] = None
        if "git_repository" in values:
            check.watch_new(values["git_repository"].path)
        if "tmp_path" in values:
            check.own(values["tmp_path"])
        leaks = check.end()
    if leaks:
        from pytest_agentrelay.leaks.check import described

        pytest.fail(described(item.nodeid, leaks), pytrace=False)
    return None


@pytest.fixture
def leak_check(request: pytest.FixtureRequest) -> LeakCheck:
    """Fails the test if it leaves a process, a descriptor, a git worktree or a temporary ref.

    It looks after all fixtures are gone; ``leak_check.watch(path)`` adds a git repository to those that it looks at.
    """
    check: LeakCheck | None = request.node.stash[_CHECK]
    assert check is not None
    return check


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

    Nothing of the user's git configuration takes part, in the test and in what it starts; the state of runs goes beside
    the repository.
    """
    from pytest_agentrelay.git import GitRepository, isolate

    isolate(tmp_path, monkeypatch)
    monkeypatch.setenv("AGENTRELAY_STATE_DIR", str(tmp_path / "state"))
    return GitRepository.create(tmp_path / "repository", remote=tmp_path / "origin.git")


@pytest.fixture
def emulated_github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedGitHub]:
    """GitHub on loopback for the real gh and git, without repositories; see ``pytest_agentrelay.github``.

    Nothing of the user's git configuration and of gh's login takes part, in the test and in what it starts.
    """
    from pytest_agentrelay.git import isolate

    try:
        from pytest_agentrelay.github import EmulatedGitHub
    except ModuleNotFoundError as missing:
        if missing.name != "graphql":
            raise
        pytest.fail("the fixture emulated_github needs graphql-core: pip install 'pytest-agentrelay[github]'", False)

    isolate(tmp_path, monkeypatch)
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_HOST", "GH_REPO"):
        monkeypatch.delenv(name, raising=False)
    with EmulatedGitHub(tmp_path / "github") as github:
        yield github


@pytest.fixture
def virtual_clock() -> Iterator[VirtualLoop]:
    """An event loop whose time jumps when nothing is ready: ``virtual_clock.run_until_complete(…)`` never waits."""
    from pytest_agentrelay.virtual_loop import VirtualLoop

    loop = VirtualLoop()
    yield loop
    loop.close()


@pytest.fixture
def real_program(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Say that the test runs a real program of others, for the summary: ``real_program("claude", "2.1.197")``."""

    def count(name: str, version: str) -> None:
        request.node.user_properties.append((_REAL_PROGRAM, f"{name} {version}"))

    return count


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell which real programs were run by how many tests."""
    runs: dict[str, int] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                for program in {value for name, value in report.user_properties if name == _REAL_PROGRAM}:
                    runs[program] = runs.get(program, 0) + 1
    if runs:
        terminalreporter.section("real programs")
        for program, count in sorted(runs.items()):
            terminalreporter.write_line(f"{program}: {count} real runs")
