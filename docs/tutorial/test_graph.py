"""The whole way: the example's graph runs in a real repository, and its work is in the integration branch."""

from pathlib import Path

from pytest_agentrelay.git import GitRepository

from agentrelay_core import run_graph

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


async def test_the_example_ends_merged(git_repository: GitRepository) -> None:
    """The example's task is done, and people were told of each line that was new when somebody looked."""
    events = []
    result = await run_graph(EXAMPLE, repository=git_repository.path, on_event=events.append)
    assert result.outcome == "succeeded", result.tasks
    assert git_repository.git("show", "agentrelay/example@default:poem.txt").startswith("A year has four seasons.")
    told = [event.message for event in events if event.kind == "task_progress"]
    assert told[-1] == "writing: line 3 of 3"
