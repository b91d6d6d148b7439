"""From an agent's worktree to a commit that can be judged: the task's branch, with what was left uncommitted on it."""

import attrs

from agentrelay_core.runtime import AgentFailure, Internal, Parked, TaskRuntime, Transient
from agentrelay_git_gh.git.commits import commit_tree, read_commit, title_of, with_trailers
from agentrelay_git_gh.git.repository import Ref, RefMoved, Repository
from agentrelay_git_gh.git.transfer import bring, send, take_over
from agentrelay_git_gh.git.trusted import Git, GitFailed
from agentrelay_git_gh.inspection import check_files, inspect
from agentrelay_git_gh.names import ADVANCING, base_ref, head_ref
from agentrelay_git_gh.places import required, worktree_of
from agentrelay_git_gh.worktrees.leftovers import leftovers
from agentrelay_git_gh.worktrees.recovery import Position, keep_leftovers, position
from agentrelay_git_gh.worktrees.snapshot import Owner, stage
from agentrelay_git_gh.worktrees.worktree import Worktree


@attrs.frozen(kw_only=True)
class Work:
    """A task's work as our repository has it, its worktree clean at the tip.

    Args:
        base: The commit that the branch was cut from, full hash.
        tip: The branch's tip, full hash.
        changed: Whether anything changed between the two.
    """

    base: str
    tip: str
    changed: bool


