"""A repository on the emulated GitHub, in the hands of a test: what people and machines other than the caller do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from pytest_agentrelay.github.state import pulls, waiting
from pytest_agentrelay.github.state.accounts import Right
from pytest_agentrelay.github.state.bare import HEADS
from pytest_agentrelay.github.state.checks import Check, judged, judged_status
from pytest_agentrelay.github.state.hub import Hub
from pytest_agentrelay.github.state.merging import MergeOrder, merge
from pytest_agentrelay.github.state.noticing import SOMEBODY, notice
from pytest_agentrelay.github.state.records import MergeMethod, Protection, PullRequest
from pytest_agentrelay.github.state.repository import RepositoryState


class HostedRepository:
    """A repository; `slug` is its ``owner/name``. What it does is done at once, as by another person."""

    def __init__(self, hub: Hub, state: RepositoryState) -> None:
        self._hub = hub
        self._state = state

    @property
    def slug(self) -> str:
        """``owner/name``."""
        return self._state.slug

    @property
    def path(self) -> Path:
        """The bare repository."""
        return self._state.bare.path

    def git(self, *arguments: str) -> str:
        """Run git in the bare repository; what it printed."""
        return self._state.bare.git(*arguments)

    def _notice(self, actor: str = SOMEBODY) -> None:
        notice(self._hub, self._state, actor=actor)
        waiting.settle(self._hub, self._state)

    def tip(self, branch: str) -> str:
        """The tip of a branch."""
        with self._hub.lock:
            self._notice()
            return self._state.tip(branch)

    def pull(self, number: int) -> PullRequest:
        """A pull request as it is now."""
        with self._hub.lock:
            self._notice()
            return self._state.pull(number)

    @property
    def pulls(self) -> list[PullRequest]:
        """All pull requests, oldest first."""
        with self._hub.lock:
            self._notice()
            return [self._state.pulls[number] for number in sorted(self._state.pulls)]

    # People.

    def push(
        self,
        branch: str,
        files: Mapping[str, str | None],
        *,
        message: str = "change",
        onto: str | None = None,
        actor: str = SOMEBODY,
    ) -> str:
        """Commit to a branch.

        Args:
            branch: The branch; a new one begins at the default branch.
            files: Texts by path; None takes a file away.
            message: The commit's message.
            onto: The commit that it is made on, in place of the branch's tip: a forced push.
            actor: Who pushes.

        Returns:
            The new commit.
        """
        bare = self._state.bare
        with self._hub.lock:
            tips = bare.branches()
            parent = onto or tips.get(branch) or tips.get(bare.default_branch)
            made = bare.write_commit(
                tree=bare.add_files(parent, files),
                parents=(parent,) if parent else (),
                message=message + "\n",
                author=(actor, f"{actor}@users.noreply.github.com"),
                at=self._hub.clock(),
            )
            bare.update(HEADS + branch, made)
            self._notice(actor)
            return made

    def delete_branch(self, branch: str, *, actor: str = SOMEBODY) -> None:
        """Delete a branch."""
        with self._hub.lock:
            self._state.bare.delete(HEADS + branch)
            self._notice(actor)

    def open(
        self,
        head: str,
        base: str,
        *,
        title: str = "A change",
        body: str = "",
        draft: bool = False,
        actor: str = SOMEBODY,
    ) -> PullRequest:
        """Open a pull request; the head is ``branch``, or ``owner:branch`` of a fork."""
        wanted = pulls.Opening(title=title, head=head, base=base, body=body, draft=draft)
        with self._hub.lock:
            self._notice()
            return pulls.open_pull(self._hub, self._state, actor, wanted)

    def merge(self, number: int, method: MergeMethod = "merge", *, actor: str = SOMEBODY) -> str:
        """Merge a pull request; the commit that the base got."""
        with self._hub.lock:
            self._notice()
            done = merge(self._hub, self._state, number, actor, MergeOrder(method=method))
            return done.merge_commit or ""

    def close(self, number: int, *, actor: str = SOMEBODY) -> None:
        """Close a pull request."""
        with self._hub.lock:
            pulls.close(self._hub, self._state, self._state.pull(number), actor)

    def reopen(self, number: int, *, actor: str = SOMEBODY) -> None:
        """Open a pull request again."""
        with self._hub.lock:
            self._notice()
            pulls.reopen(self._hub, self._state, number, actor)

    def set_draft(self, number: int, *, draft: bool, actor: str = SOMEBODY) -> None:
        """Make a pull request a draft, or ready."""
        with self._hub.lock:
            pulls.set_draft(self._hub, self._state, number, actor, draft=draft)

    def retarget(self, number: int, base: str, *, actor: str = SOMEBODY) -> None:
        """Give a pull request another base."""
        with self._hub.lock:
            self._notice()
            pulls.edit(self._hub, self._state, number, actor, base=base)

    def review(self, number: int, state: str = "APPROVED", *, body: str = "", actor: str = "reviewer") -> None:
        """Review a pull request: ``APPROVED``, ``CHANGES_REQUESTED`` or ``COMMENTED``."""
        with self._hub.lock:
            self._notice()
            pulls.review(self._hub, self._state, number, actor, state, body)

    # Machines.

    def set_check(
        self,
        sha: str,
        name: str,
        conclusion: str = "success",
        *,
        after_looks: int = 0,
        app: str = "github-actions",
        log: str = "",
        details_url: str | None = None,
        external_id: str = "",
        summary: str = "",
    ) -> int:
        """Set a check run of a commit.

        Args:
            sha: The commit.
            name: The check.
            conclusion: How it ended, or ``queued`` or ``in_progress``.
            after_looks: How many further looks at the commit's checks do not show it.
            app: The app that made it.
            log: The log of its job.
            details_url: Where more is told; the job's page unless given.
            external_id: What the app calls it.
            summary: Its text.

        Returns:
            Its database id, which is the job's as well.

        Raises:
            ValueError: GitHub has no such conclusion.
        """
        status, ended = judged(conclusion)
        with self._hub.lock:
            number, run, now = self._hub.next_number(), self._hub.next_number(), self._hub.clock()
            page = f"{self._hub.web}/{self.slug}/actions/runs/{run}/job/{number}"
            check = Check(
                number=number,
                name=name,
                status=status,
                conclusion=ended,
                app=app,
                details_url=page if details_url is None else details_url,
                external_id=external_id,
                started_at=now,
                completed_at=now if ended else None,
                log=log,
                run=run,
                summary=summary,
            )
            self._state.checks.put(sha, check, after_looks=after_looks)
            self._notice()
            return number

    def set_status(
        self,
        sha: str,
        context: str,
        state: str = "success",
        *,
        after_looks: int = 0,
        description: str = "",
        url: str = "",
    ) -> None:
        """Set a commit status: ``success``, ``failure``, ``error`` or ``pending``.

        Raises:
            ValueError: GitHub has no such state.
        """
        status, conclusion = judged_status(state)
        with self._hub.lock:
            check = Check(
                number=self._hub.next_number(),
                name=context,
                status=status,
                conclusion=conclusion,
                details_url=url,
                summary=description,
                started_at=self._hub.clock(),
                legacy=True,
            )
            self._state.checks.put(sha, check, after_looks=after_looks)
            self._notice()

    def remove_check(self, sha: str, name: str) -> None:
        """Take a check away."""
        with self._hub.lock:
            self._state.checks.remove(sha, name)

    def rename_check(self, sha: str, name: str, to: str, *, after_looks: int = 0) -> None:
        """Give a check another name, now or after so many further looks."""
        with self._hub.lock:
            self._state.checks.rename(sha, name, to, after_looks=after_looks)

    # Settings.

    def protect(self, branch: str, **asks: Any) -> None:
        """Let a branch ask something of pull requests; see `Protection` for what."""
        with self._hub.lock:
            self._state.protections[branch] = Protection(**asks)

    def unprotect(self, branch: str) -> None:
        """Let a branch ask nothing any more."""
        with self._hub.lock:
            self._state.protections.pop(branch, None)
            self._notice()

    def set(self, **settings: Any) -> None:
        """Change settings of the repository; see `Settings` for which."""
        with self._hub.lock:
            self._state.settings = attrs.evolve(self._state.settings, **settings)

    def allow(self, login: str, right: Right) -> None:
        """Give a user a right."""
        with self._hub.lock:
            self._hub.accounts.allow(login, self.slug, right)

    def use_queue(self, branch: str) -> None:
        """Let a branch have a merge queue."""
        with self._hub.lock:
            self._state.queues.setdefault(branch, [])

    def queued(self, branch: str) -> list[int]:
        """The pull requests in a branch's merge queue."""
        with self._hub.lock:
            return list(self._state.queues[branch])

    def release_queue(self, branch: str, method: MergeMethod = "merge") -> list[int]:
        """Let a branch's merge queue go; the pull requests that were merged."""
        with self._hub.lock:
            self._notice()
            return waiting.release_queue(self._hub, self._state, branch, MergeOrder(method=method, by_queue=True))

    def hide_next_pull(self, looks: int) -> None:
        """Let the next pull request that is opened be missing in lists for so many looks at them."""
        with self._hub.lock:
            self._state.hide_next = looks
