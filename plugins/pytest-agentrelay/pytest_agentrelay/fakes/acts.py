"""What each word of a script does. Agents behave here as badly as real ones have been seen to."""

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pytest_agentrelay.fakes.script import Act
from pytest_agentrelay.fakes.stage import Ended, Stage

# Longer than any signal, list of concerns, or piece of a log that is read, in bytes.
FLOOD: Final = 2 * 1024 * 1024
# How long a half-written signal stays half, in seconds: noticed, and shorter than what makes it count as it is.
HALF: Final = 0.2
# How often an agent looks whether it was answered, in seconds.
LOOK: Final = 0.02
WAITING_INPUT: Final = "waiting_input"


def play(script: Iterable[Act], stage: Stage) -> int | None:
    """Play a script to its end.

    Args:
        script: The acts.
        stage: Where.

    Returns:
        The exit code of an agent that ended, or the negative number of the signal that it died of; `None` when the
        script came to its end and the agent may go on.
    """
    try:
        for act in script:
            stage.pause(0)
            _ACTS[act.word](stage, act.value)
    except Ended as end:
        return end.exit_code
    return None


def _write(stage: Stage, value: Any) -> None:
    if not isinstance(value, dict):
        value = {"path": value or f"{stage.task_id}.txt", "text": f"Written by {stage.task_id}.\n"}
    path = stage.worktree / value["path"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value["text"], encoding="utf-8")


def _print(stage: Stage, value: str | None) -> None:
    stage.say(f"{value or ''}\n")


def _concern(stage: Stage, value: str | None) -> None:
    with (stage.signal_dir / "concerns.log").open("a", encoding="utf-8") as file:
        file.write(f"{value or 'Something is odd.'}\n")


def _wait(stage: Stage, value: float | None) -> None:
    stage.pause(value or 0.0)


def _done(stage: Stage, value: str | None) -> None:
    _signal(stage, ".done", value or "")


def _failed(stage: Stage, value: str | None) -> None:
    _signal(stage, ".failed", value or "the script says so")


def _exit(stage: Stage, value: int | None) -> None:
    raise Ended(value or 0)


def _hang(stage: Stage, value: None) -> None:
    stage.pause()


def _crash(stage: Stage, value: None) -> None:
    stage.crash()


def _flood(stage: Stage, value: str | None) -> None:
    line = "flood " * 20 + "\n"
    lines = range(FLOOD // len(line) + 1)
    if value == "signal":
        _signal(stage, ".done", "x" * FLOOD)
    elif value == "concerns":
        with (stage.signal_dir / "concerns.log").open("a", encoding="utf-8") as file:
            file.writelines(f"{number} {line}" for number in lines)
    else:
        for _ in lines:
            stage.say(line)


def _half_write(stage: Stage, value: str | None) -> None:
    whole = f"{_now()}\n{value or ''}\n"
    middle = len(whole) - 1 - len(value or "") // 2
    path = stage.signal_dir / ".done"
    path.write_text(whole[:middle], encoding="utf-8")
    stage.pause(HALF)
    with path.open("a", encoding="utf-8") as file:
        file.write(whole[middle:])


def _answer_twice(stage: Stage, value: None) -> None:
    # The first one is half until the second is whole: at no time is there one signal alone.
    done = stage.signal_dir / ".done"
    done.write_text(_now(), encoding="utf-8")
    _signal(stage, ".failed", "it is done, and it failed")
    with done.open("a", encoding="utf-8") as file:
        file.write("\n\n")


def _ask_permission(stage: Stage, value: str | None) -> None:
    """Ask, and go on when the file is taken away, which is the answer."""
    path = stage.signal_dir / WAITING_INPUT
    _replace(path, f"{value or 'May I go on?'}\n")
    while path.exists():
        stage.pause(LOOK)


def _rate_limited(stage: Stage, value: float | None) -> None:
    seconds = 0.5 if value is None else value
    stage.say(f"rate limited: going on in {seconds:g} s\n")
    stage.pause(seconds)
    stage.say("going on\n")


def _signal(stage: Stage, name: str, value: str) -> None:
    _replace(stage.signal_dir / name, f"{_now()}\n{value}\n")


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)  # noqa: PTH105  # the name says that what is there is replaced


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


# A lie is a plain "done"; what makes it one is the script around it.
_ACTS: Final[dict[str, Callable[[Stage, Any], None]]] = {
    "write": _write,
    "print": _print,
    "concern": _concern,
    "wait": _wait,
    "done": _done,
    "failed": _failed,
    "exit": _exit,
    "hang": _hang,
    "crash": _crash,
    "lie": _done,
    "flood": _flood,
    "half_write": _half_write,
    "answer_twice": _answer_twice,
    "ask_permission": _ask_permission,
    "rate_limited": _rate_limited,
}
