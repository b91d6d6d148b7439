"""The names of everything that is recorded, with what each carries; a released name keeps its meaning for ever.

An event whose kind is not listed here is kept, shown and passed over when state is derived.
"""

# The run.
RUN_STARTED = "run_started"
"""A run begins. data: ``run_id``, ``graph``, ``digest``, ``task_digests`` (by id), ``rest_digest``, ``tasks`` (ids in
the graph's order), ``workstreams`` (each lane's id, with the ids of its tasks), ``dependencies`` (ids by the task that
depends on them). What old journals lack is empty. `run_started_event` makes it."""
RUN_RESUMED = "run_resumed"
"""The same run goes on in a new process; what was blocked is free again. data: ``digest``, ``task_digests`` and
``rest_digest`` of the graph that it goes on with."""
RUN_FINISHED = "run_finished"
"""Nothing is left to do, or the run was stopped. data: ``outcome``."""
RUN_RESET = "run_reset"
"""Back to the beginning. data: ``tasks`` (ids that are pending again, with attempt numbers that go on); without it the
whole run is forgotten."""

# A task. `attempt_num` counts from 0.
TASK_STARTED = "task_started"
"""An attempt begins."""
TASK_RESUMED = "task_resumed"
"""An attempt that an earlier session began goes on."""
TASK_PREPARED = "task_prepared"
"""The attempt has its branch and worktree. message: ``branch=<name>``."""
TASK_LAUNCHED = "task_launched"
"""The agent lives. message: its label. data: ``agent``, from which its host can adopt it, where it can."""
TASK_WAITING = "task_waiting"
"""The agent has its instructions and is at work."""
TASK_PROGRESS = "task_progress"
"""How far the agent is, as its framework reads it in the output. message: for people. data: ``kind``."""
TASK_GATE_RUNNING = "task_gate_running"
"""The completion gate was started."""
TASK_GATE_PASSED = "task_gate_passed"
"""The completion gate ended with 0."""
TASK_GATE_FAILED = "task_gate_failed"
"""The completion gate ended otherwise."""
TASK_PR_MERGING = "task_pr_merging"
"""The pull request is about to be merged. message: its URL."""
TASK_ENDED = "task_ended"
"""The attempt ended, and its teardown may have begun. data: as `TASK_FINISHED`, and ``retryable`` (bool)."""
TASK_FINISHED = "task_finished"
"""The attempt ended and was torn down. data: ``status`` (a `TaskStatus` value), ``pr_url``, ``error``,
``failure_class``, ``concerns``, and ``parked: true`` where a person is needed, with ``agent_done: true`` where the
agent's work is kept by then, and need not be done again."""
TASK_RETRYING = "task_retrying"
"""The attempt `attempt_num` failed and another will follow. data: ``delay`` (seconds), ``error``, and
``free: true`` where it does not count."""
TASK_BLOCKED = "task_blocked"
"""The task cannot start in this run. data: ``by`` (id, or ids, of the tasks that it hangs on)."""
TASK_USAGE = "task_usage"
"""The agent has used something since the attempt's last such record. message: how much, in words. data: numbers that
add up, ``input_tokens``, ``output_tokens``, ``cost_usd`` and ``turns`` among them, as far as they are known."""
TASK_THROTTLED = "task_throttled"
"""The agent reached a limit and goes on by itself when that ends. message: which, and until when. data: ``until``,
seconds since the epoch."""
TASK_AWAITING_INPUT = "task_awaiting_input"
"""The agent waits for a person. message: what for, and where to answer. data: ``until``, when the task is parked, in
seconds since the epoch."""
TASK_WAITING_EXTERNAL = "task_waiting_external"
"""The task's pull request waits for others: checks, a review, a queue. message: for what."""
TASK_WARNING = "task_warning"
"""Something that people should know; the task goes on. message: what."""

# Effects on the outside world. The records above are intents too: the order of a task's life is fixed, so that what was
# recorded last says what may have begun since.
INTENT = "intent"
"""An effect may have begun; durable before it does. message: the effect, for example ``launch``."""
EFFECT_RECOVERED = "effect_recovered"
"""An effect had happened already when the run went on, and was not repeated. message: the effect. data:
``recovered: true``."""

# A workstream.
WORKSTREAM_OPENED = "workstream_opened"
"""The lane has its integration branch. data: ``branch``."""
WORKSTREAM_INTEGRATING = "workstream_integrating"
"""The lane's tasks are done; its integration pull request is being opened."""
WORKSTREAM_WAITING = "workstream_waiting"
"""The lane's integration waits for others: checks, a review, a queue, the end of a limit. message: for what."""
WORKSTREAM_INTEGRATED = "workstream_integrated"
"""The lane's end. data: ``pr_url`` (or `None`), ``merged`` (bool)."""
WORKSTREAM_FAILED = "workstream_failed"
"""The lane could not be opened or integrated. message: why."""
WORKSTREAM_PARKED = "workstream_parked"
"""The lane's integration waits for a person. message: what to do."""

# Anything that people may want to read later.
LOG = "log"
"""A line for people. message: the line."""
