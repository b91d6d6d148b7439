"""What an agent of the framework ``command`` says besides: the command."""

from typing import Any

import attrs


def _command(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, list | tuple):
        if value and all(isinstance(word, str) for word in value) and value[0]:
            return tuple(value)
    elif isinstance(value, str) and value.strip():
        return value
    raise ValueError(f"due is a command line, or a list of a program and its arguments, not {value!r}")


@attrs.frozen(kw_only=True)
class CommandOptions:
    """Options of the framework ``command``.

    Args:
        command: A list is run as it is, a string by ``sh -c``; both in the task's worktree.
    """

    command: str | tuple[str, ...] = attrs.field(converter=_command)
