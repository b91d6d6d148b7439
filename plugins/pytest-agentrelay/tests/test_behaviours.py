"""What an agent can be told to do, and that each ends truthfully in the core, with real git."""

import re

import pytest
from pytest_agentrelay.fakes import InProcess

from agentrelay_core import Deadlines, TaskStatus
from agentrelay_core.builtin.environment import ProcessEnvironment
from agentrelay_core.orchestrator import RunOutcome

ENVIRONMENTS = pytest.mark.parametrize("environment", [InProcess(), ProcessEnvironment()], ids=["thread", "program"])


def _files(git_repository):
    return git_repository.lines("ls-tree", "-r", "--name-only", "agentrelay/g@default")


def _log(git_repository):
    [log] = (git_repository.path / ".workflow").glob("g/signals/a/*/agent.log")
    return log.read_text()


@ENVIRONMENTS
async def test_what_it_writes_is_merged_and_what_it_prints_is_its_log(environment, play, git_repository):
    """A script that writes, prints, has a concern and is done becomes a merge, in a thread and as a program."""
    script = [{"write": {"path": "src/a.txt", "text": "é\n"}}, {"print": "hello"}, {"concern": "odd"}, "done"]
    told = await play(*script, environment=environment)
    assert told.result.outcome is RunOutcome.SUCCEEDED, told.result.tasks["a"].error
    assert git_repository.git("show", "agentrelay/g@default:src/a.txt") == "é"
    assert _log(git_repository) == "hello\n"
    [finished] = [event for event in told.events if event.kind == "task_finished"]
    assert finished.data["concerns"] == ["odd"]


async def test_without_a_script_it_is_a_dry_run(play, git_repository):
    """An agent of which nothing more is said writes a file of its own, and is done."""
    told = await play()
    assert told.result.outcome is RunOutcome.SUCCEEDED, told.result.tasks["a"].error
    assert _files(git_repository) == ["README", "a.txt"]


@ENVIRONMENTS
@pytest.mark.parametrize(
    ("script", "error"),
    [
        (["write", {"failed": "too hard"}], "^too hard$"),
        (["write", {"exit": 3}], "^the fake agent exited 3$"),
        (["write", "crash"], "SIGKILL"),
        (["lie"], "^AgentFailure: the agent changed nothing"),
        (["write", {"lie": "agentrelay+local:g/99"}], "^ProtocolViolation: "),
        (["write", {"flood": "signal"}], r"^ProtocolViolation: .*\.done is too large"),
        (["write", "answer_twice"], r"^ProtocolViolation: .*both \.done and \.failed"),
    ],
    ids=["failed", "exit", "crash", "lie-nothing", "lie-url", "flood-signal", "answer-twice"],
)
@pytest.mark.fault("A2", "A6", "A7", "A8")
async def test_what_is_not_done_is_told_as_it_was(environment, script, error, play, git_repository):
    """Its own word, an exit code, a death, a claim without evidence, a broken protocol: failures, each by name."""
    told = await play(*script, environment=environment)
    assert told.result.outcome is RunOutcome.FAILED
    assert told.result.tasks["a"].status is TaskStatus.FAILED
    assert re.search(error, told.result.tasks["a"].error), told.result.tasks["a"].error
    assert _files(git_repository) == ["README"]


@ENVIRONMENTS
@pytest.mark.fault("A12")
async def test_one_that_hangs_is_hung(environment, play):
    """An agent that does nothing is stopped at the limit that the task sets, and the attempt has failed as hung."""
    told = await play("write", "hang", environment=environment, deadlines=Deadlines(stall=0.4, stall_stop=1.0))
    assert told.result.tasks["a"].error.startswith("AgentFailure: hung: no progress")


@pytest.mark.fault("A4")
async def test_of_a_flood_the_ends_are_kept(play, git_repository):
    """Two megabytes of output and of concerns end nothing, and what is told of them is short."""
    told = await play("write", "flood", {"flood": "concerns"}, "done")
    assert told.result.outcome is RunOutcome.SUCCEEDED, told.result.tasks["a"].error
    assert len(_log(git_repository)) > 2_000_000
    [finished] = [event for event in told.events if event.kind == "task_finished"]
    concerns = finished.data["concerns"]
    assert len(concerns) <= 1_001
    assert any("truncated" in concern for concern in concerns)


@ENVIRONMENTS
@pytest.mark.fault("A1")
async def test_a_signal_in_two_halves_is_read_as_one(environment, play, git_repository):
    """A half-written signal is waited for, so that half a URL is never taken for one."""
    told = await play("write", {"half_write": "agentrelay+local:g/1"}, environment=environment)
    result = told.result.tasks["a"]
    # The pull request of the whole URL is not there: half of it would have been an error about another one.
    assert "agentrelay+local:g/1 " in f"{result.error} "


async def test_one_that_asks_is_waited_for(play, git_repository):
    """People are told what it asks, and it goes on when it is answered."""

    def answer(event):
        if event.kind == "task_warning" and "waits for input" in event.message:
            [question] = (git_repository.path / ".workflow").glob("g/signals/a/*/waiting_input")
            question.unlink()

    limits = Deadlines(stall=2.0, stall_stop=20.0)  # looked at five times within 2 s
    told = await play({"ask_permission": "May I delete it?"}, "write", "done", on_event=answer, deadlines=limits)
    assert told.result.outcome is RunOutcome.SUCCEEDED, told.result.tasks["a"].error
    assert told.messages("task_warning") == ["the agent waits for input: May I delete it?"]


@ENVIRONMENTS
async def test_one_that_is_rate_limited_is_waited_for(environment, play, git_repository):
    """Waiting for a limit to end is neither a failure nor a death."""
    told = await play({"rate_limited": 0.3}, "write", "done", environment=environment)
    assert told.result.outcome is RunOutcome.SUCCEEDED, told.result.tasks["a"].error
    assert _log(git_repository) == "rate limited: going on in 0.3 s\ngoing on\n"
