"""What a scripted agent can be told to do: the words, the value that each takes, and what is said of a wrong one.

A script is plain data, so that it stands in a graph file, travels as an argument, and reads the same in both.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

import attrs

from agentrelay_core.spec.suggestions import did_you_mean


@attrs.frozen
class Act:
    """One thing that an agent does.

    Args:
        word: Which; one of `WORDS`.
        value: What it is done with, `None` for what is usual.
    """

    word: str
    value: Any = attrs.field(default=None, hash=False)

    def plain(self) -> str | dict[str, Any]:
        """It as it stands in a graph file."""
        return self.word if self.value is None else {self.word: self.value}


def _nothing(value: Any) -> None:
    if value is not None:
        raise ValueError(f"takes no value, and {value!r} is given")


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"takes a text, not {value!r}")
    return value


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"takes a number of seconds, not {value!r}")
    return value


def _exit_code(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 255):
        raise ValueError(f"takes an exit code from 0 to 255, not {value!r}")
    return value


def _path(value: Any) -> str:
    path = PurePosixPath(value) if isinstance(value, str) and value else None
    if path is None or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"takes a path inside of the worktree, not {value!r}")
    return str(path)


def _file(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value if value is None else _path(value)
    if not isinstance(value, Mapping) or not set(value) <= {"path", "text"} or "path" not in value:
        raise ValueError(f"takes a path, or a path and a text ({{path: …, text: …}}), not {value!r}")
    return {"path": _path(value["path"]), "text": _text(value.get("text")) or ""}


def _flood(value: Any) -> str | None:
    if value not in (None, "output", "signal", "concerns"):
        raise ValueError(f"takes output, signal or concerns, not {value!r}")
    return None if value is None else str(value)


Script = Iterable[str | Mapping[str, Any] | Act]
"""Acts one after the other: words, words with their values, and acts as they were read."""

# Each word, with what makes sure that its value is right.
WORDS: Final[dict[str, Callable[[Any], Any]]] = {
    "write": _file,
    "print": _text,
    "concern": _text,
    "wait": _seconds,
    "done": _text,
    "failed": _text,
    "exit": _exit_code,
    "hang": _nothing,
    "crash": _nothing,
    "lie": _text,
    "flood": _flood,
    "half_write": _text,
    "answer_twice": _nothing,
    "ask_permission": _text,
    "rate_limited": _seconds,
}


def read_script(value: Any) -> tuple[Act, ...]:
    """Read a script from plain data.

    Args:
        value: A list of words, of mappings from one word to its value, and of acts.

    Returns:
        The acts, their values checked.

    Raises:
        ValueError: It is no such list; the text names the act by its number, from 1, and says what is right.
    """
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError(f"a script is a list of acts, for example [write, done], not {value!r}")
    return tuple(_act(number, each) for number, each in enumerate(value, start=1))


def _act(number: int, value: Any) -> Act:
    if isinstance(value, Act):
        value = value.plain()
    if isinstance(value, Mapping) and len(value) == 1:
        [(word, given)] = value.items()
    elif isinstance(value, str):
        word, given = value, None
    else:
        raise ValueError(
            f"act {number} of the script is a word such as done, or a word with its value such as {{print: hello}}, "
            f"not {value!r}"
        )
    check = WORDS.get(word) if isinstance(word, str) else None
    if check is None:
        hint = did_you_mean(str(word), WORDS) or f"there are {', '.join(WORDS)}"
        raise ValueError(f"act {number} of the script, {word!r}, is unknown; {hint}")
    try:
        return Act(word, check(given))
    except ValueError as error:
        raise ValueError(f"act {number} of the script: {word} {error}") from None


def to_argument(acts: Iterable[Act]) -> str:
    """A script as one argument of a command."""
    return json.dumps([act.plain() for act in acts])


def from_argument(argument: str) -> tuple[Act, ...]:
    """The script that `to_argument` wrote.

    Raises:
        ValueError: The argument is none.
    """
    return read_script(json.loads(argument))
