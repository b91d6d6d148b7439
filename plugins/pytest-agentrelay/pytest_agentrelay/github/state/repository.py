"""One repository: its bare repository on disk, and what GitHub knows beside it."""

from __future__ import annotations

import attrs

from pytest_agentrelay.github.state.bare import BareRepository
from pytest_agentrelay.github.state.checks import Checks
from pytest_agentrelay.github.state.records import Protection, PullRequest, Settings
from pytest_agentrelay.github.state.refusals import not_found


@attrs.define(kw_only=True)
class RepositoryState:
    """What is known of a repository.

    Args:
        owner: The user or organization.
        name: Its name.
        number: Its database id.
        bare: Where its commits are.
        parent: ``owner/name`` of the repository that it is a fork of.
        settings: Its settings.
        pulls: Pull requests by number.
        protections: By branch.
        queues: The numbers in the merge queue, by branch; a branch without an entry has no queue.
        checks: The checks of its commits.
        seen: The tips of branches that were last seen.
        hide_next: How many looks at lists leave the next new pull request out.
    """

    owner: str
    name: str
    number: int
    bare: BareRepository
    parent: str | None = None
    settings: Settings = attrs.field(factory=Settings)
    pulls: dict[int, PullRequest] = attrs.field(factory=dict)
    protections: dict[str, Protection] = attrs.field(factory=dict)
    queues: dict[str, list[int]] = attrs.field(factory=dict)
    checks: Checks = attrs.field(factory=Checks)
    seen: dict[str, str] = attrs.field(factory=dict)
    hide_next: int = 0
    _trees: dict[tuple[str, str], str | None] = attrs.field(factory=dict, alias="trees")

    @property
    def slug(self) -> str:
        """``owner/name``."""
        return f"{self.owner}/{self.name}"

    @property
    def node_id(self) -> str:
        """Its id in GraphQL."""
        return f"R_kgDO{self.number:06}"

    def pull(self, number: int) -> PullRequest:
        """A pull request.

        Raises:
            Refused: There is none of that number.
        """
        try:
            return self.pulls[number]
        except KeyError:
            raise not_found(f"Could not resolve to a PullRequest with the number of {number}.") from None

    def change(self, number: int, **fields: object) -> PullRequest:
        """Replace fields of a pull request."""
        changed: PullRequest = attrs.evolve(self.pulls[number], **fields)  # type: ignore[arg-type]  # fields by name
        self.pulls[number] = changed
        return changed

    def tip(self, branch: str) -> str:
        """The tip of a branch.

        Raises:
            Refused: There is no such branch.
        """
        if branch not in self.seen:
            raise not_found("Branch not found")
        return self.seen[branch]

    def merged_tree(self, base: str, head: str) -> str | None:
        """The tree of a merge; None when there are conflicts. Worked out once for two commits."""
        if (base, head) not in self._trees:
            self._trees[base, head] = self.bare.merged_tree(base, head)
        return self._trees[base, head]

    def protection(self, branch: str) -> Protection:
        """What a branch asks; an empty one if it asks nothing."""
        return self.protections.get(branch, Protection())

    def listed(self) -> list[PullRequest]:
        """The pull requests that a list shows now, newest first; the look counts."""
        shown = []
        for number in sorted(self.pulls, reverse=True):
            pull = self.pulls[number]
            if pull.hidden_looks:
                self.change(number, hidden_looks=pull.hidden_looks - 1)
            else:
                shown.append(pull)
        return shown
