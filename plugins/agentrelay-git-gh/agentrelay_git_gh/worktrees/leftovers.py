"""Which files of a worktree are in no commit: what is looked for before anything may go."""

import os

from agentrelay_git_gh.git.trusted import TRANSFER_DEADLINE, Git


def leftovers(git: Git) -> list[str]:
    """Files that differ from the index or are not in it; ignored ones are left out.

    Args:
        git: Ours, with a work tree and an index.

    Returns:
        Paths relative to the work tree; a repository inside of it ends with a slash.
    """
    listed = git.run("ls-files", "-z", "-m", "-d", "-o", "--exclude-standard", deadline=TRANSFER_DEADLINE).stdout
    return list(dict.fromkeys(os.fsdecode(listed).split("\0")[:-1]))
