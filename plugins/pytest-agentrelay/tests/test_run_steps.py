"""The fake steps in the real life of a task: what they do is true, and what they do not do is told."""

import pytest
from pytest_agentrelay.fakes import FakeLauncher, FakeWorkspace

from agentrelay_core import TaskCompletionSignal, TaskStatus


async def test_fakes_do_what_is_not_given(run_steps):
    """Without any step of one's own a task is merged, in the order of events that the runner promises."""
    run = await run_steps()
    assert run.result.status is TaskStatus.PR_MERGED
    assert run.result.pr_url in run_steps.repository.merged
    kinds = [event.kind for event in run.events]
    assert kinds == ["task_prepared", "task_launched", "task_waiting", "task_pr_merging"]
    assert (run.runtime.state.signal_dir / ".merged").exists()


async def test_a_step_of_one_s_own_is_called_in_its_place(run_steps):
    """A step given by keyword is the one that the runner calls."""

    class Checker:
        async def wait_for_completion(self, runtime):
            return TaskCompletionSignal("failed", error="not today")

    run = await run_steps(completion_checker=Checker())
    assert run.result.status is TaskStatus.FAILED
    assert run.result.error == "not today"


async def test_a_step_that_there_is_not_is_refused(run_steps):
    """A misspelt step is told with the names that there are."""
    with pytest.raises(TypeError, match="there is no step 'checker'; the steps are preparer, launcher"):
        await run_steps(checker=None)


@pytest.mark.parametrize(
    ("script", "error", "ended"),
    [
        (["write", {"failed": "too hard"}], "too hard", "failed"),
        (["write", "crash"], "the agent was ended by SIGKILL (exit 137) without a signal", "died"),
        (["lie"], "AgentFailure: done without evidence: nothing changed in the worktree", "done"),
        (["write", {"lie": "fake://pull/7"}], "ProtocolViolation: fake://pull/7 is not the pull request of", "done"),
    ],
)
async def test_how_an_attempt_ended_is_known(script, error, ended, run_steps):
    """A failure, a death and a lie are told apart."""
    run = await run_steps(script=script)
    assert run.result.status is TaskStatus.FAILED
    assert run.result.error.startswith(error)
    assert run.runtime.artifacts.ended == ended


async def test_without_a_workspace_the_steps_word_is_taken(run_steps, make_runtime):
    """What the agent calls its pull request is merged, and without a name for it there is nothing to merge."""
    run = await run_steps(script=["write", {"done": "https://forge.example/pull/1"}], workspace=None)
    assert run.result.status is TaskStatus.PR_MERGED
    assert list(run_steps.repository.merged) == ["https://forge.example/pull/1"]
    run = await run_steps(make_runtime(prepared=False, id="other"), workspace=None)
    assert run.result.error == "Task completion signaled 'done' but did not include pr_url."


async def test_a_failed_gate_is_the_agent_s_next_turn(run_steps, make_runtime):
    """The same agent reads the instructions again, with the gate's output in them."""
    launcher = Remembering(["write", "done"])
    runtime = make_runtime(
        prepared=False, completion_gate="test -e gate-ran || { touch gate-ran; printf 'once %s' more; exit 1; }"
    )
    run = await run_steps(runtime, launcher=launcher)
    assert run.result.status is TaskStatus.PR_MERGED, run.result.error
    [agent] = launcher.agents
    first, second = agent.received
    assert b"once more" not in first
    assert b"once more" in second
    assert not agent.alive


async def test_a_task_may_change_nothing_if_it_says_so(run_steps, make_runtime):
    """With ``allow_no_changes`` a task without a change is completed, and nothing is merged."""
    run = await run_steps(make_runtime(prepared=False, allow_no_changes=True), script=["done"])
    assert run.result.status is TaskStatus.COMPLETED
    assert not run_steps.repository.merged


async def test_a_workspace_of_one_s_own_is_asked(run_steps, tmp_path):
    """The workspace that is given publishes and verifies."""
    workspace = FakeWorkspace(tmp_path)
    run = await run_steps(workspace=workspace)
    assert run.result.pr_url in workspace.repository.pull_requests.values()
    assert run.result.status is TaskStatus.PR_MERGED


class Remembering(FakeLauncher):
    """A launcher that remembers its agents."""

    def __init__(self, script):
        super().__init__(script)
        self.agents = []

    def launch(self, runtime):
        self.agents.append(super().launch(runtime))
        return self.agents[-1]
