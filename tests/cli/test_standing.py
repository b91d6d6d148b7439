"""What people are shown of a run that its journal tells: what agents used, and what they wait for."""

import time

from agentrelay_core.cli.progress import progress_line
from agentrelay_core.cli.standing import run_lines
from agentrelay_core.journal import kinds, rebuild, run_started_event
from agentrelay_core.runtime import Event
from agentrelay_core.spec import Task, TaskGraph


def shown(tmp_path, *events):
    """The line of the only task after these events."""
    begun = [run_started_event("r", TaskGraph(name="g", tasks=(Task(id="a"),))), event(kinds.TASK_STARTED)]
    return list(run_lines(tmp_path, rebuild([*begun, *events])))[1]


def event(kind, message="", **data):
    return Event(kind=kind, task_id="a", workstream_id="default", message=message, data=data)


def test_what_agents_used_adds_up(tmp_path):
    """Tokens and dollars of all turns and attempts stand in one sum; what is not known is not shown."""
    used = event(kinds.TASK_USAGE, input_tokens=1000, output_tokens=200, cost_usd=0.25, turns=1)
    assert "2,400 tokens, $0.50" in shown(tmp_path, used, event(kinds.TASK_STARTED), used)
    free = event(kinds.TASK_USAGE, input_tokens=7)
    assert "7 tokens" in shown(tmp_path, free)
    assert "$" not in shown(tmp_path, free)
    assert "tokens" not in shown(tmp_path)


def test_until_when_a_limit_is_waited_for_is_said(tmp_path):
    """Only while it is: not once it has passed, nor once the session goes on in a new program."""
    limited = event(kinds.TASK_THROTTLED, "limited", until=time.time() + 3600)
    assert "waits for a limit to end at" in shown(tmp_path, limited)
    assert "limit" not in shown(tmp_path, limited, event(kinds.TASK_LAUNCHED))
    assert "limit" not in shown(tmp_path, event(kinds.TASK_THROTTLED, until=time.time() - 1))


def test_what_a_pull_request_waits_for_is_said(tmp_path):
    """As long as the session lasts that waits, and not once the attempt has ended."""
    waits = event(kinds.TASK_WAITING_EXTERNAL, "checks: build pending")
    assert "waits for checks: build pending" in shown(tmp_path, waits)
    assert "checks" not in shown(tmp_path, waits, event(kinds.TASK_ENDED, status="failed", error="x"))
    assert progress_line(waits).endswith("a  pull request waits for checks: build pending")


def test_what_an_agent_waits_for_is_a_line_for_people():
    """A limit, a question and what was used are told in words."""
    assert progress_line(event(kinds.TASK_THROTTLED, "until 9am")).endswith("a  waits for a limit to end: until 9am")
    assert progress_line(event(kinds.TASK_AWAITING_INPUT, "Bash(make)")).endswith("a  waits for you: Bash(make)")
    assert progress_line(event(kinds.TASK_USAGE, "7 tokens in, 1 out")).endswith("a  used 7 tokens in, 1 out")
