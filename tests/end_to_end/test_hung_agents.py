"""Agents that hang, and agents that only look like it: real processes, with deadlines of seconds."""

import pytest

from agentrelay_core import Deadlines, TaskStatus, WorkstreamSpec
from agentrelay_core.orchestrator import RunOutcome
from agentrelay_core.processes import find_marked

STALL = Deadlines(stall=0.5, stall_stop=2.0)
# Each goes on for about twice the limit of a stall, and leaves one kind of trace.
ALIVE = {
    "lines": 'for i in $(seq 40); do echo "still here"; sleep 0.1; done',
    "cpu": "timeout 4 sh -c 'while :; do :; done'",
    "heartbeat": 'for i in $(seq 40); do touch "$AGENTRELAY_SIGNAL_DIR/heartbeat"; sleep 0.1; done',
    "commits": "for i in $(seq 10); do git commit -q --allow-empty -m step; sleep 0.4; done",
    "percent": "for i in $(seq 40); do printf '\\rfetched %s%%' $i; sleep 0.1; done",
}
SPINNERS = {
    "a counter": "i=0; while :; do i=$((i+1)); printf '\\r\\033[K* Thinking (%ss)' $i; sleep 0.1; done",
    "two lines": "while :; do for f in '|' /; do printf '%s Thinks\\n esc stops\\n\\033[2A' $f; sleep 0.1; done; done",
    "nothing": "sleep 600",
}


@pytest.mark.slow
@pytest.mark.fault("A12")
async def test_agents_that_work_are_left_alone(relay, task):
    """Lines, CPU time, a heartbeat, commits, and a percentage that grows are progress, each by itself."""
    lanes = [WorkstreamSpec(id=name) for name in ALIVE]
    tasks = [
        task(name, f"{command}; echo {name} > {name}", workstream_id=name, deadlines=STALL)
        for name, command in ALIVE.items()
    ]
    result = await relay(*tasks, workstreams=lanes, max_concurrency=len(ALIVE))
    assert result.outcome is RunOutcome.SUCCEEDED, [r.error for r in result.tasks.values()]


@pytest.mark.slow
@pytest.mark.fault("A12")
@pytest.mark.parametrize("spinner", SPINNERS)
async def test_an_agent_that_only_redraws_is_hung(spinner, repository, relay, task):
    """People are warned, then the agent is ended with all that it started, and the attempt has failed as hung."""
    result = await relay(task("one", SPINNERS[spinner], deadlines=STALL))
    ended = result.tasks["one"]
    assert ended.status is TaskStatus.FAILED
    assert ended.error.startswith("AgentFailure: hung: no progress for ")
    warnings = [event.message for event in relay.events if event.kind == "task_warning"]
    assert [warning.partition(" for ")[0] for warning in warnings] == ["no progress"]
    assert not find_marked("AGENTRELAY_RUN_ID", result.run_id)


@pytest.mark.slow
@pytest.mark.fault("A12")
async def test_a_hung_attempt_may_be_tried_again(relay, task):
    """The next attempt takes the hung one's place, and its end is the task's."""
    command = 'test "$AGENTRELAY_ATTEMPT" = 0 && sleep 600; echo done > done'
    result = await relay(task("one", command, deadlines=STALL), max_task_attempts=2)
    assert result.outcome is RunOutcome.SUCCEEDED
    retried = [event for event in relay.events if event.kind == "task_retrying"]
    assert [event.data["error"].partition(" for ")[0] for event in retried] == ["AgentFailure: hung: no progress"]


@pytest.mark.slow
@pytest.mark.fault("A13")
async def test_an_agent_that_asks_is_waited_for(relay, task):
    """While it waits for input it is told of, and not stopped; once it goes on its work is taken."""
    command = (
        'echo "May I?" > "$AGENTRELAY_SIGNAL_DIR/waiting_input"; sleep 4; rm "$AGENTRELAY_SIGNAL_DIR/waiting_input";'
        " echo yes > answer"
    )
    result = await relay(task("one", command, deadlines=STALL))
    assert result.outcome is RunOutcome.SUCCEEDED
    warnings = [event.message for event in relay.events if event.kind == "task_warning"]
    assert warnings == ["the agent waits for input: May I?"]
