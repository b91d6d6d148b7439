"""The one place from which `gh` is started to speak with GitHub: every call of a run passes here.

Reading is tried again; a change is tried once, because after a failure nobody knows whether it happened. What a call
says is given through the standard input, never on the command line, where everybody could read it.
"""

import json
import time
import urllib.parse
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import attrs

from agentrelay_core.processes import (
    OutputLimitError,
    ProcessError,
    ProcessTimeoutError,
    ProgramNotFoundError,
    run_captured,
)
from agentrelay_core.runtime import Parked, UserError
from agentrelay_git_gh.github.answers import Answer, parse_included
from agentrelay_git_gh.github.environment import gh_environment
from agentrelay_git_gh.github.failures import (
    Ambiguous,
    LoginRefused,
    Refused,
    failure_of_answer,
    failure_of_errors,
    failure_of_process,
    invisible,
    may_not_write,
)
from agentrelay_git_gh.github.limits import HostLimits, Resource
from agentrelay_git_gh.github.sites import Site
from agentrelay_git_gh.remote.patience import TRIES, Unanswered, full_jitter, until_answered

T = TypeVar("T")
Method = Literal["POST", "PUT", "PATCH", "DELETE"]

DEADLINE: Final = 30.0
_OUTPUT_LIMIT: Final = 64 * 1024 * 1024
_PAGES: Final = 50


