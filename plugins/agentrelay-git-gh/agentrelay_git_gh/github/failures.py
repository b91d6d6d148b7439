"""From an answer that is a no, or from a `gh` that got none, to the class that says what happens next.

Statuses and headers decide. What `gh` says is used only where it got no answer, and what GitHub says where one status
stands for several things.
"""

import re
from typing import Any, Final

from agentrelay_core.processes import Captured
from agentrelay_core.runtime import IntegrationBoundary, Parked, Throttled
from agentrelay_git_gh.github.answers import Answer
from agentrelay_git_gh.github.environment import login_variable, without_tokens
from agentrelay_git_gh.github.sites import Site
from agentrelay_git_gh.remote.patience import Unanswered

NO_LOGIN_EXIT_CODE: Final = 4
_UNTOLD_LIMIT: Final = 60.0  # seconds to wait where GitHub does not say how long; its own advice
_SSO_URL: Final = re.compile(r"url=([^;,\s]+)")
_SHOWN: Final = 500


class LoginRefused(Parked):
    """The login does not do: there is none, it has expired, or it may not do what is needed. Nothing else will work."""

    def __init__(self, message: str) -> None:
        super().__init__(message, boundary=IntegrationBoundary.PULL_REQUEST)


class Refused(Parked):
    """GitHub understood, and said no; nothing has changed. The caller decides; undecided, it is a person's affair.

    Args:
        message: What was asked for, and what GitHub said.
        status: The HTTP status.
        said: What GitHub said, alone.
    """

    def __init__(self, message: str, *, status: int, said: str = "") -> None:
        told = f"{message}; when what stands against it is gone, type `agentrelay run`"
        super().__init__(told, boundary=IntegrationBoundary.PULL_REQUEST)
        self.status = status
        self.said = said


class BudgetSpent(Throttled):
    """The hour's calls of one of GitHub's budgets are used up; the other budget is not concerned."""


class Ambiguous(Exception):
    """A change was asked for and nobody knows whether it happened. Look at the state, then decide."""


def failure_of_answer(answer: Answer, site: Site, what: str, now: float) -> Exception | None:
    """What an answer means for a call that was not prepared for it; `None` if it is a good one.

    Args:
        answer: The answer.
        site: The repository, for what a person is told to type.
        what: What was asked, for messages.
        now: Seconds since 1970.
    """
    if answer.status < 300 or answer.status == 304:
        return None
    said = shortened(answer.message)
    if answer.status >= 500 or answer.status == 408:
        return Unanswered(f"{what}: HTTP {answer.status} {said}".rstrip())
    if answer.status == 401:
        return LoginRefused(f"the login for {site.host} does not work: {said or 'HTTP 401'}; {log_in(site.host)}")
    is_archived = "archived" in said and answer.status == 403  # no other login could do more
    if answer.status in (403, 429) and not is_archived:
        return limit_of(answer, site, now) or _forbidden(answer, site, what, said)
    if answer.status == 422 and "submitted too quickly" in said:
        return _limited(Throttled, site, _UNTOLD_LIMIT, said)
    return Refused(f"{what}: GitHub says {said or 'no'} (HTTP {answer.status})", status=answer.status, said=said)


def failure_of_errors(answer: Answer, site: Site, what: str, now: float, *, may_lack: bool) -> Exception | None:
    """What the errors of a GraphQL answer mean; `None` if there are none.

    Args:
        answer: The answer, whose status is good.
        site: The repository, for what a person is told to type.
        what: What was asked, for messages.
        now: Seconds since 1970.
        may_lack: Whether an answer is good too in which something that was asked for is not there.
    """
    fields = answer.fields()
    errors = [error for error in fields.get("errors") or () if isinstance(error, dict)]
    kinds = {str(error.get("type") or error.get("extensions", {}).get("code") or "") for error in errors}
    said = shortened(answer.message)
    if not errors:
        return None if isinstance(fields.get("data"), dict) else Unanswered(f"{what}: an answer without data")
    if "RATE_LIMITED" in kinds or "secondary rate limit" in said.lower():
        return limit_of(answer, site, now, spent="RATE_LIMITED" in kinds)
    if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
        return _forbidden(answer, site, what, said)
    if may_lack and kinds == {"NOT_FOUND"} and isinstance(fields.get("data"), dict):
        return None
    if "something went wrong" in said.lower():
        return Unanswered(f"{what}: {said}")
    return Refused(f"{what}: GitHub says {said}", status=answer.status, said=said)


