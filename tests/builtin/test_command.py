"""The framework ``command``: what is started, and what its end means."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from agentrelay_core.builtin.framework import CommandFramework
from agentrelay_core.builtin.options import CommandOptions
from agentrelay_core.hooks.options import structure_options
from agentrelay_core.runtime import AgentFailure, UserError
from agentrelay_core.spec import AgentConfig


@pytest.mark.parametrize("value", ["make it", ["make", "it"], ("make", "it")])
def test_options_from_a_graph(prepared: Callable[..., Any], value: object) -> None:
    """The command is a string or a list, as the graph file has it."""
    framework = prepared("true").context.framework
    options = structure_options(framework, AgentConfig(options={"command": value}))
    assert options == CommandOptions(command=value if isinstance(value, str) else ("make", "it"))


@pytest.mark.parametrize("value", ["", "  ", [], [""], [1], 5, None, {"a": "b"}])
def test_options_that_are_no_command(prepared: Callable[..., Any], value: object) -> None:
    """What is no command is refused, and the message says what is due."""
    framework = prepared("true").context.framework
    with pytest.raises(UserError, match="due is a command line, or a list of a program and its arguments"):
        structure_options(framework, AgentConfig(options={"command": value}))


def test_list_is_run_as_it_is_and_string_by_the_shell(prepared: Callable[..., Any]) -> None:
    """A list becomes the arguments, a string an argument of ``sh -c``; the instructions are standard input."""
    one = prepared("echo $HOME")
    command = CommandFramework().command(one.context)
    assert command.argv == ("sh", "-c", "echo $HOME")
    assert command.stdin == one.signal_dir / "instructions.md"
    context = attrs.evolve(one.context, options=CommandOptions(command=("echo", "$HOME")))
    assert CommandFramework().command(context).argv == ("echo", "$HOME")


def test_instructions_as_the_last_argument(prepared: Callable[..., Any]) -> None:
    """The text, or the file's path, is the last argument, ``$1`` for the shell; nothing is on standard input."""
    one = prepared("true")
    path = str(one.signal_dir / "instructions.md")
    for way, last in (("argument", "Build it.\n"), ("path", path)):
        for command, argv in (("use $1", ("sh", "-c", "use $1", "sh")), (("use",), ("use",))):
            options = CommandOptions(command=command, instructions=way)  # type: ignore[arg-type]
            told = CommandFramework().command(attrs.evolve(one.context, options=options))
            assert (told.argv, told.stdin) == ((*argv, last), None)


def test_instructions_too_long_for_an_argument(prepared: Callable[..., Any]) -> None:
    """What the system would refuse with a number is said in a sentence, with what to write instead."""
    one = prepared("true")
    (one.signal_dir / "instructions.md").write_text("ü" * 70_000)
    context = attrs.evolve(one.context, options=CommandOptions(command="x", instructions="argument"))
    with pytest.raises(AgentFailure, match=r"the instructions have 140000 bytes.*say `instructions: path`"):
        CommandFramework().command(context)


def test_options_are_needed(prepared: Callable[..., Any]) -> None:
    """Without a command the error names task, framework and option."""
    context = attrs.evolve(prepared("true").context, options={})
    with pytest.raises(UserError, match="task 'build': the framework 'command' needs the option 'command'"):
        CommandFramework().command(context)


def test_instructions_that_are_not_there(prepared: Callable[..., Any]) -> None:
    """A preparer that writes no instructions leaves standard input empty."""
    one = prepared("true")
    (one.signal_dir / "instructions.md").unlink()
    assert CommandFramework().command(one.context).stdin is None


def test_exit_0_is_done() -> None:
    """Exit 0 is done, whatever was printed."""
    assert CommandFramework().outcome(0, ["error: nothing"]).outcome == "done"


@pytest.mark.parametrize(
    ("exit_code", "lines", "error"),
    [
        (3, [], "the command exited 3"),
        (3, ["one", "", "two"], "the command exited 3:\none\ntwo"),
        (-9, ["one"], "the command was ended by SIGKILL (exit 137):\none"),
        (None, [], "the command ended, its exit code is not known"),
        (1, ["\x1b[31mred\x1b[0m\x07 \x00bell"], "the command exited 1:\nred bell"),
        (127, ["hello"], "the command exited 127:\nhello"),
        (127, [], "the command exited 127"),
        (127, ["sh: 1: nosuch: not found"], "program nosuch not found on PATH:\nsh: 1: nosuch: not found"),
    ],
)
def test_anything_else_is_failed(exit_code: int | None, lines: list[str], error: str) -> None:
    """The error tells how it ended and the last lines, stripped of what a terminal would act upon."""
    signal = CommandFramework().outcome(exit_code, lines)
    assert (signal.outcome, signal.error) == ("failed", error)


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("sh: 1: nosuch: not found", "nosuch"),
        ("sh: nosuch: not found", "nosuch"),
        ("sh: line 1: nosuch: command not found", "nosuch"),
        ("/bin/sh: nosuch: command not found", "nosuch"),
        ("zsh:1: command not found: nosuch", "nosuch"),
        ("bash: line 1: ./tool.sh: No such file or directory", "./tool.sh"),
        ("env: 'nosuch': No such file or directory", "nosuch"),
        ("/usr/bin/env: \u2018nosuch\u2019: No such file or directory", "nosuch"),
        ("env: nosuch: No such file or directory", "nosuch"),
    ],
)
def test_missing_program_is_named(line: str, program: str) -> None:
    """Exit 127 names the program that is missing, whichever shell said so."""
    error = CommandFramework().outcome(127, [line]).error
    assert error is not None
    assert error.splitlines()[0] == f"program {program} not found on PATH:"


def test_error_is_bounded() -> None:
    """However much was printed, the error keeps the last lines, each cut."""
    error = CommandFramework().outcome(1, [f"{number} " + "x" * 10_000 for number in range(100)]).error
    assert error is not None
    assert len(error) < 10_000
    assert error.splitlines()[-1].startswith("99 ")


def test_output_is_no_progress() -> None:
    """A command's output says nothing about its progress."""
    assert CommandFramework().read_line("50 %") is None
