"""Check runs and commit statuses, also those that come late or change their name while somebody looks.

A look is a request that reads the checks of a commit. What depends on looks comes at a known moment without anybody
waiting: "after two further looks" is the third request from now.
"""

from __future__ import annotations

from typing import Final, Literal

import attrs

State = Literal["SUCCESS", "FAILURE", "PENDING", "ERROR", "EXPECTED"]
PASSING: Final = frozenset({"success", "neutral", "skipped"})
_STATUS_STATES: Final = {"success", "failure", "error", "pending"}
CONCLUSIONS: Final = frozenset(
    {
        "success",
        "failure",
        "cancelled",
        "skipped",
        "neutral",
        "timed_out",
        "action_required",
        "stale",
        "startup_failure",
    }
)


@attrs.frozen(kw_only=True)
class Check:
    """A check run, or a commit status of the old kind.

    Args:
        number: Its database id; of a job of GitHub Actions, the job's as well.
        name: Its name, or the status' context.
        status: ``queued``, ``in_progress`` or ``completed``.
        conclusion: How it ended.
        app: The slug of the app that made it.
        details_url: Where more is told.
        external_id: What the app calls it.
        started_at: When it began, in seconds since the epoch.
        completed_at: When it ended, if it has.
        log: The log of its job.
        run: The run of the workflow that it belongs to.
        legacy: Whether it is a commit status.
        summary: Its text.
    """

    number: int
    name: str
    status: str = "completed"
    conclusion: str | None = None
    app: str = "github-actions"
    details_url: str = ""
    external_id: str = ""
    started_at: float = 0.0
    completed_at: float | None = None
    log: str = ""
    run: int = 0
    legacy: bool = False
    summary: str = ""

    @property
    def key(self) -> tuple[str, bool, str]:
        """What a commit has one of; two apps may have checks of the same name."""
        return self.name, self.legacy, self.app

    @property
    def passed(self) -> bool:
        """Whether a branch that requires it is content; GitHub takes skipped and neutral ones for passed."""
        return self.status == "completed" and self.conclusion in PASSING

    @property
    def pending(self) -> bool:
        """Whether it has not ended."""
        return self.status != "completed"


@attrs.define(kw_only=True)
class _Scripted:
    check: Check
    appears: int  # the look from which on it is there
    renamed: tuple[str, int] | None = None

    def at(self, looks: int) -> Check | None:
        if looks < self.appears:
            return None
        if self.renamed is not None and looks >= self.renamed[1]:
            return attrs.evolve(self.check, name=self.renamed[0])
        return self.check


class Checks:
    """The checks of a repository's commits."""

    def __init__(self) -> None:
        self._of: dict[str, list[_Scripted]] = {}
        self._looks: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def put(self, sha: str, check: Check, *, after_looks: int = 0) -> None:
        """Add a check, or replace the one of that name, kind and app.

        Args:
            sha: The commit.
            check: The check.
            after_looks: How many further looks do not show it.
        """
        scripts = self._of.setdefault(sha, [])
        looks = self._looks.get(sha, 0)
        scripts[:] = [one for one in scripts if one.check.key != check.key]
        scripts.append(_Scripted(check=check, appears=looks + after_looks + 1 if after_looks else 0))

    def remove(self, sha: str, name: str) -> None:
        """Take a check away."""
        self._of[sha] = [one for one in self._of.get(sha, []) if one.check.name != name]

    def rename(self, sha: str, name: str, to: str, *, after_looks: int = 0) -> None:
        """Give a check another name, after so many further looks."""
        at = self._looks.get(sha, 0) + after_looks + 1 if after_looks else 0
        for one in self._of.get(sha, []):
            if one.check.name == name:
                one.renamed = (to, at)

    def look(self, sha: str, request: int) -> list[Check]:
        """The checks as a request sees them; one request looks once, however often it asks."""
        if self._last.get(sha) != request:
            self._last[sha] = request
            self._looks[sha] = self._looks.get(sha, 0) + 1
        return self.now(sha)

    def now(self, sha: str) -> list[Check]:
        """The checks as they are, without a look."""
        looks = self._looks.get(sha, 0)
        return [check for one in self._of.get(sha, []) if (check := one.at(looks)) is not None]

    def find(self, number: int) -> tuple[str, Check] | None:
        """The commit and the check with a database id."""
        for sha in self._of:
            for check in self.now(sha):
                if check.number == number and not check.legacy:
                    return sha, check
        return None


def rollup(checks: list[Check]) -> State | None:
    """What all checks together come to; None when there are none."""
    if not checks:
        return None
    if any(not check.passed and not check.pending for check in checks):
        return "FAILURE"
    return "PENDING" if any(check.pending for check in checks) else "SUCCESS"


def judged(conclusion: str) -> tuple[str, str | None]:
    """Status and conclusion of a check from one word: ``queued``, ``in_progress``, or how it ended.

    Raises:
        ValueError: GitHub has no such word.
    """
    if conclusion in ("queued", "in_progress", "waiting", "pending", "requested"):
        return conclusion, None
    if conclusion not in CONCLUSIONS:
        raise ValueError(f"'{conclusion}' is no conclusion of a check; one of {', '.join(sorted(CONCLUSIONS))}")
    return "completed", conclusion


def judged_status(state: str) -> tuple[str, str | None]:
    """The same from the state of a commit status: ``success``, ``failure``, ``error`` or ``pending``.

    Raises:
        ValueError: GitHub has no such state.
    """
    if state not in _STATUS_STATES:
        raise ValueError(f"'{state}' is no state of a commit status; one of {', '.join(sorted(_STATUS_STATES))}")
    return ("pending", None) if state == "pending" else ("completed", state)
