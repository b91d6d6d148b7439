"""What an agent of the framework ``command`` says besides: the command."""

from typing import Any, Literal

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
        instructions: How the program is told what to do: on its standard input, by the text as its last argument, or
            by the path of the file that has it as its last argument. For ``sh -c`` that argument is ``"$1"``.
    """

    command: str | tuple[str, ...] = attrs.field(
        converter=_command, metadata={"help": "a list is run as it is, a text by sh -c"}
    )
    instructions: Literal["stdin", "argument", "path"] = attrs.field(
        default="stdin",
        validator=attrs.validators.in_(("stdin", "argument", "path")),
        metadata={"help": "what to do is on standard input, or is or names the last argument"},
    )
