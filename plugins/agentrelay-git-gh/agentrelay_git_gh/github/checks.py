"""Whether the checks of a commit allow a merge: a pass is success of the newest run on exactly that commit.

GitHub lets checks pass that were skipped, are neutral or were never started. Here nothing but success is evidence;
what is absent, cancelled, renamed or ran on another commit is waited for, and no more.
"""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from agentrelay_core.runtime.untrusted_text import plain_line

Policy = str | tuple[str, ...]
"""``required``, ``all``, ``none``, or the names of checks, as a graph gives it."""

SUCCESS: Final = "success"

# Conclusions that speak against the work. The others (cancelled, skipped, neutral, stale, action_required) say nothing
# of it: they may be run again, by a person.
_RED: Final = frozenset({"failure", "error", "timed_out", "startup_failure"})
_LISTED: Final = 20


@attrs.frozen(kw_only=True)
class Check:
    """One run of a check, or a commit status.

    Args:
        name: Its name, or a status' context.
        commit: What it ran on, full hash.
        conclusion: How it ended, in lower case; empty while it has not.
        app: The slug of the app that ran it; empty for a status.
        app_id: The number of that app, where known.
        number: Its number at GitHub, which grows; 0 for a status, of which there is one per name.
        url: Where people read about it.
        title: What it says of itself in a line.
        required: Whether GitHub says that the pull request needs it.
    """

    name: str
    commit: str
    conclusion: str = ""
    app: str = ""
    app_id: int | None = None
    number: int = 0
    url: str = ""
    title: str = ""
    required: bool = False

    @property
    def is_status(self) -> bool:
        """Whether it is a commit status, of which the app that made it is not told."""
        return not self.app and self.number == 0

    @property
    def red(self) -> bool:
        """Whether it has ended and speaks against the work."""
        return self.conclusion in _RED

    def __str__(self) -> str:
        name = plain_line(self.name, 100)
        return f"{name} {plain_line(self.conclusion, 40)}" if self.conclusion else f"{name} pending"


@attrs.frozen(kw_only=True)
class Requirement:
    """A check that must pass.

    Args:
        name: Its name.
        app_id: The app that must have run it; `None` for any.
    """

    name: str
    app_id: int | None = None


@attrs.frozen(kw_only=True)
class Verdict:
    """What a policy makes of the checks of a commit.

    Args:
        red: Checks that speak against the work.
        waiting: Checks that have not ended, or not with success.
        missing: Names of checks that are not there.
        there: Names of all checks that are there.
        seen: What was looked at, to compare with another look.
    """

    red: tuple[Check, ...] = ()
    waiting: tuple[Check, ...] = ()
    missing: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    seen: frozenset[Check] = frozenset()

    @property
    def passed(self) -> bool:
        """Whether nothing is left to wait for."""
        return not (self.red or self.waiting or self.missing)

    def __str__(self) -> str:
        words = [str(check) for check in (*self.red, *self.waiting)]
        words += [f"{plain_line(name, 100)} not there" for name in self.missing]
        return _listed(words)


def judge(policy: Policy, head: str, checks: Iterable[Check], required: Sequence[Requirement] = ()) -> Verdict:
    """Judge the checks of a commit.

    Args:
        policy: What must pass.
        head: The verified commit, full hash.
        checks: All that GitHub reports, of whatever commit.
        required: What the branch's protection asks for; of the policy ``required`` alone.

    Returns:
        What speaks against a merge. With ``all``, no check at all is one that is missing, called "any check".
    """
    newest = _newest(check for check in checks if check.commit == head)
    there = tuple(sorted({check.name for check in newest}))
    if policy == "none":
        return Verdict(there=there, seen=frozenset(newest))
    if policy == "all":
        return _verdict(newest, () if newest else ("any check",), there)
    wanted = required if policy == "required" else [Requirement(name=name) for name in _names(policy)]
    counted: dict[Check, None] = {}
    missing = []
    for requirement in wanted:
        found = [check for check in newest if _meets(check, requirement)]
        counted.update(dict.fromkeys(found))
        if not found and requirement.name not in missing:
            missing.append(requirement.name)
    return _verdict(list(counted), tuple(missing), there)


def instead(verdict: Verdict) -> str:
    """What is there instead of checks that are missing, with the likeliest meant ones, for a message."""
    there = [plain_line(name, 100) for name in verdict.there]
    if not there:
        return "no check is there at all"
    near = [close for name in verdict.missing for close in difflib.get_close_matches(name, there, n=1, cutoff=0.6)]
    guess = f" (did you mean {' and '.join(dict.fromkeys(near))}?)" if near else ""
    return f"what is there: {_listed(there)}{guess}"


def _names(policy: Policy) -> tuple[str, ...]:
    return (policy,) if isinstance(policy, str) else policy


def _newest(checks: Iterable[Check]) -> list[Check]:
    """Of several runs of one check by one app the last, for it is the one that somebody ran again."""
    newest: dict[tuple[str, str, int | None], Check] = {}
    for check in checks:
        key = (check.name, check.app, check.app_id)
        known = newest.get(key)
        if known is None or check.number >= known.number:
            newest[key] = check
    return [newest[key] for key in sorted(newest, key=str)]


def _meets(check: Check, requirement: Requirement) -> bool:
    """Whether a check is the required one, well or not; who made a status, GitHub alone knows."""
    if check.name != requirement.name:
        return False
    if requirement.app_id is None or check.app_id == requirement.app_id:
        return True
    return check.is_status and check.required


def _verdict(counted: Sequence[Check], missing: tuple[str, ...], there: tuple[str, ...]) -> Verdict:
    return Verdict(
        red=tuple(check for check in counted if check.red),
        waiting=tuple(check for check in counted if not check.red and check.conclusion != SUCCESS),
        missing=missing,
        there=there,
        seen=frozenset(counted),
    )


def _listed(words: Sequence[str]) -> str:
    shown = ", ".join(words[:_LISTED])
    return f"{shown} and {len(words) - _LISTED} more" if len(words) > _LISTED else shown
