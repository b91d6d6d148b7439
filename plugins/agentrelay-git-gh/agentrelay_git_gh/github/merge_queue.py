"""Handing a pull request to its branch's merge queue, pinned to the commit that was verified.

Where a branch has a queue, GitHub merges nothing by itself; it tries what is queued, and merges what passes. Being in
the queue is a state to wait in, not a merge.
"""

from typing import Final

from agentrelay_core.runtime import IntegrationBoundary, Parked
from agentrelay_git_gh.github.failures import Ambiguous, Refused
from agentrelay_git_gh.github.merges import Merge

QUEUEING_TRIES: Final = 5
_ASK: Final = "query($id: ID!) { node(id: $id) { ... on PullRequest { mergeQueueEntry { position } } } }"
_CHANGE: Final = """\
mutation($id: ID!, $head: GitObjectID!) {
  enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $head}) { mergeQueueEntry { position } }
}"""


def wants_queue(refusal: Refused) -> bool:
    """Whether GitHub refused a merge because the branch has a merge queue."""
    return "merge queue" in refusal.said.lower()


def enqueue(merge: Merge) -> str | None:
    """Put a pull request into the merge queue; one that is in it already stays where it is.

    Args:
        merge: The merge that the queue is to make.

    Returns:
        The merge if it is merged already, `None` while it waits.

    Raises:
        HeadMoved: Its source is at another commit.
        Refused: GitHub does not take it.
        Parked: It is closed, or has another target; or it stays unclear.
    """
    last = ""
    for number in range(QUEUEING_TRIES):
        merged = merge.settled()
        if merged is not None:
            return merged
        node_id = merge.look().node_id
        if _is_queued(merge, node_id):
            return None
        try:
            merge.api.change(_CHANGE, {"id": node_id, "head": merge.head_sha})
        except Ambiguous as failure:
            last = str(failure)
            merge.wait(number)
        except Refused:
            # Somebody may just have queued or merged it, or moved its source, which says more than the refusal.
            merged = merge.settled()
            if merged is None and not _is_queued(merge, node_id):
                raise
            return merged
        else:
            return None
    raise Parked(
        f"it stays unclear whether {merge.look().url} is in the merge queue of {merge.base} "
        f"({QUEUEING_TRIES} tries; the last: {last}); look there, then type `agentrelay run`",
        boundary=IntegrationBoundary.PULL_REQUEST,
    )


def _is_queued(merge: Merge, node_id: str) -> bool:
    node = merge.api.ask(_ASK, {"id": node_id}).get("node") or {}
    return node.get("mergeQueueEntry") is not None
