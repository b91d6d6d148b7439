"""Who opens pull requests, as agents are told."""

import attrs
import pytest
from agentrelay_git_gh import agentrelay_task_preparer

from agentrelay_core.hooks import StepContext
from agentrelay_core.spec import RunSettings, Task


@pytest.mark.parametrize(
    ("pr", "told"),
    [
        ("auto", "a pull request is opened for you, or add `--pr URL` if you opened it"),
        ("orchestrator", "its branch is pushed and a pull request opened for you: do neither yourself"),
    ],
)
def test_agent_is_told_who_opens_its_pull_request(bench, pr, told):
    """The graph's `pr` decides what an agent's instructions say."""
    runtime = bench.runtime(Task(id="t"))
    run = attrs.evolve(bench.run, settings=RunSettings(pr=pr))
    [provider] = agentrelay_task_preparer()
    provider.factory(StepContext(runtime=runtime, run=run)).prepare(runtime)
    instructions = (runtime.state.signal_dir / "instructions.md").read_text()
    assert told in instructions
    assert ("--pr" in instructions) == (pr == "auto")
