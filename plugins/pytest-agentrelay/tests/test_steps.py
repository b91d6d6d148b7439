"""The fake steps by themselves: they refuse what is missing, repeat without effect, and mix nothing."""

import asyncio
import json

import pytest
from pytest_agentrelay.fakes import (
    FakeCompletionChecker,
    FakeKickoff,
    FakeLauncher,
    FakeMerger,
    FakePreparer,
    FakeRepository,
    FakeTeardown,
    InProcessHost,
)

from agentrelay_core import AgentFailure, InternalIntegrationError, ProtocolViolation


@pytest.mark.parametrize("field", ["integration_branch", "workstream_worktree_path"])
def test_the_preparer_names_what_is_missing(field, make_runtime):
    """A field that the orchestrator sets is needed, and named when it is not set."""
    runtime = make_runtime(prepared=False)
    setattr(runtime.state, field, None)
    with pytest.raises(ValueError, match=f"{field} of task 'task' is not set"):
        FakePreparer().prepare(runtime)


async def test_the_others_name_what_is_missing(make_runtime, fake_agent):
    """Each step that needs a path names it when the task is not prepared."""
    runtime, agent = make_runtime(prepared=False), fake_agent()
    with pytest.raises(ValueError, match="worktree_path"):
        FakeLauncher().launch(runtime)
    with pytest.raises(ValueError, match="signal_dir"):
        await FakeKickoff().kickoff(runtime, agent)
    with pytest.raises(ValueError, match="signal_dir"):
        await FakeCompletionChecker().wait_for_completion(runtime)
    with pytest.raises(ValueError, match="branch_name"):
        FakeMerger().merge_pr(runtime, "fake://pull/1")


async def test_a_kickoff_is_delivered_once_and_to_the_byte(make_runtime):
    """What stands in the instructions is what the agent reads, once, whatever is in it."""
    runtime = make_runtime()
    told = ("\"'`$(x);\r\n\t\\é — ;\n" * 4000).encode()
    (runtime.state.signal_dir / "instructions.md").write_bytes(told)
    agent = FakeLauncher(["hang"]).launch(runtime)
    await FakeKickoff().kickoff(runtime, agent)
    assert agent.received == (told,)
    agent.address.teardown()


async def test_an_agent_that_has_ended_takes_no_kickoff(make_runtime):
    """Nobody is told that instructions have arrived which nobody has read."""
    runtime = make_runtime()
    agent = FakeLauncher().launch(runtime)
    agent.address.teardown()
    with pytest.raises(AgentFailure, match="takes no instructions"):
        await FakeKickoff().kickoff(runtime, agent)


async def test_an_address_travels_as_json(make_runtime):
    """From its text the host finds the living agent, and none once it was torn down."""
    agent = FakeLauncher().launch(make_runtime())
    data = json.loads(json.dumps(agent.address.to_json()))
    assert InProcessHost().adopt(data) is agent.address
    assert await InProcessHost().is_alive(agent.address) == "alive"
    agent.address.teardown()
    assert InProcessHost().adopt(data) is None
    assert await InProcessHost().is_alive(agent.address) == "ended"


def test_an_address_of_another_process_is_no_agent_here(fake_agent):
    """A number alone does not make an agent of this process one of another's."""
    data = fake_agent().address.to_json()
    data["process"] = {**data["process"], "start_time": "1"}
    assert InProcessHost().adopt(data) is None
    with pytest.raises(ValueError, match="not the address"):
        InProcessHost().adopt({"in_process": "x"})


def test_a_resumed_task_finds_its_agent(make_runtime):
    """The launcher of a resumed attempt gives the agent that lives, and starts none beside it."""
    runtime = make_runtime()
    launcher = FakeLauncher()
    assert launcher.reconcile(runtime) == "absent"
    agent = launcher.launch(runtime)
    assert launcher.reconcile(runtime) == "absent"  # nobody came before: it is not asked for
    runtime.resumed = True
    found, other = launcher.reconcile(runtime)
    assert found == "present"
    assert other.address is agent.address
    assert FakeKickoff().reconcile(runtime) == "absent"
    agent.send_kickoff(str(runtime.state.signal_dir / "instructions.md"))
    assert FakeKickoff().reconcile(runtime) == "present"
    agent.address.teardown()
    assert launcher.reconcile(runtime) == "absent"


def test_a_merge_happens_once(make_runtime):
    """Merging again changes nothing, and another's pull request is refused."""
    repository = FakeRepository()
    merger, runtime, other = FakeMerger(repository), make_runtime(), make_runtime(id="other")
    url = repository.open(runtime.state.branch_name, runtime.state.integration_branch)
    merger.merge_pr(runtime, url)
    written = (runtime.state.signal_dir / ".merged").read_bytes()
    merger.merge_pr(runtime, url)
    assert (runtime.state.signal_dir / ".merged").read_bytes() == written
    assert list(repository.merged) == [url]
    for task, wrong in ((other, url), (runtime, "fake://pull/9")):
        with pytest.raises(ProtocolViolation, match="is not the pull request of"):
            merger.merge_pr(task, wrong)


async def test_a_teardown_repeats_and_needs_no_launch(make_runtime, fake_agent):
    """It is safe when nothing was launched, ends what was, and may be called again."""
    runtime = make_runtime()
    await FakeTeardown().teardown(runtime)
    agent = fake_agent("hang", runtime=runtime)
    await FakeTeardown().teardown(runtime)
    assert not agent.alive
    await FakeTeardown().teardown(runtime)


async def test_a_cancelled_wait_leaves_nothing(make_runtime, fake_agent):
    """No task of the loop is left, and the agent lives on."""
    runtime = make_runtime()
    agent = fake_agent(runtime=runtime)
    waiting = asyncio.ensure_future(FakeCompletionChecker().wait_for_completion(runtime))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert agent.alive


def test_two_tasks_do_not_mix(make_runtime):
    """One preparer serves two tasks, each with directories and a branch of its own."""
    preparer = FakePreparer()
    one, two = make_runtime(prepared=False, id="one"), make_runtime(prepared=False, id="two")
    for runtime in (one, two):
        preparer.prepare(runtime)
    for field in ("branch_name", "worktree_path", "signal_dir"):
        assert getattr(one.state, field) != getattr(two.state, field)
    assert one.artifacts.signal_nonce != two.artifacts.signal_nonce


def test_a_resumed_attempt_is_not_prepared_again(make_runtime):
    """What its agent did stays, and the agent's signals still count; another session's directory is not taken over."""
    repository = FakeRepository()
    first = make_runtime(prepared=False)
    FakePreparer(repository).prepare(first)
    (first.state.worktree_path / "work").write_text("mine")
    again = make_runtime(prepared=False)
    again.resumed = True
    FakePreparer(repository).prepare(again)
    assert again.state == first.state
    assert again.artifacts.signal_nonce == first.artifacts.signal_nonce
    assert (again.state.worktree_path / "work").read_text() == "mine"
    with pytest.raises(InternalIntegrationError, match="is there already"):
        FakePreparer().prepare(make_runtime(prepared=False))
