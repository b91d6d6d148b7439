"""What people are told at the end of a run: where to look, and how an open pull request is merged."""

from pathlib import Path

import pytest

from agentrelay_core import RunResult, Task, TaskGraph
from agentrelay_core.cli.results import next_steps
from agentrelay_core.orchestrator import RunOutcome
from agentrelay_core.orchestrator.results import WorkstreamResult

GRAPH = TaskGraph(name="g", tasks=[Task(id="t", description="x")])


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("agentrelay+local:g/1", "  merge: git -C /repository merge agentrelay/g@default"),
        ("https://github.com/acme/widget/pull/1", "  merge: at that address"),
    ],
)
def test_open_pull_request_is_merged_where_it_lives(url, told):
    """A local one is merged by git; one on a server is merged there, where merging here would leave it open."""
    lane = WorkstreamResult(id="default", pr_url=url)
    result = RunResult(outcome=RunOutcome.SUCCEEDED, tasks={}, run_id="r", workstreams={"default": lane})
    lines = list(next_steps(result, GRAPH, Path("/repository")))
    assert url in lines[0]
    assert told in lines
