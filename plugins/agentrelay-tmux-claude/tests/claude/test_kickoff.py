"""The kickoff of Claude Code in tmux, from its launch to its hook's word, against a terminal full of troubles."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from agentrelay_tmux_claude import KickoffError, TmuxEnvironment
from agentrelay_tmux_claude.claude.options import ClaudeOptions
from agentrelay_tmux_claude.claude.terminal import TmuxTaskLauncher
from agentrelay_tmux_claude.claude.terminal_kickoff import TmuxTaskKickoff
from agentrelay_tmux_claude.tmux.delivery import Delivery

from agentrelay_core import AgentConfig, Catalog, Parked, RunInfo, StepContext, Task, TaskRuntime

# `AGENTRELAY_KICKOFFS=100 AGENTRELAY_LATE=20` is what the plugin was judged by; it takes minutes.
KICKOFFS = int(os.environ.get("AGENTRELAY_KICKOFFS", "14"))
LATE = float(os.environ.get("AGENTRELAY_LATE", "1"))
LATE_ONES = 5
ARRIVES = ("none", "drops", "dialog", "redraws")
FAILS = {
    "trust": "Claude Code asks whether this repository is trusted",
    "deaf": "did not acknowledge it within 3 s and 3 tries",
}
PATIENT, IMPATIENT = Delivery(deadline=45.0, enter_again=0.5), Delivery(deadline=3.0, enter_again=0.5)


@pytest.fixture
def attempt(tmp_path, monkeypatch, users_tmux):
    """Makes an attempt of a task whose Claude Code is the fake with a trouble, and the file with what arrives."""
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -S {Path(__file__).with_name("fake_claude.py")} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "state").mkdir(mode=0o700)
    catalog = Catalog.discover()

    def attempt(name, trouble):
        arrived = tmp_path / f"{name}.jsonl"
        env = {"TROUBLE": trouble, "ARRIVED": str(arrived), "LATE": str(LATE)}
        config = AgentConfig(framework="claude_code", environment=TmuxEnvironment(), env=env)
        runtime = TaskRuntime(Task(id=name, description="work", primary_agent=config), run_id="r", graph_name="g")
        runtime.state.worktree_path = tmp_path
        runtime.state.signal_dir = tmp_path / "signals" / name
        runtime.state.signal_dir.mkdir(parents=True)
        (runtime.state.signal_dir / "instructions.md").write_text("Work.")
        context = StepContext(
            runtime=runtime,
            run=RunInfo(run_id="r", graph_name="g", repository=None, state_dir=tmp_path / "state"),
            options=ClaudeOptions(permissions="deny"),
            framework=catalog.frameworks["claude_code"],
            environment=catalog.environments["tmux"],
        )
        return context, arrived

    return attempt


def troubles():
    """Five late ones, and of the others as many as there are to be."""
    others = [*ARRIVES, *FAILS]
    late = min(LATE_ONES, KICKOFFS // 7)
    return ["late"] * late + [others[number % len(others)] for number in range(KICKOFFS - late)]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.fault("L7")
async def test_every_kickoff_arrives_exactly_once_or_fails_by_name(attempt):
    """Ten at a time: the prompt arrives once, as an argument or typed, or it is said what stands in the way."""
    ten = asyncio.Semaphore(10)

    async def kickoff(number, trouble):
        async with ten:
            context, arrived = attempt(f"t{number}", trouble)
            runtime = context.runtime
            agent = await TmuxTaskLauncher(context).launch(runtime)
            how = IMPATIENT if trouble == "deaf" else PATIENT
            said = ""
            try:
                await TmuxTaskKickoff(context, look=0.5, patience=2.0, delivery=how).kickoff(runtime, agent)
            except (Parked, KickoffError) as error:
                said = str(error)
            await agent.address.teardown()
            prompts = [json.loads(line) for line in arrived.read_text().splitlines()] if arrived.exists() else []
            return trouble, said, prompts, f"{runtime.state.signal_dir}/instructions.md"

    ended = await asyncio.gather(*(kickoff(*each) for each in enumerate(troubles())))
    for trouble, said, prompts, instructions in ended:
        if trouble in FAILS:
            assert (FAILS[trouble] in said, prompts) == (True, []), (trouble, said)
        else:
            assert (said, [instructions in prompt for prompt in prompts]) == ("", [True]), (trouble, said, prompts)
