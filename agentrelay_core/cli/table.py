"""All commands in one static table: help is shown, and names are resolved, without importing any of them."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

VERSION: Final = "0.1.0"
TAGLINE: Final = "Relay coding work across agents: a graph of tasks becomes merged branches."


class Entry(NamedTuple):
    """A command.

    Args:
        name: What is typed.
        help: What it does, in a few words.
        place: ``module:attribute`` of the click command, below ``agentrelay_core.cli.commands``.
    """

    name: str
    help: str
    place: str


class Section(NamedTuple):
    """Commands that belong together.

    Args:
        title: What help calls them.
        entries: The commands.
    """

    title: str
    entries: tuple[Entry, ...]


COMMANDS: Final = (
    Section(
        "Begin",
        (
            Entry("demo", "watch a graph run to its end in a throw-away repository", "demo:command"),
            Entry("init", "put a starter graph into this repository", "init:command"),
        ),
    ),
    Section(
        "Run a graph",
        (
            Entry("check", "show all problems of graph files at once", "check:command"),
            Entry("plan", "show what would run, in which order, and what is missing", "plan:command"),
            Entry("run", "run what is not done yet", "run:command"),
        ),
    ),
    Section(
        "Look",
        (
            Entry("status", "show where a run stands", "status:command"),
            Entry("watch", "watch a run until it ends", "watch:command"),
            Entry("logs", "show what a task's agent printed", "logs:command"),
            Entry("attach", "show a task's agent in this terminal", "attach:command"),
            Entry("graph", "draw a graph as tree, mermaid or dot", "graph:command"),
        ),
    ),
    Section(
        "Mend and clean",
        (
            Entry("retry", "make failed tasks, and what hangs on them, pending again", "retry:command"),
            Entry("cancel", "end tasks of a run, or all of it", "cancel:command"),
            Entry("reset", "do tasks again, or forget a run; what would be lost is kept", "reset:command"),
            Entry("clean", "remove what runs have left and nobody needs", "clean:command"),
            Entry("rescue", "list and give back work that was kept", "rescue:command"),
            Entry("journal", "write the record of a run as JSON lines", "journal:command"),
        ),
    ),
    Section(
        "Set up",
        (
            Entry("doctor", "look for what is missing here, and say how to mend it", "doctor:command"),
            Entry("plugins", "list, diagnose, explain, check and make plugins", "plugins:command"),
            Entry("config", "show the configuration and where it comes from", "config:command"),
            Entry("schema", "print the JSON Schema of graph files", "schema:command"),
            Entry("completion", "print a completion script for your shell", "completion:command"),
        ),
    ),
)

OPTIONS: Final = (
    ("-h, --help", "show this text; `agentrelay COMMAND --help` tells more"),
    ("--version", "show the version"),
    ("--debug", "show the traceback of an internal error"),
)


def help_text() -> str:
    """What ``agentrelay --help`` prints."""
    return "\n".join(_help_lines()) + "\n"


def rows(sections: Iterable[Section]) -> Iterator[Entry]:
    """The commands of all sections."""
    for section in sections:
        yield from section.entries


def _help_lines() -> Iterator[str]:
    yield "Usage: agentrelay COMMAND [OPTIONS] [ARGUMENTS]"
    yield ""
    yield f"  {TAGLINE}"
    width = max(len(entry.name) for entry in rows(COMMANDS))
    for section in COMMANDS:
        yield ""
        yield f"{section.title}:"
        for entry in section.entries:
            yield f"  {entry.name:<{width}}  {entry.help}"
    yield ""
    yield "Options:"
    for name, meaning in OPTIONS:
        yield f"  {name:<{width}}  {meaning}"
    yield ""
    yield "Exit codes: 0 done, 1 a task failed, 2 wrong usage, 3 invalid graph or configuration, 4 waits for a person,"
    yield "5 environment not ready, 6 nothing selected, 70 internal error, 75 try later, 130 and 143 stopped by signal."
