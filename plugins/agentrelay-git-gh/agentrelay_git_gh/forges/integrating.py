"""Handing a workstream's work on: its integration pull request, and what may be merged of it."""

import asyncio
from collections.abc import Callable
from typing import Final

import attrs

from agentrelay_core.hooks import Forge, PullRequest
from agentrelay_core.runtime import AgentFailure, HeadMoved, Parked
from agentrelay_core.runtime.no_room import parking
from agentrelay_core.spec import WorkstreamSpec
from agentrelay_git_gh.defaults import target_branch
from agentrelay_git_gh.finishing import finished
from agentrelay_git_gh.forges.bodies import integration_body
from agentrelay_git_gh.forges.of_run import settle
from agentrelay_git_gh.forges.sharing_forge import Checks, SharingForge, Tell
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.git.transfer import take_over
from agentrelay_git_gh.names import head_ref, integration_branch

PATIENCE: Final = 86_400.0  # seconds that an integration waits for checks and people before it says that it does
MOVES: Final = 10  # how often its source or its target may have moved on meanwhile, until a person is asked


@attrs.frozen(kw_only=True)
class Integration:
    """A workstream's integration pull request.

    Args:
        pull_request: The pull request.
        head: The tip of the workstream, full hash.
    """

    pull_request: PullRequest
    head: str


@attrs.frozen(kw_only=True)
class Integrator:
    """Opens and merges integration pull requests of one graph.

    Args:
        repository: Both repositories.
        graph: The graph's name.
        run_id: The run's id.
        forge: Where they are opened.
        report: Takes a workstream's id and what its integration waits for; `None` where nobody listens.
    """

    repository: Repository
    graph: str
    run_id: str
    forge: Forge
    report: Callable[[str, str], None] | None = attrs.field(default=None, eq=False)

    async def integrate(self, spec: WorkstreamSpec, checks: Checks) -> str | None:
        """Open a workstream's integration pull request and, with ``auto_merge``, merge it; return its URL.

        Args:
            spec: The workstream.
            checks: Which checks must pass on it.

        Returns:
            The URL, `None` when the workstream holds nothing to integrate.

        Raises:
            Parked: A person must merge it; the message says what to type.
        """

        def tell(state: str, detail: str) -> None:
            if self.report is not None:
                self.report(spec.id, f"{state}: {detail}")

        opened = await finished(self.open, spec)
        if opened is None:
            return None
        found, forge = opened.pull_request, self.forge
        if spec.auto_merge and found.state == "open":
            try:
                if isinstance(forge, SharingForge):
                    await self._land(forge, spec, opened, checks, tell)
                    await finished(self._take_in, forge, spec)
                else:
                    await finished(self._merge, opened)
            except AgentFailure as failure:  # a conflict, a red check: there is no agent to hand it to
                raise Parked(
                    f"{found.url} needs a person: {failure.message}; type: git merge {found.head}"
                ) from failure
        return found.url

    async def _land(
        self, forge: SharingForge, spec: WorkstreamSpec, opened: Integration, checks: Checks, tell: Tell
    ) -> None:
        """Have it merged; where it, or its target, moved on meanwhile, the checks of what it is then are waited for."""
        loop = asyncio.get_running_loop()
        ends, now, moves = loop.time() + PATIENCE, opened, 0
        while now.pull_request.state == "open":
            left = max(0.0, ends - loop.time())
            try:
                await forge.land(now.pull_request.url, now.head, checks=checks, tell=tell, deadline=left)
                return
            except HeadMoved:
                moves += 1
                if moves == MOVES:
                    raise
            again = await finished(self.open, spec)
            if again is None:
                return
            now = again

    @parking()
    def open(self, spec: WorkstreamSpec) -> Integration | None:
        """Find or open a workstream's integration pull request; `None` when there is nothing to integrate.

        Raises:
            Parked: The target does not exist, or the pull request was closed.
        """
        branch, target = integration_branch(self.graph, spec.id), target_branch(self.repository, self.graph, spec)
        ref = self.repository.user_refs(head_ref(branch)).get(head_ref(branch))
        if ref is None:
            return None
        if isinstance(self.forge, SharingForge):
            return self._open_shared(self.forge, spec, branch, target, ref.sha)
        base = self.repository.user_refs(head_ref(target)).get(head_ref(target))
        if base is None:
            raise self._no_target(branch, target)
        take_over(self.repository, ref.sha, base.sha)
        found = settle(self.forge.find(branch, target))
        integrated = self.repository.contains(base.sha, ref.sha)
        if integrated and found is None:
            return None
        if found is None or (found.state != "open" and not integrated):
            found = self._open(spec, branch, target)
        return Integration(pull_request=found, head=ref.sha)

    def _open_shared(
        self, forge: SharingForge, spec: WorkstreamSpec, branch: str, target: str, tip: str
    ) -> Integration | None:
        found = settle(forge.find(branch, target))
        is_merged = found is not None and found.state == "merged"
        # Once it is merged the branch may be gone from the server.
        head = (forge.catch_up(branch) or tip) if is_merged else forge.share(branch)
        if found is not None and is_merged and found.head_sha == head:
            if not forge.is_merged(found):
                raise Parked(
                    f"{found.url} is merged as {found.merge_sha}, says its server, and {target} there does not hold "
                    "that; look there, then type `agentrelay run`"
                )
            return Integration(pull_request=found, head=head)
        base = forge.share(target) if self._is_ours(target) else forge.tip(target)
        if base is None:
            raise self._no_target(branch, target)
        integrated = self.repository.contains(base, head)
        if integrated and found is None:
            return None
        if found is not None and found.state == "closed":
            raise Parked(
                f"{found.url} was closed and is not merged; reopen it (`gh pr reopen {found.url}`), then type "
                "`agentrelay run`"
            )
        if found is None or (is_merged and not integrated):
            head = forge.share(branch)
            found = self._open(spec, branch, target)
        return Integration(pull_request=found, head=head)

    @parking()
    def _merge(self, opened: Integration) -> None:
        settle(self.forge.merge(opened.pull_request.url, opened.head))

    @parking()
    def _take_in(self, forge: SharingForge, spec: WorkstreamSpec) -> None:
        target = target_branch(self.repository, self.graph, spec)
        if self._is_ours(target):  # the user's own branches are never moved
            forge.follow(target)

    def _open(self, spec: WorkstreamSpec, branch: str, target: str) -> PullRequest:
        title, body = f"{self.graph}: {spec.id}", integration_body(self.graph, spec.id, self.run_id)
        return settle(self.forge.open(branch, target, title, body))

    def _is_ours(self, target: str) -> bool:
        return target.startswith(integration_branch(self.graph, ""))

    def _no_target(self, branch: str, target: str) -> Parked:
        where = " on the remote" if isinstance(self.forge, SharingForge) else ""
        return Parked(
            f"{branch} cannot be integrated: the branch {target} does not exist{where}; make it, then run again"
        )
