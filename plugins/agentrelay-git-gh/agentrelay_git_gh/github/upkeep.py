"""What else becomes of a pull request: it is brought up to date with its target, or another one takes its place."""

from agentrelay_git_gh.github.command import GitHubApi
from agentrelay_git_gh.github.failures import Ambiguous, Refused
from agentrelay_git_gh.github.merges import LOOKS, Merge
from agentrelay_git_gh.github.records import GitHubPullRequest, Notes


def bring_up_to_date(merge: Merge) -> None:
    """Have GitHub merge a pull request's target into its source, and wait some moments until it shows that.

    Args:
        merge: The merge that waits for it; where the source is no longer at its commit, nothing is done.

    Raises:
        Refused: GitHub does not: they conflict, or the login may not.
    """
    path = f"{merge.api.site.path}/pulls/{merge.number}/update-branch"
    try:
        merge.api.write("PUT", path, {"expected_head_sha": merge.head_sha})
    except Ambiguous:
        pass  # what came of it is seen
    except Refused:
        if merge.look().head_sha == merge.head_sha:
            raise
    for number in range(LOOKS):
        if merge.look().head_sha != merge.head_sha:
            return
        merge.wait(number)


def close_earlier(api: GitHubApi, notes: Notes, head: str, base: str, url: str) -> None:
    """Close what earlier attempts at a task left open, with a comment; their branches stay.

    Args:
        api: The adapter.
        notes: What is known of the graph's pull requests.
        head: The task's branch.
        base: Its target.
        url: The pull request of these.

    Raises:
        Refused: GitHub does not; and as `GitHubApi.write`.
    """
    for note in notes.of_other_attempts(head, base):
        path = f"{api.site.path}/pulls/{note.number}"
        found = GitHubPullRequest.of(api.read(path).json())
        if found.state == "open" and found.node_id == note.node_id:
            api.write("PATCH", path, {"state": "closed"})
            said = {"body": f"Another attempt took its place: {url}. The branch `{note.head}` is left as it is."}
            api.write("POST", f"{api.site.path}/issues/{note.number}/comments", said)
