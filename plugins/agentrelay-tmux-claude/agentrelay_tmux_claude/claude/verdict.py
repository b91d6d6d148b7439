"""What the end of a turn without a signal means: go on, wait, ask a person, or the end of the attempt.

Exit code 0 and a friendly last word prove nothing, as Claude Code ends so with every tool refused. So a turn that ended
without a signal is told once what is missing; after that only work that was seen counts.
"""

from typing import Final, Literal

import attrs

from agentrelay_core import AgentFailure, IntegrationBoundary, Parked, TaskCompletionSignal, Transient
from agentrelay_core.processes import describe_exit
from agentrelay_tmux_claude.claude.dialogs import dialog_on
from agentrelay_tmux_claude.claude.limits import reset_in
from agentrelay_tmux_claude.claude.memory import ANEW
from agentrelay_tmux_claude.claude.prompts import INTERRUPTED, NO_SIGNAL
from agentrelay_tmux_claude.claude.stream import TurnFacts

KILLED: Final = (129, 130, 137, 143)
"""Exit codes by which a program says that a signal ended it."""

_LOGIN: Final = (
    "log in with `claude` as the user who runs this, or give the agent a key, `pass_env: [ANTHROPIC_API_KEY]`; "
    "then `agentrelay run`"
)
# How Claude Code says that it kept nothing of a session.
_NO_SESSION: Final = "No conversation found"
_AT: Final = IntegrationBoundary.AGENT_LAUNCH


WHY: Final = {
    "nudge": "it ended its turn without a signal",
    "interrupted": "it was interrupted",
    "anew": "nothing was kept of its session",
}
"""The reasons of another turn in words."""


@attrs.frozen(kw_only=True)
class Again:
    """The session is to have another turn.

    Args:
        reason: Why; each is given once until the next gate.
        prompt: What the agent is told; empty for its instructions.
    """

    reason: Literal["nudge", "interrupted", "anew"]
    prompt: str


@attrs.frozen(kw_only=True)
class Limited:
    """A usage limit was reached.

    Args:
        message: What was said.
        until: When it ends, in seconds since the epoch, where it is told.
    """

    message: str
    until: float | None


Verdict = Again | Limited | TaskCompletionSignal


@attrs.frozen(kw_only=True)
class Ending:
    """How a turn ended that left no signal.

    Args:
        facts: What its output says.
        exit_code: The program's; negative for a signal, `None` when it is not known.
        last_line: The last line that is none of the stream's.
        screen: What it showed, where it ended before its first turn.
        told: What the agent was told already in this attempt: reasons of `Again`.
        unwatched: Whether it ended while nobody watched.
        worked: Whether an earlier turn of the attempt had done something.
        asks: Whether what is refused is a person's to decide.
    """

    facts: TurnFacts
    exit_code: int | None
    last_line: str = ""
    screen: str = ""
    told: frozenset[str] = frozenset()
    unwatched: bool = False
    worked: bool = False
    asks: bool = False


def judge(ending: Ending) -> Verdict:
    """Say what an end without a signal means.

    Args:
        ending: How the turn ended.

    Raises:
        Parked: A person is needed: to log in, to pay, to allow something.
        Transient: The API, or the way to it, failed for now.
        AgentFailure: Claude Code could not be started as it was.
    """
    facts, exit_code = ending.facts, ending.exit_code
    if not facts.result:
        return _without_result(ending)
    if _NO_SESSION in facts.text and ANEW not in ending.told:
        return Again(reason="anew", prompt="")
    if facts.error or exit_code not in (0, None):
        return _error(facts, exit_code)
    if facts.denied and ending.asks:
        raise Parked(
            f"Claude Code needs your permission for {_some(facts.denied)}: add it to the agent's allowed_tools, or "
            "change its permissions; then `agentrelay run`",
            boundary=_AT,
        )
    did_something = bool(facts.succeeded or ending.worked)
    if facts.denied and not did_something:
        return _failed(
            f"every tool that Claude Code used was refused: {_some(facts.denied)}; "
            "add what it needs to the agent's allowed_tools, or change its permissions"
        )
    if "nudge" not in ending.told:
        return Again(reason="nudge", prompt=NO_SIGNAL)
    if did_something:
        return TaskCompletionSignal(
            "done", concerns=("Claude Code ended twice without a signal; its work was checked",)
        )
    return _failed(f"Claude Code ended twice without a signal and did nothing; it said: {facts.text or '(nothing)'}")


def _without_result(ending: Ending) -> Verdict:
    exit_code = ending.exit_code
    if exit_code is None or exit_code < 0 or exit_code in KILLED:
        if ending.unwatched and "interrupted" not in ending.told:
            return Again(reason="interrupted", prompt=INTERRUPTED)
        # Told to end by HUP or TERM it says so itself, by its exit code.
        ended_by = 128 - exit_code if exit_code in KILLED else exit_code
        return TaskCompletionSignal("failed", error=f"Claude Code {describe_exit(ended_by)}", ended="died")
    dialog = dialog_on(ending.screen)
    if dialog is not None:
        raise Parked(dialog.told, boundary=_AT)
    said = ending.last_line or "it printed nothing"
    if _NO_SESSION in said and ANEW not in ending.told:
        return Again(reason="anew", prompt="")
    if "root/sudo" in said:
        raise Parked(
            f"Claude Code refuses permissions: bypass to root: {said}; run as another user, choose other permissions, "
            "or say `env: {IS_SANDBOX: '1'}` where this machine is a sandbox",
            boundary=_AT,
        )
    raise AgentFailure(f"Claude Code {describe_exit(exit_code)} before its first turn: {said}")


def _error(facts: TurnFacts, exit_code: int | None) -> Verdict:
    """An error of the API, or a limit of the task's own."""
    said = facts.text or describe_exit(exit_code)
    return error_verdict(facts.error, said, status=facts.status, resets_at=facts.resets_at, subtype=facts.subtype)


def error_verdict(
    error: str, said: str, *, status: int | None = None, resets_at: float | None = None, subtype: str = ""
) -> Verdict:
    """What an error means that ended a turn.

    Args:
        error: Claude Code's name of it.
        said: Its text.
        status: The HTTP status, where known.
        resets_at: When a limit ends, in seconds since the epoch, where known.
        subtype: The result's kind, where there is one.

    Raises:
        Parked: A person is needed: to log in, or to pay.
        Transient: The API, or the way to it, failed for now.
    """
    if subtype.startswith("error_max"):
        what = "max_budget_usd" if "budget" in subtype else "max_turns"
        return _failed(f"Claude Code reached the agent's {what} without a signal")
    if error == "rate_limit" or status == 429:
        return Limited(message=said, until=resets_at or reset_in(said))
    if error == "authentication_failed" or status in (401, 403):
        raise Parked(f"Claude Code has no login that works ({said}): {_LOGIN}", boundary=_AT)
    if error == "billing_error":
        raise Parked(f"Claude Code cannot be billed ({said}): mend that, then `agentrelay run`", boundary=_AT)
    if error == "server_error" or (status or 0) >= 500 or "Unable to connect" in said or "Connection" in said:
        raise Transient(f"Claude Code could not reach its model: {said}", boundary=_AT)
    return _failed(f"Claude Code ended with an error: {said}")


def _failed(error: str) -> TaskCompletionSignal:
    return TaskCompletionSignal("failed", error=error)


def _some(names: tuple[str, ...]) -> str:
    distinct = list(dict.fromkeys(names))
    return ", ".join(distinct[:5]) + (f" and {len(distinct) - 5} more" if len(distinct) > 5 else "")