@attrs.frozen(kw_only=True, eq=False)
class Collector:
    """Takes over the work of one attempt.

    Args:
        repository: Both repositories.
        runtime: The task.
        owner: The task and the attempt, for trailers and rescue refs.
    """

    repository: Repository
    runtime: TaskRuntime
    owner: Owner

    def collect(self, *, commit_leftovers: bool) -> Work:
        """Take the task's branch over, and leave its worktree clean at the branch's tip.

        Args:
            commit_leftovers: Whether what is in no commit is committed on the branch; else a rescue ref keeps it.

        Raises:
            AgentFailure: The branch is gone, was rewritten, or holds what cannot be merged.
            Parked: The branch is checked out elsewhere, or something cannot be kept.
        """
        branch = required(self.runtime.state.branch_name, "branch_name")
        worktree = worktree_of(self.repository, self.runtime)
        base, ref = self._take_branch(branch, worktree)
        tip = ref.sha
        self._return_to(worktree, branch, ref)
        changed = None
        left = worktree.leftovers(tip)
        if left != []:
            with worktree.index_at(tip) as git:
                left = leftovers(git) if left is None else left
                if left and commit_leftovers:
                    tip, changed = self._commit(worktree, git, base, tip, left)
                elif left:
                    self._set_aside(git, Position(branch=branch, commit=tip))
                    worktree.fill(git, tip)
                if not worktree.holds(tip):
                    worktree.keep_index(git, tip)
        if changed is None:
            ours = self.repository.ours
            changed = tip != base and read_commit(ours, base).tree != read_commit(ours, tip).tree
        return Work(base=base, tip=tip, changed=changed)

    def advance(self, work: Work, tip: str) -> Work:
        """Bring the task's branch and its worktree forward to what was pushed on top of its work elsewhere.

        Args:
            work: The work, as `collect` gave it.
            tip: The commit, which ours has and the work's tip is in, full hash.

        Raises:
            AgentFailure: It holds what cannot be merged.
            Transient: Somebody moved the branch meanwhile.
        """
        branch = required(self.runtime.state.branch_name, "branch_name")
        changed = inspect(self.repository.ours, work.base, tip)
        # First, so that after a crash in between the pushed files are not taken for the agent's.
        self.repository.set_ours({f"{ADVANCING}/{branch}": tip})
        self._bring_forward(branch, worktree_of(self.repository, self.runtime), work.tip, tip)
        self._concern(f"what was pushed to {branch} elsewhere was taken in: {work.tip[:12]} to {tip[:12]}")
        return Work(base=work.base, tip=tip, changed=changed)

    def _bring_forward(self, branch: str, worktree: Worktree, old: str, new: str) -> None:
        if not worktree.holds(new):
            with worktree.index_at(old) as git:
                if leftovers(git):  # written since it was left clean
                    self._set_aside(git, Position(branch=branch, commit=old))
                worktree.fill(git, new)
        if old != new:
            send(self.repository, [new], [old])
            try:
                self.repository.move(head_ref(branch), new, old)
            except RefMoved as error:
                raise Transient(f"{branch} was moved while what was pushed to it was taken in: {error}") from error
            self.repository.set_ours({head_ref(branch): new})
        self.repository.change(self.repository.ours, f"delete {ADVANCING}/{branch}\0{new}\0")

    def _take_branch(self, branch: str, worktree: Worktree) -> tuple[str, Ref]:
        """Take over what the agent committed; the branch's base and its tip. What ours knows was inspected before."""
        advancing = f"{ADVANCING}/{branch}"
        known = self.repository.our_refs(base_ref(self.owner.run, branch), head_ref(branch), advancing)
        base = known.get(base_ref(self.owner.run, branch))
        ref = self.repository.user_refs(head_ref(branch)).get(head_ref(branch))
        if base is None:
            raise Internal(f"nothing is known of what {branch} was cut from; it was not prepared in this run")
        if ref is None:
            raise AgentFailure(f"the task's branch {branch} is gone; work elsewhere does not count")
        if ref.checked_out not in (None, worktree.path) and ref.checked_out.resolve() != worktree.path.resolve():
            raise Parked(
                f"{branch} is checked out in {ref.checked_out}; check out another branch there, then run again"
            )
        if advancing in known and self.repository.contains(known[advancing], ref.sha):  # we were killed meanwhile
            self._bring_forward(branch, worktree, ref.sha, known[advancing])
            return base, attrs.evolve(ref, sha=known[advancing])
        if ref.sha != known.get(head_ref(branch), base):
            bring(self.repository, [ref.sha], set(known.values()))
            if not self.repository.contains(ref.sha, base):
                raise AgentFailure(
                    f"the history of {branch} was rewritten: {base}, which it was cut from, is not in it; "
                    "commit on top of what is there"
                )
            inspect(self.repository.ours, base, ref.sha)
            self.repository.set_ours({head_ref(branch): ref.sha})
        return base, ref

    def _return_to(self, worktree: Worktree, branch: str, ref: Ref) -> None:
        """Check the task's branch out again where the agent left it for another; what it did there is kept."""
        where = position(self.repository, worktree, {head_ref(branch): ref})
        tip = ref.sha
        if where is not None and where.branch == branch:
            return
        if where is not None and where.commit != tip:
            take_over(self.repository, where.commit)
            unnamed = where.branch is None and not self.repository.contains(tip, where.commit)
            with worktree.index_at(where.commit) as git:
                self._set_aside(git, where, unnamed=unnamed)
                worktree.fill(git, tip)
        worktree.set_head(f"ref: {head_ref(branch)}")

    def _set_aside(self, git: Git, where: Position, *, unnamed: bool = False) -> None:
        kept = keep_leftovers(self.repository, git, self.owner, where, unnamed=unnamed)
        branch = self.runtime.state.branch_name
        if kept is not None and where.branch == branch:
            self._concern(f"files that were in no commit were set aside under {kept}")
        elif kept is not None:
            self._concern(f"work on {where.branch or 'no branch'} instead of {branch} was set aside under {kept}")
        elif where.branch != branch:
            self._concern(f"work on {where.branch or 'no branch'} does not count, only what is on {branch}")

    def _concern(self, text: str) -> None:
        self.runtime.artifacts.concerns.append(text)

    def _commit(self, worktree: Worktree, git: Git, base: str, tip: str, left: list[str]) -> tuple[str, bool]:
        """Commit what was left on the task's branch; the new tip, and whether it differs from the base."""
        check_files(worktree.path, left)
        try:
            tree = stage(git)
        except GitFailed as failure:
            raise AgentFailure(f"what was left uncommitted cannot be committed: {failure.message}") from failure
        task, branch = self.runtime.task, required(self.runtime.state.branch_name, "branch_name")
        message = with_trailers(title_of(task.description, task.id), "", self.owner.trailers())
        commit = commit_tree(self.repository.ours, tree, (tip,), message)
        changed = inspect(self.repository.ours, base, commit, sizes=False)
        send(self.repository, [commit], [tip])
        try:
            self.repository.move(head_ref(branch), commit, tip)
        except RefMoved as error:
            raise Transient(f"{branch} was moved while its leftovers were committed: {error}") from error
        self.repository.set_ours({head_ref(branch): commit})
        return commit, changed
