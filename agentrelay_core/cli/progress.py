"""A run's events as lines for people: what happens to whom, one plain line each."""

import time
from typing import Final

from agentrelay_core.journal import kinds
from agentrelay_core.runtime import Event
from agentrelay_core.runtime.untrusted_text import plain_line

LONGEST_MESSAGE: Final = 300

_WORDS: Final = {
    kinds.RUN_STARTED: "run {message} begins",
    kinds.RUN_RESUMED: "run {message} goes on",
    kinds.RUN_RESET: "pending again: {message}",
    kinds.RUN_FINISHED: "run ended: {message}",
    kinds.TASK_STARTED: "attempt {attempt} begins",
    kinds.TASK_RESUMED: "attempt {attempt} goes on",
    kinds.TASK_PREPARED: "prepared, {message}",
    kinds.TASK_LAUNCHED: "agent launched: {message}",
    kinds.TASK_WAITING: "agent at work",
    kinds.TASK_PROGRESS: "{message}",
    kinds.TASK_GATE_RUNNING: "completion gate runs",
    kinds.TASK_GATE_PASSED: "completion gate passed",
    kinds.TASK_GATE_FAILED: "completion gate failed {message}",
    kinds.TASK_PR_MERGING: "merging {message}",
    kinds.TASK_RETRYING: "failed, next attempt in {delay} s: {message}",
    kinds.TASK_BLOCKED: "blocked: {message}",
    kinds.TASK_USAGE: "used {message}",
    kinds.TASK_THROTTLED: "waits for a limit to end: {message}",
    kinds.TASK_AWAITING_INPUT: "waits for you: {message}",
    kinds.TASK_WAITING_EXTERNAL: "pull request waits for {message}",
    kinds.TASK_WARNING: "warning: {message}",
    kinds.EFFECT_RECOVERED: "{message} had happened already",
    kinds.WORKSTREAM_OPENED: "workstream opened on {message}",
    kinds.WORKSTREAM_INTEGRATING: "workstream complete, integrating",
    kinds.WORKSTREAM_WAITING: "integration waits for {message}",
    kinds.WORKSTREAM_INTEGRATED: "workstream integrated {message}",
    kinds.WORKSTREAM_FAILED: "workstream could not be integrated: {message}",
    kinds.WORKSTREAM_PARKED: "workstream waits for you: {message}",
}

# For the run's memory alone: people are told of what follows.
SILENT: Final = frozenset({kinds.INTENT, kinds.TASK_ENDED})


def progress_line(event: Event) -> str:
    """An event as one line.

    Args:
        event: The event; text from agents in it is stripped of control characters.

    Returns:
        Local time, whom it concerns, what happened.
    """
    message = plain_line(event.message, LONGEST_MESSAGE)
    if event.kind == kinds.TASK_FINISHED:
        words = plain_line(str(event.data.get("status", "ended")))
        said = f"{words}: {message}" if message else words
    else:
        template = _WORDS.get(event.kind, f"{event.kind.replace('_', ' ')} {{message}}")
        said = template.format(
            message=message, attempt=event.attempt_num + 1, delay=event.data.get("delay", 0)
        ).rstrip()
    clock = time.strftime("%H:%M:%S", time.localtime(event.timestamp))
    subject = event.task_id or (f"@{event.workstream_id}" if event.workstream_id else "")
    return f"{clock}  {subject}  {said}" if subject else f"{clock}  {said}"
