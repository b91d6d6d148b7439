"""A repository in memory: what was there when a task began, which pull requests there are, and what is merged.

A worktree is a plain directory, and a commit the digest of what it holds, so that evidence is evidence here too.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.runtime import AgentFailure, IntegrationBoundary, ProtocolViolation, TaskRuntime
from agentrelay_core.spec import WorkstreamSpec
from agentrelay_core.task_runner import Evidence
from pytest_agentrelay.fakes.required import required

# The digest of an empty directory.
NOTHING: Final = hashlib.sha1(usedforsecurity=False).hexdigest()


def digest(directory: Path) -> str:
    """What a directory holds, as 40 hexadecimal digits: equal if and only if names and contents are."""
    found = hashlib.sha1(usedforsecurity=False)
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not path.is_symlink():
            found.update(f"{path.relative_to(directory)}\0{path.stat().st_size}\0".encode())
            found.update(path.read_bytes())
    return found.hexdigest()


@attrs.define
class FakeRepository:
    """What the fake steps of one run share.

    Args:
        bases: What a branch was cut from, by branch.
        pull_requests: URLs by source and target branch.
        merged: Target branches by the URLs that were merged into them, in order.
        nonces: What the helper of each prepared attempt adds to its signals, by the attempt's directory.
    """

    bases: dict[str, str] = attrs.field(factory=dict)
    pull_requests: dict[tuple[str, str], str] = attrs.field(factory=dict)
    merged: dict[str, str] = attrs.field(factory=dict)
    nonces: dict[Path, str | None] = attrs.field(factory=dict)

    def open(self, head: str, base: str) -> str:
        """The URL of the pull request of two branches, which is opened if there is none."""
        return self.pull_requests.setdefault((head, base), f"fake://pull/{len(self.pull_requests) + 1}")

    def merge(self, head: str, base: str, url: str) -> None:
        """Merge a pull request; merging it again changes nothing.

        Raises:
            ProtocolViolation: It is not the one of these branches.
        """
        own = self.pull_requests.get((head, base), url)
        others = next((pair for pair, known in self.pull_requests.items() if known == url), (head, base))
        if own != url or others != (head, base) or self.merged.get(url, base) != base:
            raise ProtocolViolation(
                f"{url} is not the pull request of {head} into {base}", boundary=IntegrationBoundary.PULL_REQUEST
            )
        self.merged.setdefault(url, base)


class FakeWorkspace:
    """A workspace whose workstreams are directories.

    Args:
        root: Where the directories are made; exists.
        repository: What is shared with the other fakes.
    """

    def __init__(self, root: Path, repository: FakeRepository | None = None) -> None:
        self.root = root
        self.repository = repository or FakeRepository()

    def open_workstream(self, spec: WorkstreamSpec) -> tuple[str, Path]:
        """Make the workstream's directory; opening it again changes nothing."""
        path = self.root / "workstreams" / spec.id
        path.mkdir(parents=True, exist_ok=True)
        return f"agentrelay/fake@{spec.id}", path

    def update_workstream(self, spec: WorkstreamSpec, upstream: Sequence[WorkstreamSpec]) -> None:
        """Nothing is to be merged: there are no branches."""

    def publish(self, runtime: TaskRuntime) -> str | None:
        """Open the task's pull request.

        Returns:
            Its URL, `None` when nothing changed and the task allows that.

        Raises:
            ValueError: The task is not prepared; the text names the field.
            AgentFailure: Nothing changed, and the task does not allow that.
        """
        head, base = _branches(runtime)
        if self._evidence(runtime).changed:
            return self.repository.open(head, base)
        if runtime.task.allow_no_changes:
            return None
        raise AgentFailure(
            "done without evidence: nothing changed in the worktree", boundary=IntegrationBoundary.PULL_REQUEST
        )

    def verify(self, runtime: TaskRuntime, pr_url: str | None) -> Evidence:
        """Look at the worktree, and make sure that the pull request is the task's.

        Raises:
            ValueError: The task is not prepared; the text names the field.
            ProtocolViolation: The pull request is another one.
        """
        head, base = _branches(runtime)
        if pr_url is not None and self.repository.pull_requests.get((head, base)) != pr_url:
            raise ProtocolViolation(
                f"{pr_url} is not the pull request of {head} into {base}", boundary=IntegrationBoundary.PULL_REQUEST
            )
        return self._evidence(runtime)

    def integrate(self, spec: WorkstreamSpec) -> str | None:
        """Nothing is to be integrated."""
        return None

    def close_workstream(self, spec: WorkstreamSpec) -> None:
        """Leave the directory, which may hold work, where it is."""

    def _evidence(self, runtime: TaskRuntime) -> Evidence:
        base = self.repository.bases.get(required(runtime, "branch_name"), NOTHING)
        head = digest(required(runtime, "worktree_path"))
        return Evidence(head=head, base=base, changed=head != base)


def _branches(runtime: TaskRuntime) -> tuple[str, str]:
    """A prepared task's branch, and where it is merged."""
    return required(runtime, "branch_name"), required(runtime, "integration_branch")