@attrs.frozen(eq=False)
class GitHubApi:
    """One host's API, as the user that `gh` is logged in as there.

    Methods block and may be called from several threads at once. All of them raise, besides what they name themselves:
    `LoginRefused` (a `Parked`) when the login does not do, and from then on at once; `Throttled` while GitHub limits
    us; `UserError` without `gh`.

    Args:
        site: The repository that the run works with.
        directory: Where `gh` runs: a directory that is in no repository.
        helper_fds: Descriptors that `gh` inherits; see `RunInfo`.
        clock: Tells the time, seconds since 1970.
        pause: Waits for so many seconds.
        jitter: The pause to make, given the longest.
        deadline: Seconds for one call.
        tries: How often something is read before GitHub counts as not answering.
        limits: What is known of the host.
    """

    site: Site
    directory: Path = attrs.field(default=Path("/"), kw_only=True)
    helper_fds: tuple[int, ...] = attrs.field(default=(), kw_only=True)
    clock: Callable[[], float] = attrs.field(default=time.time, kw_only=True)
    pause: Callable[[float], None] = attrs.field(default=time.sleep, kw_only=True)
    jitter: Callable[[float], float] = attrs.field(default=full_jitter, kw_only=True)
    deadline: float = attrs.field(default=DEADLINE, kw_only=True)
    tries: int = attrs.field(default=TRIES, kw_only=True)
    limits: HostLimits = attrs.field(
        default=attrs.Factory(lambda self: HostLimits(self.clock), takes_self=True), kw_only=True
    )

    def read(
        self,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        etag: str | None = None,
        accept: Collection[int] = (),
    ) -> Answer:
        """GET something.

        Args:
            path: Where it is, for example ``repos/o/r/pulls/1``; what stands for itself in it is percent-encoded.
            query: Parameters.
            etag: An earlier answer's; an answer that would be the same has status 304 and no body.
            accept: Statuses that are answers here too; 403 only where it speaks of no limit.

        Raises:
            Refused: GitHub says no.
            Parked: It gave no answer, six times or for five minutes.
        """
        words = ["--method", "GET", with_query(path, query or {})]
        if etag is not None:
            words += ["--header", f"If-None-Match: {etag}"]
        what = f"GET {path}"
        return self._until_answered(lambda: self._rest(what, words, None, accept))

    def read_all(self, path: str, *, query: Mapping[str, object] | None = None) -> list[Any]:
        """GET all pages of a list; see `read`."""
        found: list[Any] = []
        for page in range(1, _PAGES + 1):
            answer = self.read(path, query={"per_page": 100, **(query or {}), "page": page})
            found += answer.json()
            if not answer.has_next_page:
                break
        return found

    def write(self, method: Method, path: str, fields: Mapping[str, object]) -> Answer:
        """Ask for a change, once.

        Args:
            method: The HTTP method.
            path: What to change.
            fields: What to change it to.

        Raises:
            Refused: GitHub says no; nothing has changed.
            Ambiguous: Nobody knows whether it happened.
        """
        what = f"{method} {path}"
        try:
            return self._rest(what, ["--method", method, "--input", "-", path], json.dumps(fields).encode(), ())
        except Unanswered as failure:
            raise Ambiguous(str(failure)) from failure

    def ask(self, text: str, variables: Mapping[str, object] | None = None) -> Mapping[str, Any]:
        """Ask a GraphQL query; its ``data``, in which what is not there is `None`.

        Raises:
            Refused: GitHub says no.
            Parked: It gave no answer, six times or for five minutes.
        """
        return self._until_answered(lambda: self._graphql("a GraphQL query", text, variables or {}, may_lack=True))

    def change(self, text: str, variables: Mapping[str, object] | None = None) -> Mapping[str, Any]:
        """Ask for a GraphQL mutation, once; its ``data``.

        Raises:
            Refused: GitHub says no; nothing has changed.
            Ambiguous: Nobody knows whether it happened.
        """
        try:
            return self._graphql("a GraphQL mutation", text, variables or {}, may_lack=False)
        except Unanswered as failure:
            raise Ambiguous(str(failure)) from failure

    def pausing(self, pause: Callable[[float], None]) -> "GitHubApi":
        """The same with another way to pause between tries; what it raises ends them."""
        return attrs.evolve(self, pause=pause)

    def _until_answered(self, call: Callable[[], T]) -> T:
        return until_answered(
            call, self.site.host, clock=self.clock, pause=self.pause, jitter=self.jitter, tries=self.tries
        )

    def _rest(self, what: str, words: list[str], body: bytes | None, accept: Collection[int]) -> Answer:
        answer = self._run("core", what, words, body)
        failure = failure_of_answer(answer, self.site, what, self.clock())
        is_login = isinstance(failure, LoginRefused) and (answer.status == 401 or "x-github-sso" in answer.headers)
        if failure is None or (answer.status in accept and isinstance(failure, Parked) and not is_login):
            return answer
        if answer.status == 404:
            failure = self._missing(answer, writing=body is not None) or failure
        self.limits.remember(failure, "core")
        raise failure

    def _missing(self, answer: Answer, *, writing: bool) -> Exception | None:
        """Why GitHub says that something is not there, which it also says to who may not see or change it."""
        found = self._run("core", f"GET {self.site.path}", ["--method", "GET", self.site.path], None)
        if found.status == 404:
            return invisible(self.site)
        return may_not_write(answer, self.site, found.fields()) if writing and found.status == 200 else None

    def _graphql(self, what: str, text: str, variables: Mapping[str, object], *, may_lack: bool) -> Mapping[str, Any]:
        body = json.dumps({"query": text, "variables": dict(variables)}).encode()
        answer = self._run("graphql", what, ["--method", "POST", "--input", "-", "graphql"], body)
        failure = failure_of_answer(answer, self.site, what, self.clock())
        failure = failure or failure_of_errors(answer, self.site, what, self.clock(), may_lack=may_lack)
        if failure is not None:
            self.limits.remember(failure, "graphql")
            raise failure
        data: Mapping[str, Any] = answer.fields()["data"]
        return data

    def _run(self, resource: Resource, what: str, words: list[str], body: bytes | None) -> Answer:
        """Start `gh` once; its answer, or what it means that there is none."""
        self.limits.check(resource)
        argv = ("gh", "api", "--hostname", self.site.host, "--include", *words)
        try:
            ended = run_captured(
                argv,
                cwd=self.directory,
                env=gh_environment(),
                stdin=body,
                deadline=self.deadline,
                output_limit=_OUTPUT_LIMIT,
                pass_fds=self.helper_fds,
            )
        except ProgramNotFoundError as error:
            raise UserError("gh is not installed, or not on PATH; install it, see https://cli.github.com") from error
        except ProcessTimeoutError as error:
            raise Unanswered(f"{what}: no answer within {self.deadline:g} s") from error
        except OutputLimitError as error:
            raise Refused(f"{what}: the answer is longer than {_OUTPUT_LIMIT} bytes", status=0) from error
        except ProcessError as error:
            raise Unanswered(f"{what}: {error}") from error
        answer = parse_included(ended.stdout)
        # gh ends well after a good answer, and badly after a refusal; badly after a good one means that it broke off.
        broke_off = answer is not None and answer.status < 300 and ended.returncode != 0 and not answer.message
        if answer is None or broke_off:
            failure = failure_of_process(ended, self.site, what)
            self.limits.remember(failure, resource)
            raise failure
        self.limits.learn(answer, resource)
        return answer


def with_query(path: str, query: Mapping[str, object]) -> str:
    """A path with parameters, percent-encoded also where gh would put in words of its own, as for ``:branch``."""
    if not query:
        return path
    return f"{path}?{urllib.parse.urlencode({name: str(value) for name, value in query.items()})}"
