"""Branches on a remote: where one stands, what it holds, and moving it only from where it was seen.

What fails is told apart here, once: somebody else has moved the branch; the server refuses; we may not; the remote is
gone; nobody answers, which is tried again for a while.
"""

import os
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import attrs

from agentrelay_core.processes import Captured
from agentrelay_core.runtime import IntegrationBoundary, Internal, Parked, Transient
from agentrelay_git_gh.failpoints import failpoint
from agentrelay_git_gh.git.outward import Login, OutwardGit
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.git.trusted import TRANSFER_DEADLINE, GitFailed
from agentrelay_git_gh.locks import lock_of
from agentrelay_git_gh.names import FETCHED, head_ref
from agentrelay_git_gh.remote.patience import Unanswered, until_answered

_SHOWN: Final = 600  # characters of what git said

_FORBIDDEN: Final = (
    "returned error: 401",
    "returned error: 403",
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "Permission denied",
    "Host key verification failed",
    "Write access to repository not granted",
    "Permission to ",
)
_GONE: Final = (
    "Repository not found",
    "returned error: 404",
    "returned error: 410",
    "does not appear to be a git repository",
    "' not found",
)
_NO_ANSWER: Final = (
    "Could not resolve",
    "Couldn't resolve",
    "Temporary failure in name resolution",
    "Failed to connect",
    "Couldn't connect",
    "Connection ",
    "connection ",
    "timed out",
    "Network is unreachable",
    "No route to host",
    "Empty reply from server",
    "Recv failure",
    "early EOF",
    "unexpected disconnect",
    "hung up unexpectedly",
    "RPC failed",
    "SSL_ERROR_SYSCALL",
    "returned error: 5",
    "returned error: 429",
    "remote failure",
)
# What a server says of a ref that another push has just moved, or is moving.
_RACES: Final = ("stale info", "fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref",
                 "reference already exists", "failed to lock", "incorrect old value")  # fmt: skip


class RemoteMoved(Exception):
    """A branch on the remote was not where it was expected: someone moved it meanwhile."""


class RemoteGone(Parked):
    """There is no repository where the remote was."""


class RemoteForbidden(Parked):
    """The remote does not let us in, or lets us read alone."""


class PushRefused(Parked):
    """The server does not take a push, by a rule of its own."""


@attrs.frozen(kw_only=True)
class Remote:
    """A repository elsewhere, from which ours fetches and to which it pushes.

    Args:
        repository: Ours takes part, the user's does not.
        url: Its address, without any credentials.
        login: How git gets the server's credentials, besides what the user has configured.
        advice: What a person types when we are not let in.
        clock: Tells the time, seconds since 1970.
        pause: Waits for seconds.
    """

    repository: Repository
    url: str
    login: Login | None = None
    advice: str = "log in to it, or get the right to push"
    clock: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep

    def tip(self, branch: str) -> str | None:
        """Where a branch stands on the remote, full hash; `None` where there is none of that name.

        Raises:
            RemoteGone: There is no such repository.
            RemoteForbidden: We are not let in.
            Parked: Nobody answers.
        """
        name = head_ref(branch)
        answer = self._run("ls-remote", "--quiet", "--", self.url, name)
        for line in os.fsdecode(answer.stdout).splitlines():
            sha, _, found = line.partition("\t")
            if found == name:
                return sha
        return None

    def fetch(self, branch: str) -> str | None:
        """Take a branch over into our repository.

        Returns:
            Its tip, full hash, which is in ours with all that it needs; `None` where there is none of that name.

        Raises:
            RemoteGone: There is no such repository.
            RemoteForbidden: We are not let in.
            Parked: Nobody answers.
        """
        sha = self.tip(branch)
        if sha is None or self.repository.has(sha):
            return sha
        kept = f"{FETCHED}/{quote(branch, safe='')}"  # one component, so that no name is in another one's way
        with lock_of("fetch", self.repository.common, branch):
            try:
                self._run("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
                          "--refmap=", "--no-recurse-submodules",
                          "--", self.url, f"+{head_ref(branch)}:{kept}")  # fmt: skip
            except _NoSuchBranch:
                return None
            failpoint("fetched")
            return self.repository.our_refs(kept)[kept]

    def push(self, branch: str, sha: str, expected: str | None) -> None:
        """Move a branch on the remote forward, from where it was seen; one that is there already is left as it is.

        Args:
            branch: The branch.
            sha: A commit that ours has, full hash.
            expected: Where it stands on the remote, an ancestor; `None` means that it must not be there.

        Raises:
            RemoteMoved: It stands elsewhere.
            PushRefused: The server does not take it.
            RemoteGone: There is no such repository.
            RemoteForbidden: We may not push.
            Parked: Nobody answers.
        """
        if expected is not None and not self.repository.contains(sha, expected):
            raise Internal(f"{branch} is not pushed: {expected} would be lost from {self.url}")
        lease = f"--force-with-lease={head_ref(branch)}:{expected or ''}"
        try:
            self._run("push", "--quiet", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed",
                      "--recurse-submodules=no", lease, "--", self.url, f"{sha}:{head_ref(branch)}")  # fmt: skip
        except RemoteMoved:
            # A push whose answer is lost may be sent again by what carries it, and be refused for its own effect.
            if self.tip(branch) != sha:
                raise

    def _run(self, *arguments: str) -> Captured:
        git = OutwardGit(git_dir=self.repository.our_directory, helper_fds=self.repository.helper_fds, login=self.login)

        def once() -> Captured:
            try:
                return git.run(*arguments, deadline=TRANSFER_DEADLINE)
            except GitFailed as failure:
                raise self._meaning(arguments[0], failure) from failure
            except Transient as late:
                raise Unanswered(late.message) from late

        return until_answered(once, self.url, clock=self.clock, pause=self.pause)

    def _meaning(self, command: str, failure: GitFailed) -> Exception:
        """What a failure of git means."""
        said, text = _said(failure.captured), os.fsdecode(failure.captured.stdout + failure.captured.stderr)
        refused = [line for line in os.fsdecode(failure.captured.stdout).splitlines() if line.startswith("!")]
        boundary = IntegrationBoundary.PULL_REQUEST
        if refused and "remote failure" not in refused[0]:
            if any(words in refused[0] for words in _RACES):
                return RemoteMoved(said)
            return PushRefused(
                f"{self.url} refuses the push: {said}; change its rule, or the graph, then type `agentrelay run`",
                boundary=boundary,
            )
        if "couldn't find remote ref" in text:
            return _NoSuchBranch()
        if any(words in text for words in _FORBIDDEN):
            return RemoteForbidden(
                f"git {command} is not let into {self.url}: {said}; {self.advice}, then type `agentrelay run`",
                boundary=boundary,
            )
        if any(words in text for words in _NO_ANSWER):
            return Unanswered(said)
        if any(words in text for words in _GONE):
            return RemoteGone(
                f"there is no repository at {self.url}: {said}; bring it back, then type `agentrelay run`",
                boundary=boundary,
            )
        return Parked(
            f"git {command} with {self.url} failed: {said}; when that is mended, type `agentrelay run`",
            boundary=boundary,
        )


class _NoSuchBranch(Exception):
    """The branch was deleted between the look and the fetch."""


def _said(captured: Captured) -> str:
    """What git and the server said, in one line."""
    lines = os.fsdecode(captured.stderr + captured.stdout).splitlines()
    kept = (" ".join(line.split()) for line in lines if not line.startswith(("hint:", "To ", "Done")))
    text = "; ".join(line for line in kept if line)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
