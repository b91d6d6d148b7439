"""Which pull request is whose: a note of each that was opened, or first seen, as ours, where no agent can write.

Several pull requests may have one head, and anybody may open another one; the note tells which of them counts.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import attrs

from agentrelay_core.hooks import PullRequest
from agentrelay_core.runtime import Internal
from agentrelay_git_gh.git.setup import replace_text
from agentrelay_git_gh.names import attempt_of

SCHEMA: Final = 1


@attrs.frozen(kw_only=True)
class GitHubPullRequest(PullRequest):
    """A pull request as GitHub tells it; while it is open, ``head_sha`` is where its source stands there.

    Args:
        number: Its number in the repository.
        node_id: Its id, which no other one ever gets.
        base_sha: Where its target stood when GitHub last looked, full hash.
        head_repository: Owner and name of where its source is; `None` once that is deleted.
        draft: Whether it is not meant to be merged yet.
        mergeable: Whether it merges without a conflict; `None` while GitHub works that out, or in a list.
        mergeable_state: What GitHub calls its state, for example ``clean``, ``blocked`` or ``dirty``; not in a list.
        merged_by: Who merged it; not in a list.
    """

    number: int
    node_id: str
    base_sha: str | None = None
    head_repository: str | None = None
    draft: bool = False
    mergeable: bool | None = None
    mergeable_state: str | None = None
    merged_by: str | None = None

    @classmethod
    def of(cls, fields: dict[str, Any]) -> "GitHubPullRequest":
        """Read what the API says of one, alone or in a list."""
        head, base = fields["head"], fields["base"]
        is_merged = bool(fields.get("merged") or fields.get("merged_at"))
        return cls(
            url=fields["html_url"],
            head=head["ref"],
            base=base["ref"],
            title=fields.get("title") or "",
            state="merged" if is_merged else "open" if fields["state"] == "open" else "closed",
            head_sha=head["sha"],
            # Before the merge this is a commit that GitHub tries the merge with.
            merge_sha=fields.get("merge_commit_sha") if is_merged else None,
            number=fields["number"],
            node_id=fields["node_id"],
            base_sha=base.get("sha"),
            head_repository=(head.get("repo") or {}).get("full_name"),
            draft=bool(fields.get("draft")),
            mergeable=fields.get("mergeable"),
            mergeable_state=fields.get("mergeable_state"),
            merged_by=(fields.get("merged_by") or {}).get("login"),
        )


@attrs.frozen(kw_only=True)
class Note:
    """What is kept of a pull request that is ours.

    Args:
        number: Its number in the repository.
        node_id: Its id, which no other one ever gets.
        url: Its URL.
        head: Its source branch.
        base: Its target branch, as we know it.
    """

    number: int
    node_id: str
    url: str
    head: str
    base: str


@attrs.frozen
class Notes:
    """The notes of one graph, a file for each pair of branches.

    Args:
        directory: Where the files are.
    """

    directory: Path

    def of(self, head: str, base: str) -> Note | None:
        """The note of a source and a target branch; `None` without one."""
        path = self._path(head, base)
        return _read(path) if path.is_file() else None

    def numbered(self, number: int) -> Note | None:
        """The note of a pull request; `None` without one."""
        paths = sorted(self.directory.glob("*.json")) if self.directory.is_dir() else ()
        return next((note for note in map(_read, paths) if note.number == number), None)

    def of_other_attempts(self, head: str, base: str) -> list[Note]:
        """The notes of other attempts at the task that a branch is called after, oldest first."""
        task = _task_of(head)
        notes = [
            note
            for note in map(_read, self.directory.glob("*.json"))
            if (note.base, _task_of(note.head)) == (base, task)
        ]
        return sorted((note for note in notes if note.head != head), key=lambda note: note.number)

    def keep(self, pull_request: GitHubPullRequest) -> None:
        """Note a pull request as the one of its branches."""
        found = pull_request
        note = Note(number=found.number, node_id=found.node_id, url=found.url, head=found.head, base=found.base)
        if self.of(note.head, note.base) != note:
            text = json.dumps({"schema": SCHEMA} | attrs.asdict(note), indent=2, ensure_ascii=False)
            replace_text(self._path(note.head, note.base), f"{text}\n")

    def _path(self, head: str, base: str) -> Path:
        # Names of branches may be longer than a file's.
        name = hashlib.sha256("\0".join((head, base)).encode()).hexdigest()[:32]
        return self.directory / f"{name}.json"


def _task_of(branch: str) -> str | None:
    found = attempt_of(branch)
    return found[0] if found is not None else None


def _read(path: Path) -> Note:
    fields = json.loads(path.read_text(encoding="utf-8"))
    if fields.pop("schema") != SCHEMA:
        raise Internal("a note of a pull request was written by a newer agentrelay; install that version")
    return Note(**fields)