def failure_of_process(ended: Captured, site: Site, what: str) -> Exception:
    """What it means that `gh` ended without an answer."""
    said = shortened(without_tokens(ended.stderr.decode(errors="replace")))
    if ended.returncode == NO_LOGIN_EXIT_CODE or "gh auth login" in said:
        return LoginRefused(f"gh has no login for {site.host}; {log_in(site.host)}")
    return Unanswered(f"{what}: {said or f'gh ended with exit code {ended.returncode} and said nothing'}")


def limit_of(answer: Answer, site: Site, now: float, *, spent: bool = False) -> Throttled | None:
    """The limit that an answer speaks of, and how long it lasts; `None` if it speaks of none.

    Args:
        answer: The answer.
        site: The repository, whose host is named.
        now: Seconds since 1970.
        spent: Whether it is known from elsewhere that a budget is used up.
    """
    said = shortened(answer.message)
    after = answer.headers.get("retry-after", "")
    if after.isascii() and after.isdigit():
        return _limited(Throttled, site, float(after), said)
    if spent or answer.headers.get("x-ratelimit-remaining") == "0":
        seconds = answer.seconds_until("x-ratelimit-reset", now)
        return _limited(BudgetSpent, site, _UNTOLD_LIMIT if seconds is None else seconds + 1, said)
    if answer.status == 429 or "rate limit" in said.lower() or "abuse detection" in said.lower():
        return _limited(Throttled, site, _UNTOLD_LIMIT, said)
    return None


def invisible(site: Site) -> LoginRefused:
    """The repository is not there for this login."""
    return LoginRefused(
        f"{site} is not there, or the login for {site.host} may not see it; "
        f"look with `gh repo view {site}`, {allow(site.host)}"
    )


def may_not_write(answer: Answer, site: Site, repository: dict[str, Any]) -> LoginRefused | None:
    """Why a change was answered with "not found" in a repository that is there; `None` if it is not for the login.

    Args:
        answer: The answer.
        site: The repository.
        repository: What GitHub says of it.
    """
    scopes = answer.headers.get("x-oauth-scopes")
    lacks_scope = scopes is not None and not {"repo", "public_repo"} & {scope.strip() for scope in scopes.split(",")}
    may_push = (repository.get("permissions") or {}).get("push", True)
    if lacks_scope:
        reason = f"its scopes are {scopes or 'none'}, and it needs repo"
    elif not may_push:
        reason = "it may only read"
    else:
        return None
    return LoginRefused(f"the login for {site.host} may not change {site}: {reason}; {allow(site.host)}")


def log_in(host: str) -> str:
    """What to type for a login."""
    variable = login_variable(host)
    if variable is not None:
        return f"give {variable} a token that works, then type `agentrelay run`"
    return f"type `gh auth login --hostname {host}`, then `agentrelay run`"


def allow(host: str) -> str:
    """What to type so that a login may do more."""
    variable = login_variable(host)
    if variable is not None:
        return f"give {variable} a token that may (for a classic one the scope repo), then type `agentrelay run`"
    return f"type `gh auth refresh --hostname {host} --scopes repo`, then `agentrelay run`"


def shortened(text: str) -> str:
    """A text from outside for a message: one line, without tokens, not long."""
    text = " ".join(without_tokens(text).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _forbidden(answer: Answer, site: Site, what: str, said: str) -> LoginRefused:
    header = answer.headers.get("x-github-sso", "")
    if header or "SAML" in said:
        url = _SSO_URL.search(header)
        where = f"open {url[1]}" if url else f"authorize the token for {site.owner} in the settings of {site.host}"
        return LoginRefused(
            f"{site.owner} wants single sign-on for the login of {site.host}; {where}, then type `agentrelay run`"
        )
    return LoginRefused(f"{what}: the login for {site.host} may not do that: {said or 'HTTP 403'}; {allow(site.host)}")


def _limited(kind: type[Throttled], site: Site, seconds: float, said: str) -> Throttled:
    return kind(
        f"{site.host} limits our calls for another {seconds:.0f} s" + (f": {said}" if said else ""),
        retry_after=seconds,
        boundary=IntegrationBoundary.PULL_REQUEST,
    )
