"""A forge without a server: a pull request is a JSON record under ``refs/agentrelay/pr/<number>``.

The record in the user's repository is for people and tools. What counts is our own copy, outside of what agents can
write: it says which pull request is whose.
"""

import functools
import json
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from agentrelay_core.hooks import PullRequest
from agentrelay_core.runtime import Internal, Transient
from agentrelay_git_gh.git.loose import read, write
from agentrelay_git_gh.git.merging import MergeMessage, merge_commit
from agentrelay_git_gh.git.repository import RefMoved, Repository
from agentrelay_git_gh.git.setup import replace_text
from agentrelay_git_gh.git.transfer import descends, take_over
from agentrelay_git_gh.locks import lock_of
from agentrelay_git_gh.names import OPENED, PULL_REQUESTS, head_ref, pull_request_number, pull_request_url

SCHEMA: Final = 1
_ENDING: Final = ".json"


@attrs.frozen(kw_only=True)
class Record:
    """A local pull request.

    Args:
        number: Its number in the repository.
        graph: The graph that it belongs to.
        head: Its source branch.
        base: Its target branch.
        title: Its title.
        body: Its text.
        state: ``open`` or ``merged``.
        head_sha: The commit that was merged, full hash.
        merge_sha: The commit that merged it, full hash.
    """

    number: int
    graph: str
    head: str
    base: str
    title: str
    body: str
    state: Literal["open", "merged"] = "open"
    head_sha: str | None = None
    merge_sha: str | None = None

    @cached_property
    def text(self) -> str:
        """The record as JSON, the same each time."""
        fields: dict[str, Any] = {"schema": SCHEMA, "url": pull_request_url(self.graph, self.number)}
        return json.dumps(fields | attrs.asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Record":
        """Read what `text` gave."""
        fields = json.loads(text)
        if fields.pop("schema") != SCHEMA:
            raise Internal("a local pull request was written by a newer agentrelay; install that version")
        del fields["url"]
        return cls(**fields)


@attrs.frozen(eq=False)
class LocalForge:
    """Pull requests of one graph, merged by git alone.

    Args:
        repository: Both repositories.
        graph: The graph's name.
    """

    repository: Repository
    graph: str

    def find(self, head: str, base: str) -> PullRequest | None:
        """The pull request of a source and a target branch, the newest if there are several; `None` without one."""
        record = self._find(head, base)
        return _shown(record) if record is not None else None

    def open(self, head: str, base: str, title: str, body: str) -> PullRequest:
        """Open a pull request; one that is open already is returned."""
        with lock_of("pull requests", self.repository.common):
            record = self._find(head, base)
            if record is None or record.state != "open":
                record = self._create(head, base, title, body)
        return _shown(record)

    def state(self, pr: str) -> PullRequest:
        """What has become of a pull request, by URL; `KeyError` if there is none."""
        record = self._read(pr)
        shown = _shown(record)
        if record.state != "open":
            return shown
        tip = self.repository.user_refs(head_ref(record.head)).get(head_ref(record.head))
        return attrs.evolve(shown, head_sha=tip.sha if tip else None)

    def is_merged(self, pull_request: PullRequest) -> bool:
        """Whether a pull request says that it is merged, and its target holds the merge."""
        tip = self.repository.user_refs(head_ref(pull_request.base)).get(head_ref(pull_request.base))
        if pull_request.state != "merged" or pull_request.merge_sha is None or tip is None:
            return False
        return descends(self.repository, tip.sha, pull_request.merge_sha)

    def merge(self, pr: str, head_sha: str) -> str:
        """Merge a pull request whose source stands at a commit.

        Args:
            pr: Its URL.
            head_sha: The commit, full hash.

        Returns:
            The merge commit; merging again changes nothing and returns the same.

        Raises:
            MergeConflict: Names the files.
            Transient: The source stands at another commit.
            Parked: A person must act.
        """
        record = self._read(pr)
        tip = self.repository.user_refs(head_ref(record.head)).get(head_ref(record.head))
        if head_sha not in (record.head_sha, tip.sha if tip is not None else None):
            where = f"at {tip.sha}" if tip is not None else "nowhere, for it is gone"
            raise Transient(f"{record.head} stands {where}, and {pr} is to be merged at {head_sha}; look at it again")
        take_over(self.repository, head_sha)
        return self.merge_verified(pr, head_sha, MergeMessage(subject=record.title))

    def merge_verified(self, pr: str, head_sha: str, message: MergeMessage, cut_from: str | None = None) -> str:
        """Merge the commit that was verified, wherever the source has been moved since.

        Args:
            pr: The pull request's URL.
            head_sha: The commit to merge, full hash; our repository has it.
            message: What the merge commit says.
            cut_from: A commit that must still be in the target, full hash.

        Returns:
            The merge commit; merging again changes nothing and returns the same.

        Raises:
            MergeConflict: Names the files.
            Parked: A person must act.
        """
        record = self._read(pr)
        if record.merge_sha and record.head_sha == head_sha and self.is_merged(_shown(record)):
            return record.merge_sha

        def done(merged: str) -> Record:
            return attrs.evolve(record, state="merged", head_sha=head_sha, merge_sha=merged)

        def shown(merged: str) -> dict[str, str]:
            # Whatever an agent made of the record that people see: ours is what counts, and it is shown again.
            return {f"{PULL_REQUESTS}/{record.number}": self._blob(done(merged))}

        merged = merge_commit(
            self.repository, record.base, head_sha, message, head_name=record.head, base=cut_from, also=shown
        )
        self._keep(done(merged))
        return merged

    @cached_property
    def _directory(self) -> Path:
        return self.repository.our_directory.joinpath("pull-requests", self.graph)

    def _numbered(self) -> dict[int, "os.DirEntry[str]"]:
        """The files of all records by number; a graph may have thousands."""
        try:
            with os.scandir(self._directory) as entries:
                return {int(entry.name[: -len(_ENDING)]): entry for entry in entries if entry.name.endswith(_ENDING)}
        except FileNotFoundError:
            return {}

    def _records(self) -> Iterator[Record]:
        """All records, the newest first; each is read when it is asked for."""
        for _, entry in sorted(self._numbered().items(), reverse=True):
            yield _recorded(entry.path, entry.stat())

    def _find(self, head: str, base: str) -> Record | None:
        return next((record for record in self._records() if (record.head, record.base) == (head, base)), None)

    def _read(self, url: str) -> Record:
        number = pull_request_number(url, self.graph)
        path = self._directory / f"{number}{_ENDING}"
        if number is None or not path.is_file():
            raise KeyError(f"there is no local pull request {url!r}")
        return _recorded(str(path), path.stat())

    def _create(self, head: str, base: str, title: str, body: str) -> Record:
        number = 1 + max(self._numbered(), default=0)
        while True:
            record = Record(number=number, graph=self.graph, head=head, base=base, title=title, body=body)
            blob = self._blob(record)
            try:
                # Kept twice: the one stays as it was opened, so that `git fsck` finds nothing dangling later on.
                creation = "".join(f"create {kind}/{number}\0{blob}\0" for kind in (PULL_REQUESTS, OPENED))
                self.repository.change(self.repository.user, creation)
            except RefMoved:
                refs = self.repository.user_refs(f"{PULL_REQUESTS}/")
                there = refs.get(f"{PULL_REQUESTS}/{number}")
                if there is None or not self._is_same(there.sha, record):  # else ours, from before a crash
                    number = 1 + max(int(name.rpartition("/")[2]) for name in refs)
                    continue
            self._keep(record)
            return record

    def _is_same(self, blob: str, record: Record) -> bool:
        """Whether a record in the user's repository is of the same pull request; what else it says does not matter."""
        found = read(self.repository.user_objects, blob)
        try:
            there = Record.from_json(found.content.decode()) if found is not None else None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, Internal):
            return False  # whatever somebody put there
        return there is not None and (there.graph, there.head, there.base) == (record.graph, record.head, record.base)

    def _blob(self, record: Record) -> str:
        return write(self.repository.user_objects, "blob", record.text.encode(), self.repository.algorithm)

    def _keep(self, record: Record) -> None:
        replace_text(self._directory / f"{record.number}{_ENDING}", record.text)


def _recorded(path: str, facts: os.stat_result) -> Record:
    return _parsed(path, (facts.st_ino, facts.st_size, facts.st_mtime_ns))


@functools.lru_cache(maxsize=10_000)
def _parsed(path: str, version: tuple[int, ...]) -> Record:
    """Read a record; ``version`` tells contents apart, which are written by renaming."""
    return Record.from_json(Path(path).read_text(encoding="utf-8"))


def _shown(record: Record) -> PullRequest:
    """A record as a pull request; where an open one's source stands is left out."""
    return PullRequest(
        url=pull_request_url(record.graph, record.number),
        head=record.head,
        base=record.base,
        title=record.title,
        state=record.state,
        head_sha=record.head_sha,
        merge_sha=record.merge_sha,
    )
