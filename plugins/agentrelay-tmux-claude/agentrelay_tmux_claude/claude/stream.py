"""The structured output of Claude Code without a terminal, read as facts about its last turn.

The log is the agent's to write, so it is a hint like any other word of an agent: what is no line of the stream is
passed over, and nothing in it makes a task done without evidence.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_tmux_claude.claude.usage import Usage, result_usage


@attrs.frozen(kw_only=True)
class TurnFacts:
    """What one turn came to.

    Args:
        result: Whether the turn had a result: it came to an end of its own.
        text: The last words, or the error's.
        error: Claude Code's name of what went wrong, for example ``rate_limit``; empty when nothing did.
        status: The HTTP status of an error of the API.
        subtype: The result's kind, for example ``success`` or ``error_max_turns``.
        denied: Tools that were refused, in order.
        succeeded: How many uses of tools succeeded.
        resets_at: When a limit ends, in seconds since the epoch, where it is told.
        used: What it used by each of its results, which have ids.
    """

    result: bool = False
    text: str = ""
    error: str = ""
    status: int | None = None
    subtype: str = ""
    denied: tuple[str, ...] = ()
    succeeded: int = 0
    resets_at: float | None = None
    used: Mapping[str, Usage] = attrs.field(factory=dict, hash=False)


def lines_of(output: bytes) -> Iterator[dict[str, Any]]:
    """The objects of the stream; all other lines are passed over."""
    for line in output.decode(errors="replace").splitlines():
        found = parse_line(line)
        if found is not None:
            yield found


def parse_line(line: str) -> dict[str, Any] | None:
    """One line of the stream; `None` for anything else."""
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("type"), str) else None


def last_turn(lines: Iterable[Mapping[str, Any]]) -> TurnFacts:
    """The facts of the last of several turns, each of which begins with its own introduction."""
    turn: list[Mapping[str, Any]] = []
    for line in lines:
        if line["type"] == "system" and line.get("subtype") == "init":
            turn = []
        turn.append(line)
    return _facts(turn)


def _facts(turn: list[Mapping[str, Any]]) -> TurnFacts:
    facts = TurnFacts(succeeded=sum(map(_successes, turn)))
    for line in turn:
        if line["type"] == "rate_limit_event":
            facts = attrs.evolve(facts, resets_at=_reset(line.get("rate_limit_info")) or facts.resets_at)
        elif line["type"] == "assistant" and isinstance(line.get("error"), str):
            facts = attrs.evolve(facts, error=line["error"], text=plain_line(_said(line)))
        elif line["type"] == "result":
            facts = _with_result(facts, line)
    return facts


def _with_result(facts: TurnFacts, line: Mapping[str, Any]) -> TurnFacts:
    status = line.get("api_error_status")
    wrong = line.get("is_error") is True
    errors = line.get("errors")
    told = line.get("result") or ("; ".join(map(str, errors)) if isinstance(errors, list) else "")
    return attrs.evolve(
        facts,
        result=True,
        text=plain_line(str(told)) or facts.text,
        error=(facts.error or "unknown") if wrong else "",
        status=status if isinstance(status, int) else None,
        subtype=str(line.get("subtype", "")),
        denied=tuple(_denied(line.get("permission_denials"))),
        used={**facts.used, str(line.get("uuid", "")): result_usage(line)},
    )


def _denied(denials: Any) -> Iterator[str]:
    for denial in denials if isinstance(denials, list) else ():
        if isinstance(denial, dict):
            given = denial.get("tool_input")
            shown = (given.get("command") or given.get("file_path") or "") if isinstance(given, dict) else ""
            yield plain_line(f"{denial.get('tool_name')}({shown})" if shown else str(denial.get("tool_name")), 120)


def _successes(line: Mapping[str, Any]) -> int:
    """How many uses of tools a line tells the results of, and none of an error."""
    return sum(
        block.get("type") == "tool_result" and not block.get("is_error")
        for block in _blocks(line)
        if line["type"] == "user"
    )


def _said(line: Mapping[str, Any]) -> str:
    return " ".join(str(block.get("text", "")) for block in _blocks(line))


def _blocks(line: Mapping[str, Any]) -> list[dict[str, Any]]:
    message = line.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _reset(info: Any) -> float | None:
    if not isinstance(info, dict) or info.get("status") != "rejected":
        return None
    resets_at = info.get("resetsAt")
    return float(resets_at) if isinstance(resets_at, int | float) and not isinstance(resets_at, bool) else None
