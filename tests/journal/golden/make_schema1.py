"""How ``schema1.sqlite`` was made, once, by the first version that wrote schema 1. Never make it anew: it stands for
the files that users have.
"""

import sys
from pathlib import Path

from agentrelay_core.journal import Journal, run_started_event
from agentrelay_core.runtime import Event
from agentrelay_core.spec import Task, TaskGraph, WorkstreamSpec

GRAPH = TaskGraph(
    name="counter",
    tasks=(
        Task(id="spec", description="Specify."),
        Task(id="counter", dependencies=("spec",)),
        Task(id="docs", dependencies=("spec",), workstream_id="docs"),
        Task(id="later", dependencies=("docs",)),
    ),
    workstreams=(WorkstreamSpec(id="docs", auto_merge=True),),
)
STARTED = run_started_event("20250101T000000Z-beef", GRAPH)
SPEC = {"task_id": "spec", "workstream_id": "default"}
DOCS = {"task_id": "docs", "workstream_id": "docs"}
URL = "agentrelay+local:counter/1"
EVENTS = [
    ("run_started", {}, STARTED.message, STARTED.data),
    ("workstream_opened", {"workstream_id": "default"}, "", {"branch": "agentrelay/counter@default"}),
    ("task_started", SPEC, "", {}),
    ("task_prepared", SPEC, "branch=agentrelay/counter/spec", {}),
    ("task_launched", SPEC, "process:4711", {}),
    ("task_waiting", SPEC, "", {}),
    ("task_pr_created", SPEC, URL, {}),
    ("task_pr_merging", SPEC, URL, {}),
    (
        "task_finished",
        SPEC,
        "",
        {"status": "pr_merged", "pr_url": URL, "concerns": ["the specification is vague: 50 °C \U0001f321"]},
    ),
    ("task_started", DOCS, "", {}),
    ("task_finished", DOCS, "", {"status": "failed", "error": "no"}),
    ("task_retrying", DOCS, "", {"delay": 0.5, "error": "no"}),
    ("task_started", {**DOCS, "attempt_num": 1}, "", {}),
    ("log", DOCS, "a line \x1b[31m of the agent", {}),
    (
        "task_finished",
        {**DOCS, "attempt_num": 1},
        "",
        {"status": "failed", "error": "AgentFailure: no", "failure_class": "expected_task_failure"},
    ),
    ("task_blocked", {"task_id": "later", "workstream_id": "default"}, "", {"by": ["docs"]}),
    ("workstream_integrating", {"workstream_id": "default"}, "", {}),
    ("workstream_integrated", {"workstream_id": "default"}, "", {"pr_url": None, "merged": False}),
    ("run_finished", {}, "", {"outcome": "failed"}),
]

if __name__ == "__main__":
    journal = Journal.open(Path(sys.argv[1]))
    for number, (kind, place, message, data) in enumerate(EVENTS):
        journal.append(Event(kind=kind, **place, message=message, data=data, timestamp=1735689600.0 + number))
    journal.close()
