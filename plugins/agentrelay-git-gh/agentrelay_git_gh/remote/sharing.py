"""Keeping our branches and their namesakes on a remote at one: it has what we made, we have what was made there.

Nothing is ever rewritten on either side. What is on the remote under a name of ours, and was not put there by us or by
the task's own agent, is left alone, and a person is told.
"""

import shlex
from typing import Final

import attrs

from agentrelay_core.runtime import AgentFailure, IntegrationBoundary, Parked
from agentrelay_git_gh.failpoints import failpoint
from agentrelay_git_gh.git.merging import MergeConflict, MergeMessage, merge_commit
from agentrelay_git_gh.git.repository import RefMoved, Repository
from agentrelay_git_gh.git.transfer import send, take_over
from agentrelay_git_gh.locks import lock_of
from agentrelay_git_gh.names import SHARED, SHARING, base_ref, head_ref
from agentrelay_git_gh.remote.remotes import Remote, RemoteMoved

_TRIES: Final = 5


@attrs.frozen(kw_only=True)
class SharedBranches:
    """The branches that the user's repository and a remote have in common.

    Methods block, and may be called from several threads at once.

    Args:
        repository: Both repositories.
        remote: The remote.
    """

    repository: Repository
    remote: Remote

    def tip(self, branch: str) -> str | None:
        """Where a branch stands on the remote, taken over into our repository; `None` where it is not there."""
        return self.remote.fetch(branch)

    def share(self, branch: str) -> str:
        """Bring an integration branch to the remote, and what was pushed to it there to here.

        Where only one side has moved on, the other follows; where both have, the remote's tip is merged into ours.

        Returns:
            Its tip, the same on both sides, full hash.

        Raises:
            Parked: The branch on the remote is not ours, is gone or rewritten, or cannot be merged with ours.
        """
        tip = self._level(branch, make=True)
        if tip is None:
            raise self._gone(branch)
        return tip

    def ensure(self, branch: str) -> str:
        """As `share`, but without another look where the remote was last seen to have what we have."""
        local = self._local(branch)
        return local if self._seen(branch) == local else self.share(branch)

    def follow(self, branch: str) -> str:
        """As `share`, for a branch that is on the remote already.

        Raises:
            Parked: It is not there, and as `share`.
        """
        tip = self._level(branch, make=False)
        if tip is None:
            raise self._gone(branch)
        return tip

    def catch_up(self, branch: str) -> str | None:
        """As `share`, for a branch that may have been deleted on the remote since; `None` then."""
        return self._level(branch, make=False)

    def ahead(self, branch: str, tip: str) -> str | None:
        """Where a branch stands on the remote, if that is on top of a commit which ours has; `None` if not."""
        there = self.remote.fetch(branch)
        return there if there not in (None, tip) and self.repository.contains(there, tip) else None

    def deliver(self, branch: str, tip: str) -> None:
        """Have a task's branch on the remote hold what it holds here; what its agent pushed is moved forward.

        Args:
            branch: The task's branch.
            tip: Its tip, which ours has, full hash.

        Raises:
            AgentFailure: Here and there have each what the other has not.
            Parked: The branch on the remote is not ours.
        """
        with lock_of("share", self.repository.common, branch):
            for _ in range(_TRIES):
                there = self.remote.fetch(branch)
                if there == tip:
                    self._note(branch, tip)
                    return
                if there is not None:
                    self._check_work(branch, tip, there)
                    if self.repository.contains(there, tip):
                        return
                if self._push(branch, tip, there):
                    return
        raise self._never_still(branch)

    def _level(self, branch: str, *, make: bool) -> str | None:
        """Bring both sides to the same commit; `None` where the branch is not there and is not to be made."""
        with lock_of("share", self.repository.common, branch):
            for _ in range(_TRIES):
                local = self._local(branch)
                there = self.remote.fetch(branch)
                if there is None and not (make and self._seen(branch) is None):
                    return None
                tip: str | None = local
                if there is not None:
                    self._check_ours(branch, there)
                    tip = self._take_in(branch, local, there)
                if tip is not None and (tip == there or self._push(branch, tip, there)):
                    self._note(branch, tip)
                    return tip
        raise self._never_still(branch)

    def _local(self, branch: str) -> str:
        ref = self.repository.user_refs(head_ref(branch)).get(head_ref(branch))
        if ref is None:
            raise Parked(f"the branch {branch} does not exist here any more; bring it back, then run again")
        take_over(self.repository, ref.sha)
        return ref.sha

    def _take_in(self, branch: str, local: str, there: str) -> str | None:
        """Bring the remote's commits into the local branch; its tip, `None` where someone moved it meanwhile."""
        if self.repository.contains(local, there):
            return local
        if self.repository.contains(there, local):
            return there if self._move(branch, local, there) else None
        message = MergeMessage(subject=f"Merge what was pushed to {branch}")
        try:
            return merge_commit(self.repository, branch, there, message)
        except MergeConflict as conflict:
            raise self._parked(
                f"what was pushed to {branch} on {self.remote.url} conflicts with what was merged into it here, in "
                f"{', '.join(conflict.files)}; merge {there} into it by hand, then type `agentrelay run`"
            ) from conflict

    def _move(self, branch: str, old: str, new: str) -> bool:
        with lock_of("merge", self.repository.common, branch):
            ref = self.repository.user_refs(head_ref(branch)).get(head_ref(branch))
            if ref is not None and ref.checked_out is not None:
                raise Parked(
                    f"{branch} is checked out and is not moved under you; to bring it to where it stands on the "
                    f"remote, type: cd {shlex.quote(str(ref.checked_out))} && git pull --ff-only "
                    f"{shlex.quote(self.remote.url)} {branch}"
                )
            send(self.repository, [new], [old])
            try:
                self.repository.move(head_ref(branch), new, old)
            except RefMoved:
                return False
            failpoint("ref-moved")
            return True

    def _push(self, branch: str, tip: str, there: str | None) -> bool:
        """Push; False where someone else was quicker."""
        began = f"{SHARING}/{branch}"
        if there is None:
            self.repository.set_ours({began: tip})  # first, so that it is known as ours
        try:
            self.remote.push(branch, tip, there)
        except RemoteMoved:
            if there is None:  # someone else has made it
                self.repository.change(self.repository.ours, f"delete {began}\0{tip}\0")
            return False
        failpoint("pushed")
        self._note(branch, tip)
        failpoint("push-noted")
        return True

    def _seen(self, branch: str) -> str | None:
        return self.repository.our_refs(f"{SHARED}/{branch}").get(f"{SHARED}/{branch}")

    def _note(self, branch: str, tip: str) -> None:
        if self._seen(branch) != tip:
            self.repository.set_ours({f"{SHARED}/{branch}": tip})

    def _check_ours(self, branch: str, there: str) -> None:
        """Refuse an integration branch on the remote that we did not put there, or that does not hold what it held."""
        seen = self._seen(branch)
        if seen is None:
            began = f"{SHARING}/{branch}"
            began_at = self.repository.our_refs(began).get(began)
            if began_at is None or not self.repository.contains(there, began_at):
                raise self._not_ours(branch, there)
        elif not self.repository.contains(there, seen):
            raise self._parked(
                f"{branch} on {self.remote.url} was rewritten: it stands at {there}, and {seen}, where it was, is not "
                "in it; push that again, then type `agentrelay run`"
            )

    def _check_work(self, branch: str, tip: str, there: str) -> None:
        if self.repository.contains(tip, there) and self._seen(branch) is not None:
            return
        bases = set(self.repository.our_refs(base_ref("*", branch)).values())
        if not any(self.repository.contains(there, base) for base in bases):
            raise self._not_ours(branch, there)
        if not (self.repository.contains(tip, there) or self.repository.contains(there, tip)):
            raise AgentFailure(
                f"{branch} stands at {there} on {self.remote.url}, which is not in the local branch at {tip}; bring "
                "both together, push the branch, then signal again",
                boundary=IntegrationBoundary.PULL_REQUEST,
            )

    def _not_ours(self, branch: str, there: str) -> Parked:
        return self._parked(
            f"the branch {branch} is on {self.remote.url} already, at {there}, and is not ours; rename it there, then "
            "type `agentrelay run`"
        )

    def _gone(self, branch: str) -> Parked:
        seen = self._seen(branch)
        where = f", where it was at {seen}," if seen is not None else ""
        return self._parked(
            f"the branch {branch} is not on {self.remote.url}{where} any more; push it again, then type "
            "`agentrelay run`"
        )

    def _never_still(self, branch: str) -> Parked:
        return self._parked(
            f"{branch} was moved by others {_TRIES} times while it was shared with {self.remote.url}; once it rests, "
            "type `agentrelay run`"
        )

    def _parked(self, message: str) -> Parked:
        return Parked(message, boundary=IntegrationBoundary.PULL_REQUEST)
