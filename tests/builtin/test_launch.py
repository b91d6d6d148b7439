"""Starting an agent: where, with what, and what is said when something is missing."""

import signal
import sys
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from agentrelay_core.builtin.address import ProcessAddress
from agentrelay_core.builtin.environment import ProcessEnvironment
from agentrelay_core.builtin.framework import CommandFramework
from agentrelay_core.builtin.kickoff import ComposedKickoff
from agentrelay_core.hooks import AgentCommand, StepContext
from agentrelay_core.runtime import Agent, AgentAddress, AgentFailure, TaskRuntime, UserError
from agentrelay_core.spec import AgentConfig, AgentEnvironment, Task

Prepare = Callable[..., Any]


async def test_agent_works_in_the_worktree_with_its_instructions(prepared: Prepare) -> None:
    """Its directory, its standard input and its log are those of the task."""
    one = prepared("pwd; cat; echo to stderr >&2")
    ended = await one.run()
    assert ended.outcome == "done"
    assert one.log.splitlines() == [str(one.runtime.state.worktree_path), "Build it.", "to stderr"]


async def test_environment_is_an_allow_list(prepared: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the protocol's variables, what the agent's configuration adds, and nothing else of the user's."""
    monkeypatch.setenv("CANARY_TOKEN", "secret")
    monkeypatch.setenv("LET_THROUGH", "seen")
    one = prepared(("env",), env={"ADDED": "1"}, pass_env=["LET_THROUGH"])
    await one.run()
    printed = dict(line.split("=", 1) for line in one.log.splitlines())
    signals = str(one.signal_dir)
    assert {name: value for name, value in printed.items() if name.startswith("AGENTRELAY_")} == {
        "AGENTRELAY_SIGNAL_DIR": signals,
        "AGENTRELAY_INSTRUCTIONS": f"{signals}/instructions.md",
        "AGENTRELAY_TASK_ID": "build",
        "AGENTRELAY_GRAPH": "graph",
        "AGENTRELAY_ATTEMPT": "0",
        "AGENTRELAY_RUN_ID": "run-1",
    }
    assert printed["ADDED"] == "1"
    assert printed["LET_THROUGH"] == "seen"
    assert "CANARY_TOKEN" not in printed
    assert printed["PATH"].startswith(f"{signals}/bin:")
    assert one.runtime.artifacts.agent_environment == printed


async def test_frameworks_variables_win_but_for_ours(prepared: Prepare) -> None:
    """A framework may replace what it likes, not where its protocol files are, nor the helper on PATH."""

    class Adding(CommandFramework):
        def command(self, context: StepContext) -> AgentCommand:
            added = {"ADDED": "framework", "AGENTRELAY_TASK_ID": "forged", "PATH": "/bin:/usr/bin"}
            return attrs.evolve(super().command(context), env=added)

    one = prepared(("env",), env={"ADDED": "graph"})
    one = one.evolve(framework=attrs.evolve(one.context.framework, cls=Adding))
    await one.run()
    printed = dict(line.split("=", 1) for line in one.log.splitlines())
    assert printed["ADDED"] == "framework"
    assert printed["AGENTRELAY_TASK_ID"] == "build"
    assert printed["PATH"] == f"{one.signal_dir}/bin:/bin:/usr/bin"


async def test_helper_is_found_first(prepared: Prepare) -> None:
    """A program in the attempt's ``bin`` is found before any other of its name."""
    one = prepared(("agentrelay-task", "done"))
    (one.signal_dir / "bin").mkdir()
    helper = one.signal_dir / "bin" / "agentrelay-task"
    helper.write_text('#!/bin/sh\necho "helper $1"\n')
    helper.chmod(0o755)
    await one.run()
    assert one.log == "helper done\n"


async def test_address_is_shown_and_kept(prepared: Prepare) -> None:
    """The agent's address names its process, and is kept as soon as there is one."""
    one = prepared("exec sleep 600")
    agent = await one.launch()
    assert isinstance(agent.address, ProcessAddress)
    assert agent.address is one.runtime.artifacts.agent_address
    assert agent.address.label == f"process:{agent.address.program.identity.pid}"
    assert agent.send_turn("instructions.md") is False
    await agent.address.teardown(one.signal_dir)
    assert await agent.address.program.is_alive() == "ended"


async def test_missing_program(prepared: Prepare) -> None:
    """A program that is not there is an agent's failure that names it."""
    one = prepared(("no-such-agent", "--yes"))
    with pytest.raises(AgentFailure, match="program no-such-agent not found on PATH"):
        await one.launch()


@pytest.mark.parametrize("field", ["worktree_path", "signal_dir"])
async def test_launch_needs_a_prepared_task(prepared: Prepare, field: str) -> None:
    """Launched too early, the error names the field that is not set."""
    one = prepared("true")
    setattr(one.runtime.state, field, None)
    with pytest.raises(ValueError, match=f"{field} of task 'build' is not set"):
        await one.launch()


async def test_undeclared_framework_is_named(prepared: Prepare) -> None:
    """A framework that no plugin declares is named, and what to run next."""
    one = prepared("true", framework="aider").evolve(framework=None)
    with pytest.raises(UserError, match=r"no installed plugin declares the framework 'aider'.*plugins list"):
        await one.launch()


async def test_undeclared_environment_is_named(prepared: Prepare) -> None:
    """An environment that no plugin declares is named, to the launcher and to the checker."""

    @attrs.frozen(kw_only=True)
    class Cloud(AgentEnvironment):
        pass

    one = prepared("true")
    runtime = TaskRuntime(Task(id="build", primary_agent=AgentConfig(environment=Cloud())))
    runtime.state = one.runtime.state
    runtime.artifacts.agent_address = ProcessAddress.from_json({"record": "/nowhere", "launch": 1, "signal_dir": "/"})
    one = one.evolve(runtime=runtime, environment=None)
    with pytest.raises(UserError, match="no installed plugin declares the environment 'Cloud'"):
        await one.launch()
    with pytest.raises(UserError, match="no installed plugin declares the environment 'Cloud'"):
        await one.checker().wait_for_completion(runtime)


class _Listener(Agent):
    def __init__(self) -> None:
        self.heard: list[str] = []

    @property
    def address(self) -> AgentAddress:
        raise AssertionError("not asked for")

    async def send_kickoff(self, instructions_path: str) -> None:
        self.heard.append(instructions_path)


async def test_kickoff_tells_the_agent(prepared: Prepare) -> None:
    """An agent of another launcher is handed the path of its instructions, once."""
    one = prepared("true")
    agent = _Listener()
    await ComposedKickoff().kickoff(one.runtime, agent)
    assert agent.heard == [str(one.signal_dir / "instructions.md")]
    one.runtime.state.signal_dir = None
    with pytest.raises(ValueError, match="signal_dir of task 'build' is not set"):
        await ComposedKickoff().kickoff(one.runtime, agent)


async def test_adopted_agent(prepared: Prepare) -> None:
    """An agent is found again from its address's plain data, alive or ended, as long as there is a record of it."""
    one = prepared("exec sleep 600")
    agent = await one.launch()
    host = one.context.environment.host(one.runtime.task.primary_agent.environment)
    data = agent.address.to_json()
    adopted = host.adopt(data)
    assert adopted.label == agent.address.label
    assert await host.is_alive(adopted) == "alive"
    await host.stop(adopted)
    assert await host.wait(host.adopt(data)) == -signal.SIGTERM
    assert await host.is_alive(adopted) == "ended"
    await agent.address.teardown(one.signal_dir)
    assert host.adopt({**data, "launch": 2}) is None


@pytest.mark.parametrize(
    "data", [None, {}, {"record": "/x", "signal_dir": "/x"}, {"record": 1, "launch": 1, "signal_dir": "/x"}]
)
def test_rubbish_is_no_address(data: object) -> None:
    """Data of another shape is refused."""
    with pytest.raises(ValueError, match="not the"):
        ProcessAddress.from_json(data)


async def test_log_is_copied_where_it_is_wanted(prepared: Prepare, tmp_path: Any) -> None:
    """A teardown that names another directory finds the log there."""
    one = prepared("echo printed")
    agent = await one.launch()
    await one.checker().wait_for_completion(one.runtime)
    (tmp_path / "other").mkdir()
    await agent.address.teardown(tmp_path / "other")
    assert (tmp_path / "other" / "agent.log").read_text() == "printed\n"


async def test_flood_is_read_in_part(prepared: Prepare) -> None:
    """Of a large log the beginning and the end are read."""
    code = "import sys; sys.stdout.write('first\\n' + 'x' * 5_000_000 + '\\nlast\\n'); sys.exit(4)"
    one = prepared((sys.executable, "-c", code))
    agent = await one.launch()
    ended = await one.checker().wait_for_completion(one.runtime)
    output = agent.address.output()  # type: ignore[attr-defined]
    assert len(output) < 1_100_000
    assert output.startswith(b"first\n")
    assert output.endswith(b"\nlast\n")
    assert ended.error.endswith("\nlast")
    assert len(ended.error) < 10_000
    await agent.address.teardown(one.signal_dir)


async def test_a_limit_of_memory_reaches_the_agent(prepared: Prepare) -> None:
    """What the graph's environment says is the limit of the agent's processes."""
    task = prepared("ulimit -d", environment=ProcessEnvironment(memory_mib_per_process=512))
    assert (await task.run()).outcome == "done"
    assert task.log == f"{512 * 1024}\n"
