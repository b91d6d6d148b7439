"""The named places between what a server has done and our record of it, at which a test can end the program.

They are armed like the core's, see ``agentrelay_core.failpoints``; without a test they do nothing.
"""

from typing import Final

from agentrelay_core.failpoints import failpoint_of_plugin

PLACES: Final = (
    "pushed",
    "push-noted",
    "opened",
    "opening-noted",
    "merge-asked",
    "merged",
    "fetched",
    "ref-moved",
    "merge-noted",
)
"""A branch was pushed, and that was noted; a pull request was opened, and noted; a merge is about to be asked for, and
was asked for; what is on the server was fetched; the branch here was moved to it; the task's directory says so."""


def failpoint(place: str) -> None:
    """Pass one of `PLACES`."""
    failpoint_of_plugin(f"agentrelay-git-gh/{place}")
