"""What each fixture promises."""

import asyncio
import subprocess
from types import SimpleNamespace

import pytest
from pytest_agentrelay.fakes import InProcessHost

from agentrelay_core import AgentCommand, RunInfo, StepContext

pytest_plugins = ["pytester"]


def test_a_catalog_discovers_nothing(catalog):
    """It is empty though plugins are installed, and holds what is added."""
    assert not catalog.plugins
    report = catalog.add(SimpleNamespace(__name__="mine"), name="mine")
    assert [each.name for each in catalog.plugins] == ["mine"]
    assert report.name == "mine"


def test_a_runtime_is_prepared_below_the_test_s_directory(make_runtime, tmp_path):
    """Its directories are there, and fields of the task are given by keyword."""
    runtime = make_runtime(id="build", attempt=2, completion_gate="true")
    assert runtime.task.id == "build"
    assert runtime.task.completion_gate == "true"
    assert runtime.state.branch_name == "agentrelay/graph/build@2"
    for path in (runtime.state.worktree_path, runtime.state.signal_dir):
        assert path.is_dir()
        assert path.is_relative_to(tmp_path)


def test_a_runtime_before_its_preparation_has_what_the_orchestrator_sets(make_runtime):
    """The workstream is open, and nothing is made yet."""
    state = make_runtime(prepared=False).state
    assert state.integration_branch == "agentrelay/graph@default"
    assert not state.workstream_worktree_path.exists()
    assert (state.branch_name, state.worktree_path, state.signal_dir) == (None, None, None)


def test_a_repository_is_real_and_has_a_remote(git_repository):
    """One commit on main, which is pushed; its author is nobody of this machine."""
    assert git_repository.lines("log", "--format=%s %an", "origin/main") == ["first Uma User"]
    assert git_repository.git("rev-parse", "--abbrev-ref", "main@{upstream}") == "origin/main"
    remote = ["git", "-C", git_repository.remote, "rev-parse", "--is-bare-repository", "main"]
    done = subprocess.run(remote, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["true", git_repository.git("rev-parse", "main")]


def test_nothing_of_the_user_s_git_takes_part(tmp_path, monkeypatch, request):
    """A configuration in the user's home directory, and variables of git, have no say."""
    home = tmp_path / "users-home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Somebody Else\n[core]\n\thooksPath = /nowhere\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    repository = request.getfixturevalue("git_repository")
    assert repository.git("config", "user.name") == "Uma User"
    assert repository.git("log", "-1", "--format=%an") == "Uma User"
    assert "hookspath" not in repository.git("config", "--list")


def test_git_that_fails_is_told(git_repository):
    """What git said is in the error."""
    with pytest.raises(AssertionError, match="exit 128") as raised:
        git_repository.git("show", "no-such-branch")
    assert "no-such-branch'" in str(raised.value)


def test_a_virtual_clock_jumps(virtual_clock):
    """A year is over at once."""

    async def year() -> float:
        await asyncio.sleep(31_536_000)
        return asyncio.get_running_loop().time()

    assert virtual_clock.run_until_complete(year()) == pytest.approx(31_536_000)


def test_a_fake_agent_plays_when_it_is_told(fake_agent, make_runtime):
    """It is idle until it is kicked off, reads its instructions, and does what its script says in each turn."""
    runtime = make_runtime()
    agent = fake_agent("write", {"print": "hello"}, "exit", runtime=runtime)
    assert agent.alive
    assert not agent.received
    instructions = runtime.state.signal_dir / "instructions.md"
    agent.send_kickoff(str(instructions))
    assert agent.address.agent.ended.result(10) == 0
    assert agent.received == (instructions.read_bytes(),)
    assert (runtime.state.worktree_path / "task.txt").exists()
    assert agent.address.output() == b"hello\n"
    assert agent.send_turn(str(instructions)) is False


def test_fake_agents_end_with_their_test(pytester):
    """An agent that hangs is ended by its fixture."""
    pytester.makepyfile(
        """
        import threading

        def test_it(fake_agent, make_runtime):
            runtime = make_runtime()
            agent = fake_agent("hang", runtime=runtime)
            agent.send_kickoff(str(runtime.state.signal_dir / "instructions.md"))

        def test_afterwards():
            assert not [thread for thread in threading.enumerate() if thread.name.startswith("agent of")]
        """
    )
    pytester.runpytest_subprocess("-p", "no:randomly").assert_outcomes(passed=2)


async def test_any_framework_runs_in_the_kit_s_environment(make_runtime, tmp_path):
    """A framework whose agent is a program is started by the same host, as a process."""
    runtime = make_runtime()
    run = RunInfo(run_id=runtime.run_id, graph_name="graph", repository=None, state_dir=tmp_path)
    context = StepContext(runtime=runtime, run=run)
    host = InProcessHost()
    command = AgentCommand(argv=("sh", "-c", "echo hello; exit 3"), env={"PATH": "/usr/bin:/bin"})
    address = host.start(command, context)
    assert await host.wait(address) == 3
    assert host.output(address) == b"hello\n"
    assert await host.is_alive(address) == "ended"
    await address.teardown()
